"""The sound of a session beside an exported video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from recordings.exporters.base import ExportError

__all__ = ["add_sound", "has_sound"]

_CODECS = {".mp4": "aac", ".m4v": "aac", ".mov": "aac", ".webm": "libopus", ".mkv": "libopus"}
RATE = 48_000


def has_sound(path: Path) -> bool:
    """Whether a file has a sound track that can be read."""
    try:
        with av.open(str(path)) as container:
            return bool(container.streams.audio)
    except (av.FFmpegError, OSError):
        return False


def add_sound(video: Path, sound: Path, out: Path, start_s: float, duration_s: float) -> None:
    """The pictures of `video` and a stretch of the sound of another file in one file; pictures are copied as they are.

    Args:
        video: a finished file whose pictures start at 0.
        sound: a file with a sound track.
        out: the new file; its suffix picks container and codec.
        start_s: place in `sound`, in its own time, that belongs to the first picture.
        duration_s: how much of it.

    Raises:
        ExportError: either cannot be read or the file not written.
    """
    try:
        with av.open(str(video)) as pictures, av.open(str(sound)) as source, av.open(str(out), "w") as target:
            moving = pictures.streams.video[0]
            copied = target.add_stream_from_template(moving)
            heard = source.streams.audio[0]
            layout = "stereo" if heard.channels and heard.channels > 1 else "mono"
            encoded = target.add_stream(_CODECS[out.suffix.lower()], rate=RATE, layout=layout)
            assert isinstance(encoded, AudioStream)
            encoded.time_base = Fraction(1, RATE)
            # To planar floats, which can be cut at any sample; the encoder turns them into what it wants.
            resampler = AudioResampler(format="fltp", layout=layout, rate=RATE)
            source.seek(max(0, int((start_s - 1.0) * av.time_base)))
            begins, ends = round(start_s * RATE), round((start_s + duration_s) * RATE)
            packets = (p for p in pictures.demux(moving) if p.dts is not None)
            following = next(packets, None)
            for frame in source.decode(heard):
                for piece in resampler.resample(frame):
                    if piece.pts is None:
                        continue
                    at = round(piece.pts * (piece.time_base or Fraction(1, RATE)) * RATE)
                    values = piece.to_ndarray()[:, max(begins - at, 0) : max(ends - at, 0)]
                    if not values.shape[1]:
                        continue
                    at = max(at - begins, 0)
                    # Interleaved, so that a player need not look far ahead.
                    while following is not None and (following.dts or 0) * following.time_base * RATE <= at:
                        following.stream = copied
                        target.mux(following)
                        following = next(packets, None)
                    cut = av.AudioFrame.from_ndarray(
                        np.ascontiguousarray(values, np.float32), format="fltp", layout=layout
                    )
                    cut.rate, cut.pts, cut.time_base = RATE, at, Fraction(1, RATE)
                    target.mux(encoded.encode(cut))
                if frame.time is not None and frame.time > start_s + duration_s:
                    break
            target.mux(encoded.encode(None))
            while following is not None:
                following.stream = copied
                target.mux(following)
                following = next(packets, None)
    except (av.FFmpegError, OSError, IndexError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "it has none"
        raise ExportError(
            f"The sound of {sound.name} cannot be added ({reason}): export with --no-audio, or repair the file."
        ) from error
