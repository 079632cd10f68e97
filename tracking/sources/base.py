"""What every source of pictures offers, and the pacing and un-mirroring that they share."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import numpy as np

from tracking.types import Frame, Image

Clock = Callable[[], int]
"""Nanoseconds that only ever grow, as `time.monotonic_ns`."""


class SourceError(Exception):
    """A source cannot be opened or goes wrong for good. The message is one sentence: what was wrong and what to do."""


class Source(ABC):
    """A sequence of pictures with their times.

    Use it as a context manager, or call `open`, `read` until it gives None, and `close`:

        with open_source("clip.mp4") as source:
            for frame in source:
                ...

    `read` belongs to one thread; `close` may be called from any other to end a read that waits. The size and rate are
    known once the source is open.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What to call it before a person: a file name, a camera's name."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Width in pixels of the first picture, after rotation. Pictures of a folder may differ."""

    @property
    @abstractmethod
    def height(self) -> int:
        """Height in pixels of the first picture, after rotation. Pictures of a folder may differ."""

    @property
    @abstractmethod
    def fps(self) -> float:
        """Nominal pictures a second. With a variable frame rate the mean; `Frame.time_s` is what counts."""

    @property
    @abstractmethod
    def live(self) -> bool:
        """True where pictures come at their own pace and a slow consumer drops some: cameras, paced files."""

    @property
    def warning(self) -> str | None:
        """What is not as it was asked for or as it should be, in one sentence: a camera that gives another size, a
        file that breaks off. May change while reading. None if all is well."""
        return None

    @property
    def problem(self) -> str | None:
        """Why no picture comes at the moment though the source has not ended, in one sentence: a camera that was
        unplugged and is waited for. None while pictures come."""
        return None

    @abstractmethod
    def open(self) -> None:
        """Get ready to read; does nothing if it is open already.

        Blocks until the first picture is known to be readable: milliseconds for files, up to some seconds for cameras.

        Raises:
            SourceError: it cannot be opened.
        """

    @abstractmethod
    def read(self) -> Frame | None:
        """The next picture, None at the end or once `close` was called. A source that has ended stays ended.

        Files and folders block for the decoding of one picture; paced ones also until the picture's time has come;
        cameras until the device delivers, and while the device is unplugged until it is back. The waiting (not a call
        into a driver that hangs) ends at once when `close` is called.

        Raises:
            SourceError: the source is not open, or fails for good.
        """

    @abstractmethod
    def close(self) -> None:
        """End reading and free the device or file; may be called twice, and from any thread.

        Blocks for a fraction of a second at most: a device that hangs inside a read is freed when that read returns.
        """

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """The pictures up to the end."""
        while (frame := self.read()) is not None:
            yield frame


class Pacer:
    """Waits until a picture's time has come.

    Args:
        interrupt: ends every wait when it is set.
        clock: nanoseconds.
    """

    _LATE_S = 1.0

    def __init__(self, interrupt: threading.Event, clock: Clock = time.monotonic_ns) -> None:
        self._interrupt = interrupt
        self._clock = clock
        self._anchor: tuple[int, float] | None = None

    def restart(self) -> None:
        """The next picture is due at once and starts a new count: after a seek or a loop."""
        self._anchor = None

    def wait(self, time_s: float) -> None:
        """Block until the picture of media time `time_s` is due, or until the interrupt is set.

        After more than a second of delay (a suspended machine) the count starts anew instead of racing to catch up.
        """
        now = self._clock()
        if self._anchor is None or (now - self._anchor[0]) / 1e9 - (time_s - self._anchor[1]) > self._LATE_S:
            self._anchor = now, time_s
        due_in = time_s - self._anchor[1] - (now - self._anchor[0]) / 1e9
        if due_in > 0.0:
            self._interrupt.wait(due_in)


def unmirror(image: Image) -> Image:
    """The picture flipped left to right, contiguous: makes a mirrored input unmirrored."""
    return np.ascontiguousarray(image[:, ::-1])
