"""Copies what can be read of a Matroska file that was cut short into a whole one, with index and length."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.stream import Stream

__all__ = ["RemuxError", "Remuxed", "remux"]

_log = logging.getLogger(__name__)

_FAULTS = (av.FFmpegError, OSError, ValueError)


class RemuxError(Exception):
    """Nothing can be read of the file, or the copy cannot be written. The message says why, in a few words."""


@dataclass(frozen=True, slots=True)
class Remuxed:
    """What was copied.

    Attributes:
        pictures: number of them; 0 where the file has none.
        picture_s: time of the last picture, seconds.
        sound_s: end of the sound, seconds; 0 where the file has none.
        width, height: of the pictures.
        sound: there is sound.
    """

    pictures: int
    picture_s: float
    sound_s: float
    width: int
    height: int
    sound: bool


def remux(path: Path, target: Path) -> Remuxed:
    """Copy pictures and sound as they are encoded; times do not change.

    Args:
        path: the file that was cut short.
        target: replaced if it exists.

    Raises:
        RemuxError
    """
    try:
        # Opened by Python, since libav takes some file names for addresses.
        with (
            path.open("rb") as source,
            target.open("wb") as copy,
            av.open(source, "r", format="matroska") as reader,
            av.open(copy, "w", format="matroska") as writer,
        ):
            return _copy(reader, writer)
    except _FAULTS as error:
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise RemuxError(str(text).splitlines()[0].rstrip(".")) from error


def _copy(reader: InputContainer, writer: OutputContainer) -> Remuxed:
    chosen = [*reader.streams.video[:1], *reader.streams.audio[:1]]
    if not chosen:
        raise ValueError("it has neither pictures nor sound")
    copies: dict[int, Stream] = {}
    for stream in chosen:
        copies[stream.index] = writer.add_stream_from_template(stream)
        copies[stream.index].metadata.update(
            {name.lower(): text for name, text in stream.metadata.items() if name.lower() == "timecode"}
        )
    pictures, ends = 0, {"video": 0.0, "audio": 0.0}
    packets = reader.demux(chosen)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except _FAULTS:
            _log.info("the file breaks off", exc_info=True)
            break
        if packet.pts is None or packet.dts is None or packet.is_corrupt or packet.time_base is None:
            continue
        kind = packet.stream.type
        length = packet.duration or 0 if kind == "audio" else 0
        ends[kind] = max(ends[kind], float((packet.pts + length) * packet.time_base))
        pictures += kind == "video"
        packet.stream = copies[packet.stream.index]
        writer.mux(packet)
    video = reader.streams.video[0] if reader.streams.video else None
    if not pictures and not ends["audio"]:
        raise ValueError("it holds nothing that can be read")
    return Remuxed(
        pictures=pictures,
        picture_s=ends["video"],
        sound_s=ends["audio"],
        width=video.width if video is not None else 0,
        height=video.height if video is not None else 0,
        sound=bool(reader.streams.audio),
    )
