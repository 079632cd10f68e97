"""Rolling figures of a running pipeline: percentiles of durations, and rates."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

WINDOW = 300


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds over the last WINDOW values.

    Attributes:
        p50, p95: the median and the value that 95 of 100 stay under.
    """

    p50: float
    p95: float


class RollingPercentiles:
    """Percentiles of the newest values. Not thread-safe."""

    def __init__(self, window: int = WINDOW) -> None:
        self._values: deque[float] = deque(maxlen=window)

    def add(self, ms: float) -> None:
        """One more duration in milliseconds."""
        self._values.append(ms)

    def get(self) -> Percentiles | None:
        """The percentiles, None before the first value."""
        if not self._values:
            return None
        p50, p95 = np.percentile(np.array(self._values), [50.0, 95.0])
        return Percentiles(float(p50), float(p95))


class RollingRate:
    """Events a second over the newest events. Not thread-safe.

    Args:
        window: how many events back.
    """

    def __init__(self, window: int = 60) -> None:
        self._times_ns: deque[int] = deque(maxlen=window)

    def add(self, time_ns: int) -> None:
        """An event at `time_ns`."""
        self._times_ns.append(time_ns)

    def get(self, now_ns: int) -> float:
        """Events a second up to now: falls towards 0 when nothing happens any more; 0 before the second event."""
        if len(self._times_ns) < 2:
            return 0.0
        count = len(self._times_ns) - 1
        spacing = (self._times_ns[-1] - self._times_ns[0]) / count
        span = self._times_ns[-1] - self._times_ns[0] + max(0.0, now_ns - self._times_ns[-1] - spacing)
        return count * 1e9 / span if span > 0.0 else 0.0
