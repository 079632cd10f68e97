"""A clip that behaves like a camera of a chosen rate."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from tracking.sources.base import Pacer, Source
from tracking.types import Frame


class PacedSource(Source):
    """Gives another source's pictures at a fixed rate, whatever their own; their times are made to fit.

    Args:
        source: read as fast as needed.
        fps: pictures a second.
    """

    def __init__(self, source: Source, fps: float) -> None:
        self._source = source
        self._fps = fps
        self._closed = threading.Event()
        self._pacer = Pacer(self._closed)

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def width(self) -> int:
        return self._source.width

    @property
    def height(self) -> int:
        return self._source.height

    @property
    def fps(self) -> float:
        return self._fps

    @property
    def live(self) -> bool:
        return True

    def open(self) -> None:
        self._source.open()

    def read(self) -> Frame | None:
        frame = self._source.read()
        if frame is None:
            return None
        time_s = frame.index / self._fps
        self._pacer.wait(time_s)
        if self._closed.is_set():
            return None
        return replace(frame, time_s=time_s, captured_ns=time.monotonic_ns())

    def close(self) -> None:
        self._closed.set()
        self._source.close()
