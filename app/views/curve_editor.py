"""A response curve whose points are dragged, and the small button that shows one."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.window.style import Style
from app.window.texts import tr

Points = tuple[tuple[float, float], ...]

STRAIGHT: Points = ((0.0, 0.0), (1.0, 1.0))
MOST_POINTS = 16
APART = 0.01
"""Least difference of two inputs: the curve goes from left to right."""
GRAB_PX = 11
STEP, FINE_STEP = 0.05, 0.01
DECIMALS = 3


def shown_points(points: Points) -> Points:
    """The points that a curve is drawn with: without any it is a straight line."""
    return points or STRAIGHT


def kept_points(points: Points) -> Points:
    """What is stored: nothing for a straight line, so that it counts as untouched."""
    return () if len(points) < 2 or points == STRAIGHT else points


class CurveEditor(QWidget):
    """Drag a point, press beside the line to add one, double-click or Delete to remove one.

    With keys: Page up and down choose a point, arrows move it (with Shift finely), Insert adds one in the widest gap.
    """

    changed = Signal(object)
    """Points (input and output, 0..1) to use from now on; many times while one is dragged."""
    settled = Signal()
    """A drag has ended: what follows is another step to undo."""

    def __init__(self, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = style
        self._points: Points = STRAIGHT
        self._chosen: int | None = None
        self._dragging = False
        self._value = 0.0
        self.setMinimumSize(style.px(200), style.px(200))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(tr("Response curve"))

    @property
    def points(self) -> Points:
        """What is stored; empty for a straight line."""
        return kept_points(self._points)

    def show_points(self, points: Points) -> None:
        """Another curve, or what became of this one."""
        if shown_points(points) != self._points:
            self._points = shown_points(points)
            if self._chosen is not None and self._chosen >= len(self._points):
                self._chosen = None
            self.update()

    def show_value(self, value: float) -> None:
        """What goes in at the moment, 0..1."""
        if abs(value - self._value) > 0.002:
            self._value = value
            self.update()

    # --- mouse and keys -------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        self._chosen = self._near(event.position())
        if self._chosen is None:
            self._add(*self._values(event.position()))
        self._dragging = self._chosen is not None
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if self._dragging and self._chosen is not None:
            self._move(self._chosen, *self._values(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if self._dragging:
            self._dragging = False
            self.settled.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        near = self._near(event.position())
        if near is not None:
            self._remove(near)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        key, step = event.key(), FINE_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else STEP
        moves = {
            Qt.Key.Key_Left: (-step, 0.0),
            Qt.Key.Key_Right: (step, 0.0),
            Qt.Key.Key_Up: (0.0, step),
            Qt.Key.Key_Down: (0.0, -step),
        }
        if key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            by = 1 if key == Qt.Key.Key_PageDown else -1
            before = -1 if self._chosen is None and by > 0 else (self._chosen or 0)
            self._chosen = (before + by) % len(self._points)
            self.update()
        elif key == Qt.Key.Key_Insert:
            gaps = list(pairwise(self._points))
            (ax, ay), (bx, by_) = max(gaps, key=lambda pair: pair[1][0] - pair[0][0])
            self._add((ax + bx) / 2, (ay + by_) / 2)
            self.settled.emit()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self._chosen is not None:
            self._remove(self._chosen)
        elif key in moves and self._chosen is not None:
            x, y = self._points[self._chosen]
            dx, dy = moves[Qt.Key(key)]
            self._move(self._chosen, x + dx, y + dy)
            self.settled.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        super().focusOutEvent(event)
        self.update()

    # --- the points -----------------------------------------------------------------------------------------------

    def _add(self, x: float, y: float) -> None:
        if len(self._points) >= MOST_POINTS or any(abs(x - px) < APART for px, _ in self._points):
            return
        point = (_rounded(x), _rounded(y))
        points = tuple(sorted((*self._points, point)))
        self._chosen = points.index(point)
        self._take(points)

    def _move(self, index: int, x: float, y: float) -> None:
        low = self._points[index - 1][0] + APART if index > 0 else 0.0
        high = self._points[index + 1][0] - APART if index + 1 < len(self._points) else 1.0
        moved = (_rounded(min(max(x, low), high)), _rounded(min(max(y, 0.0), 1.0)))
        self._take((*self._points[:index], moved, *self._points[index + 1 :]))

    def _remove(self, index: int) -> None:
        left = (*self._points[:index], *self._points[index + 1 :])
        self._chosen, self._dragging = None, False
        # A single point would be a constant, which nobody means by removing one.
        self._take(left if len(left) >= 2 else STRAIGHT)
        self.settled.emit()

    def _take(self, points: Points) -> None:
        if points != self._points:
            self._points = points
            self.update()
            self.changed.emit(self.points)

    # --- places ---------------------------------------------------------------------------------------------------

    def _field(self) -> QRectF:
        """The square that the curve is drawn in."""
        margin = self._style.px(8)
        side = max(min(self.width(), self.height()) - 2 * margin, 10)
        return QRectF((self.width() - side) / 2, margin, side, side)

    def place_of(self, x: float, y: float) -> QPointF:
        """Where in the widget an input and output are."""
        field = self._field()
        return QPointF(field.left() + x * field.width(), field.bottom() - y * field.height())

    def _values(self, place: QPointF) -> tuple[float, float]:
        field = self._field()
        x, y = (place.x() - field.left()) / field.width(), (field.bottom() - place.y()) / field.height()
        return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)

    def _near(self, place: QPointF) -> int | None:
        distances = [(self.place_of(*p) - place).manhattanLength() for p in self._points]
        nearest = min(range(len(distances)), key=distances.__getitem__)
        return nearest if distances[nearest] <= self._style.px(GRAB_PX) else None

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter, c, field = QPainter(self), self._style.colours, self._field()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(field, QColor(c.bar_back))
        painter.setPen(QPen(QColor(c.line), 1))
        for k in range(5):
            painter.drawLine(self.place_of(k / 4, 0), self.place_of(k / 4, 1))
            painter.drawLine(self.place_of(0, k / 4), self.place_of(1, k / 4))
        if self.hasFocus():
            painter.setPen(QPen(QColor(c.accent), 2))
            painter.drawRect(field)
        painter.setPen(QPen(QColor(c.muted), self._style.px(1)))
        painter.drawLine(self.place_of(self._value, 0), self.place_of(self._value, 1))
        painter.setPen(QPen(QColor(c.accent), self._style.px(2)))
        painter.drawPolyline(_line([self.place_of(*p) for p in _to_both_ends(self._points)]))
        for number, point in enumerate(self._points):
            size = self._style.px(6 if number == self._chosen else 4)
            painter.setBrush(QColor(c.accent if number == self._chosen else c.panel))
            painter.drawEllipse(self.place_of(*point), size, size)
        painter.end()


class CurveButton(QAbstractButton):
    """A small picture of a channel's curve; pressed, the curve is edited."""

    def __init__(self, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = style
        self._points: Points = ()
        self.setCheckable(True)
        self.setToolTip(tr("Bend the response curve"))

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(self._style.px(34), self._style.px(22))

    def show_points(self, points: Points) -> None:
        """Another curve."""
        if points != self._points:
            self._points = points
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter, c = QPainter(self), self._style.colours
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        lit = self.isChecked() or self.hasFocus()
        painter.setPen(QPen(QColor(c.accent if lit else c.line), 2 if lit else 1))
        painter.setBrush(QColor(c.bar_back))
        painter.drawRoundedRect(edge, 3, 3)
        inner = edge.adjusted(4, 4, -4, -4)
        painter.setPen(QPen(QColor(c.accent if self._points else c.muted), 1.5))
        painter.drawPolyline(
            _line(
                [
                    QPointF(inner.left() + x * inner.width(), inner.bottom() - y * inner.height())
                    for x, y in _to_both_ends(shown_points(self._points))
                ]
            )
        )
        painter.end()


def _to_both_ends(points: Points) -> Points:
    """With the level stretches before the first and behind the last point, as they act."""
    return ((0.0, points[0][1]), *points, (1.0, points[-1][1]))


def _line(places: list[QPointF]) -> QPolygonF:
    return QPolygonF(places)


def _rounded(value: float) -> float:
    return round(value, DECIMALS)
