"""Recording one input into a session folder, with its faces tracked on the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.demo_clip import named_input
from app.errors import CommandError
from models.engines.base import EngineError
from models.networks.stored import WeightsError
from recordings.audio import AudioError, AudioSource
from recordings.clip_sound import ClipSound
from recordings.layout import check_new_folder
from recordings.manifest import CalibrationPart, SourceKind, SourcePart, hash_file
from recordings.microphones import Microphone, find_microphone
from recordings.recorder import Recorder
from recordings.recorder_types import (
    RecorderSettings,
    RecorderState,
    RecorderStatus,
    RecordingOutcome,
    SessionFacts,
)
from tracking import FaceTracker, Source, TrackedFace, TrackerSettings
from tracking.calibration import Calibration
from tracking.detailed import DetailedTracker
from tracking.pipeline import Pipeline, PipelineState, PipelineStatus
from tracking.sources import CameraSource, ImageSource, make_source
from tracking.types import Frame

__all__ = ["RecordRequest", "record"]

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class RecordRequest:
    """What to record, how, and where it goes.

    Attributes:
        spec: `demo`, or see `make_source`.
        folder: of the session; must be empty or new.
        recorder: how to record; the timeline and the waiting follow from the input.
        audio: `default`, `none`, or a microphone's number or name. `default` takes the sound of a clip that is not
            paced, and the system's microphone otherwise; where there is none the session is without sound.
        tracker: the tracker's settings; its detail settings say whether there is relief.
        calibration: None for none.
        mirrored: the input is mirrored.
        paced: a file keeps its own pace, as if it were a camera.
        seconds: stop after so many seconds; None goes on to the end.
    """

    spec: str
    folder: Path
    recorder: RecorderSettings = field(default_factory=RecorderSettings)
    audio: str = "default"
    tracker: TrackerSettings = field(default_factory=TrackerSettings)
    calibration: Calibration | None = None
    mirrored: bool = False
    paced: bool = False
    seconds: float | None = None


Watch = Callable[[RecorderStatus, PipelineStatus], None]


def record(request: RecordRequest, watch: Watch = lambda recorder, pipeline: None) -> RecordingOutcome:
    """Record until the input ends, the time is over, the disk has no room, or Ctrl-C.

    Args:
        watch: called several times a second.

    Raises:
        SourceError, SessionFileError, AudioError, ModelFileError, CommandError, CalibrationError: it cannot begin.
    """
    check_new_folder(request.folder)
    with ExitStack() as stack:
        path = named_input(request.spec)
        source = make_source(path, paced=request.paced, mirrored=request.mirrored)
        if isinstance(source, ImageSource):
            raise CommandError(f"{request.spec} is made of pictures, which have no time to record: `track` them.")
        source.open()
        stack.callback(source.close)
        notes: list[str] = []
        sound = _sound(request, source, Path(path).expanduser(), notes)
        if isinstance(sound, ClipSound):
            stack.callback(sound.close)
        tracker = _tracker(request, source, notes)
        stack.callback(tracker.close)
        settings = replace(
            request.recorder,
            timeline="capture" if source.live else "media",
            wait_s=request.recorder.wait_s if source.live else None,
        )
        recorder = Recorder(request.folder, settings, _facts(request, source, path, tracker.model.name), audio=sound)
        for note in notes:
            recorder.note(note)
        return _run(recorder, source, tracker, request.seconds, sound, watch)


class _Recording:
    """Stands between the pipeline and the recorder: ends at the time that was asked for, brings the clip's sound."""

    def __init__(self, recorder: Recorder, sound: ClipSound | None, seconds: float | None, live: bool) -> None:
        self.over = threading.Event()
        self._recorder = recorder
        self._sound = sound
        self._seconds = seconds
        self._live = live
        self._start_s: float | None = None
        self._last_index: int | None = None

    def take_frame(self, frame: Frame) -> None:
        time_s = frame.captured_ns / 1e9 if self._live else frame.time_s
        self._start_s = time_s if self._start_s is None else self._start_s
        if self._seconds is not None and time_s - self._start_s >= self._seconds:
            self.over.set()
        if self.over.is_set():
            return
        self._last_index = frame.index
        if self._sound is not None:
            self._sound.advance(frame.time_s)
        self._recorder.add_frame(frame)

    def take_face(self, face: TrackedFace) -> None:
        if self._last_index is not None and face.frame.index <= self._last_index:
            self._recorder.add_face(face)


