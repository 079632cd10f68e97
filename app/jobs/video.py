"""Rendering a video beside the tracking, on a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recordings.video import VideoWriter
from tracking.types import TrackedFace

Painter = Callable[[TrackedFace], NDArray[np.uint8]]
"""Draws one frame: (H, W, 3) uint8 RGB."""

_WAITING = 4
"""Frames that may wait to be drawn: enough to even out, few enough to keep memory small."""


class VideoThread:
    """Draws and encodes frames while the caller tracks the next ones. Nothing is dropped: `add` waits instead.

    Args:
        painter: called on the thread, one frame at a time.
        writer: closed by `close`.
    """

    def __init__(self, painter: Painter, writer: VideoWriter) -> None:
        self._painter = painter
        self._writer = writer
        self._frames: queue.Queue[TrackedFace | None] = queue.Queue(_WAITING)
        self._error: BaseException | None = None
        self._failed = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="mien-video", daemon=True)
        self._thread.start()

    def add(self, face: TrackedFace) -> None:
        """Hand over a frame; blocks while earlier ones wait.

        Raises:
            Exception: whatever the drawing or writing of an earlier frame raised.
        """
        self._frames.put(face)
        self._raise()

    def close(self) -> None:
        """Draw what waits and finish the file; may be called twice.

        Raises:
            Exception: whatever the drawing or writing raised.
        """
        if self._closed:
            return
        self._closed = True
        self._frames.put(None)
        self._thread.join()
        try:
            self._writer.close()
        finally:
            self._raise()

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self) -> None:
        while (face := self._frames.get()) is not None:
            if self._failed:
                continue  # keep emptying the queue, so that nobody waits for ever
            try:
                self._writer.add(self._painter(face), face.frame.time_s)
            except BaseException as error:
                self._error, self._failed = error, True
