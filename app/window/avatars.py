"""The avatars' part of the main window: panel, dock, who is drawn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QInputDialog, QMenu

from app.live.avatars import Avatars
from app.live.capture import GuidedCapture
from app.live.coarse import Coarse
from app.live.director import Director
from app.live.person import TrackedPerson
from app.state.notices import Notice, NoticeLevel
from app.state.shortcuts import ShortcutMap
from app.tasks import Task, TaskState
from app.views.avatar_panel import AvatarPanel
from app.views.head_surface import HeadSurface
from app.views.retarget_dialog import RetargetDialog
from app.views.tasks_panel import TaskRow
from app.window.commands import WindowCommands
from app.window.dialogs import Dialogs
from app.window.docks import DockPlace, Side
from app.window.hotkeys import HotkeysPart
from app.window.style import Style
from app.window.texts import tr
from rendering.subject import OWN
from tracking.types import TrackedFace

if TYPE_CHECKING:
    from app.views.capture_dialog import CaptureDialog
    from app.views.hotkeys_dialog import HotkeysDialog
    from rendering.subject import Subject
    from tracking.retarget.settings import HotkeySettings, RetargetSettings


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
        self.guided = GuidedCapture(director)
        director.companions += [self.avatars, self.guided, Coarse(director), TrackedPerson(director)]
        self.panel = AvatarPanel(self.avatars.state, style)
        self.place = DockPlace("avatar", "Avatar", Side.RIGHT, self.panel, "expression")
        self.dialog: RetargetDialog | None = None
        self.expressions: HotkeysDialog | None = None
        self._edited: Subject = OWN
        """Whom the open dialogs are about."""
        self.capture: CaptureDialog | None = None
        self.row: TaskRow | None = None
        """Of the avatar whose making began last."""
        self._making: dict[Task, str] = {}
        """What makes avatars now, and their names."""

    def connect(self, window: WindowCommands, dialogs: Dialogs, shortcuts: ShortcutMap) -> None:
        """Connect the panel, and look who there is."""
        self._window, self._dialogs, self._shortcuts = window, dialogs, shortcuts
        self.keys = HotkeysPart(self.avatars, shortcuts, window)
        avatars, panel = self.avatars, self.panel
        panel.chosen.connect(avatars.choose)
        panel.opened.connect(avatars.open)
        panel.deleted.connect(avatars.delete)
        panel.renamed.connect(avatars.rename)
        panel.exported.connect(avatars.export)
        panel.driven.connect(avatars.drive)
        panel.channels_wanted.connect(self._show_channels)
        panel.hotkeys_wanted.connect(self._show_expressions)
        panel.create_wanted.connect(self._create)
        avatars.state.subject_changed.connect(self._on_subject)
        self._director.models.tasks.changed.connect(self._on_task)
        self._director.models.tasks.removed.connect(self._on_task_removed)
        self.guided.kept.connect(lambda name: self._make(name, "capture"))
        self._director.when_shown(avatars.look)

    def note_face(self, face: TrackedFace) -> None:
        """A result is shown: its values go to the meters, its picture to the guided capture."""
        if self.capture is not None:
            self.capture.note_face(face)
        if (self.dialog is None and self.expressions is None) or face.parameters is None:
            return
        from tracking.retarget import Retargeter

        driven = Retargeter(self.avatars.state.subject.settings).apply(face.parameters, 0.0)
        if self.dialog is not None:
            self.dialog.show_values(face.parameters.expression, driven.values)
        if self.expressions is not None:
            self.expressions.note_driven(driven)

    def _on_subject(self) -> None:
        subject = self.avatars.state.subject
        self._head.show_subject(subject)
        if self._window.output is not None:
            self._window.output.head.show_subject(subject)
        if self.expressions is not None:
            self.expressions.show_shown(subject.shown)
        if not subject.same_look(self._edited):
            self._edited = subject
            for dialog in (self.dialog, self.expressions):
                if dialog is not None:
                    dialog.close()

    def _show_channels(self) -> None:
        if self.dialog is None:
            dialog = RetargetDialog(self.avatars.state.subject.settings, self._style, self._window)
            dialog.changed.connect(self._drive_channels)
            dialog.finished.connect(lambda _: setattr(self, "dialog", None))
            self.dialog = dialog
        self.dialog.show()
        self.dialog.raise_()

    def _show_expressions(self) -> None:
        if self.expressions is None:
            from app.views.hotkeys_dialog import HotkeysDialog

            dialog = HotkeysDialog(self.avatars.state.subject, self._shortcuts, self._style, self._window)
            dialog.changed.connect(self._drive_hotkeys)
            dialog.toggled.connect(self._toggle_expression)
            dialog.finished.connect(lambda _: setattr(self, "expressions", None))
            self.expressions = dialog
        self.expressions.show()
        self.expressions.raise_()

    def _drive_channels(self, settings: RetargetSettings) -> None:
        # What else the panel and the other dialog have changed meanwhile stays.
        now = self.avatars.state.subject.settings
        self.avatars.drive(now.model_copy(update={"channels": settings.channels}))

    def _drive_hotkeys(self, hotkeys: HotkeySettings) -> None:
        now = self.avatars.state.subject.settings
        self.avatars.drive(now.model_copy(update={"hotkeys": hotkeys}))

    def _toggle_expression(self, name: str) -> None:
        if name in self.avatars.state.subject.shown:
            self.avatars.state.set_shown(tuple(n for n in self.avatars.state.subject.shown if n != name))
        else:
            self.avatars.press(name)

    def _create(self) -> None:
        """Offer what an avatar can be made from; where there is one way alone, take it."""
        ways = self._ways()
        if not ways:
            self._ask_for_camera()
        elif len(ways) == 1:
            ways[0][1]()
        else:
            menu = QMenu(self.panel)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            for text, act in ways:
                menu.addAction(text, act)
            button = self.panel.create_
            menu.popup(button.mapToGlobal(QPoint(0, button.height())))

    def _ways(self) -> list[tuple[str, Callable[[], object]]]:
        """What an avatar can be made from now, the best first."""
        found: list[tuple[str, Callable[[], object]]] = []
        if self.guided.possible:
            found.append((tr("Guided capture…"), self.show_capture))
        source = source_for_avatar(self._director)
        if source is not None:
            demo = self._director.models.sources.current.kind == "demo"
            text = tr("From the demo clip…") if demo else tr("From {name}…", name=source.name)
            found.append((text, lambda: self._ask_name(source)))
        for name in self.avatars.state.unfinished:
            if name not in self._making.values():
                found.append((tr("Go on with {name}", name=name), partial(self._make, name, "capture")))
                found.append((tr("Delete what was captured of {name}", name=name), partial(self._forget, name)))
        return found

    def _forget(self, name: str) -> None:
        self.avatars.forget_capture(name)

    def _ask_for_camera(self) -> None:
        tr_, models = self._director.translate, self._director.models
        cameras = models.sources.cameras
        models.notices.post(
            Notice(
                "avatar",
                NoticeLevel.INFO,
                tr_("Choose your camera first: a guided capture of two minutes shows what to do."),
                tr_("A recording, or a video or session that is open, does as well."),
                action=f"camera:{cameras[0].index}" if cameras else "",
                action_text=tr_("Use my camera") if cameras else "",
            )
        )

    def show_capture(self) -> None:
        """Begin a guided capture, or show the one that is under way."""
        if self.capture is None:
            self.guided.begin()
            if not self.guided.state.busy:
                return
        self._dialogs._show("capture", self._capture_dialog)

    def _capture_dialog(self) -> CaptureDialog:
        from app.views.capture_dialog import CaptureDialog  # loads what tells expressions apart

        guided = self.guided
        dialog = CaptureDialog(guided.state, self._style, self._window)
        dialog.skip_wanted.connect(guided.skip)
        dialog.back_wanted.connect(guided.back)
        dialog.finish_wanted.connect(guided.finish)
        dialog.cancelled.connect(guided.cancel)
        dialog.make_wanted.connect(guided.keep)
        dialog.finished.connect(lambda _: setattr(self, "capture", None))
        self.capture = dialog
        return dialog

    def _ask_name(self, source: Path) -> None:
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle(tr("Make an avatar of {name}", name=source.name))
        dialog.setLabelText(tr("What shall it be called?"))
        dialog.setTextValue(tr("Me"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(lambda name: self._make(name.strip()[:100] or tr("Me"), str(source)))
        dialog.open()

    def _make(self, name: str, source: str) -> None:
        from app.avatar_store import AvatarStore

        tasks = self._director.models.tasks
        self._dialogs.run(
            tr("Make the avatar {name}", name=name), self._arguments(name, source), AvatarStore().path(name)
        )
        task = tasks.tasks[-1]
        self._making[task] = name
        self._show_row(TaskRow(task, tasks))

    def _arguments(self, name: str, source: str) -> list[str]:
        """Of the command that makes an avatar; where the coarse network is in use, it learns the face, too."""
        coarse = self._director.models.preferences.settings.tracker.coarse
        taught = [] if coarse.mode == "off" else ["--adapters"]
        return ["avatar", "create", f"--from={source}", *taught, "--", name]

    def _show_row(self, row: TaskRow | None) -> None:
        if self.row is not None:
            self.panel.making.removeWidget(self.row)
            self.row.deleteLater()
        self.row = row
        if row is not None:
            self.panel.making.addWidget(row)

    def _on_task(self, task: Task) -> None:
        if task not in self._making:
            return
        shown = self.row is not None and self.row.task is task
        if self.row is not None and shown:
            self.row.refresh()
        if task.state is TaskState.RUNNING:
            return
        del self._making[task]
        if shown and task.state is TaskState.DONE:
            self._show_row(None)
        # A capture that was cancelled can be gone on with.
        self.avatars.look()

    def _on_task_removed(self, task: Task) -> None:
        if self.row is not None and self.row.task is task:
            self._show_row(None)


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
