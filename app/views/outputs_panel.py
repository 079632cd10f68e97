"""Streams and the virtual camera: switches, how they go, and exactly what goes out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.state.outputs import OutputsState
from app.state.preferences import Preferences
from app.views.widgets import heading, muted, rule
from app.window.texts import tr
from rendering.virtual_camera.settings import SIZES, VirtualCameraSettings
from tracking.streams.settings import StreamSettings

LAYOUTS = {"avatar": "Head", "overlay": "Over the picture", "split": "Head and picture"}
BACKGROUNDS = {"scene": "As in the window", "colour": "Plain", "key": "Green, to key out"}
RATES = (24, 25, 30, 50, 60)


class OutPicture(QWidget):
    """The picture that goes out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self._pixels: NDArray[np.uint8] | None = None
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(tr("What the virtual camera shows"))

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(280, self.heightForWidth(280))

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        image = self._image
        return round(width * (image.height() / image.width() if image is not None else 9 / 16))

    def show_picture(self, pixels: NDArray[np.uint8] | None) -> None:
        """(H, W, 3) RGB, or nothing."""
        if pixels is self._pixels:
            return
        before = None if self._image is None else self._image.size()
        self._pixels = pixels
        if pixels is None:
            self._image = None
        else:
            height, width = pixels.shape[:2]
            self._image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        if self._image is None or self._image.size() != before:
            self.updateGeometry()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        if self._image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self.rect(), self._image)
        painter.end()


