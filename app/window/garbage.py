"""Python's cyclic garbage, collected on the window's thread alone.

By itself Python collects on whichever thread happens to make the next object. A widget, a painter or an OpenGL object
that is part of a cycle then ends on a thread of the tracker, where Qt and drivers do not allow it, and the program
crashes minutes or hours later, without a trace of the cause.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, QTimer

__all__ = ["GarbageTimer", "collect_due"]

EVERY_MS = 500
OLDEST_EVERY_S = 60.0
"""Looking through all that has been made since the start takes longest."""


class GarbageTimer(QObject):
    """Switches Python's own collecting off and does it from the event loop.

    Args:
        parent: on the window's thread.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._oldest_s = time.monotonic()
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self._collect)

    def start(self) -> None:
        """From now on. What there is stays: modules, models and widgets are not looked through again."""
        if not self._timer.isActive():
            gc.freeze()
            self._timer.start()

    def _collect(self) -> None:
        if collect_due(time.monotonic() - self._oldest_s >= OLDEST_EVERY_S) == 2:
            self._oldest_s = time.monotonic()


def collect_due(oldest: bool) -> int | None:
    """Collects the oldest generation whose turn it is, by Python's own thresholds.

    Args:
        oldest: whether the oldest generation may have its turn.

    Returns:
        Which one it was; None where there is too little new.
    """
    thresholds, counts = gc.get_threshold(), gc.get_count()
    for generation in (2, 1, 0) if oldest else (1, 0):
        if 0 < thresholds[generation] < counts[generation]:
            gc.collect(generation)
            return generation
    return None
