"""The window's actions, their keys, the menus and the tool bar."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QSizePolicy, QToolBar, QWidget

from app.state.actions import FILE, HELP, OUTPUT, VIEW
from app.state.shortcuts import ShortcutMap
from app.views.widgets import Segmented
from app.window.icons import icon
from app.window.style import Style
from app.window.texts import tr

CHECKABLE = (
    *("view.lock", "view.mirror", "view.freeze", "view.panels", "view.fullscreen"),
    *("face.hide", "face.source_mirrored", "face.low_power", "output.window", "output.record", "output.camera"),
)
ICONS = {
    "view.mirror": "mirror",
    "view.freeze": "freeze",
    "face.hide": "hide",
    "view.recentre": "recentre",
    "face.neutral": "neutral",
    "output.window": "output",
    "output.record": "record",
    "view.fullscreen": "fullscreen",
}
MENUS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (FILE, ("file.open", "file.demo", "file.session", "file.close", "", "file.track", "file.export", "", "file.quit")),
    ("Edit", ("edit.undo", "edit.redo", "", "edit.settings")),
    (
        VIEW,
        (
            *("view.textured", "view.clay", "view.wireframe", "view.tension", "view.overlay", ""),
            *("view.recentre", "view.lock", "view.mirror", "view.freeze", "", "view.panels", "view.fullscreen"),
        ),
    ),
    ("Face", ("face.neutral", "face.hide", "face.source_mirrored", "face.no_expressions", "", "face.low_power")),
    (OUTPUT, ("output.record", "output.marker", "", "output.camera", "output.window")),
    (HELP, ("help.shortcuts", "help.report", "", "help.about")),
)
SHORT = {
    "face.neutral": "Neutral",
    "view.recentre": "Recentre",
    "view.mirror": "Mirror",
    "view.freeze": "Freeze",
    "face.hide": "Hide",
    "output.window": "Output",
    "output.record": "Record",
}
"""What the tool bar calls them."""
TOOLS = (
    "face.neutral",
    "view.recentre",
    "view.mirror",
    "view.freeze",
    "face.hide",
    "",
    "output.record",
    "output.window",
)


class Actions:
    """Makes a QAction for each action of the map and keeps its key up to date.

    Args:
        window: the actions' parent; their keys work anywhere in it.
        shortcuts: actions and keys.
        style: colours of the icons.
    """

    def __init__(self, window: QMainWindow, shortcuts: ShortcutMap, style: Style) -> None:
        self._window = window
        self._shortcuts = shortcuts
        self._style = style
        self.by_name: dict[str, QAction] = {}
        self.menus: dict[str, QMenu] = {}
        for info in shortcuts.actions:
            action = QAction(tr(info.text), window)
            action.setCheckable(info.name in CHECKABLE)
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            self.by_name[info.name] = action
            window.addAction(action)
        self.by_name["file.quit"].setMenuRole(QAction.MenuRole.QuitRole)
        self.by_name["edit.settings"].setMenuRole(QAction.MenuRole.PreferencesRole)
        self.by_name["help.about"].setMenuRole(QAction.MenuRole.AboutRole)
        shortcuts.changed.connect(self._on_keys)
        style.changed.connect(self._on_style)
        self._on_keys()
        self._on_style()

    def connect(self, handlers: dict[str, Callable[[], object]]) -> None:
        """What each action does; checkable ones are asked for their state by the handler itself."""
        for name, handler in handlers.items():
            self.by_name[name].triggered.connect(lambda _=False, handler=handler: handler())

    def check(self, name: str, on: bool) -> None:
        """Show a checkable action's state without triggering it."""
        self.by_name[name].setChecked(on)

    def fill_menus(self) -> None:
        """The menu bar. `menus` holds each menu by its English title, for those who add to it."""
        for title, names in MENUS:
            menu = self._window.menuBar().addMenu(tr(title))
            self.menus[title] = menu
            self._fill(menu, names)

    def fill_tools(self, bar: QToolBar, views: Segmented) -> None:
        """The tool bar: the views to the left, what is pressed often to the right."""
        bar.addWidget(views)
        room = QWidget()
        room.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(room)
        for name in TOOLS:
            if not name:
                bar.addSeparator()
                continue
            action = self.by_name[name]
            action.setIconText(tr(SHORT[name]))
            bar.addAction(action)
            button = bar.widgetForAction(action)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(action.text())

    def _fill(self, menu: QMenu, names: Iterable[str]) -> None:
        for name in names:
            if name:
                menu.addAction(self.by_name[name])
            else:
                menu.addSeparator()

    def _on_keys(self) -> None:
        for name, action in self.by_name.items():
            key = self._shortcuts.key(name)
            action.setShortcut(QKeySequence(key))
            text = action.text().replace("…", "")
            shown = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(f"{text}  ({shown})" if shown else text)

    def _on_style(self) -> None:
        for name, drawn in ICONS.items():
            self.by_name[name].setIcon(icon(drawn, self._style.colours, self._window.devicePixelRatioF()))
