"""The camera's picture with what the tracker sees in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.state.view import ViewState
from app.views.picture_marks import mark, scaled
from app.window.style import Style
from app.window.texts import tr
from tracking.types import TrackedFace

if TYPE_CHECKING:
    from models.face_model import FaceModel

SHAPE = 3 / 4
"""Height of the pane for its width; pictures of other shapes get bars."""
BACK = "#0b0c0e"


class Preview(QWidget):
    """Shows the newest picture.

    Args:
        state: what is drawn over it; hidden shows no picture.
        style: colours.
    """

    def __init__(self, state: ViewState, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._style = style
        self._model: FaceModel | None = None
        self._face: TrackedFace | None = None
        self._image: QImage | None = None
        self._pixels: NDArray[np.uint8] | None = None
        self._corners: tuple[object, QPixmap] | None = None
        self._message = ""
        self.setMinimumSize(160, 120)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(tr("Camera picture"))
        state.events.connect(lambda _: self._compose())

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(280, round(280 * SHAPE))

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        return round(width * SHAPE)

    def set_model(self, model: FaceModel) -> None:
        """The model that faces are tracked with."""
        self._model = model

    def show_face(self, face: TrackedFace | None, message: str = "") -> None:
        """Show a result's picture; None shows the message instead."""
        if face is None and self._face is None and message == self._message:
            return
        self._face, self._message = face, message
        self._compose()

    def _compose(self) -> None:
        face = self._face
        if face is None or self._state.hidden or self._model is None:
            self._image = None
            self.update()
            return
        ratio = self.devicePixelRatioF()
        rows, columns = face.frame.image.shape[:2]
        fit = min(self.width() * ratio / columns, self.height() * ratio / rows)
        picture = scaled(face.frame.image, max(1, round(columns * fit)), max(1, round(rows * fit)))
        colour = QColor("#59e3ff")
        mark(
            picture,
            face,
            self._model,
            self._state.overlay,
            box=self._state.box,
            colour=(colour.red(), colour.green(), colour.blue()),
            thickness=max(1, round(ratio)),
        )
        if self._state.mirror:
            picture = np.ascontiguousarray(picture[:, ::-1])
        height, width = picture.shape[:2]
        # Screens keep pixels like this: painting is copying. The image reads the array in place, so both are kept.
        self._pixels = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGRA), np.uint8)
        image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        self._image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        if self._image is not None:
            size = self._image.deviceIndependentSize().toSize()
            place = QRect(0, 0, size.width(), size.height())
            place.moveCenter(self.rect().center())
            if place.size() != self.size():
                painter.fillRect(self.rect(), QColor(BACK))
            painter.drawImage(place.topLeft(), self._image)
        else:
            painter.fillRect(self.rect(), QColor(BACK))
            painter.setPen(QColor("#a3abb8"))
            text = tr("Hidden") if self._state.hidden else self._message
            painter.drawText(
                self.rect().adjusted(16, 8, -16, -8), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text
            )
        self._round_off(painter)
        painter.end()

    def _round_off(self, painter: QPainter) -> None:
        """Cover the corners with what is around: clipping every picture to a rounded shape costs ten times as much."""
        radius = self._style.px(6)
        ratio, colour = self.devicePixelRatioF(), QColor(self._style.colours.panel)
        key = (radius, ratio, colour.rgba())
        if self._corners is None or self._corners[0] != key:
            pixmap = QPixmap(round(2 * radius * ratio), round(2 * radius * ratio))
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            cut = QPainter(pixmap)
            cut.fillRect(pixmap.rect(), colour)
            cut.setRenderHint(QPainter.RenderHint.Antialiasing)
            cut.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationOut)
            cut.setPen(Qt.PenStyle.NoPen)
            cut.setBrush(Qt.GlobalColor.black)
            cut.drawEllipse(0, 0, 2 * radius, 2 * radius)
            cut.end()
            self._corners = key, pixmap
        pixmap = self._corners[1]
        side = round(radius * ratio)
        for x, left in ((0, 0), (self.width() - radius, side)):
            for y, top in ((0, 0), (self.height() - radius, side)):
                painter.drawPixmap(x, y, radius, radius, pixmap, left, top, side, side)
