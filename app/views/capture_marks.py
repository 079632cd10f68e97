"""What the guided capture paints: the person in a ring that fills, the directions seen, the expressions seen."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QLabel, QProgressBar, QSizePolicy, QWidget

from app.views.widgets import muted
from app.window.icons import pixmap
from app.window.style import Style
from app.window.texts import tr
from tracking.capture_coverage import COLUMNS, ROWS, Coverage
from tracking.capture_steps import EXPRESSION_STEPS
from tracking.selection import box_size
from tracking.types import TrackedFace

RING = 224
CELL = 24
AROUND = 1.9
"""Side of the part of the picture that is shown, in faces."""
FOLLOW = 0.12
"""Weight of a new picture in the place of that part: it follows slowly, so that turns of the head are seen as turns."""
EMPTY = "#0b0c0e"


class FaceRing(QWidget):
    """The person as in a looking glass, and around them how far the step is.

    Args:
        style: colours and sizes.
    """

    def __init__(self, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = style
        self._progress = 0.0
        self._done = self._paused = False
        self._place: NDArray[np.float64] | None = None
        self._pixels: NDArray[np.uint8] | None = None
        self._image: QImage | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Progress of the step"))
        style.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(self._style.px(RING), self._style.px(RING))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return self.sizeHint()

    def show_progress(self, progress: float, *, done: bool, paused: bool) -> None:
        """How far the step is, 0..1; `done` where one was just done; `paused` where nothing counts."""
        if (progress, done, paused) != (self._progress, self._done, self._paused):
            self._progress, self._done, self._paused = progress, done, paused
            self.setAccessibleDescription(f"{progress * 100:.0f} %")
            self.update()

    def show_face(self, face: TrackedFace) -> None:
        """A result's picture: the part around the face."""
        rows, columns = face.frame.image.shape[:2]
        if face.observation is not None:
            left, top, right, bottom = (float(v) for v in face.observation.box)
            wanted = np.array([(left + right) / 2, (top + bottom) / 2, AROUND * box_size(face.observation.box)])
        elif self._place is None:
            wanted = np.array([columns / 2, rows / 2, min(rows, columns)])
        else:
            wanted = self._place
        self._place = wanted if self._place is None else self._place + FOLLOW * (wanted - self._place)
        x, y, side = (float(v) for v in self._place)
        pixels = max(32, round(self.width() * self.devicePixelRatioF()))
        # Mirrored and scaled in one go; beyond the picture's edge its border goes on.
        scale = pixels / max(side, 8.0)
        matrix = np.array([[-scale, 0.0, scale * x + pixels / 2], [0.0, scale, pixels / 2 - scale * y]])
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        part = cv2.warpAffine(face.frame.image, matrix, (pixels, pixels), flags=way, borderMode=cv2.BORDER_REPLICATE)
        self._pixels = np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2BGRA), np.uint8)
        self._image = QImage(self._pixels.data, pixels, pixels, 4 * pixels, QImage.Format.Format_RGB32)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        c, width = self._style.colours, self._style.px(9)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect())
        inner = whole.adjusted(width + 4, width + 4, -width - 4, -width - 4)
        circle = QPainterPath()
        circle.addEllipse(inner)
        painter.setClipPath(circle)
        painter.fillRect(inner, QColor(EMPTY))
        if self._image is not None:
            painter.setOpacity(0.35 if self._paused else 1.0)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(inner, self._image)
            painter.setOpacity(1.0)
        painter.setClipping(False)
        ring = whole.adjusted(width / 2 + 1, width / 2 + 1, -width / 2 - 1, -width / 2 - 1)
        pen = QPen(QColor(c.bar_back), width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawEllipse(ring)
        share = 1.0 if self._done else self._progress
        if share > 0.004:
            pen.setColor(QColor(c.good if self._done else c.caution if self._paused else c.bar))
            painter.setPen(pen)
            painter.drawArc(ring, 90 * 16, -round(share * 360 * 16))
        painter.end()


class DirectionGrid(QWidget):
    """Directions of the head that were seen, as in a looking glass: the person's left is to the left.

    Args:
        style: colours and sizes.
    """

    def __init__(self, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = style
        self._coverage = Coverage()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Directions seen"))
        self.setToolTip(tr("Directions of your head that were seen; the ring is where it is now"))
        style.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(self._style.px(CELL) * COLUMNS, self._style.px(CELL) * ROWS)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return self.sizeHint()

    def show_coverage(self, coverage: Coverage) -> None:
        """What was seen."""
        before, self._coverage = self._coverage, coverage
        if (before.directions, before.here) != (coverage.directions, coverage.here):
            full = sum(share >= 1 for row in coverage.directions for share in row)
            self.setAccessibleDescription(tr("{n} of {all}", n=full, all=ROWS * COLUMNS))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        c, cell = self._style.colours, self._style.px(CELL)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row, shares in enumerate(self._coverage.directions):
            for column, share in enumerate(reversed(shares)):
                place = QRectF(column * cell, row * cell, cell, cell).adjusted(2, 2, -2, -2)
                painter.setPen(Qt.PenStyle.NoPen)
                for colour, opacity in ((c.bar_back, 1.0), (c.bar, share)):
                    painter.setOpacity(opacity)
                    painter.setBrush(QColor(colour))
                    painter.drawRoundedRect(place, cell / 6, cell / 6)
                painter.setOpacity(1.0)
        if self._coverage.here is not None:
            row, column = self._coverage.here
            middle = QPointF((COLUMNS - 1 - column + 0.5) * cell, (row + 0.5) * cell)
            painter.setBrush(QColor(c.panel))
            painter.setPen(QPen(QColor(c.text), self._style.px(2)))
            painter.drawEllipse(middle, cell / 5, cell / 5)
        painter.end()


class ExpressionMeters(QWidget):
    """A bar for each expression: how well it was seen.

    Args:
        style: colours and sizes.
    """

    def __init__(self, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = style
        self._full: set[str] = set()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(3)
        grid.setHorizontalSpacing(10)
        self.bars: dict[str, QProgressBar] = {}
        self.ticks: dict[str, QLabel] = {}
        for at, step in enumerate(EXPRESSION_STEPS):
            bar = QProgressBar()
            bar.setRange(0, 100)
            bar.setTextVisible(False)
            bar.setAccessibleName(tr(step.title))
            bar.setMinimumWidth(style.px(70))
            self.bars[step.name] = bar
            self.ticks[step.name] = tick = QLabel()
            grid.addWidget(muted(tr(step.title), wrap=False), at, 0)
            grid.addWidget(bar, at, 1)
            grid.addWidget(tick, at, 2)
        style.changed.connect(self._draw)
        self._draw()

    def show_coverage(self, coverage: Coverage) -> None:
        """What was seen."""
        for name, share in coverage.expressions:
            self.bars[name].setValue(round(100 * share))
        full = {name for name, share in coverage.expressions if share >= 1}
        if full != self._full:
            self._full = full
            self._draw()

    def _draw(self) -> None:
        side = self._style.px(14)
        for name, tick in self.ticks.items():
            tick.setFixedWidth(side)
            if name in self._full:
                tick.setPixmap(pixmap("good", self._style.colours.good, side, self.devicePixelRatioF()))
            else:
                tick.clear()
