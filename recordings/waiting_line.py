"""A queue with a limit in items and bytes, that says what it could not take."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

__all__ = ["WaitingLine"]

Item = TypeVar("Item")


class WaitingLine(Generic[Item]):
    """Between the threads that bring things and the one that writes them.

    Args:
        items, size: most that may wait, in number and in bytes. One item always fits into an empty line.
    """

    def __init__(self, items: int, size: int) -> None:
        self._limits = items, size
        self._waiting: deque[tuple[Item, int]] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: Item, size: int, wait_s: float | None = 0.0) -> bool:
        """Add an item.

        Args:
            size: in bytes.
            wait_s: blocks for so long while the line is full; None waits until there is room.

        Returns:
            False if there was no room, or the line is closed.
        """
        with self._changed:
            if not self._closed and not self._has_room(size) and wait_s != 0.0:
                self._changed.wait_for(lambda: self._closed or self._has_room(size), wait_s)
            if self._closed or not self._has_room(size):
                return False
            self._waiting.append((item, size))
            self._bytes += size
            self._changed.notify_all()
            return True

    def get(self, timeout_s: float) -> Item | None:
        """The oldest item; None if none came in time, at once where the line is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting, timeout_s)
            if not self._waiting:
                return None
            item, size = self._waiting.popleft()
            self._bytes -= size
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Take nothing more; what waits can still be got. Ends all waiting."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def drained(self) -> bool:
        """Closed and empty."""
        with self._changed:
            return self._closed and not self._waiting

    @property
    def fullness(self) -> float:
        """0 (empty) to 1 (full)."""
        with self._changed:
            items, size = self._limits
            return max(len(self._waiting) / items, self._bytes / size)

    def _has_room(self, size: int) -> bool:
        items, most = self._limits
        return not self._waiting or (len(self._waiting) < items and self._bytes + size <= most)
