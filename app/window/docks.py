"""Docks: each panel has one, in a place that later panels add to.

A part of the program that brings a panel adds a `DockPlace` to the main window's list: the dock, its entry in the View
menu and its place in the saved arrangement follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QByteArray, QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QFrame, QMainWindow, QScrollArea, QTabBar, QVBoxLayout, QWidget

from app.window.style import Style
from app.window.texts import tr


class Side(Enum):
    """Where a dock is at first."""

    LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
    RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
    BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


@dataclass(frozen=True, slots=True)
class DockPlace:
    """One dock.

    Attributes:
        name: for the saved arrangement; stays the same for ever.
        title: for people.
        side: where it is at first.
        panel: what it holds.
        tabbed_with: name of the dock that it shares a place with at first; empty for a place of its own.
        hidden: closed at first.
    """

    name: str
    title: str
    side: Side
    panel: QWidget
    tabbed_with: str = ""
    hidden: bool = False


def add_docks(window: QMainWindow, places: list[DockPlace], style: Style) -> dict[str, QDockWidget]:
    """Make all docks, by name."""
    window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, window.tabPosition(Side.RIGHT.value).North)
    window.setDockOptions(
        QMainWindow.DockOption.AllowTabbedDocks
        | QMainWindow.DockOption.AnimatedDocks
        | QMainWindow.DockOption.AllowNestedDocks
    )
    docks: dict[str, QDockWidget] = {}
    for place in places:
        dock = QDockWidget(tr(place.title), window)
        dock.setObjectName(place.name)
        dock.setWidget(_body(place.panel, style, whole=place.side is Side.BOTTOM))
        window.addDockWidget(place.side.value, dock)
        if place.tabbed_with:
            window.tabifyDockWidget(docks[place.tabbed_with], dock)
        if place.hidden:
            dock.hide()
        docks[place.name] = dock
    QTimer.singleShot(0, window, lambda: _hide_old_tab_bars(window))
    return docks


def _body(panel: QWidget, style: Style, *, whole: bool) -> QWidget:
    """The panel with room around it; scrolled where it is taller than its dock, unless all of it is always shown."""
    page = QWidget()
    page.setObjectName("page")
    column = QVBoxLayout(page)
    column.setContentsMargins(12, 10, 12, 12)
    column.addWidget(panel)
    scroll = _WholeHeight() if whole else QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    if not whole:
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setWidget(page)
    body = QFrame()
    body.setFrameShape(QFrame.Shape.NoFrame)
    body.setObjectName("dockBody")
    outer = QVBoxLayout(body)
    outer.setContentsMargins(0, 0, 0, 0)
    outer.addWidget(scroll)

    def fit() -> None:
        # Wide enough for the panel and a scroll bar beside it: nothing is ever cut off at the side.
        if not whole:
            body.setMinimumWidth(max(style.px(250), page.minimumSizeHint().width()) + style.px(10))

    style.changed.connect(lambda: QTimer.singleShot(0, fit))
    QTimer.singleShot(0, fit)
    return body


class _WholeHeight(QScrollArea):
    """Scrolls sideways alone: it is never lower than what it holds."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        low = super().minimumSizeHint()
        held = self.widget()
        if held is not None:
            low.setHeight(held.minimumSizeHint().height())
        return low

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


def restore_docks(window: QMainWindow, state: QByteArray, version: int) -> None:
    """Put the docks where a saved state says.

    Qt makes new tab bars each time, but where a style sheet is in use it leaves the old ones visible, wherever they
    were: of bars that share a tab the newest is the one in use.
    """
    window.restoreState(state, version)
    QTimer.singleShot(0, window, lambda: _hide_old_tab_bars(window))


def _hide_old_tab_bars(window: QMainWindow) -> None:
    seen: set[str] = set()
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    for bar in reversed(bars):
        titles = {bar.tabText(i) for i in range(bar.count())}
        if titles & seen:
            bar.hide()
        seen |= titles


class TabTitles(QObject):
    """Takes the title bar away from docks that have a tab, which says the same; a floating dock gets it back.

    Args:
        window: whose docks.
        docks: all of them.
    """

    def __init__(self, window: QMainWindow, docks: list[QDockWidget]) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        for dock in docks:
            dock.topLevelChanged.connect(self._later)
            dock.dockLocationChanged.connect(self._later)
            dock.visibilityChanged.connect(self._later)
        self._later()

    def _later(self, *_: object) -> None:
        QTimer.singleShot(0, self._apply)

    def _apply(self) -> None:
        for dock in self._docks:
            tabbed = not dock.isFloating() and any(not d.isHidden() for d in self._window.tabifiedDockWidgets(dock))
            has_none = dock.titleBarWidget() is not None
            if tabbed and not has_none:
                dock.setTitleBarWidget(QWidget())
            elif not tabbed and has_none:
                dock.setTitleBarWidget(None)  # type: ignore[arg-type]
