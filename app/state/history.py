"""The last seconds of chosen values, for the time plots: a ring that is allocated once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LENGTH = 300
"""Samples: ten seconds at 30 a second."""


class History:
    """The newest samples of some curves.

    Args:
        curves: how many.
        length: samples that are kept.
    """

    def __init__(self, curves: int, length: int = LENGTH) -> None:
        # Twice the length, so that the newest samples always lie in one piece.
        self._values = np.full((curves, 2 * length), np.nan, np.float32)
        self._times = np.zeros(2 * length, np.float64)
        self._length = length
        self._next = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, time_s: float, values: NDArray[np.floating]) -> None:
        """One more sample (curves,); NaN leaves a gap. The time only ever grows."""
        for place in (self._next, self._next + self._length):
            self._values[:, place] = values
            self._times[place] = time_s
        self._next = (self._next + 1) % self._length
        self._count = min(self._count + 1, self._length)

    def times(self) -> NDArray[np.float64]:
        """(N,) seconds before the newest sample, oldest first: a view, valid until the next `add`."""
        part = self._times[self._part()]
        return part - part[-1] if self._count else part

    def values(self, curve: int) -> NDArray[np.float32]:
        """(N,) samples of one curve, oldest first: a view, valid until the next `add`."""
        return self._values[curve, self._part()]

    def clear(self) -> None:
        """Forget everything."""
        self._next = self._count = 0

    def _part(self) -> slice:
        end = self._next + self._length
        return slice(end - self._count, end)
