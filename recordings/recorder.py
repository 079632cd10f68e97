"""Records a session: pictures, sound and all that is tracked, so that nothing is dropped without being told.

    capture thread  -> add_frame -> line -> encoding thread -> video.mkv
    audio system    -> blocks -----------^
    tracking thread -> add_face  -> line -> recording thread -> records.mcap, frames.csv, session.json

Each part can fail without the others: what fails is told in `status` and in the manifest.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from recordings.audio import AudioError, AudioFeed, AudioSource
from recordings.disk_guard import DiskGuard, DiskSpace
from recordings.layout import SessionLock, prepare_folder
from recordings.manifest import SessionFileError
from recordings.media_thread import MediaThread
from recordings.record_files import Entry, FaceEntry, MarkEntry, RecordFiles
from recordings.recorder_manifest import complete_manifest, new_manifest, timecode_part
from recordings.recorder_types import (
    RecorderSettings,
    RecorderState,
    RecorderStatus,
    RecordingOutcome,
    SessionFacts,
)
from recordings.recorder_words import LossLog, losses_in_words, passing_trouble, stopped_for_space
from recordings.records import RecordTimes
from recordings.session_clock import SessionClock
from recordings.session_marks import SessionMarks
from recordings.takes import Mark
from recordings.waiting_line import WaitingLine
from tracking.types import Frame, TrackedFace

__all__ = ["Recorder"]

_log = logging.getLogger(__name__)

_FACES = 900
_FACE_BYTES = 64 << 20
_FACE_SIZE = 8192
_TICK_S = 0.1
_FLUSH_S = 0.3
_SPACE_S = 1.0
_GONE_S = 2.0
_NO_PICTURE = np.zeros((0, 0, 3), np.uint8)


class Recorder:
    """Records one session into a folder. All methods may be called from any thread.

    Args:
        folder: made if it does not exist; must be empty.
        settings: how to record.
        facts: where the pictures come from, for the manifest.
        audio: source of the sound, None for none. One that cannot be opened is told, and the rest is recorded.
        clock: nanoseconds, the clock of `Frame.captured_ns`.
        guard: of the disk, for tests; by default one with the settings' reserve.

    Raises:
        SessionFileError: the folder is in use or cannot be written to, or its disk is full.
    """

    def __init__(
        self,
        folder: Path,
        settings: RecorderSettings,
        facts: SessionFacts,
        *,
        audio: AudioSource | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
        guard: Callable[[Path, int], DiskGuard] = DiskGuard,
    ) -> None:
        self.folder = folder
        self._settings = settings
        self._facts = facts
        self._now = clock
        self._stop = threading.Event()
        self._clock = SessionClock(settings.timeline, clock)
        self._marks = SessionMarks(self._clock, self._write_mark, self._stop.is_set)
        self._frames = 0
        self._refused = 0
        self._lost_faces = 0
        self._losses = LossLog()
        self._slow = False
        self._problems: dict[str, str] = {}
        self._space = DiskSpace(0, None)
        self._finishing = False
        self._outcome: RecordingOutcome | None = None
        self._relief_id = 0
        self._last_picture_ns = clock()
        prepare_folder(folder)
        self._folder_lock = SessionLock(folder)
        try:
            self._guard = guard(folder, settings.reserve_bytes)
            self._feed = self._open_sound(audio)
            self._manifest = new_manifest(settings, facts, self._feed)
            self._files = RecordFiles(folder, self._guard, self._manifest, facts, detail=settings.detail)
        except BaseException:
            self._abandon()
            raise
        self._line: WaitingLine[Entry] = WaitingLine(_FACES, _FACE_BYTES)
        self._media = self._start_media()
        if settings.take is not None:
            self.start_take(settings.take)
        self._thread = threading.Thread(target=self._run, name="mien-record", daemon=True)
        self._thread.start()

    def add_frame(self, frame: Frame) -> None:
        """Record a captured picture; call it for every one.

        Blocks where the encoder does not keep up, for as long as the settings allow, and then counts the picture as
        lost.
        """
        if self._stop.is_set():
            return
        times = self._begin_with(frame)
        self._frames += 1
        self._last_picture_ns = self._now()
        if self._media is None or not self._settings.picture:
            return
        line = self._media.line
        if line.put((frame.image, times.time_ns), frame.image.nbytes, self._settings.wait_s):
            if self._slow and line.fullness < 0.5:
                self._slow = False
        elif self._stop.is_set():
            self._frames -= 1  # the recording had ended already
        else:
            self._refused += 1
            self._slow = self._media.failure is None

    def add_face(self, face: TrackedFace) -> None:
        """Record what was tracked in a picture. Takes microseconds; where the disk is too slow, see `add_frame`."""
        if self._stop.is_set():
            return
        if not self._clock.started:
            if self._settings.picture:
                return  # of a picture from before the recording
            self._begin_with(face.frame)
        index = face.frame.index - self._clock.first_index
        times = self._clock.of(face.frame)
        if index < 0 or times.time_ns < 0:
            return  # as above
        size, relief = _FACE_SIZE, face.displacement
        if relief is not None:
            if not self._settings.detail:
                relief = None
            elif id(relief) != self._relief_id:
                self._relief_id = id(relief)
                size += relief.nbytes
        # Pictures and meshes would fill the memory while they wait; they are not needed here.
        bare = replace(
            face,
            frame=Frame(index, times.time_ns / 1e9, face.frame.captured_ns, _NO_PICTURE),
            observation=None,
            vertices=None,
            normals=None,
            displacement=relief,
        )
        if not self._line.put(FaceEntry(bare, times), size, self._settings.wait_s) and not self._stop.is_set():
            self._lost_faces += 1

    def add_marker(self, name: str = "") -> None:
        """Mark this moment."""
        self._marks.add_marker(name)

    def start_take(self, name: str = "") -> None:
        """Begin a take, ending the one that runs."""
        self._marks.start_take(name)

    def end_take(self) -> None:
        """End the take that runs, if one does."""
        self._marks.end_take()

    def note(self, sentence: str) -> None:
        """Keep a sentence on what is wrong elsewhere (a source that failed) for status and manifest."""
        self._problems[sentence] = sentence

    def status(self) -> RecorderStatus:
        """A snapshot. Does not block."""
        outcome = self._outcome
        seconds = self._clock.seconds
        return RecorderStatus(
            state=self._state(),
            seconds=seconds,
            frames=self._frames,
            faces=self._files.faces,
            lost_frames=self._lost_pictures() if outcome is None else outcome.lost_frames,
            bytes_written=self._guard.written,
            free_bytes=self._space.free,
            disk_seconds_left=self._space.seconds_left,
            audio=self._feed.meter.level() if self._feed is not None else None,
            take=self._marks.take,
            timecode=self._clock.timecode.text(seconds) if self._clock.started else "",
            problems=tuple(self._trouble()),
        )

    def stop(self) -> RecordingOutcome:
        """Write all that waits, complete the files and end; may be called again. Blocks until that is done."""
        self._stop.set()
        self._thread.join()
        assert self._outcome is not None
        return self._outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _begin_with(self, frame: Frame) -> RecordTimes:
        return self._marks.begin_with(frame, self._facts.fps, self._settings.timecode)

    def _write_mark(self, mark: Mark, times: RecordTimes) -> None:
        self._line.put(MarkEntry(mark, times), _FACE_SIZE, None)

    def _start_media(self) -> MediaThread | None:
        if not self._settings.picture and self._feed is None:
            return None
        return MediaThread(
            self.folder,
            self._guard,
            picture=self._settings.picture,
            codec=self._settings.codec,
            fps=self._facts.fps,
            feed=self._feed,
            offset_s=self._settings.audio_offset_ms / 1e3,
            clock=self._clock,
        )

    def _open_sound(self, audio: AudioSource | None) -> AudioFeed | None:
        if audio is None:
            return None
        try:
            return AudioFeed(audio, self._now)
        except AudioError as error:
            self._problems["sound"] = f"There is no sound: {error}"
            return None

    def _abandon(self) -> None:
        """A recording that could not begin leaves nothing behind."""
        if (feed := getattr(self, "_feed", None)) is not None:
            feed.close()
        if (guard := getattr(self, "_guard", None)) is not None:
            guard.release()
        self._folder_lock.release()

    def _state(self) -> RecorderState:
        if self._outcome is not None:
            return RecorderState.STOPPED
        if self._finishing or self._stop.is_set():
            return RecorderState.FINISHING
        if not self._clock.started:
            return RecorderState.WAITING
        return RecorderState.DISK_SLOW if self._slow else RecorderState.RECORDING

    def _lost_pictures(self) -> int:
        """Refused ones, and those that waited in vain when the encoding failed."""
        media = self._media
        if media is None or not self._settings.picture or media.failure is None:
            return self._refused
        return self._frames - media.stored

    def _trouble(self) -> list[str]:
        """What is wrong now, and what was wrong and is not over."""
        found = [*self._problems.values(), *self._files.problems]
        if self._media is not None and self._media.failure is not None:
            found.append(self._media.failure)
        if self._outcome is not None:
            return found
        live = self._settings.timeline == "capture" and self._frames > 0
        gone = live and (self._now() - self._last_picture_ns) / 1e9 > _GONE_S
        return found + passing_trouble(
            lost=self._lost_pictures() if self._slow else None,
            feed=self._feed,
            gone=self._facts.source.name if gone else None,
        )

    def _run(self) -> None:
        flushed = looked = time.monotonic()
        self._space = self._guard.space()
        while not (self._stop.is_set() and self._line.drained):
            if self._stop.is_set():
                self._line.close()
            entry = self._line.get(_TICK_S)
            try:
                if entry is not None:
                    self._files.add(entry)
                now = time.monotonic()
                if now - flushed > _FLUSH_S:
                    flushed = now
                    self._tell_losses()
                    self._files.flush()
                if now - looked > _SPACE_S or self._guard.full:
                    looked = now
                    self._look_after()
            except Exception:  # nothing that goes wrong here may keep the files from being completed
                _log.exception("recording failed in part")
                self._problems["records"] = "A part of the records could not be written: the log has the details."
        self._finishing = True
        try:
            self._outcome = self._finish()
        except Exception as error:
            _log.exception("completing the recording failed")
            self._outcome = self._result(False, [f"The session could not be completed ({error}): `recover` mends it."])
        finally:
            self._guard.release()
            self._folder_lock.release()

    def _look_after(self) -> None:
        """Space on the disk, a microphone that went away."""
        self._space = self._guard.space()
        if self._guard.must_stop(self._space) and not self._stop.is_set():
            reserve = None if self._guard.full else self._settings.reserve_bytes
            self._problems["disk"] = stopped_for_space(reserve)
            self._stop.set()
        if self._feed is not None:
            self._feed.revive()
        if self._clock.started and not self._manifest.timecode.present:
            # For those who recover a session that was cut short.
            self._manifest.timecode = timecode_part(self._clock.timecode)
            self._files.write_manifest()

    def _tell_losses(self) -> None:
        """A record of what was lost since the last one."""
        if self._clock.started:
            aligner = self._media.aligner if self._media is not None else None
            self._losses.tell(
                self._files,
                self._clock.now(),
                pictures=self._lost_pictures(),
                faces=self._lost_faces + self._files.missed,
                sound_ms=aligner.silence * 1000 // 48_000 if aligner is not None else 0,
            )

    def _finish(self) -> RecordingOutcome:
        self._files.flush()  # the encoder may take its time
        if self._media is not None:
            self._media.finish()
        elif self._feed is not None:
            self._feed.close()
        for mark, times in self._marks.finish():
            self._files.add(MarkEntry(mark, times))
        self._tell_losses()
        self._files.close()
        self._guard.release()
        failed = self._media is not None and self._media.failure is not None
        lost_faces = self._lost_faces + self._files.missed
        warnings = [*self._problems.values(), *self._files.problems]
        warnings += losses_in_words(self._media, self._feed, self._frames, self._lost_pictures(), lost_faces)
        complete = not failed and self._files.complete
        outcome = self._result(complete, warnings)
        complete_manifest(
            self._manifest,
            outcome,
            self._files,
            self._media,
            lost_faces=lost_faces,
            marks=self._marks.all,
            timecode=self._clock.timecode if self._clock.started else None,
        )
        try:
            self._files.write_manifest()
        except SessionFileError as error:
            return replace(outcome, complete=False, warnings=(*outcome.warnings, str(error)))
        return outcome

    def _result(self, complete: bool, warnings: list[str]) -> RecordingOutcome:
        return RecordingOutcome(
            folder=self.folder,
            frames=self._frames,
            stored_frames=self._media.stored if self._media is not None else 0,
            lost_frames=self._lost_pictures(),
            faces=self._files.faces,
            valid_faces=self._files.valid_faces,
            seconds=self._clock.seconds,
            complete=complete,
            warnings=tuple(warnings),
        )
