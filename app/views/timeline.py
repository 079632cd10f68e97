"""A session's time as a strip: pictures, curves, sound, the range and where the player is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.state.player import PlayerState, clock_text
from app.window.style import Style
from app.window.texts import tr

COLOURS = ("#5b9cff", "#2fae6d", "#d99a2b", "#d0679d")
"""Of the curves, as in the plots over time."""
RULER, PICTURES, CURVES, SOUND = 20, 54, 46, 30
"""Heights in pixels at the usual size of text."""
KEY_STEP_S, PAGE_STEP_S = 1.0, 10.0


class Timeline(QWidget):
    """Press or drag to go to a time; arrow keys step a frame, with Shift a second, Page keys ten.

    Args:
        state: what is played.
        style: colours.
    """

    def __init__(self, state: PlayerState, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._style = style
        self._markers: tuple[tuple[float, str], ...] = ()
        self._drawn: QPixmap | None = None
        self._pressed = False
        self.setAccessibleName(tr("Timeline"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        state.opened.connect(self._redraw)
        state.overview_changed.connect(self._redraw)
        state.changed.connect(self._on_changed)
        style.changed.connect(self._on_style)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(600, self._style.px(RULER + CURVES) + self._picture_height() + self._sound_height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(200, self.sizeHint().height())

    def show_markers(self, markers: Sequence[tuple[float, str]]) -> None:
        """Marks with names, in seconds."""
        self._markers = tuple(markers)
        self._redraw()

    def x_of(self, time_s: float) -> float:
        """Where a time lies, in pixels."""
        first, last = self._state.bounds
        return (time_s - first) / max(last - first, 1e-9) * max(1, self.width() - 1)

    def time_at(self, x: float) -> float:
        """The time that lies there."""
        first, last = self._state.bounds
        return first + min(max(x / max(1, self.width() - 1), 0.0), 1.0) * (last - first)

    # --- pressing -------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed = True
            self._state.seek(self.time_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        time_s = self.time_at(event.position().x())
        if self._pressed:
            self._state.seek(time_s)
        near = [name for at, name in self._markers if abs(self.x_of(at) - event.position().x()) < 5]
        self.setToolTip("  ".join([clock_text(time_s), *near]))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._pressed = False

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        now = self._state.now
        key, shift = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        way = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(key)
        pages = {Qt.Key.Key_PageUp: -PAGE_STEP_S, Qt.Key.Key_PageDown: PAGE_STEP_S}.get(key)
        if now is None:
            super().keyPressEvent(event)
        elif way is not None and not shift:
            self._state.step(way)
        elif way is not None:
            self._state.seek(now.position_s + way * KEY_STEP_S)
        elif pages is not None:
            self._state.seek(now.position_s + pages)
        elif key is Qt.Key.Key_Home:
            self._state.seek(now.start_s)
        elif key is Qt.Key.Key_End:
            self._state.seek(now.end_s)
        else:
            super().keyPressEvent(event)

    # --- drawing --------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        self._drawn = None
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        c = self._style.colours
        if self._drawn is None:
            self._drawn = self._strip()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPixmap(0, 0, self._drawn)
        now, height = self._state.now, self.height()
        if now is not None:
            first, last = self._state.bounds
            outside = QColor(c.panel)
            outside.setAlpha(190)
            for start, end in ((first, now.start_s), (now.end_s, last)):
                if end > start:
                    left = self.x_of(start)
                    painter.fillRect(QRectF(left, 0, self.x_of(end) - left, height), outside)
                    edge = self.x_of(now.start_s if end == now.start_s else now.end_s)
                    painter.fillRect(QRectF(edge - 1, 0, 2, height), QColor(c.accent))
            x = self.x_of(now.position_s)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.text))
            painter.drawRect(QRectF(x - 0.75, 0, 1.5, height))
            painter.drawPolygon(QPolygonF([QPointF(x - 6, 0), QPointF(x + 6, 0), QPointF(x, 8)]))
        if self.hasFocus():
            painter.setPen(QPen(QColor(c.focus), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(1, 1, self.width() - 2, height - 2), 4, 4)
        painter.end()

    def _strip(self) -> QPixmap:
        """All that does not move, drawn once."""
        ratio = self.devicePixelRatioF()
        strip = QPixmap(max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))
        strip.setDevicePixelRatio(ratio)
        strip.fill(QColor(self._style.colours.bar_back))
        if self._state.player is None:
            return strip
        painter = QPainter(strip)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = self._style.px(RULER)
        self._draw_ruler(painter, top)
        self._draw_pictures(painter, top, self._picture_height())
        top += self._picture_height()
        self._draw_curves(painter, top, self._style.px(CURVES))
        self._draw_sound(painter, top + self._style.px(CURVES), self._sound_height())
        self._draw_markers(painter)
        painter.end()
        return strip

    def _draw_ruler(self, painter: QPainter, height: int) -> None:
        c = self._style.colours
        painter.fillRect(QRectF(0, 0, self.width(), height), QColor(c.panel))
        first, last = self._state.bounds
        steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
        widest = self._style.px(84)
        step = next((s for s in steps if s / max(last - first, 1e-9) * self.width() >= widest), steps[-1])
        painter.setPen(QColor(c.muted))
        mark = np.ceil(first / step) * step
        while mark <= last:
            x = self.x_of(mark)
            painter.drawLine(QPointF(x, height - 5), QPointF(x, height))
            painter.drawText(QPointF(x + 4, height - 6), clock_text(mark))
            mark += step

    def _draw_pictures(self, painter: QPainter, top: int, height: int) -> None:
        overview = self._state.overview
        if overview is None or not height:
            return
        count = len(overview.thumbnails)
        for k, (_, picture) in enumerate(overview.thumbnails):
            left, right = self.width() * k / count, self.width() * (k + 1) / count
            rows, columns = picture.shape[:2]
            image = QImage(picture.data, columns, rows, columns * 3, QImage.Format.Format_RGB888)
            # As much of its middle as fits its stretch.
            shown = min(columns, (right - left) * rows / height)
            painter.drawImage(
                QRectF(left, top, right - left, height), image, QRectF((columns - shown) / 2, 0, shown, rows)
            )

    def _draw_curves(self, painter: QPainter, top: int, height: int) -> None:
        overview, c = self._state.overview, self._style.colours
        if overview is None:
            painter.setPen(QColor(c.muted))
            painter.drawText(QRectF(10, top, self.width(), height), Qt.AlignmentFlag.AlignVCenter, tr("Reading…"))
            return
        columns = overview.curves.shape[1]
        lost = QColor(c.bad_back)
        for k in np.flatnonzero(overview.seen < 0.5).tolist():
            painter.fillRect(QRectF(self.width() * k / columns, top, self.width() / columns + 1, height), lost)
        for values, colour in zip(overview.curves, COLOURS, strict=True):
            painter.setPen(QPen(QColor(colour), 1.2))
            known = np.isfinite(values)
            xs = (np.arange(columns) + 0.5) * self.width() / columns
            ys = top + height - 3 - np.nan_to_num(values) * (height - 6)
            breaks = np.flatnonzero(~known)
            for part in np.split(np.arange(columns), breaks):
                part = part[known[part]]
                if len(part) > 1:
                    painter.drawPolyline(QPolygonF([QPointF(xs[i], ys[i]) for i in part.tolist()]))

    def _draw_sound(self, painter: QPainter, top: int, height: int) -> None:
        overview = self._state.overview
        if overview is None or not height:
            return
        painter.setPen(QPen(QColor(self._style.colours.muted), 1))
        middle, columns = top + height / 2, len(overview.sound)
        for x in range(self.width()):
            loud = float(overview.sound[min(columns - 1, x * columns // self.width())])
            half = max(0.5, loud * (height / 2 - 2))
            painter.drawLine(QPointF(x + 0.5, middle - half), QPointF(x + 0.5, middle + half))

    def _draw_markers(self, painter: QPainter) -> None:
        caution = QColor(self._style.colours.caution)
        painter.setPen(QPen(caution, 1.5))
        painter.setBrush(caution)
        for time_s, _ in self._markers:
            x = self.x_of(time_s)
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
            painter.drawEllipse(QPointF(x, 5), 3, 3)

    def _picture_height(self) -> int:
        overview = self._state.overview
        return self._style.px(PICTURES) if overview is not None and overview.thumbnails else 0

    def _sound_height(self) -> int:
        overview = self._state.overview
        return self._style.px(SOUND) if overview is not None and len(overview.sound) else 0

    def _on_changed(self) -> None:
        self.update()

    def _redraw(self) -> None:
        self._drawn = None
        self.updateGeometry()
        self.update()

    def _on_style(self) -> None:
        self._redraw()
