"""The 52 expression channels as bars, left and right of the subject side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QHelpEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QToolTip, QWidget

from app.state.channels import ChannelRow, channel_groups
from app.window.style import Style
from app.window.texts import tr
from models.channels import CHANNEL_COUNT

ROW, HEADING, GAP = 15, 20, 4
LABEL_SHARE = 0.40
LEAST_SHOWN = 0.025


class ExpressionBars(QWidget):
    """Paints all rows in one go: 52 widgets would take longer than the tracking.

    Args:
        style: colours and sizes.
    """

    def __init__(self, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = style
        self._values: NDArray[np.float32] = np.zeros(CHANNEL_COUNT, np.float32)
        self._active = False
        self._groups = channel_groups()
        self._troughs: list[tuple[int, QRectF]] = []
        self._painted: tuple[tuple[object, ...], QPixmap] | None = None
        self.setAccessibleName(tr("Expression channels"))
        self.setMouseTracking(True)
        style.changed.connect(self._on_style)
        self._on_style()

    def show_values(self, values: NDArray[np.float32] | None) -> None:
        """Show (52,) values; None greys the last ones out."""
        active = values is not None
        if values is None and not self._active:
            return
        if values is not None:
            self._values = values
        self._active = active
        if self.isVisible():
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        rows = sum(len(rows) for _, rows in self._groups)
        height = rows * ROW + len(self._groups) * (HEADING + GAP)
        return QSize(self._style.px(240), self._style.px(height))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            row = self._row_at(event.pos().y())
            if row is not None:
                parts = [f"{name}  {self._values[i]:.2f}" for name, i in zip(row.names, row.indices, strict=True)]
                QToolTip.showText(event.globalPos(), "\n".join(parts), self)
                return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._still())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._style.colours.bar if self._active else self._style.colours.line))
        for index, trough in self._troughs:
            share = min(float(self._values[index]), 1.0)
            if share > LEAST_SHOWN:
                filled = QRectF(trough)
                filled.setWidth(max(trough.height(), trough.width() * share))
                painter.drawRoundedRect(filled, trough.height() / 2, trough.height() / 2)
        painter.end()

    def _still(self) -> QPixmap:
        """What does not move, painted once: labels and empty bars."""
        key = (self.width(), self.height(), self.devicePixelRatioF(), self._style.colours, self._style.scale)
        if self._painted is not None and self._painted[0] == (*key, self._active):
            return self._painted[1]
        ratio = self.devicePixelRatioF()
        picture = QPixmap(round(self.width() * ratio), round(self.height() * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_still(painter)
        painter.end()
        self._painted = (*key, self._active), picture
        return picture

    def _paint_still(self, painter: QPainter) -> None:
        px, c = self._style.px, self._style.colours
        label_width = self.width() * LABEL_SHARE
        plain = self.font()
        bold = QFont(plain)
        bold.setWeight(QFont.Weight.DemiBold)
        middle = Qt.AlignmentFlag.AlignVCenter
        self._troughs = []
        y = 0.0
        for heading, rows in self._groups:
            painter.setFont(bold)
            painter.setPen(QColor(c.muted))
            painter.drawText(QRectF(0, y, label_width * 1.5, px(HEADING)), middle, tr(heading))
            if any(len(row.indices) == 2 for row in rows):
                self._paint_sides(painter, y, label_width)
            painter.setFont(plain)
            y += px(HEADING)
            for row in rows:
                painter.setPen(QColor(c.text if self._active else c.muted))
                painter.drawText(QRectF(0, y, label_width - px(6), px(ROW)), middle, tr(row.label))
                self._paint_troughs(painter, row, QRectF(label_width, y, self.width() - label_width, px(ROW)))
                y += px(ROW)
            y += px(GAP)

    def _paint_sides(self, painter: QPainter, y: float, left: float) -> None:
        small = QFont(self.font())
        small.setPointSizeF(small.pointSizeF() * 0.85)
        painter.setFont(small)
        half = (self.width() - left) / 2
        for i, name in enumerate((tr("left"), tr("right"))):
            place = QRectF(left + i * half, y, half, self._style.px(HEADING))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)

    def _paint_troughs(self, painter: QPainter, row: ChannelRow, place: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._style.colours.bar_back))
        gap, height = self._style.px(4), self._style.px(6)
        width = (place.width() - gap * (len(row.indices) - 1)) / len(row.indices)
        for i, index in enumerate(row.indices):
            trough = QRectF(place.left() + i * (width + gap), place.center().y() - height / 2, width, height)
            painter.drawRoundedRect(trough, height / 2, height / 2)
            self._troughs.append((index, trough))

    def _row_at(self, y: int) -> ChannelRow | None:
        px = self._style.px
        top = 0
        for _, rows in self._groups:
            top += px(HEADING)
            if top <= y < top + len(rows) * px(ROW):
                return rows[(y - top) // px(ROW)]
            top += len(rows) * px(ROW) + px(GAP)
        return None

    def _on_style(self) -> None:
        self.setMinimumHeight(self.sizeHint().height())
        self.updateGeometry()
        self.update()
