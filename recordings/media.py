"""The pictures and the sound of a recording, in a Matroska file that can be read however it ends."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, cast

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from recordings.audio import Samples
from recordings.audio_clock import OUTPUT_RATE
from recordings.disk_guard import GuardedFile
from recordings.video import CODECS

__all__ = ["MUXER_OPTIONS", "LiveCodec", "MediaError", "MediaWriter"]

LiveCodec = Literal["h264", "vp9"]

MUXER_OPTIONS = {
    # A cluster goes to the disk when it is complete: what is in an open one is lost when the program is killed.
    "cluster_time_limit": "250",
    "flush_packets": "1",
    # Pictures do not wait longer than this (in microseconds) for sound that does not come.
    "max_interleave_delta": "250000",
}
_LIVE: dict[LiveCodec, dict[str, str]] = {
    # No picture stays inside the encoder.
    "h264": {"tune": "zerolatency"},
    "vp9": {"lag-in-frames": "0", "cpu-used": "8"},
}
_CLOCK = Fraction(1, 90_000)
_TICKS_PER_MS = 90
"""Matroska counts milliseconds: two pictures within one would have the same time."""
_KEY_PICTURE_S = 2.0
_PACKET = 960
_SOUND_BITS = 128_000


class MediaError(Exception):
    """Pictures or sound cannot be stored any more. The message says why, in words for a person."""


class MediaWriter:
    """Writes one Matroska file with pictures, sound or both. Not thread-safe.

    Args:
        file: closed by `close`.
        size: width and height of the pictures, None for sound alone; odd sizes lose their last column or row.
        fps: nominal rate.
        codec: of the pictures.
        channels: of the sound, None for pictures alone.
        timecode: of time 0, `HH:MM:SS:FF`.

    Raises:
        MediaError: the encoder cannot be made.
    """

    def __init__(
        self,
        file: GuardedFile,
        *,
        size: tuple[int, int] | None,
        fps: float,
        codec: LiveCodec,
        channels: int | None,
        timecode: str,
    ) -> None:
        self.pictures = 0
        self.end_s = 0.0
        """Time of the last picture."""
        self.adjusted = 0
        """Pictures whose time did not go forward and was moved."""
        self._file = file
        self._last_pts = -1
        self._last_ns = -1
        self._sound_pts = 0
        self._left: Samples = np.zeros((0, channels or 1), np.float32)
        self._video: VideoStream | None = None
        self._audio: AudioStream | None = None
        try:
            self._container = av.open(file, "w", format="matroska", options=dict(MUXER_OPTIONS))
            if size is not None:
                self._video = self._add_video(size, fps, codec)
                self._video.metadata["timecode"] = timecode
            if channels is not None:
                self._audio = self._add_audio(channels)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise MediaError(_reason(error)) from error

    def add_picture(self, picture: NDArray[np.uint8], time_ns: int) -> None:
        """Append a picture.

        Args:
            picture: (H, W, 3) RGB; another size than the first one's is fitted into that, with black bars.
            time_ns: on the session's timeline. One that does not go forward follows a millisecond after the last.

        Raises:
            MediaError: it cannot be written.
        """
        assert self._video is not None
        pts = round(time_ns * 9 / 100_000)
        if pts < self._last_pts + _TICKS_PER_MS and self._last_pts >= 0:
            pts = self._last_pts + _TICKS_PER_MS
            # Two that came within a millisecond, as after a hold-up, are no fault of the clock's.
            self.adjusted += time_ns <= self._last_ns
        self._last_pts, self._last_ns = pts, time_ns
        width, height = self._video.width, self._video.height
        if picture.shape[0] - height not in (0, 1) or picture.shape[1] - width not in (0, 1):
            picture = _fitted(picture, (width, height))
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
        frame.pts, frame.time_base = pts, _CLOCK
        self._mux(self._video, frame)
        self.pictures += 1
        self.end_s = pts / 90_000

    def add_sound(self, samples: Samples) -> None:
        """Append what follows of the sound: (N, C) at 48 kHz; the first sample belongs to time 0.

        Raises:
            MediaError: it cannot be written.
        """
        if self._audio is None or not len(samples):
            return
        self._left = np.concatenate([self._left, samples])
        whole = len(self._left) // _PACKET * _PACKET
        for start in range(0, whole, _PACKET):
            self._mux_sound(self._left[start : start + _PACKET])
        self._left = self._left[whole:]

    def close(self) -> None:
        """Finish the file; may be called twice.

        Raises:
            MediaError: it cannot be finished; what is in it can be read all the same.
        """
        if self._file.closed:
            return
        try:
            if len(self._left):
                self._mux_sound(self._left)
            for stream in (self._video, self._audio):
                if stream is not None and (self.pictures or stream is self._audio):
                    self._container.mux(stream.encode(None))
        except (av.FFmpegError, OSError, ValueError) as error:
            raise MediaError(_reason(error)) from error
        finally:
            self._release()

    def _release(self) -> None:
        try:
            self._container.close()
        except (av.FFmpegError, OSError, ValueError) as error:
            raise MediaError(_reason(error)) from error
        finally:
            self._file.close()

    def _add_video(self, size: tuple[int, int], fps: float, codec: LiveCodec) -> VideoStream:
        encoder, options = CODECS[codec]
        rate = Fraction(fps if 1.0 <= fps <= 1000.0 else 30.0).limit_denominator(1001)
        stream = cast(VideoStream, self._container.add_stream(encoder, rate=rate))
        stream.width, stream.height = max(2, size[0] - size[0] % 2), max(2, size[1] - size[1] % 2)
        stream.pix_fmt = "yuv420p"
        stream.options = dict(options | _LIVE[codec] | {"g": str(max(1, round(float(rate) * _KEY_PICTURE_S)))})
        stream.codec_context.time_base = _CLOCK
        return stream

    def _add_audio(self, channels: int) -> AudioStream:
        layout = "mono" if channels == 1 else "stereo"
        stream = self._container.add_stream("libopus", rate=OUTPUT_RATE, layout=layout)
        stream.bit_rate = _SOUND_BITS
        stream.codec_context.time_base = Fraction(1, OUTPUT_RATE)
        return stream

    def _mux_sound(self, samples: Samples) -> None:
        assert self._audio is not None
        layout = "mono" if samples.shape[1] == 1 else "stereo"
        packed = np.clip(np.nan_to_num(samples), -1.0, 1.0).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(packed, np.float32), format="flt", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = OUTPUT_RATE, self._sound_pts, Fraction(1, OUTPUT_RATE)
        self._sound_pts += len(samples)
        self._mux(self._audio, frame)

    def _mux(self, stream: VideoStream | AudioStream, frame: av.VideoFrame | av.AudioFrame) -> None:
        try:
            self._container.mux(stream.encode(frame))  # type: ignore[arg-type]
        except (av.FFmpegError, OSError, ValueError) as error:
            raise MediaError(_reason(error)) from error


def _fitted(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture scaled into (width, height), with black bars where the shape differs."""
    width, height = size
    scale = min(width / picture.shape[1], height / picture.shape[0])
    inner = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA)
    return canvas


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0].rstrip(".")
