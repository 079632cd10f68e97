"""Pictures between two processes: three places in shared memory, of which the newest is read.

The writer never waits for the reader: of three places one is the newest, one may just be read, and one is free. Only
the choosing is locked, not the copying. Standard library and numpy alone, because the camera's process loads it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from multiprocessing.synchronize import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACES = 3
_HEAD_BYTES = 64
_NEWEST, _READING, _SEQUENCE, _SENT, _FRESH, _RATE = range(6)
_LOCK_WAIT_S = 0.2

Pixels = NDArray[np.uint8]


class FramesError(Exception):
    """The other process died while it held the lock."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of the pictures in pixels."""

    width: int
    height: int

    @property
    def bytes(self) -> int:
        """Of one picture, RGB."""
        return self.width * self.height * 3


class SharedFrames:
    """One writer, one reader. Make it in the writer, open it by its name in the reader.

    Args:
        shape: of the pictures.
        lock: shared by both processes.
        name: of the memory; None makes new memory, which `destroy` has to free.
    """

    def __init__(self, shape: Shape, lock: Lock, name: str | None = None) -> None:
        self._shape = shape
        self._lock = lock
        size = _HEAD_BYTES + PLACES * shape.bytes
        self._memory = SharedMemory(name, create=name is None, size=size if name is None else 0)
        buffer = self._memory.buf
        assert buffer is not None
        self._head: NDArray[np.uint64] | None = np.frombuffer(buffer, np.uint64, 8)
        self._pictures: Pixels | None = np.frombuffer(buffer, np.uint8, PLACES * shape.bytes, _HEAD_BYTES).reshape(
            PLACES, shape.height, shape.width, 3
        )
        self._last = 0
        if name is None:
            self._head[:] = 0

    @property
    def name(self) -> str:
        """To open it elsewhere."""
        return self._memory.name

    def put(self, picture: Pixels) -> None:
        """Publish a picture (height, width, 3); the writer's side. Costs one copy.

        Raises:
            FramesError: the reader died in the midst of reading.
        """
        head, pictures = self._arrays()
        with self._locked():
            taken = {int(head[_NEWEST]), int(head[_READING])}
            place = next(p for p in range(1, PLACES + 1) if p not in taken)
        pictures[place - 1] = picture
        with self._locked():
            head[_NEWEST] = place
            head[_SEQUENCE] += 1

    def take(self, into: Pixels) -> bool:
        """Copy the newest picture; the reader's side.

        Returns:
            False if it is the same as the last time, or there is none: `into` stays as it is.
        """
        head, pictures = self._arrays()
        with self._locked():
            place, sequence = int(head[_NEWEST]), int(head[_SEQUENCE])
            if place == 0 or sequence == self._last:
                return False
            head[_READING] = place
        into[...] = pictures[place - 1]
        with self._locked():
            head[_READING] = 0
        self._last = sequence
        return True

    def report(self, sent: int, fresh: int, rate: float) -> None:
        """What the reader has done: pictures sent, different ones among them, pictures a second."""
        head, _ = self._arrays()
        head[_SENT], head[_FRESH] = sent, fresh
        head.view(np.float64)[_RATE] = rate

    def reported(self) -> tuple[int, int, float]:
        """What `report` told last."""
        head, _ = self._arrays()
        return int(head[_SENT]), int(head[_FRESH]), float(head.view(np.float64)[_RATE])

    def close(self) -> None:
        """Let go of the memory; the other side keeps it."""
        self._head = self._pictures = None
        self._memory.close()

    def destroy(self) -> None:
        """Let go of the memory and free it: for the side that made it."""
        self.close()
        try:
            self._memory.unlink()
        except FileNotFoundError:
            pass  # freed already

    def _arrays(self) -> tuple[NDArray[np.uint64], Pixels]:
        if self._head is None or self._pictures is None:
            raise ValueError("these frames are closed")
        return self._head, self._pictures

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=_LOCK_WAIT_S):
            raise FramesError("the other process died while it held the pictures")
        try:
            yield
        finally:
            self._lock.release()
