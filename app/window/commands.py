"""What the main window does when the user wants something."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QDockWidget, QFileDialog, QInputDialog, QMainWindow, QToolBar

from app.live.director import Director
from app.live.models import Models
from app.state.notices import Notice, NoticeLevel
from app.views.head_surface import HeadSurface
from app.window.actions import Actions
from app.window.docks import restore_docks
from app.window.output_window import OutputWindow
from app.window.recording import RecordingPart
from app.window.style import Style
from app.window.texts import tr
from app.window_settings import SourceKind, SourceSettings

if TYPE_CHECKING:
    from app.window.avatars import AvatarsPart

SESSION_FILE = "session.json"
DOCKS_VERSION = 2
LOW = 680
"""Height in pixels (at the usual size of text) below which the docks of the left side share one place."""


class WindowCommands(QMainWindow):
    """The part of the main window that acts; `MainWindow` makes and feeds the views."""

    director: Director
    models: Models
    actions_: Actions
    docks: dict[str, QDockWidget]
    tool_bar: QToolBar
    head: HeadSurface
    output: OutputWindow | None
    record: RecordingPart
    avatars: AvatarsPart
    _style: Style
    _model_shown: bool
    _first_docks: QByteArray
    _docks_before: QByteArray

    def choose_file(self) -> None:
        """Ask for a video or picture and open it."""
        dialog = QFileDialog(self, tr("Open a video or picture"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.open_path(Path(path)))
        dialog.open()

    def open_path(self, path: Path) -> None:
        """Open a session, a video, a picture, a folder of pictures, or an avatar."""
        if path.suffix.lower() in (".mien", ".vrm", ".glb", ".gltf"):
            self.open_avatar(path)
            return
        if path.name == SESSION_FILE:
            path = path.parent
        kind: SourceKind = "session" if (path / SESSION_FILE).is_file() else "file"
        self.director.open_source(SourceSettings(kind=kind, path=str(path)))

    def open_avatar(self, path: Path) -> None:
        """Load an avatar's file and draw it."""
        raise NotImplementedError

    def choose_session(self) -> None:
        """Ask for the folder of a session and open it."""
        self._ask_session(lambda folder: self.director.open_source(SourceSettings(kind="session", path=folder)))

    def _ask_session(self, take: Callable[[str], object]) -> None:
        dialog = QFileDialog(self, tr("Folder of a session"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(take)
        dialog.open()

    def calibrate(self) -> None:
        """Begin a calibration; the person's name is asked for where none is in use."""
        if self.models.calibration.busy:
            return
        person = self.models.preferences.settings.window.person
        if person:
            self.director.calibrate(person, time.monotonic())
            return
        dialog = QInputDialog(self)
        dialog.setWindowTitle(tr("Calibrate neutral face"))
        dialog.setLabelText(tr("Whose face is it?"))
        dialog.setTextValue(tr("Me"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(
            lambda name: self.director.calibrate(name.strip()[:200] or tr("Me"), time.monotonic())
        )
        dialog.open()

    def show_dock(self, name: str) -> None:
        """Bring a dock to the front."""
        self.docks[name].show()
        self.docks[name].raise_()

    def toggle_panels(self) -> None:
        """Hide all docks and the tool bar, or show them again as they were."""
        if self.actions_.by_name["view.panels"].isChecked():
            restore_docks(self, self._docks_before, DOCKS_VERSION)
            return
        self._docks_before = self.saveState(DOCKS_VERSION)
        for widget in (*self.docks.values(), self.tool_bar):
            widget.hide()

    def toggle_fullscreen(self) -> None:
        """Fill the screen, or not."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
        self.actions_.check("view.fullscreen", self.isFullScreen())

    def toggle_output(self) -> None:
        """Open or close the window that shows the head and nothing else."""
        if self.output is not None:
            self.output.close()
            return
        self.output = OutputWindow(self.models.view, self.models.preferences.settings.window.drawing)
        self.output.closed.connect(self._on_output_closed)
        if self._model_shown and self.director.session.model is not None:
            self.output.head.set_model(self.director.session.model)
        self.output.head.show_subject(self.models.avatars.subject)
        self.output.show()
        self.actions_.check("output.window", True)

    def _heads(self) -> list[HeadSurface]:
        """Those that are open."""
        return [self.head] if self.output is None else [self.head, self.output.head]

    def _toggle(self, name: str) -> None:
        setattr(self.models.view, name, not getattr(self.models.view, name))

    def _toggle_low_power(self) -> None:
        on = not self.models.preferences.settings.window.low_power
        self.models.preferences.edit_window(tr("low power"), low_power=on)
        self.models.preferences.undo.seal()

    def _toggle_source_mirrored(self) -> None:
        source = self.models.sources.current
        self.director.open_source(source.model_copy(update={"mirrored": not source.mirrored}))

    def _open_camera(self, index: int) -> None:
        camera = next((c for c in self.models.sources.cameras if c.index == index), None)
        name = camera.name if camera else ""
        self.director.open_source(SourceSettings(kind="camera", camera=index, name=name))

    def reset_docks(self) -> None:
        """Put the panels where they are at first in a window of this size."""
        restore_docks(self, self._first_docks, DOCKS_VERSION)
        self._size_docks()

    def _size_docks(self) -> None:
        """Give each dock its share; on a low window those of the left share one place."""
        px = self._style.px
        if self.height() < px(LOW):
            self.tabifyDockWidget(self.docks["camera"], self.docks["tuning"])
            self.docks["camera"].raise_()
        left, right = self.docks["camera"], self.docks["expression"]
        self.resizeDocks([left, right], [px(316), px(290)], Qt.Orientation.Horizontal)
        self.resizeDocks([left, self.docks["tuning"]], [px(420), px(260)], Qt.Orientation.Vertical)

    def _on_output_closed(self) -> None:
        self.output = None
        self.actions_.check("output.window", False)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        urls = event.mimeData().urls()
        if len(urls) == 1 and urls[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        self.open_path(Path(event.mimeData().urls()[0].toLocalFile()))

    def press_everywhere(self, name: str, down: bool) -> None:
        """The key of an action or an expression went down or up while another program has the keyboard."""
        if name not in self.actions_.by_name:
            self.avatars.keys.press(name, down)
        elif down:
            self.actions_.by_name[name].trigger()

    def tell_key_problem(self, sentence: str) -> None:
        """A key cannot be heard while another program has the keyboard."""
        self.models.notices.post(Notice("keys", NoticeLevel.WARNING, sentence, lasting=True))

    def _on_notice_action(self, name: str) -> None:
        if name == "retry":
            self.director.retry()
        elif name.startswith("camera:"):
            self._open_camera(int(name.removeprefix("camera:")))
        elif name.startswith("session:"):
            self.open_path(Path(name.removeprefix("session:")))
        elif name.startswith("recover:"):
            self.record.recover(Path(name.removeprefix("recover:")))
        elif name in self.actions_.by_name:
            self.actions_.by_name[name].trigger()

    def _on_drawing_failed(self, reason: str) -> None:
        self.models.notices.post(
            Notice(
                "drawing",
                NoticeLevel.ERROR,
                tr("The head cannot be drawn: OpenGL does not work here."),
                tr("Update the graphics driver; tracking and its results go on without."),
                reason,
                lasting=True,
            )
        )
