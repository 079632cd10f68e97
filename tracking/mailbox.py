"""A mailbox with one slot between two threads: the newest item wins."""

from __future__ import annotations

import threading
import time
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Passes items from one thread to another without ever queueing more than one.

    A consumer that is slower than the producer sees the newest item only; what it missed is counted. Safe for any
    number of threads on both sides.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._items: list[Item] = []
        self._dropped = 0
        self._closed = False

    @property
    def dropped(self) -> int:
        """How many items were replaced before anybody took them."""
        return self._dropped

    @property
    def closed(self) -> bool:
        """True once `close` was called."""
        return self._closed

    def put(self, item: Item, *, wait: bool = False) -> bool:
        """Leave an item, replacing one that nobody has taken.

        Args:
            item: what to pass on.
            wait: block until the slot is free instead of replacing; for lossless work.

        Returns:
            False if the mailbox is closed: the item is not passed on.
        """
        with self._changed:
            while wait and self._items and not self._closed:
                self._changed.wait()
            if self._closed:
                return False
            if self._items:
                self._dropped += 1
            self._items[:] = [item]
            self._changed.notify_all()
            return True

    def take(self, timeout_s: float | None = None) -> Item | None:
        """The item, as soon as there is one; the slot is empty afterwards.

        Blocks until an item comes, the mailbox is closed, or the time is over. An item left before `close` can still be
        taken.

        Returns:
            None if the mailbox is closed and empty, or the time is over.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while not self._items and not self._closed:
                remaining = None if deadline is None else deadline - time.monotonic()
                if remaining is not None and remaining <= 0.0:
                    return None
                self._changed.wait(remaining)
            if not self._items:
                return None
            item = self._items.pop()
            self._changed.notify_all()
            return item

    def close(self, *, discard: bool = False) -> None:
        """Take no further items and wake everybody who waits.

        Args:
            discard: throw away an item that nobody has taken.
        """
        with self._changed:
            self._closed = True
            if discard:
                self._items.clear()
            self._changed.notify_all()
