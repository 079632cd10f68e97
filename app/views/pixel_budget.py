"""How many pixels a processor can draw in time."""

from __future__ import annotations

STEPS = (520_000, 400_000, 300_000, 220_000)
"""Pixels of a drawing; larger views are scaled up from it."""
SLOW_MS, FAST_MS = 18.0, 9.0
"""A drawing should take less than half of the 40 ms between two pictures: the tracking needs the rest. Far enough apart
that a step never leads straight back: a third of a drawing's time does not depend on its size."""
JUDGED_AFTER = 15


class PixelBudget:
    """Takes fewer pixels where drawing is slow, and more where it is fast again.

    The first drawings after a step do not count: they make new buffers.
    """

    def __init__(self) -> None:
        self._step = 0
        self._mean_ms = 0.0
        self._count = 0

    @property
    def pixels(self) -> int:
        """The most that a drawing should have."""
        return STEPS[self._step]

    def note(self, ms: float, pixels: int) -> None:
        """A drawing is done.

        Args:
            ms: what it took.
            pixels: that it had; a view smaller than the budget says nothing about larger ones.
        """
        self._count += 1
        if self._count <= 3:
            self._mean_ms = ms
            return
        self._mean_ms += 0.15 * (ms - self._mean_ms)
        if self._count < JUDGED_AFTER:
            return
        if self._mean_ms > SLOW_MS and self._step < len(STEPS) - 1:
            self._step += 1
            # Straight to a step below what was drawn: a small view gains nothing from the ones above.
            while self._step < len(STEPS) - 1 and STEPS[self._step] >= pixels:
                self._step += 1
            self._count = 0
        elif self._mean_ms < FAST_MS and self._step > 0 and pixels >= 0.9 * self.pixels:
            self._step -= 1
            self._count = 0
