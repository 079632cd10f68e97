"""The avatars' part of the main window: panel, dock, who is drawn."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog

from app.live.avatars import Avatars
from app.live.director import Director
from app.state.notices import Notice, NoticeLevel
from app.tasks import Task, TaskState
from app.views.avatar_panel import AvatarPanel
from app.views.head_surface import HeadSurface
from app.views.retarget_dialog import RetargetDialog
from app.window.commands import WindowCommands
from app.window.dialogs import Dialogs
from app.window.docks import DockPlace, Side
from app.window.style import Style
from app.window.texts import tr
from tracking.types import TrackedFace


class AvatarsPart:
    """Made before the docks are; `connect` once they are there.

    Args:
        director: whose head is drawn.
        head: draws it.
        style: colours.
    """

    def __init__(self, director: Director, head: HeadSurface, style: Style) -> None:
        self._director = director
        self._head = head
        self._style = style
        self.avatars = Avatars(director)
        director.companions.append(self.avatars)
        self.panel = AvatarPanel(self.avatars.state, style)
        self.place = DockPlace("avatar", "Avatar", Side.RIGHT, self.panel, "expression")
        self.dialog: RetargetDialog | None = None
        self._making = ""

    def connect(self, window: WindowCommands, dialogs: Dialogs) -> None:
        """Connect the panel, and look who there is."""
        self._window, self._dialogs = window, dialogs
        avatars, panel = self.avatars, self.panel
        panel.chosen.connect(avatars.choose)
        panel.opened.connect(avatars.open)
        panel.deleted.connect(avatars.delete)
        panel.driven.connect(avatars.drive)
        panel.channels_wanted.connect(self._show_channels)
        panel.create_wanted.connect(self._create)
        avatars.state.subject_changed.connect(self._on_subject)
        self._director.models.tasks.ended.connect(self._on_task)
        avatars.look()

    def note_face(self, face: TrackedFace) -> None:
        """A result is shown: its values go to the meters."""
        if self.dialog is None or face.parameters is None:
            return
        from tracking.retarget import Retargeter

        driven = Retargeter(self.avatars.state.subject.settings).apply(face.parameters, 0.0)
        self.dialog.show_values(face.parameters.expression, driven.values)

    def _on_subject(self) -> None:
        subject = self.avatars.state.subject
        self._head.show_subject(subject)
        if self._window.output is not None:
            self._window.output.head.show_subject(subject)
        if subject.own and self.dialog is not None:
            self.dialog.close()

    def _show_channels(self) -> None:
        if self.dialog is None:
            dialog = RetargetDialog(self.avatars.state.subject.settings, self._style, self._window)
            dialog.changed.connect(self.avatars.drive)
            dialog.finished.connect(lambda _: setattr(self, "dialog", None))
            self.dialog = dialog
        self.dialog.show()
        self.dialog.raise_()

    def _create(self) -> None:
        """Out of the open session or file, or the last recording: a camera is in use, and has to be recorded first."""
        source = source_for_avatar(self._director)
        if source is None:
            tr_ = self._director.translate
            self._director.models.notices.post(
                Notice(
                    "avatar",
                    NoticeLevel.INFO,
                    tr_("Record yourself first, some twenty seconds: turn your head, smile, raise your brows."),
                    tr_("Then press this button again."),
                    action="output.record",
                    action_text=tr_("Record"),
                )
            )
            return
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle(tr("Make an avatar of {name}", name=source.name))
        dialog.setLabelText(tr("What shall it be called?"))
        dialog.setTextValue(tr("Me"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(lambda name: self._make(name.strip()[:100] or tr("Me"), source))
        dialog.open()

    def _make(self, name: str, source: Path) -> None:
        title = tr("Make the avatar {name}", name=name)
        self._making = title
        self._dialogs.run(title, ["avatar", "create", name, "--from", str(source)], source)

    def _on_task(self, task: Task) -> None:
        if task.title == self._making and task.state is TaskState.DONE:
            self._making = ""
            self.avatars.look()


def source_for_avatar(director: Director) -> Path | None:
    """What an avatar can be made from: the open session or file, or the last recording."""
    source = director.models.sources.current
    if source.kind in ("session", "file") and source.path:
        return Path(source.path)
    if source.kind == "demo":
        from app.demo_clip import DEMO_CLIP

        return DEMO_CLIP
    outcome = director.models.recording.outcome
    return None if outcome is None else outcome.folder
