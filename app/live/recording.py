"""Records what the window tracks. A companion of the director: everything slow happens in tasks."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import CommandError, sentence_for
from app.live.director import Director
from app.output_settings import RecordingPreferences
from app.state.live import Phase
from app.state.notices import Notice, NoticeLevel
from app.tasks import Task, TaskState
from tracking import Source

if TYPE_CHECKING:
    from recordings.recorder import Recorder
    from recordings.recorder_types import RecordingOutcome, SessionFacts

STATUS_EVERY_S = 0.25
CLOSE_WAIT_S = 5.0
"""For the files to be completed when the program ends; what is on the disk by then survives in any case."""
LONGEST_NAME = 80


class Recording:
    """Starts, watches and ends recordings.

    Args:
        director: whose session is recorded.
    """

    def __init__(self, director: Director) -> None:
        self._director = director
        self._session = director.session
        self._models = director.models
        self.state = director.models.recording
        self._recorder: Recorder | None = None
        self._source: Source | None = None
        self._looked_s = 0.0

    # --- what the user wants --------------------------------------------------------------------------------------

    def start(self, take: str = "") -> None:
        """Record what is tracked from now on, into a new folder."""
        source = self._session.source
        if self.state.busy or source is None or self._models.live.now.recorded:
            return
        if self._models.live.now.phase not in (Phase.TRACKING, Phase.SEARCHING, Phase.LOST):
            return
        self.state.begin()
        preferences = self._models.preferences.settings.outputs.recording
        facts = self._facts(source)
        self._models.tasks.start(
            self._director.translate("Start recording"),
            lambda _: _open(preferences, facts, take),
            on_done=lambda task: self._on_open(task, source),
            quiet=True,
        )

    def stop(self) -> None:
        """Complete the files."""
        recorder = self._recorder
        if recorder is None or self.state.stopping:
            return
        self._untap()
        self.state.stopping = True
        self.state.changed.emit()
        self._models.tasks.start(
            self._director.translate("Finish the recording"),
            lambda _: recorder.stop(),
            on_done=self._on_stopped,
            quiet=True,
        )

    def toggle(self) -> None:
        """Start, or stop."""
        if self.state.busy:
            self.stop()
        else:
            self.start()

    def mark(self, name: str = "") -> None:
        """Put a marker here."""
        if self._recorder is not None:
            self._recorder.add_marker(name)

    def start_take(self, name: str) -> None:
        """Begin a take, ending the one that runs."""
        if self._recorder is not None:
            self._recorder.start_take(name)

    def end_take(self) -> None:
        """End the take that runs."""
        if self._recorder is not None:
            self._recorder.end_take()

    def look_for_microphones(self) -> None:
        """Fetch the list of microphones anew."""
        self._models.tasks.start(
            self._director.translate("Look for microphones"),
            lambda _: _microphones(),
            on_done=self._on_microphones,
            quiet=True,
        )

    def look_for_unfinished(self) -> None:
        """See whether a recording was cut short, and offer to mend it."""
        place = self._models.preferences.settings.outputs.recording.place
        self._models.tasks.start(
            self._director.translate("Look for recordings that were cut short"),
            lambda _: _unfinished(place),
            on_done=self._on_unfinished,
            quiet=True,
        )

    # --- from the window's timer ----------------------------------------------------------------------------------

    def advance(self, now_s: float) -> None:
        """See how it goes; end what has ended by itself."""
        if self._recorder is None or now_s - self._looked_s < STATUS_EVERY_S:
            return
        self._looked_s = now_s
        status = self._recorder.status()
        self.state.show(status)
        from recordings.recorder_types import RecorderState

        ended = status.state in (RecorderState.FINISHING, RecorderState.STOPPED)
        if (ended or self._session.source is not self._source) and not self.state.stopping:
            self.stop()

    def close(self) -> None:
        """The program ends: complete the files."""
        recorder, self._recorder = self._recorder, None
        self._untap()
        if recorder is not None:
            import threading

            finishing = threading.Thread(target=recorder.stop, name="mien-finish", daemon=True)
            finishing.start()
            finishing.join(CLOSE_WAIT_S)

    # --- what tasks found -----------------------------------------------------------------------------------------

    def _on_open(self, task: Task, source: Source) -> None:
        if task.state is not TaskState.DONE:
            self.state.end()
            self._post(NoticeLevel.ERROR, task.sentence, report=task.report)
            return
        recorder, note = task.result
        self._recorder, self._source = recorder, source
        session = self._session
        session.frame_taps = (*session.frame_taps, recorder.add_frame)
        session.result_taps = (*session.result_taps, recorder.add_face)
        self._director.marker.note_result(recorder.folder)
        self.state.run(recorder.folder)
        if note:
            self._post(NoticeLevel.WARNING, note)

    def _on_stopped(self, task: Task) -> None:
        folder, self._recorder, self._source = self.state.folder, None, None
        if task.state is not TaskState.DONE:
            self.state.end()
            self._post(NoticeLevel.ERROR, task.sentence, report=task.report)
            return
        outcome: RecordingOutcome = task.result
        self.state.end(outcome)
        level = NoticeLevel.WARNING if outcome.warnings else NoticeLevel.INFO
        tr = self._director.translate
        sentence = tr("Recorded {seconds:.1f} s into {folder}.", seconds=outcome.seconds, folder=str(folder))
        self._post(level, sentence, " ".join(outcome.warnings), f"session:{folder}", tr("Play"))

    def _on_microphones(self, task: Task) -> None:
        self.state.set_microphones(task.result if task.state is TaskState.DONE else ())

    def _on_unfinished(self, task: Task) -> None:
        if task.state is not TaskState.DONE or not task.result:
            return
        tr = self._director.translate
        folder: Path = task.result[-1]
        self._models.notices.post(
            Notice(
                "recovery",
                NoticeLevel.WARNING,
                tr("The recording {name} was cut short.", name=folder.name),
                tr("What was recorded is there; completing it takes some seconds."),
                action=f"recover:{folder}",
                action_text=tr("Recover"),
                lasting=True,
            )
        )

    def _post(
        self, level: NoticeLevel, sentence: str, remedy: str = "", action: str = "", text: str = "", report: str = ""
    ) -> None:
        self._models.notices.post(
            Notice("recording", level, sentence, remedy, report, action=action, action_text=text, lasting=True)
        )

    def _untap(self) -> None:
        session, recorder = self._session, self._recorder
        if recorder is not None:
            session.frame_taps = tuple(tap for tap in session.frame_taps if tap != recorder.add_frame)
            session.result_taps = tuple(tap for tap in session.result_taps if tap != recorder.add_face)

    def _facts(self, source: Source) -> SessionFacts:
        from recordings.manifest import CalibrationPart, SourceKind, SourcePart
        from recordings.recorder_types import SessionFacts

        wanted = self._models.sources.current
        kinds: dict[str, SourceKind] = {"camera": "camera", "synthetic": "synthetic", "demo": "video", "file": "video"}
        kinds["receiver"] = "receiver"
        calibration = self._session.calibration
        used = CalibrationPart()
        if calibration is not None:
            used = CalibrationPart(
                present=True,
                person=calibration.person,
                created=calibration.created,
                values=calibration.model_dump(mode="json"),
            )
        model = self._session.model
        return SessionFacts(
            source=SourcePart(
                kind=kinds[wanted.kind], name=source.name, path=wanted.path or None, mirrored=wanted.mirrored
            ),
            width=source.width,
            height=source.height,
            fps=source.fps,
            face_model=None if model is None else model.name,
            tracker_settings=self._models.preferences.settings.tracker.model_dump(mode="json"),
            calibration=used,
        )


def new_folder(place: Path, take: str, now: datetime | None = None) -> Path:
    """A folder for a session that begins now: date, time, and the take's name as far as folders can have it."""
    stamp = (now or datetime.now()).strftime("%Y-%m-%d %H-%M-%S")
    # What no file system minds: letters and numbers of any script, spaces, dashes, underscores, dots inside.
    name = re.sub(r"[^\w .-]+", "_", take).strip(" ._")[:LONGEST_NAME].rstrip(" .")
    base = place / (f"{stamp} {name}" if name else stamp)
    return next(f for n in range(1, 1000) if not (f := base if n == 1 else place / f"{base.name} {n}").exists())


