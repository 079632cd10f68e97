"""Sound on the clock of the pictures.

A sound card's crystal is not the computer's: 100 parts in a million are 0.36 s in an hour. So each block's time is
compared with the number of samples that came before it, a robust line through these pairs gives the card's true rate,
and the sound is resampled by just so much that sample n of the result belongs to n / 48000 seconds of the session.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from recordings.audio import AudioBlock, Samples

__all__ = ["OUTPUT_RATE", "SoundAligner"]

OUTPUT_RATE = 48_000

_SETTLE_BLOCKS = 5
"""Blocks whose times are averaged before the first of their samples is placed."""
_POINT_S = 1.0
_POINTS = 180
_POINTS_FOR_RATE = 10
_JUMP_S = 0.08
"""A block that is so far from where it should be, several times in a row, means that samples are missing."""
_CATCH_UP_S = 2.0
_MOST_CORRECTION = 5e-3
"""Of the rate: a twelfth of a semitone, and 5 ms a second."""


class SoundAligner:
    """Turns blocks with jittering times into one gapless stream that begins at the session's time 0.

    Stretches in which nothing came are silent. Not thread-safe.

    Args:
        rate: nominal samples a second of the source.
        channels: of the source.
        zero_ns: the session's start on the clock of the blocks' times.
        offset_s: added to every block's time: > 0 lets the sound come later.

    Attributes:
        samples: length of the stream so far, at OUTPUT_RATE.
        silence: samples of it that are silence because nothing came.
        lost: samples (at the source's rate) that came too late to have a place.
    """

    def __init__(self, rate: float, channels: int, zero_ns: int, offset_s: float = 0.0) -> None:
        self.samples = 0
        self.silence = 0
        self.lost = 0
        self._rate = rate
        self._channels = channels
        self._zero_ns = zero_ns
        self._offset_s = offset_s
        self._run: _Run | None = None
        self._waiting: list[AudioBlock] = []

    @property
    def seconds(self) -> float:
        """Length of the stream so far."""
        return self.samples / OUTPUT_RATE

    @property
    def drift_ppm(self) -> float | None:
        """By how much the source's true rate is above its nominal one, in parts in a million; None while unknown."""
        return self._run.drift_ppm if self._run is not None else None

    def add(self, block: AudioBlock) -> Samples:
        """Take the next block.

        Returns:
            (M, C) float32, what follows in the stream; may be empty.
        """
        if not len(block.samples):
            return self._nothing()
        parts = []
        if not block.follows:
            parts.append(self.flush())
        if self._run is None:
            self._waiting.append(block)
            if len(self._waiting) < _SETTLE_BLOCKS:
                return _join(parts, self._channels)
            parts.append(self._begin())
        else:
            self._run.take(block.samples, self._time_of(block))
            parts.append(self._resample())
            if self._run.jumped:
                parts.append(self.flush())
        return _join(parts, self._channels)

    def fill(self, until_s: float) -> Samples:
        """Silence up to a time, because nothing comes. What comes later for that time has lost its place."""
        parts = [self.flush(), self._silence(round(until_s * OUTPUT_RATE) - self.samples)]
        return _join(parts, self._channels)

    def flush(self) -> Samples:
        """What is still held back; the next block begins a new run."""
        parts = []
        if self._waiting:
            parts.append(self._begin())
        if self._run is not None:
            parts.append(self._resample(to_the_end=True))
            self._run = None
        return _join(parts, self._channels)

    def _begin(self) -> Samples:
        """Place the first blocks of a run: silence before them, or a cut where their time is taken already."""
        blocks, self._waiting = self._waiting, []
        counts = np.cumsum([0] + [len(block.samples) for block in blocks[:-1]])
        starts = [self._time_of(block) - count / self._rate for block, count in zip(blocks, counts, strict=True)]
        start_s = float(np.median(starts))
        gap = self._silence(round(start_s * OUTPUT_RATE) - self.samples)
        skip = max(0.0, (self.seconds - start_s) * self._rate)
        self._run = _Run(self._rate, self._channels, start_s, skip)
        for block in blocks:
            self._run.take(block.samples, self._time_of(block))
        if self.samples:  # what came before the session's start is not lost
            self.lost += min(int(skip), sum(len(block.samples) for block in blocks))
        return np.concatenate([gap, self._resample()])

    def _resample(self, *, to_the_end: bool = False) -> Samples:
        assert self._run is not None
        made = self._run.give(self.seconds, to_the_end=to_the_end)
        self.samples += len(made)
        return made

    def _silence(self, count: int) -> Samples:
        count = max(0, count)
        self.samples += count
        self.silence += count
        return np.zeros((count, self._channels), np.float32)

    def _time_of(self, block: AudioBlock) -> float:
        return (block.time_ns - self._zero_ns) / 1e9 + self._offset_s

    def _nothing(self) -> Samples:
        return np.zeros((0, self._channels), np.float32)


class _Run:
    """Blocks that follow each other without a gap.

    Args:
        rate: nominal samples a second.
        channels: of the samples.
        start_s: about when the first sample was.
        skip: samples at the start that are not wanted.
    """

    def __init__(self, rate: float, channels: int, start_s: float, skip: float) -> None:
        self._rate = rate
        self._count = 0
        self._position = skip
        # Silence before the first sample: the curve through four samples needs one to its left.
        self._held: Samples = np.zeros((1, channels), np.float32)
        self._first_held = -1
        self._late_by = start_s
        """When sample 0 was, by the line through the points."""
        self._stretch = 0.0
        """Seconds that a sample takes beyond the nominal ones."""
        self._recent: list[tuple[int, float]] = []
        self._points: deque[tuple[float, float]] = deque(maxlen=_POINTS)
        self._out_of_place = 0
        self._known = False

    @property
    def jumped(self) -> bool:
        """The blocks' times have moved away from where they should be."""
        return self._out_of_place >= _SETTLE_BLOCKS

    @property
    def drift_ppm(self) -> float | None:
        """See SoundAligner."""
        return -self._stretch * self._rate / (1.0 + self._stretch * self._rate) * 1e6 if self._known else None

    def take(self, samples: Samples, time_s: float) -> None:
        """Take the next samples and the time of their first one."""
        offset = time_s - self._count / self._rate
        expected = self._late_by + self._stretch * self._count
        self._out_of_place = self._out_of_place + 1 if abs(offset - expected) > _JUMP_S else 0
        self._recent.append((self._count, offset))
        self._count += len(samples)
        self._held = np.concatenate([self._held, samples])
        if self._count - self._recent[0][0] >= _POINT_S * self._rate:
            self._add_point()

    def give(self, time_s: float, *, to_the_end: bool) -> Samples:
        """Resample what can be, for the times from `time_s` on."""
        wanted = (time_s - self._late_by) / (1.0 / self._rate + self._stretch)
        # The rate that is right, and a little more or less to get to the right place.
        step = 1.0 / (1.0 / self._rate + self._stretch) / OUTPUT_RATE
        correction = (wanted - self._position) / (_CATCH_UP_S * OUTPUT_RATE)
        step += float(np.clip(correction, -_MOST_CORRECTION, _MOST_CORRECTION))
        last = self._count - (0 if to_the_end else 2)
        count = max(0, int((last - self._position) / step))
        if to_the_end:
            self._held = np.concatenate([self._held, np.zeros((2, self._held.shape[1]), np.float32)])
        places = self._position + step * np.arange(count, dtype=np.float64)
        self._position += step * count
        made = _curve(self._held, np.asarray(places - self._first_held, np.float64))
        keep_from = int(self._position) - 1 - self._first_held
        if keep_from > 0:
            keep_from = min(keep_from, len(self._held))
            self._held = self._held[keep_from:]
            self._first_held += keep_from
        return made

    def _add_point(self) -> None:
        """One point a second: the median, which a few late callbacks do not move."""
        counts, offsets = np.array([c for c, _ in self._recent]), np.array([o for _, o in self._recent])
        self._recent = []
        self._points.append((float(np.median(counts)), float(np.median(offsets))))
        x, y = np.array(self._points).T
        if len(x) >= _POINTS_FOR_RATE:
            self._stretch = _slope(x, y)
            self._known = True
        self._late_by = float(np.median(y - self._stretch * x))


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Theil and Sen's slope: the median over all pairs of points."""
    i, j = np.triu_indices(len(x), 1)
    return float(np.median((y[j] - y[i]) / (x[j] - x[i])))


def _curve(samples: Samples, places: NDArray[np.float64]) -> Samples:
    """Values between samples, on Catmull and Rom's cubic curve; places from 1 to len - 3."""
    index = places.astype(np.int64)
    f = (places - index).astype(np.float32)[:, None]
    a, b, c, d = (samples[np.clip(index + k, 0, len(samples) - 1)] for k in (-1, 0, 1, 2))
    made = b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)))
    return np.asarray(made, np.float32)


def _join(parts: list[Samples], channels: int) -> Samples:
    return np.concatenate([np.zeros((0, channels), np.float32), *parts])
