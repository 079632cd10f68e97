"""A source and a tracker that do what a test of the pipeline tells them."""

from __future__ import annotations

import threading
import time

import numpy as np

from tracking.sources import Source
from tracking.types import Frame, StageTime, TrackedFace, TrackingState


class StubTracker:
    """Does nothing with each frame, for as long as it is told, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.seen: list[int] = []
        self.resets = 0
        self.free = threading.Event()
        self.free.set()

    def process(self, frame: Frame) -> TrackedFace:
        self.seen.append(frame.index)
        self.free.wait(30.0)
        if self.fails:
            raise ZeroDivisionError("the face has no width")
        return TrackedFace(
            frame, TrackingState.SEARCHING, 0.0, None, None, None, None, None, None, (StageTime("landmarks", 2.0),)
        )

    def reset(self) -> None:
        self.resets += 1


class ListSource(Source):
    """A given number of pictures, one each time it is told, or at once; may fail or hang."""

    name = "list"
    width = 4
    height = 3
    fps = 30.0
    live = True

    def __init__(self, count: int, *, live: bool = True) -> None:
        self.live = live
        self.count = count
        self.given = 0
        self.permits = threading.Semaphore(0)
        self.paced = False
        self.fails: Exception | None = None
        self.open_fails: Exception | None = None
        self.hang_in_read: threading.Event | None = None
        self.hang_in_open: threading.Event | None = None
        self.hang_in_close: threading.Event | None = None
        self.trouble: str | None = None
        self.closed = 0

    @property
    def problem(self) -> str | None:
        return self.trouble

    def open(self) -> None:
        if self.hang_in_open is not None:
            self.hang_in_open.wait(30.0)
        if self.open_fails is not None:
            raise self.open_fails

    def read(self) -> Frame | None:
        if self.hang_in_read is not None:
            self.hang_in_read.wait(30.0)
        if self.paced:
            self.permits.acquire(timeout=30.0)
        if self.fails is not None:
            raise self.fails
        if self.given >= self.count or self.closed:
            return None
        self.given += 1
        return Frame(self.given - 1, self.given / 30, time.monotonic_ns(), np.zeros((3, 4, 3), np.uint8))

    def close(self) -> None:
        self.closed += 1
        self.permits.release()
        if self.hang_in_close is not None:
            self.hang_in_close.wait(30.0)