class OutputsPanel(QWidget):
    """Everything that is sent.

    Args:
        state: how it goes.
        preferences: what is wanted.
    """

    edit_wanted = Signal(int)
    """Edit the stream of this number."""
    retry_wanted = Signal()
    """Start the virtual camera again."""

    def __init__(self, state: OutputsState, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._preferences = preferences
        self.camera = QCheckBox(tr("Virtual camera"))
        self.camera.toggled.connect(lambda on: self._change_camera(on=on))
        self.layout_ = self._choice(LAYOUTS, tr("What it shows"), "layout")
        self.background = self._choice(BACKGROUNDS, tr("Background"), "background")
        self.dimensions = QComboBox()
        self.dimensions.setAccessibleName(tr("Size"))
        for size in SIZES:
            self.dimensions.addItem(f"{size[0]} × {size[1]}", list(size))
        self.dimensions.activated.connect(self._on_size)
        self.rate = QComboBox()
        self.rate.setAccessibleName(tr("Pictures a second"))
        for rate in RATES:
            self.rate.addItem(tr("{rate} a second", rate=rate), rate)
        self.rate.activated.connect(lambda i: self._change_camera(fps=self.rate.itemData(i)))
        self.mirror = QCheckBox(tr("Mirror"))
        self.mirror.toggled.connect(lambda on: self._change_camera(mirror=on))
        self.crop = QCheckBox(tr("Fill the picture"))
        self.crop.setToolTip(tr("Cut off what sticks out, instead of bars"))
        self.crop.toggled.connect(lambda on: self._change_camera(fit="crop" if on else "letterbox"))
        self.picture = OutPicture()
        self.told = muted()
        self.retry = QPushButton(tr("Try again"))
        self.retry.clicked.connect(self.retry_wanted)
        self.streams: list[tuple[QCheckBox, QLabel]] = []
        self._rows = QGridLayout()
        self._shown_streams: tuple[StreamSettings, ...] = ()
        self._arrange()
        preferences.changed.connect(self._on_settings)
        state.changed.connect(self._on_state)
        self._on_settings()
        self._on_state()

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.camera)
        column.addWidget(self.picture)
        row = QHBoxLayout()
        row.addWidget(self.told, 1)
        row.addWidget(self.retry)
        column.addLayout(row)
        grid = QGridLayout()
        grid.setVerticalSpacing(6)
        for at, widget in enumerate((self.layout_, self.background, self.dimensions, self.rate)):
            widget.setMinimumContentsLength(8)
            widget.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            grid.addWidget(widget, at // 2, at % 2)
        grid.addWidget(self.mirror, 2, 0)
        grid.addWidget(self.crop, 2, 1)
        column.addLayout(grid)
        column.addWidget(rule())
        column.addWidget(heading(tr("Network streams")))
        self._rows.setColumnStretch(0, 1)
        self._rows.setVerticalSpacing(2)
        column.addLayout(self._rows)
        column.addStretch(1)

    def _choice(self, values: dict[str, str], name: str, field: str) -> QComboBox:
        combo = QComboBox()
        combo.setAccessibleName(name)
        combo.setToolTip(name)
        for value, text in values.items():
            combo.addItem(tr(text), value)
        combo.activated.connect(lambda i: self._change_camera(**{field: combo.itemData(i)}))
        return combo

    def _change_camera(self, **values: object) -> None:
        before = self._preferences.settings.outputs.virtual_camera
        after = VirtualCameraSettings.model_validate(before.model_dump() | values)
        if after != before:
            self._preferences.set_outputs(virtual_camera=after.model_dump())

    def _on_size(self, index: int) -> None:
        width, height = self.dimensions.itemData(index)
        self._change_camera(width=width, height=height)

    def _switch(self, number: int, on: bool) -> None:
        streams = list(self._preferences.settings.outputs.streams)
        if streams[number].on is not on:
            streams[number] = streams[number].model_copy(update={"on": on})
            self._preferences.set_outputs(streams=[stream.model_dump() for stream in streams])

    def _on_settings(self, *_: object) -> None:
        outputs = self._preferences.settings.outputs
        camera = outputs.virtual_camera
        for box, on in ((self.camera, camera.on), (self.mirror, camera.mirror), (self.crop, camera.fit == "crop")):
            box.setChecked(on)
        for combo, value in (
            (self.layout_, camera.layout),
            (self.background, camera.background),
            (self.rate, camera.fps),
        ):
            combo.setCurrentIndex(combo.findData(value))
        self.dimensions.setCurrentText(f"{camera.width} × {camera.height}")
        for widget in (self.picture, self.told):
            widget.setVisible(camera.on)
        self.retry.setVisible(False)
        if outputs.streams != self._shown_streams:
            self._shown_streams = outputs.streams
            self._fill(outputs.streams)
        self._on_state()

    def _fill(self, streams: tuple[StreamSettings, ...]) -> None:
        if len(streams) != len(self.streams):
            while (item := self._rows.takeAt(0)) is not None:
                widget = item.widget()
                if widget is not None:
                    widget.deleteLater()
            self.streams = []
            for number in range(len(streams)):
                self._add_row(number)
        for (box, _), stream in zip(self.streams, streams, strict=True):
            box.setText(stream.title)
            box.setChecked(stream.on)

    def _add_row(self, number: int) -> None:
        box, told = QCheckBox(), muted()
        box.toggled.connect(lambda on: self._switch(number, on))
        edit = QToolButton()
        edit.setText("…")
        edit.setToolTip(tr("Where it goes, and how"))
        edit.setAccessibleName(tr("Edit this stream"))
        edit.clicked.connect(lambda: self.edit_wanted.emit(number))
        self._rows.addWidget(box, 2 * number, 0)
        self._rows.addWidget(edit, 2 * number, 1, Qt.AlignmentFlag.AlignRight)
        self._rows.addWidget(told, 2 * number + 1, 0, 1, 2)
        self.streams.append((box, told))

    def _on_state(self) -> None:
        camera, wanted = self._state.camera, self._preferences.settings.outputs
        if wanted.virtual_camera.on and camera is not None:
            self.picture.show_picture(self._state.preview)
            if camera.problem:
                text = camera.problem
            elif camera.state.value == "running":
                text = tr("{device}, {rate:.0f} pictures a second", device=camera.device, rate=camera.rate)
                text += tr("; hidden") if camera.hidden else ""
            else:
                text = tr("Starting…")
            self.told.setText(text)
            self.retry.setVisible(bool(camera.problem))
        statuses = self._state.streams or (None,) * len(self.streams)
        for (_, told), stream, status in zip(self.streams, wanted.streams, statuses, strict=False):
            text = tr("to {place}", place=stream.place)
            if status is not None and status.on:
                text = tr("{rate:.0f} a second to {place}", rate=status.rate, place=stream.place)
                if status.clients:
                    text = tr("{rate:.0f} a second to {place}", rate=status.rate, place=", ".join(status.clients))
                text = status.problem or text
            told.setText(text)
            told.setVisible(stream.on)