def _run(
    recorder: Recorder,
    source: Source,
    tracker: FaceTracker | DetailedTracker,
    seconds: float | None,
    sound: AudioSource | None,
    watch: Watch,
) -> RecordingOutcome:
    clip = sound if isinstance(sound, ClipSound) else None
    recording = _Recording(recorder, clip, seconds, source.live)
    pipeline = Pipeline(source, tracker, on_frame=recording.take_frame, on_result=recording.take_face)
    try:
        pipeline.start()
        while not recording.over.is_set():
            time.sleep(_POLL_S)
            status, told = recorder.status(), pipeline.status()
            watch(status, told)
            if pipeline.ended or status.state in (RecorderState.FINISHING, RecorderState.STOPPED):
                break
        # A file's last pictures are tracked to the end; a camera's are not waited for.
        while not source.live and recording.over.is_set() and pipeline.status().tracked < recorder.status().frames:
            if pipeline.ended:
                break
            time.sleep(0.01)
    except KeyboardInterrupt:
        pass  # how recordings are ended
    finally:
        told = pipeline.status()
        outcome = _stop(pipeline, recorder, told)
    return outcome


def _stop(pipeline: Pipeline, recorder: Recorder, told: PipelineStatus) -> RecordingOutcome:
    """End everything, whatever else is pressed meanwhile."""
    if told.state in (PipelineState.ERROR, PipelineState.NO_CAMERA) and told.error is not None:
        recorder.note(f"{told.error.sentence} {told.error.remedy}".strip())
    if told.warning:
        recorder.note(told.warning)
    while True:
        try:
            pipeline.stop()
            return recorder.stop()
        except KeyboardInterrupt:
            continue  # the files have to be completed


def _sound(request: RecordRequest, source: Source, path: Path, notes: list[str]) -> AudioSource | None:
    """What is asked for; where nothing was asked for in particular, there need not be any.

    Raises:
        AudioError: the microphone that is named is not there.
        CommandError: a microphone cannot keep up with a file that does not keep its pace.
    """
    if request.audio == "none":
        return None
    if source.live:
        try:
            return Microphone(find_microphone(request.audio))
        except AudioError as error:
            if request.audio != "default":
                raise
            notes.append(f"There is no sound: {error}")
            return None
    if request.audio != "default":
        raise CommandError("A microphone can accompany a file only at the file's own pace: add --paced.")
    try:
        return ClipSound(path)
    except AudioError:
        return None  # a silent clip is nothing to complain about


def _tracker(request: RecordRequest, source: Source, notes: list[str]) -> FaceTracker | DetailedTracker:
    tracker = FaceTracker(request.tracker)
    tracker.calibrate(request.calibration)
    if not (request.recorder.detail and request.tracker.detail.enabled):
        return tracker
    try:
        return DetailedTracker(tracker, threaded=source.live)
    except (WeightsError, EngineError) as error:
        notes.append(f"There are no wrinkles: {error}")
        again = FaceTracker(request.tracker)  # the failed one has closed its own
        again.calibrate(request.calibration)
        return again


def _facts(request: RecordRequest, source: Source, path: str, face_model: str) -> SessionFacts:
    calibration = CalibrationPart()
    if request.calibration is not None:
        calibration = CalibrationPart(
            present=True,
            person=request.calibration.person,
            created=request.calibration.created,
            values=request.calibration.model_dump(mode="json"),
        )
    camera = isinstance(source, CameraSource)
    kind: SourceKind = "camera" if camera else "video"
    sha256 = None
    if not camera:
        try:
            sha256 = hash_file(Path(path).expanduser())
        except OSError:
            pass  # it was readable a moment ago; the recording itself will tell
    return SessionFacts(
        source=SourcePart(
            kind=kind, name=source.name, path=None if camera else path, sha256=sha256, mirrored=request.mirrored
        ),
        width=source.width,
        height=source.height,
        fps=source.fps,
        face_model=face_model,
        tracker_settings=request.tracker.model_dump(mode="json"),
        calibration=calibration,
    )
