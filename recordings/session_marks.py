"""The start of a recording, and the takes and markers on its timeline."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

from recordings.records import RecordTimes
from recordings.session_clock import SessionClock
from recordings.takes import Mark, TakeLog
from tracking.types import Frame

__all__ = ["SessionMarks"]

_Change = Callable[[TakeLog, float], list[Mark]]


class SessionMarks:
    """Starts a clock with the first picture; what is marked before it counts from there. Thread-safe.

    Args:
        clock: started by `begin_with`.
        write: gets every mark with its times, except those of `finish`.
        closed: True once nothing more is marked.
    """

    def __init__(
        self, clock: SessionClock, write: Callable[[Mark, RecordTimes], None], closed: Callable[[], bool]
    ) -> None:
        self._clock = clock
        self._write = write
        self._closed = closed
        self._lock = threading.Lock()
        self._log: TakeLog | None = None
        self._early: list[_Change] = []

    @property
    def take(self) -> str | None:
        """The take that runs; None between takes."""
        return self._log.take if self._log is not None else None

    @property
    def all(self) -> tuple[Mark, ...]:
        """What was marked so far, in order."""
        return self._log.marks if self._log is not None else ()

    def begin_with(self, frame: Frame, fps: float, timecode: Literal["clock", "zero"]) -> RecordTimes:
        """The times of a frame; the first one's is the session's start."""
        early: list[_Change] = []
        with self._lock:
            if not self._clock.started:
                self._clock.start(frame, fps, timecode)
                self._log = TakeLog(self._clock.timecode)
                early, self._early = self._early, []
            times = self._clock.of(frame)
            self._clock.reach(times)
        for change in early:
            self._mark(change, early=True)
        return times

    def add_marker(self, name: str) -> None:
        """Mark this moment."""
        self._mark(lambda log, time_s: log.mark(name, time_s))

    def start_take(self, name: str) -> None:
        """Begin a take, ending the one that runs."""
        self._mark(lambda log, time_s: log.start(name, time_s))

    def end_take(self) -> None:
        """End the take that runs, if one does."""
        self._mark(lambda log, time_s: log.end(time_s))

    def finish(self) -> list[tuple[Mark, RecordTimes]]:
        """End the take that runs with the last picture. Returns what that adds."""
        with self._lock:
            times = self._clock.last
            return [(mark, times) for mark in self._log.end(times.time_ns / 1e9)] if self._log is not None else []

    def _mark(self, change: _Change, *, early: bool = False) -> None:
        with self._lock:
            if self._closed():
                return
            if self._log is None:
                self._early.append(change)
                return
            times = self._clock.zero if early else self._clock.now()
            marks = change(self._log, times.time_ns / 1e9)
        for mark in marks:
            self._write(mark, times)
