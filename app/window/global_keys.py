"""The keys that work while another program has the keyboard: told to the system, and their presses passed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication

from app.state.shortcuts import ShortcutMap
from app.window.x11_keys import X11Keys

__all__ = ["GlobalKeys", "KeyListener"]


class KeyListener(Protocol):
    """What hears keys of the whole system, see `X11Keys`."""

    def hear(self, keys: dict[str, str]) -> None:
        """Hear these and no others."""

    def close(self) -> None:
        """Give them back."""


MakeListener = Callable[[Callable[[str, bool], None], Callable[[str], None]], KeyListener]


class GlobalKeys(QObject):
    """Hears them only while no window of the program has the keyboard: there Qt hears all keys itself.

    Args:
        shortcuts: all keys, and which of them work everywhere.
        on_key: called with the name of an action or guest, and whether its key is down.
        on_problem: told in one sentence that a key cannot be heard, or none.
        make: makes what hears keys; raises OSError, one sentence, where nothing can.
    """

    _problem = Signal(str)
    _heard = Signal(str, bool)

    def __init__(
        self,
        shortcuts: ShortcutMap,
        on_key: Callable[[str, bool], None],
        on_problem: Callable[[str], None],
        make: MakeListener = X11Keys,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shortcuts, self._on_key, self._make = shortcuts, on_key, make
        self._listener: KeyListener | None = None
        self._down: set[str] = set()
        self._told: dict[str, str] = {}
        self._failed = False
        # From the listener's thread to this one. Connected first: keys that were chosen before may fail at once.
        self._problem.connect(on_problem)
        self._heard.connect(self._on_heard, Qt.ConnectionType.QueuedConnection)
        shortcuts.changed.connect(self._follow)
        QGuiApplication.instance().applicationStateChanged.connect(self._follow)  # type: ignore[union-attr]
        self._follow()

    def close(self) -> None:
        """Hear nothing more."""
        self._shortcuts.changed.disconnect(self._follow)
        QGuiApplication.instance().applicationStateChanged.disconnect(self._follow)  # type: ignore[union-attr]
        self._let_go()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    @property
    def own_window_active(self) -> bool:
        """Whether a window of the program has the keyboard."""
        return QGuiApplication.applicationState() is Qt.ApplicationState.ApplicationActive

    def _follow(self, *_: object) -> None:
        wanted = {} if self.own_window_active else self._shortcuts.everywhere
        if wanted == self._told:
            return
        if self._listener is None and not self._failed:
            try:
                self._listener = self._make(self._heard.emit, self._problem.emit)
            except OSError as error:
                # Said once: nothing changes that while the program runs.
                self._failed = True
                self._problem.emit(str(error))
        self._told = wanted
        self._let_go()
        if self._listener is not None:
            self._listener.hear(wanted)

    def _let_go(self) -> None:
        held, self._down = self._down, set()
        for name in held:
            self._on_key(name, False)

    def _on_heard(self, name: str, down: bool) -> None:
        # What was on its way when the keys changed is dropped.
        if name in self._told and down is not (name in self._down):
            (self._down.add if down else self._down.discard)(name)
            self._on_key(name, down)
