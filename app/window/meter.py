"""Counts what the window draws, and how long its event loop stands still."""

from __future__ import annotations

from collections import deque

from tracking.types import TrackedFace

KEPT = 20_000


class FrameMeter:
    """Newest drawings and gaps. Times are seconds of `time.monotonic`."""

    def __init__(self) -> None:
        self._displayed: deque[float] = deque(maxlen=60)
        self._last_tick: float | None = None
        self.count = 0
        """Results displayed since the start."""
        self.latency_ms: deque[float] = deque(maxlen=KEPT)
        """Capture to display of each."""
        self.gaps_ms: deque[float] = deque(maxlen=KEPT)
        """Times between two runs of the window's timer."""

    def note_tick(self, now_s: float) -> None:
        """The window's timer has run."""
        if self._last_tick is not None:
            self.gaps_ms.append((now_s - self._last_tick) * 1e3)
        self._last_tick = now_s

    def note_displayed(self, face: TrackedFace, now_s: float) -> None:
        """A result has reached the screen."""
        self.count += 1
        self._displayed.append(now_s)
        self.latency_ms.append(now_s * 1e3 - face.frame.captured_ns / 1e6)

    def view_fps(self, now_s: float) -> float:
        """Results a second over the last ones; 0 when none came for a second."""
        if len(self._displayed) < 2 or now_s - self._displayed[-1] > 1.0:
            return 0.0
        span = self._displayed[-1] - self._displayed[0]
        return round((len(self._displayed) - 1) / span, 1) if span > 0 else 0.0

    def reset(self) -> None:
        """Begin a new measurement."""
        self.count, self._last_tick = 0, None
        self.latency_ms.clear()
        self.gaps_ms.clear()
