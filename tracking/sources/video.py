"""Video files as a source: every picture with the file's own timestamp, upright, with square pixels."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracking.sources.base import Clock, Pacer, Source, SourceError, unmirror
from tracking.types import Frame, Image

_DEFAULT_FPS = 30.0
_MAX_DECODER_THREADS = 4


class VideoSource(Source):
    """A video file, read as fast as the consumer asks or at its own pace.

    A truncated or damaged file gives the pictures that can be decoded; `warning` then says so.

    Args:
        path: the file.
        paced: wait for each picture's time, so that the file behaves like a camera.
        loop: start over at the end; `Frame.time_s` starts over too, the index goes on.
        mirrored: the video is mirrored; un-mirror it.
        clock: nanoseconds, for tests.
    """

    def __init__(
        self,
        path: Path,
        *,
        paced: bool = False,
        loop: bool = False,
        mirrored: bool = False,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        self._path = path
        self._paced = paced
        self._loop = loop
        self._mirrored = mirrored
        self._clock = clock
        self._closed = threading.Event()
        self._wake = threading.Event()
        self._pacer = Pacer(self._wake, clock)
        self._lock = threading.Lock()
        self._container: InputContainer | None = None
        self._stream: VideoStream | None = None
        self._decoded: Iterator[VideoFrame] = iter(())
        self._first: VideoFrame | None = None
        self._seek_to: float | None = None
        self._skip_before: float | None = None
        self._size = (0, 0)
        self._fps = _DEFAULT_FPS
        self._duration: float | None = None
        self._count = 0
        self._in_round = 0
        self._last_end_s = 0.0
        self._whole_round = True
        self._damaged = False
        self._warning: str | None = None

    @property
    def name(self) -> str:
        return self._path.name

    @property
    def width(self) -> int:
        return self._size[0]

    @property
    def height(self) -> int:
        return self._size[1]

    @property
    def fps(self) -> float:
        return self._fps

    @property
    def live(self) -> bool:
        return self._paced

    @property
    def duration_s(self) -> float | None:
        """Length that the file claims in seconds, None where it claims none."""
        return self._duration

    @property
    def frame_count(self) -> int | None:
        """Number of pictures that the file claims, None where it claims none."""
        return (self._stream.frames or None) if self._stream else None

    @property
    def warning(self) -> str | None:
        return self._warning

    def open(self) -> None:
        with self._lock:
            if self._container is not None:
                return
            _check_file(self._path)
            try:
                self._container = av.open(str(self._path), mode="r")
            except (av.FFmpegError, OSError, ValueError) as error:
                raise SourceError(
                    f"The file {self._path} is not a video, or it is damaged or cut short: choose another file."
                ) from error
            try:
                self._prepare(self._container)
            except BaseException:
                self._release()
                raise
            self._closed.clear()
            self._wake.clear()
            self._pacer.restart()
            self._count = 0

    def read(self) -> Frame | None:
        while not self._closed.is_set():
            with self._lock:
                if self._container is None:
                    if self._closed.is_set():
                        return None
                    raise SourceError(f"The source {self.name} is not open: call open() first.")
                self._wake.clear()
                if self._closed.is_set():  # set before `wake` was: the clearing above must not swallow a close
                    return None
                self._apply_seek()
                picture = self._next_picture()
                if picture is None:
                    if not self._loop or (self._in_round == 0 and self._whole_round):
                        return None
                    self._rewind(0.0)
                    continue
                time_s = self._time_of(picture)
                image = self._image_of(picture)
                self._last_end_s = time_s + 1.0 / self._fps
                self._in_round += 1
            if self._paced:
                self._pacer.wait(time_s)
                if self._closed.is_set():
                    break
                if self._seek_to is not None:
                    continue
            frame = Frame(self._count, time_s, self._clock(), image)
            self._count += 1
            return frame
        return None

    def seek(self, time_s: float) -> None:
        """Go on with the first picture at or after `time_s` seconds of media time; may be called from any thread.

        Takes effect with the next `read`; a read that waits for its time is ended early. Beyond the end there is no
        picture.
        """
        self._seek_to = max(0.0, time_s)
        self._wake.set()

    def close(self) -> None:
        self._closed.set()
        self._wake.set()
        with self._lock:
            self._release()

    def _release(self) -> None:
        self._decoded = iter(())
        self._first = None
        self._stream = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def _prepare(self, container: InputContainer) -> None:
        if not container.streams.video:
            raise SourceError(f"The file {self._path} has no pictures, only sound or data: choose a video.")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = min(_MAX_DECODER_THREADS, os.cpu_count() or 1)
        self._stream = stream
        rate = float(stream.average_rate or stream.guessed_rate or 0.0)
        self._fps = rate if 0.0 < rate < 1000.0 else _DEFAULT_FPS
        if stream.duration and stream.time_base:
            self._duration = float(stream.duration * stream.time_base)
        elif container.duration:
            self._duration = container.duration / av.time_base
        self._damaged = False
        self._warning = None
        self._start_round(whole=True)
        self._first = next(self._decoded, None)
        if self._first is None:
            raise SourceError(f"Not one picture of the video {self._path} can be decoded: it is empty or damaged.")
        image = self._image_of(self._first)
        self._size = (image.shape[1], image.shape[0])

    def _start_round(self, whole: bool) -> None:
        self._decoded = self._decode()
        self._first = None
        self._in_round = 0
        self._last_end_s = 0.0
        self._whole_round = whole

    def _decode(self) -> Iterator[VideoFrame]:
        """The pictures from here to the end; damaged packets are left out and remembered."""
        assert self._container is not None and self._stream is not None
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError):
                self._damaged = True
                return
            try:
                for picture in packet.decode():
                    self._damaged |= picture.is_corrupt
                    yield picture
            except av.EOFError:
                return
            except (av.FFmpegError, OSError):
                self._damaged = True

    def _next_picture(self) -> VideoFrame | None:
        while True:
            picture, self._first = self._first, None
            if picture is None:
                picture = next(self._decoded, None)
            if picture is None:
                self._judge_end()
                return None
            if self._skip_before is not None and self._time_of(picture) < self._skip_before - 0.25 / self._fps:
                continue
            self._skip_before = None
            return picture

    def _judge_end(self) -> None:
        """Say so if fewer pictures came than the file promised. Only a round from the very start can be judged."""
        if not self._whole_round or self._warning is not None or self._stream is None:
            return
        promised = self._stream.frames
        short = promised > 0 and self._in_round < promised - 2 - promised // 100
        if promised == 0 and self._duration is not None:
            start = float((self._stream.start_time or 0) * (self._stream.time_base or Fraction(1)))
            short = self._last_end_s - start < self._duration - max(0.5, 3.0 / self._fps)
        if short or self._damaged:
            self._warning = (
                f"The video {self._path} is damaged or cut short: {self._in_round} pictures, up to"
                f" {self._last_end_s:.1f} s, could be read."
            )

    def _apply_seek(self) -> None:
        target, self._seek_to = self._seek_to, None
        if target is not None:
            self._rewind(target)

    def _rewind(self, time_s: float) -> None:
        assert self._container is not None and self._stream is not None
        base = self._stream.time_base or Fraction(1, av.time_base)
        try:
            self._container.seek(int(time_s / base), stream=self._stream, backward=True)
        except av.FFmpegError:
            # Some files (raw streams) cannot seek; all of them can be opened anew and read up to the place.
            self._container.close()
            self._container = av.open(str(self._path), mode="r")
            self._stream = self._container.streams.video[0]
        self._start_round(whole=time_s <= 0.0)
        self._skip_before = time_s if time_s > 0.0 else None
        self._pacer.restart()

    def _time_of(self, picture: VideoFrame) -> float:
        return float(picture.time) if picture.time is not None else self._last_end_s

    def _image_of(self, picture: VideoFrame) -> Image:
        aspect = self._stream.sample_aspect_ratio if self._stream is not None else None
        width = picture.width
        if aspect and 0.1 < aspect < 10.0:
            width = max(1, round(width * aspect))
        image = np.asarray(picture.to_ndarray(format="rgb24", width=width, height=picture.height), np.uint8)
        quarter_turns = round(picture.rotation / 90.0) % 4
        if quarter_turns:
            image = np.rot90(image, quarter_turns)
        return unmirror(image) if self._mirrored else np.ascontiguousarray(image)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise SourceError(f"There is no file {path}: check the name.")
    if path.is_dir():
        raise SourceError(f"{path} is a folder, not a video: name a file in it.")
    try:
        if path.stat().st_size == 0:
            raise SourceError(f"The file {path} is empty: choose another video.")
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise SourceError(f"The file {path} cannot be read ({error.strerror}): check its permissions.") from error
