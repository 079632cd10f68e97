"""The keys of the expressions of whoever is drawn: pressed, held and let go."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from app.live.avatars import Avatars
from app.state.shortcuts import ActionInfo, ShortcutMap
from app.window.texts import tr
from tracking.retarget.settings import HotkeySettings

MODIFIERS = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr)


class HotkeysPart(QObject):
    """Lends keys to the expressions of whoever is drawn, and presses them. They work in every window of the program.

    Args:
        avatars: whose expressions they are.
        shortcuts: all keys in use.
        window: the program's.
    """

    def __init__(self, avatars: Avatars, shortcuts: ShortcutMap, window: QWidget) -> None:
        super().__init__(window)
        self._avatars = avatars
        self._shortcuts = shortcuts
        self._window = window
        self._lent: tuple[str, HotkeySettings] | None = None
        self.keys: dict[str, QShortcut] = {}
        """By the expression's name."""
        self._down: dict[str, int] = {}
        """Expressions whose key is held, and that key."""
        shortcuts.changed.connect(self._on_keys)
        avatars.state.subject_changed.connect(self._on_subject)
        # A key that goes up while another program has the keyboard is not heard of.
        QGuiApplication.instance().applicationStateChanged.connect(self._on_state)  # type: ignore[union-attr]
        self._on_subject()

    def press(self, name: str, down: bool) -> None:
        """A key of an expression went down or up while another program has the keyboard.

        Args:
            name: see `guest_name`.
            down: whether it went down.
        """
        each = next((e for e in self._lent[1].expressions if guest_name(e.name) == name), None) if self._lent else None
        if each is not None and down:
            self._avatars.press(each.name)
        elif each is not None and each.hold:
            self._avatars.release(each.name)

    def let_go(self) -> None:
        """No key is held."""
        held, self._down = self._down, {}
        QGuiApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]
        for name in held:
            self._avatars.release(name)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Only while a key is held."""
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyRelease and not event.isAutoRepeat():
            # With another modifier a key may have another name as it goes up than it had as it went down.
            anything = event.key() in MODIFIERS
            for name in [name for name, key in self._down.items() if anything or key == event.key()]:
                del self._down[name]
                self._avatars.release(name)
            if not self._down:
                # Not from within the filter that is to be removed.
                QTimer.singleShot(0, self, self._rest)
        return False

    def _rest(self) -> None:
        if not self._down:
            QGuiApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]

    def _on_state(self, state: Qt.ApplicationState) -> None:
        self.let_go()

    def _on_subject(self) -> None:
        subject = self._avatars.state.subject
        wanted = (subject.name, HotkeySettings() if subject.own else subject.settings.hotkeys)
        if wanted == self._lent:
            return
        self._lent = wanted
        self.let_go()
        group = tr("Expressions of {name}", name=subject.name)
        self._shortcuts.lend(
            *(ActionInfo(guest_name(each.name), each.name, group, each.key) for each in wanted[1].expressions)
        )

    def _on_keys(self) -> None:
        for key in self.keys.values():
            key.setEnabled(False)
            key.deleteLater()
        self.keys = {}
        for each in self._lent[1].expressions if self._lent is not None else ():
            used = self._shortcuts.key(guest_name(each.name)) if each.key else ""
            if used:
                key = QShortcut(QKeySequence(used), self._window)
                key.setContext(Qt.ShortcutContext.ApplicationShortcut)
                key.setAutoRepeat(False)
                key.activated.connect(partial(self._on_pressed, each.name, each.hold))
                self.keys[each.name] = key

    def _on_pressed(self, name: str, hold: bool) -> None:
        self._avatars.press(name)
        if hold and name in self.keys:
            if not self._down:
                QGuiApplication.instance().installEventFilter(self)  # type: ignore[union-attr]
            self._down[name] = self.keys[name].key()[0].key()  # type: ignore[index]


def guest_name(expression: str) -> str:
    """What an expression is called among the actions."""
    return f"expression.{expression}"
