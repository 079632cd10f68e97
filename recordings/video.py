"""Rendered videos: pictures with their own times into one file, through PyAV."""

from __future__ import annotations

import os
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tracking.threads import no_real_time

__all__ = ["CODECS", "VIDEO_SUFFIXES", "Codec", "VideoWriter", "VideoWriterError"]

Codec = Literal["h264", "vp9", "av1"]
CODECS: dict[Codec, tuple[str, dict[str, str]]] = {
    "h264": ("libx264", {"crf": "18", "preset": "veryfast"}),
    "vp9": ("libvpx-vp9", {"crf": "28", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}),
    "av1": ("libsvtav1", {"crf": "30", "preset": "9"}),
}
"""PyAV's name of each encoder and how it is set: good pictures at a speed that does not hold up the tracking."""
VIDEO_SUFFIXES: dict[str, tuple[Codec, ...]] = {
    ".mp4": ("h264", "vp9", "av1"),
    ".m4v": ("h264",),
    ".mov": ("h264",),
    ".mkv": ("h264", "vp9", "av1"),
    ".webm": ("vp9", "av1"),
}
"""File suffixes and the codecs that players expect in them."""

_CLOCK = Fraction(1, 90_000)


class VideoWriterError(Exception):
    """A video cannot be written. The message is one sentence: what was wrong and what to do."""


class VideoWriter:
    """Writes one video file.

    The file takes its name when it is finished: until then, and after a crash, it is called `.NAME.part.SUFFIX`.

    Args:
        path: its suffix picks the container; replaced if it exists.
        width, height: of every picture; odd sizes lose their last column or row, because of the colour sub-sampling.
        fps: nominal rate.
        codec: see CODECS.

    Raises:
        VideoWriterError: the suffix is unknown or does not fit the codec, or the file cannot be made.
    """

    def __init__(self, path: Path, width: int, height: int, fps: float, codec: Codec = "h264") -> None:
        check_target(path, codec)
        self.path = path
        self._size = (max(2, width - width % 2), max(2, height - height % 2))
        self._step = max(1, round(90_000 / (fps if 0.0 < fps < 1000.0 else 30.0)))
        self._part = path.with_name(f".{path.stem}.part{path.suffix}")
        self._last_pts = -1
        self._start_s: float | None = None
        self._container: OutputContainer | None = None
        encoder, options = CODECS[codec]
        # SVT-AV1 tells standard error all it knows unless asked for errors alone.
        os.environ.setdefault("SVT_LOG", "1")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(self._part), "w", options=_container_options(path))
            stream = self._container.add_stream(encoder, rate=Fraction(90_000, self._step))
        except (av.FFmpegError, OSError, ValueError) as error:
            self._discard()
            raise VideoWriterError(
                f"The video {path} cannot be written ({_reason(error)}): choose another place or --codec."
            ) from error
        assert isinstance(stream, VideoStream)
        self._stream = stream
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = dict(options)
        self._stream.codec_context.time_base = _CLOCK

    def add(self, picture: NDArray[np.uint8], time_s: float) -> None:
        """Append a picture.

        Args:
            picture: (H, W, 3) RGB of the writer's size.
            time_s: when it is shown; the first one's time counts as 0. Times that do not go forward follow at the
                nominal rate.

        Raises:
            VideoWriterError: it cannot be written.
            ValueError: the picture has another size.
        """
        width, height = self._size
        if picture.shape[0] - height not in (0, 1) or picture.shape[1] - width not in (0, 1):
            raise ValueError(
                f"a picture of {width} x {height} was promised, not {picture.shape[1]} x {picture.shape[0]}"
            )
        if self._start_s is None:
            self._start_s = time_s
        pts = round((time_s - self._start_s) * 90_000)
        if pts <= self._last_pts:
            pts = self._last_pts + self._step
        self._last_pts = pts
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
        frame.pts, frame.time_base = pts, _CLOCK
        self._mux(frame)

    def close(self) -> None:
        """Finish the file and give it its name; may be called twice. Without a picture there is no file.

        Raises:
            VideoWriterError: it cannot be finished.
        """
        if self._container is None:
            return
        if self._last_pts < 0:
            self._discard()
            return
        self._mux(None)
        container, self._container = self._container, None
        try:
            container.close()
            self._part.replace(self.path)
        except (av.FFmpegError, OSError) as error:
            raise VideoWriterError(f"The video {self.path} cannot be finished ({_reason(error)}).") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _mux(self, frame: av.VideoFrame | None) -> None:
        assert self._container is not None, "this writer is closed"
        try:
            # The first picture starts the encoder's threads.
            with nullcontext() if self._stream.codec_context.is_open else no_real_time():
                packets = self._stream.encode(frame)
            self._container.mux(packets)
        except (av.FFmpegError, OSError) as error:
            self._discard()
            raise VideoWriterError(
                f"The video {self.path} cannot be written ({_reason(error)}): is the disk full?"
            ) from error

    def _discard(self) -> None:
        container, self._container = self._container, None
        try:
            if container is not None:
                container.close()
        except (av.FFmpegError, OSError):
            pass  # what failed before fails again
        try:
            self._part.unlink()
        except OSError:
            pass  # it was never made


def check_target(path: Path, codec: Codec) -> None:
    """Whether a video of this codec can have this name.

    Raises:
        VideoWriterError: the suffix is unknown or does not fit the codec.
    """
    fitting = VIDEO_SUFFIXES.get(path.suffix.lower())
    if fitting is None:
        known = ", ".join(VIDEO_SUFFIXES)
        raise VideoWriterError(f"{path.name} is not a name for a video: end it with one of {known}.")
    if codec not in fitting:
        raise VideoWriterError(
            f"A {path.suffix} file holds {' or '.join(fitting)}, not {codec}: choose another suffix or --codec."
        )


def _container_options(path: Path) -> dict[str, str]:
    return {"movflags": "+faststart"} if path.suffix.lower() in (".mp4", ".m4v", ".mov") else {}


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0].rstrip(".")
