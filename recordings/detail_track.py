"""The recorded relief of the skin as a sequence in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["DetailTrack"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DetailTrack:
    """Displacement maps at their own rate.

    Attributes:
        read: gives (time in seconds, (S, S) float32 millimetres along the outward normal over the face UV) in order of
            time, from the last map at or before a time on.
    """

    read: Callable[[float], Iterator[tuple[float, Floats]]]

    def between(self, start_s: float, end_s: float) -> Iterator[tuple[float, Floats]]:
        """The maps of a stretch of time, and the one that holds at its start."""
        before: tuple[float, Floats] | None = None
        for time_s, displacement in self.read(start_s):
            if time_s > end_s:
                break
            if time_s <= start_s:
                before = time_s, displacement
                continue
            if before is not None:
                yield before
                before = None
            yield time_s, displacement
        if before is not None:
            yield before

    def follow(self, start_s: float = 0.0) -> Callable[[float], Floats | None]:
        """A function of ascending times from `start_s` on that gives the map that holds then, None before the first."""
        maps = self.read(start_s)
        held: Floats | None = None
        following = next(maps, None)

        def at(time_s: float) -> Floats | None:
            nonlocal held, following
            while following is not None and following[0] <= time_s + 1e-6:
                held = following[1]
                following = next(maps, None)
            return held

        return at
