"""Chooses where the pictures come from: cameras by name, files, the demo clip, a rendered face."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app.state.source_list import CAMERA_MODES, CameraMode, SourceList, camera_mode, with_mode
from app.window.icons import icon
from app.window.style import Style
from app.window.texts import tr
from app.window_settings import SourceSettings
from tracking.streams.receivers.choose import RECEIVERS


class SourcePanel(QWidget):
    """A list of sources, and the format of a camera below it.

    Args:
        sources: what there is and what is open.
        style: colours.
    """

    chosen = Signal(object)
    """The user wants this SourceSettings."""
    file_wanted = Signal()
    """The user wants to choose a file."""
    receiver_wanted = Signal()
    """The user wants a face from a phone or another program."""
    refresh_wanted = Signal()
    """The user wants the cameras to be looked for again."""

    def __init__(self, sources: SourceList, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sources = sources
        self._style = style
        self.combo = QComboBox()
        self.combo.setAccessibleName(tr("Source"))
        self.combo.setToolTip(tr("Where the pictures come from"))
        self.combo.setMinimumContentsLength(12)
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.activated.connect(self._on_activated)
        self.refresh = QToolButton()
        self.refresh.setToolTip(tr("Look for cameras again"))
        self.refresh.setAccessibleName(tr("Look for cameras again"))
        self.refresh.clicked.connect(self.refresh_wanted)
        self.modes = QComboBox()
        self.modes.setAccessibleName(tr("Camera format"))
        self.modes.setToolTip(tr("What to ask the camera for. What it gives instead is said above the picture."))
        for mode in CAMERA_MODES:
            self.modes.addItem(mode_text(mode), mode)
        self.modes.activated.connect(self._on_mode)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.combo, 1)
        row.addWidget(self.refresh)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(row)
        column.addWidget(self.modes)
        sources.cameras_changed.connect(self._fill)
        sources.current_changed.connect(self._fill)
        style.changed.connect(self._on_style)
        self._on_style()
        self._fill()

    def _fill(self) -> None:
        current = self._sources.current
        self.combo.clear()
        for camera in self._sources.cameras:
            self._add(camera.name, SourceSettings(kind="camera", camera=camera.index, name=camera.name))
        if not self._sources.cameras:
            self.combo.addItem(tr("No camera found") if self._sources.listed else tr("Looking for cameras"))
            self._disable_last()
        self.combo.insertSeparator(self.combo.count())
        self._add(tr("Demo clip"), SourceSettings(kind="demo"))
        self._add(tr("Rendered face"), SourceSettings(kind="synthetic"))
        if current.kind in ("file", "session"):
            self._add(current.path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1], current)
        if current.kind == "receiver":
            self._add(RECEIVERS.get(current.name, (current.name, 0))[0], current)
        self.combo.addItem(tr("File or folder…"), "file")
        self.combo.addItem(tr("Phone or program…"), "receiver")
        self.combo.insertSeparator(self.combo.count())
        self._add(tr("None"), SourceSettings())
        if current.kind == "camera" and self._index_of(current) < 0:
            self.combo.insertItem(0, current.name or tr("Camera {number}", number=current.camera), current)
        self.combo.setCurrentIndex(max(0, self._index_of(current)))
        self.combo.setToolTip(current.path or tr("Where the pictures come from"))
        self.modes.setVisible(current.kind == "camera")
        self._show_mode(camera_mode(current))

    def _add(self, text: str, source: SourceSettings) -> None:
        self.combo.addItem(text, source)

    def _disable_last(self) -> None:
        at = self.combo.model().index(self.combo.count() - 1, 0)
        # The user role of a combo's own model: 0 takes away both selecting and choosing.
        self.combo.model().setData(at, 0, Qt.ItemDataRole.UserRole - 1)

    def _index_of(self, wanted: SourceSettings) -> int:
        for i in range(self.combo.count()):
            item = self.combo.itemData(i)
            if isinstance(item, SourceSettings) and _same(item, wanted):
                return i
        return -1

    def _show_mode(self, mode: CameraMode) -> None:
        at = next((i for i, known in enumerate(CAMERA_MODES) if known == mode), -1)
        if at < 0 and self.modes.count() == len(CAMERA_MODES):
            self.modes.addItem(mode_text(mode), mode)
        self.modes.setCurrentIndex(at if at >= 0 else self.modes.count() - 1)

    def _on_activated(self, index: int) -> None:
        item = self.combo.itemData(index)
        if item == "file":
            self._fill()
            self.file_wanted.emit()
        elif item == "receiver":
            self._fill()
            self.receiver_wanted.emit()
        elif isinstance(item, SourceSettings):
            self.chosen.emit(item)

    def _on_mode(self, index: int) -> None:
        mode = self.modes.itemData(index)
        if isinstance(mode, CameraMode):
            self.chosen.emit(with_mode(self._sources.current, mode))

    def _on_style(self) -> None:
        self.refresh.setIcon(icon("refresh", self._style.colours, self.devicePixelRatioF()))


def mode_text(mode: CameraMode) -> str:
    """A camera's format in words."""
    if mode == CameraMode():
        return tr("As the camera chooses")
    parts = [f"{mode.width} × {mode.height}"] if mode.width else []
    parts += [tr("{fps:g} pictures/s", fps=mode.fps)] if mode.fps else []
    parts += [mode.fourcc] if mode.fourcc else []
    return ", ".join(parts)


def _same(first: SourceSettings, second: SourceSettings) -> bool:
    if first.kind != second.kind:
        return False
    if first.kind == "camera":
        return (first.camera, first.name) == (second.camera, second.name)
    return first.kind not in ("file", "session") or first.path == second.path