def _open(preferences: RecordingPreferences, facts: SessionFacts, take: str) -> tuple[Recorder, str]:
    """The recorder, at work, and what is not as it was asked for. Blocks: for a task's thread.

    Raises:
        SessionFileError: the folder cannot be used.
        CommandError: the place cannot be made.
    """
    from recordings.audio import AudioError, AudioSource
    from recordings.microphones import Microphone, find_microphone
    from recordings.recorder import Recorder
    from recordings.recorder_types import RecorderSettings

    place = preferences.place
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(
            f"The folder for recordings, {place}, cannot be made ({error.strerror}): choose another one."
        ) from error
    sound: AudioSource | None = None
    note = ""
    if preferences.audio != "none":
        try:
            sound = Microphone(find_microphone(preferences.audio))
        except AudioError as error:
            note = f"There is no sound: {sentence_for(error) or error}"
    settings = RecorderSettings(
        picture=preferences.picture,
        codec=preferences.codec,
        audio_offset_ms=preferences.audio_offset_ms,
        reserve_bytes=round(preferences.reserve_mb * 1e6),
        take=take or None,
    )
    return Recorder(new_folder(place, take), settings, facts, audio=sound), note


def _microphones() -> tuple[str, ...]:
    from recordings.microphones import list_microphones

    return tuple(dict.fromkeys(device.name for device in list_microphones()))


def _unfinished(place: Path) -> list[Path]:
    from recordings.recovery import find_unfinished

    return [session.folder for session in find_unfinished(place)] if place.is_dir() else []
