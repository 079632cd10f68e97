"""The thread that encodes a recording's pictures and sound."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from recordings.audio import AudioFeed
from recordings.audio_clock import OUTPUT_RATE, SoundAligner
from recordings.disk_guard import DiskGuard, GuardedFile
from recordings.layout import SOUND_NAME, VIDEO_NAME
from recordings.media import LiveCodec, MediaError, MediaWriter
from recordings.session_clock import SessionClock
from recordings.waiting_line import WaitingLine
from tracking.threads import come_second
from tracking.types import Image

__all__ = ["MediaThread"]

_log = logging.getLogger(__name__)

_LINE_S = 0.5
"""Pictures that may wait: what waits is lost when the program is killed."""
_LINE_BYTES = 96 << 20
NICE = 5
"""Tracking comes first where processors are short; what is to be stored waits in a line meanwhile."""
_TICK_S = 0.03
_SILENCE_AFTER_S = 1.0
"""Sound that is so far behind the pictures does not come any more: silence takes its place."""
_SILENCE_UP_TO_S = 0.5
_LAST_SOUND_WAIT_S = 0.5


class MediaThread:
    """Encodes what it is given, on a thread of its own, until it is told to finish.

    Args:
        folder: of the session.
        guard: of its disk.
        picture: store pictures; otherwise sound alone.
        codec: of the pictures.
        fps: nominal rate.
        feed: of the sound, None without; closed at the end.
        offset_s: of the sound, see SoundAligner.
        clock: of the session; sound is stored once it has started.
    """

    def __init__(
        self,
        folder: Path,
        guard: DiskGuard,
        *,
        picture: bool,
        codec: LiveCodec,
        fps: float,
        feed: AudioFeed | None,
        offset_s: float,
        clock: SessionClock,
    ) -> None:
        self.path = folder / (VIDEO_NAME if picture else SOUND_NAME)
        self.stored = 0
        """Pictures in the file."""
        self.failure: str | None = None
        """Why nothing is stored any more, in one sentence."""
        self.made = False
        """There is a file."""
        self.adjusted = 0
        self._guard = guard
        self._picture = picture
        self._codec: LiveCodec = codec
        self._fps = fps if 1.0 <= fps <= 1000.0 else 30.0
        self._feed = feed
        self._offset_s = offset_s
        self._clock = clock
        self._writer: MediaWriter | None = None
        self._aligner: SoundAligner | None = None
        self.line: WaitingLine[tuple[Image, int]] = WaitingLine(max(4, round(self._fps * _LINE_S)), _LINE_BYTES)
        self._thread = threading.Thread(target=self._run, name="mien-encode", daemon=True)
        self._thread.start()

    @property
    def aligner(self) -> SoundAligner | None:
        """Of the sound; None without, or before its first block."""
        return self._aligner

    def finish(self) -> None:
        """Encode what waits and complete the file; blocks until that is done."""
        self.line.close()
        self._thread.join()

    def _run(self) -> None:
        come_second(NICE)
        try:
            while not self.line.drained:
                self._step(self.line.get(_TICK_S))
            self._end()
        except (MediaError, OSError) as error:
            self._fail(str(getattr(error, "strerror", None) or error))
        except Exception as error:  # whatever fails here must not take the rest of the recording with it
            _log.exception("storing pictures and sound failed")
            self._fail(" ".join(str(error).split()) or type(error).__name__)
        finally:
            self._close()

    def _step(self, item: tuple[Image, int] | None) -> None:
        """Store one picture and the sound that has come."""
        if item is not None:
            picture, time_ns = item
            if self._writer is None:
                self._open((picture.shape[1], picture.shape[0]))
            assert self._writer is not None
            self._writer.add_picture(picture, time_ns)
            self.stored, self.adjusted = self._writer.pictures, self._writer.adjusted
        if self._feed is not None and self._clock.started:
            self._sound(self._feed)

    def _sound(self, feed: AudioFeed) -> None:
        if self._writer is None:
            if self._picture:
                return  # the file begins with the first picture
            self._open(None)
        writer, aligner = self._writer, self._aligner
        assert writer is not None and aligner is not None
        for block in feed.blocks():
            writer.add_sound(aligner.add(block))
        if writer.end_s - aligner.seconds > _SILENCE_AFTER_S:
            writer.add_sound(aligner.fill(writer.end_s - _SILENCE_UP_TO_S))

    def _open(self, size: tuple[int, int] | None) -> None:
        clock, feed = self._clock, self._feed
        channels = feed.source.channels if feed is not None else None
        file = GuardedFile(self.path, self._guard)
        self.made = True
        try:
            self._writer = MediaWriter(
                file, size=size, fps=self._fps, codec=self._codec, channels=channels, timecode=clock.timecode.text(0.0)
            )
        except BaseException:
            file.close()
            raise
        if feed is not None:
            self._aligner = SoundAligner(feed.source.rate, feed.source.channels, clock.zero_ns, self._offset_s)

    def _end(self) -> None:
        """The last of the sound, which comes a moment after the last picture."""
        feed, writer, aligner = self._feed, self._writer, self._aligner
        if feed is None or writer is None or aligner is None:
            return
        deadline = time.monotonic() + (_LAST_SOUND_WAIT_S if feed.source.paced and feed.problem() is None else 0.0)
        while True:
            self._sound(feed)
            if aligner.seconds >= writer.end_s or time.monotonic() > deadline:
                break
            time.sleep(_TICK_S)
        feed.close()
        self._sound(feed)
        writer.add_sound(aligner.flush())
        if self._picture:
            writer.add_sound(aligner.fill(writer.end_s + 1.0 / OUTPUT_RATE))

    def _fail(self, reason: str) -> None:
        what = (
            "Pictures and sound are"
            if self._picture and self._feed
            else "Pictures are"
            if self._picture
            else "Sound is"
        )
        self.failure = f"{what} not stored any more ({reason.rstrip('.')}): stop, and look at the disk."
        # Nobody may wait for room in a line that nobody empties.
        self.line.close()

    def _close(self) -> None:
        if self._feed is not None:
            self._feed.close()
        if self._writer is not None:
            try:
                self._writer.close()
            except (MediaError, OSError) as error:
                if self.failure is None:
                    self.failure = f"The file {self.path.name} could not be completed ({error}): `recover` mends it."
