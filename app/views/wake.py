"""How another thread gets the window's attention."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal


class Waker(QObject):
    """Calls something on the window's thread soon after another thread asks for it.

    However often it is asked meanwhile, it is called once: nothing piles up while the window is busy.

    Args:
        call: on the thread that made this.
    """

    _asked = Signal()

    def __init__(self, call: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._call: Callable[[], None] | None = call
        self._waiting = False
        self._asked.connect(self._answer, Qt.ConnectionType.QueuedConnection)

    def wake(self) -> None:
        """Ask for the call. Any thread; does not block."""
        if not self._waiting and self._call is not None:
            self._waiting = True
            try:
                self._asked.emit()
            except RuntimeError:
                pass  # the window has gone meanwhile

    def close(self) -> None:
        """Never call again."""
        self._call = None

    def _answer(self) -> None:
        # Before the call: what is asked for from now on is not answered by it.
        self._waiting = False
        if self._call is not None:
            self._call()
