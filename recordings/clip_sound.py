"""The sound of a clip that is recorded anew, in step with its pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer

from recordings.audio import AudioBlock, AudioError, AudioSink
from recordings.audio_clock import OUTPUT_RATE

__all__ = ["ClipSound"]

_log = logging.getLogger(__name__)

_AHEAD_S = 0.5


class ClipSound:
    """A clip's sound as an AudioSource, on the clip's own clock. It gives what `advance` asks for.

    Args:
        path: the clip.

    Raises:
        AudioError: the clip has no sound, or none that can be read.
    """

    paced = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sink: AudioSink | None = None
        self._reached_s = 0.0
        try:
            self._file = path.open("rb")
            self._container: InputContainer = av.open(self._file, "r")
        except (av.FFmpegError, OSError, ValueError) as error:
            raise AudioError(f"The sound of {path} cannot be read: it is recorded without.") from error
        if not self._container.streams.audio:
            self._container.close()
            self._file.close()
            raise AudioError(f"The clip {path} has no sound: it is recorded without.")
        self._stream = self._container.streams.audio[0]
        self._channels = min(2, max(1, self._stream.codec_context.channels))
        self._blocks = self._decode()

    @property
    def name(self) -> str:
        return self._path.name

    @property
    def rate(self) -> float:
        return float(OUTPUT_RATE)

    @property
    def channels(self) -> int:
        return self._channels

    def start(self, sink: AudioSink) -> None:
        """See AudioSource."""
        self._sink = sink

    def stop(self) -> None:
        """See AudioSource."""
        self._sink = None

    def close(self) -> None:
        """Free the file; only once nobody calls `advance` any more."""
        self._blocks = iter(())
        self._container.close()
        self._file.close()

    def advance(self, time_s: float) -> None:
        """Give the sound up to a picture's time and a moment beyond."""
        while self._sink is not None and self._reached_s < time_s + _AHEAD_S:
            block = next(self._blocks, None)
            if block is None:
                self._reached_s = float("inf")
                return
            self._reached_s = block.time_ns / 1e9
            self._sink(block)

    def _decode(self) -> Iterator[AudioBlock]:
        resampler = av.AudioResampler("flt", "mono" if self._channels == 1 else "stereo", OUTPUT_RATE)
        try:
            for frame in self._container.decode(self._stream):
                yield from self._blocks_of(resampler.resample(frame))
            yield from self._blocks_of(resampler.resample(None))
        except (av.FFmpegError, OSError, ValueError):
            _log.warning("the sound of %s breaks off", self._path, exc_info=True)

    def _blocks_of(self, frames: list[AudioFrame]) -> Iterator[AudioBlock]:
        for frame in frames:
            if frame.pts is None or frame.time_base is None:
                continue
            samples = np.asarray(frame.to_ndarray(), np.float32).reshape(-1, self._channels)
            yield AudioBlock(samples, round(frame.pts * frame.time_base * 1_000_000_000))
