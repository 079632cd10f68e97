"""Ctrl-C that is never lost.

Python raises KeyboardInterrupt wherever it happens to be. Inside a destructor or a library's callback that is reported
as ignored, and the command would go on as if nobody had asked it to stop. So the wish is noted, too, and long work asks
for it at each step.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

_asked = threading.Event()


def note_interrupts() -> None:
    """Note Ctrl-C from here on; only the main thread can, any other leaves things as they are."""
    if threading.current_thread() is not threading.main_thread():
        return
    _asked.clear()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _note)


def check_interrupt() -> None:
    """Raises KeyboardInterrupt once if somebody pressed Ctrl-C and it was lost on its way."""
    if _asked.is_set():
        _asked.clear()
        raise KeyboardInterrupt


def _note(number: int, frame: FrameType | None) -> None:
    _asked.set()
    raise KeyboardInterrupt
