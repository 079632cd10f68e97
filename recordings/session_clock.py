"""Where a recording's moments lie on its timeline."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from recordings.records import RecordTimes
from recordings.takes import Timecode
from tracking.types import Frame

__all__ = ["SessionClock"]


class SessionClock:
    """Begins with a session's first picture.

    Args:
        timeline: see RecorderSettings.
        clock: nanoseconds, that of `Frame.captured_ns`.

    Attributes:
        first_index: of the first picture within its source.
        timecode: of the session.
        zero_ns: the start on the clock of the sound: the monotonic one, or the media's own.
    """

    def __init__(self, timeline: Literal["capture", "media"], clock: Callable[[], int]) -> None:
        self.first_index = 0
        self.timecode = Timecode(1)
        self.zero_ns = 0
        self._timeline = timeline
        self._clock = clock
        self._started = False
        self._captured_ns = 0
        self._media_s = 0.0
        self._wall_ns = 0
        self._reached = RecordTimes(0, 0, 0.0, 0)

    @property
    def started(self) -> bool:
        """The first picture has come."""
        return self._started

    @property
    def seconds(self) -> float:
        """Time of the last picture."""
        return self._reached.time_ns / 1e9

    def start(self, frame: Frame, fps: float, timecode: Literal["clock", "zero"]) -> None:
        """The first picture has come.

        Args:
            fps: nominal rate of the pictures.
            timecode: see RecorderSettings.
        """
        self.first_index = frame.index
        self._captured_ns, self._media_s = frame.captured_ns, frame.time_s
        self._wall_ns = time.time_ns()
        if self._timeline == "capture":
            self._wall_ns -= self._clock() - frame.captured_ns
        self.zero_ns = frame.captured_ns if self._timeline == "capture" else round(frame.time_s * 1e9)
        wall = datetime.fromtimestamp(self._wall_ns / 1e9) if timecode == "clock" else None
        self.timecode = Timecode.at(fps, wall)
        self._started = True

    def of(self, frame: Frame) -> RecordTimes:
        """The times of a frame."""
        capture_ns = frame.captured_ns - self._captured_ns
        time_ns = capture_ns if self._timeline == "capture" else round((frame.time_s - self._media_s) * 1e9)
        return RecordTimes(time_ns, capture_ns, frame.time_s, self._wall_ns + time_ns)

    def reach(self, times: RecordTimes) -> None:
        """A picture of that time has come."""
        if times.time_ns >= self._reached.time_ns:
            self._reached = times

    def now(self) -> RecordTimes:
        """This moment: by the clock for live sources, the last picture's time for others."""
        reached = self._reached
        if self._timeline == "media":
            return reached
        capture_ns = max(0, self._clock() - self._captured_ns)
        media_s = reached.media_s + (capture_ns - reached.capture_ns) / 1e9
        return RecordTimes(capture_ns, capture_ns, media_s, self._wall_ns + capture_ns)

    @property
    def zero(self) -> RecordTimes:
        """The first picture's times."""
        return RecordTimes(0, 0, self._media_s, self._wall_ns)

    @property
    def last(self) -> RecordTimes:
        """The last picture's times."""
        return self._reached
