"""Sound on its way into a recording: blocks with their times, where they come from, how loud they are."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import log10
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["AudioBlock", "AudioError", "AudioFeed", "AudioLevel", "AudioSink", "AudioSource", "LevelMeter"]

Samples = NDArray[np.float32]
"""(N, C) in -1..1."""

SILENCE_DB = -120.0
_METER_S = 0.3
_WAITING_BLOCKS = 6000
"""Blocks that may wait to be encoded: a minute of the shortest usual ones."""
_GONE_S = 2.0
_REOPEN_EVERY_S = 5.0


class AudioError(Exception):
    """Sound cannot be recorded. The message is one sentence: what was wrong and what to do."""


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """Some samples in a row.

    Attributes:
        samples: (N, C) float32 in -1..1.
        time_ns: of the first sample, on the clock of `time.monotonic_ns`; may jitter.
        follows: the samples follow the last block's without a gap, as far as the device knows.
    """

    samples: Samples
    time_ns: int
    follows: bool = True


AudioSink = Callable[[AudioBlock], None]
"""Takes a block; must return at once."""


class AudioSource(Protocol):
    """Gives sound from `start` to `stop`."""

    @property
    def name(self) -> str:
        """What to call it before a person."""
        ...

    @property
    def rate(self) -> float:
        """Nominal samples a second; known once it was started."""
        ...

    @property
    def channels(self) -> int:
        """1 or 2; known once it was started."""
        ...

    @property
    def paced(self) -> bool:
        """True for devices, which must give a block several times a second."""
        ...

    def start(self, sink: AudioSink) -> None:
        """Begin to call `sink` with each block, on any thread; may be called again after `stop`.

        Raises:
            AudioError: there is no such device, or it cannot be opened.
        """
        ...

    def stop(self) -> None:
        """End it; may be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class AudioLevel:
    """How loud it is, in decibels below full scale (0 is the loudest)."""

    peak_db: float
    rms_db: float


class LevelMeter:
    """The level of the last moments.

    Args:
        rate: samples a second.
    """

    def __init__(self, rate: float) -> None:
        self._span = max(1, int(rate * _METER_S))
        self._recent: deque[tuple[int, float, float]] = deque()
        self._count = 0

    def add(self, samples: Samples) -> None:
        """Take the next samples into account."""
        if not samples.size:
            return
        peak, power = float(np.abs(samples).max()), float(np.square(samples, dtype=np.float64).mean())
        self._recent.append((len(samples), peak, power))
        self._count += len(samples)
        while len(self._recent) > 1 and self._count - self._recent[0][0] >= self._span:
            self._count -= self._recent.popleft()[0]

    def level(self) -> AudioLevel:
        """Peak and mean over the last 0.3 s."""
        recent = tuple(self._recent)
        if not recent:
            return AudioLevel(SILENCE_DB, SILENCE_DB)
        power = sum(count * power for count, _, power in recent) / sum(count for count, _, _ in recent)
        return AudioLevel(_decibels(max(peak for _, peak, _ in recent)), _decibels(power**0.5))


class AudioFeed:
    """Collects a source's blocks for whoever encodes them, and opens a device anew that went away.

    Args:
        source: stopped by `close`.
        clock: nanoseconds.

    Raises:
        AudioError: the source cannot be opened.
    """

    def __init__(self, source: AudioSource, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.source = source
        self._clock = clock
        self._blocks: deque[AudioBlock] = deque()
        self._fresh = True
        self._last_ns = clock()
        self._tried_ns = self._last_ns
        self._opening: threading.Thread | None = None
        self._closed = False
        self.overrun = 0
        """Blocks that were lost because nobody took them in time."""
        source.start(self._take)
        self.meter = LevelMeter(source.rate)

    def blocks(self) -> list[AudioBlock]:
        """What came since the last call."""
        taken = []
        while self._blocks:
            taken.append(self._blocks.popleft())
        for block in taken:
            self.meter.add(block.samples)
        return taken

    def problem(self) -> str | None:
        """What is wrong, in one sentence; None while sound comes."""
        silent_s = (self._clock() - self._last_ns) / 1e9
        if self.source.paced and silent_s > _GONE_S:
            return f"No sound comes from {self.source.name}: check its plug; the recording goes on with silence."
        return None

    def revive(self) -> None:
        """Open a device that went away anew, on a thread, since drivers may hang; call it now and then."""
        now = self._clock()
        waiting = self._opening is not None and self._opening.is_alive()
        if self._closed or waiting or self.problem() is None or (now - self._tried_ns) / 1e9 < _REOPEN_EVERY_S:
            return
        self._tried_ns = now
        self._opening = threading.Thread(target=self._reopen, name="mien-audio-open", daemon=True)
        self._opening.start()

    def close(self) -> None:
        """Stop the source; may be called twice. Waits a second at most for a driver that hangs."""
        if not self._closed:
            self._closed = True
            stopper = threading.Thread(target=self.source.stop, name="mien-audio-stop", daemon=True)
            stopper.start()
            stopper.join(1.0)

    def _take(self, block: AudioBlock) -> None:
        """Called on the audio system's own thread: nothing may wait here."""
        if len(self._blocks) >= _WAITING_BLOCKS:
            self.overrun += 1
            self._fresh = True
            return
        if self._fresh and block.follows:
            block = AudioBlock(block.samples, block.time_ns, follows=False)
        self._fresh = False
        self._last_ns = self._clock()
        self._blocks.append(block)

    def _reopen(self) -> None:
        try:
            self.source.stop()
            self._fresh = True
            self.source.start(self._take)
        except AudioError:
            pass  # it is still away: `problem` says so
        if self._closed:
            self.source.stop()


def _decibels(value: float) -> float:
    return max(SILENCE_DB, 20.0 * log10(value)) if value > 0.0 else SILENCE_DB
