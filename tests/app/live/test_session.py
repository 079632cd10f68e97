"""The live session: opening, switching, mending, measuring, closing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.live.open import build_source
from app.live.session import Session
from app.live.session_types import CaptureOutcome
from app.window_settings import SourceSettings
from models.face_model import FaceModel
from tests.helpers.fake_camera import FakeCamera
from tests.helpers.tiny_model import tiny_model
from tests.helpers.tracked import tracked_face
from tracking import Frame, Source, TrackedFace, TrackerSettings, TrackingState
from tracking.calibration import Calibration
from tracking.pipeline import PipelineState
from tracking.sources import CameraSource, SourceError, VideoSource

Wait = Callable[[Callable[[], bool]], None]
DEMO = SourceSettings(kind="demo")
CAMERA = SourceSettings(kind="camera", camera=0)


class QuickTracker:
    """Gives the same face for every frame; fails or hangs on demand. Stands for `LiveTracker`."""

    made = 0

    def __init__(self) -> None:
        QuickTracker.made += 1
        self.face = tracked_face(tiny_model())
        self.fail = False
        self.settings: list[TrackerSettings] = []
        self.calibrations: list[Calibration | None] = []
        self.users: set[str] = set()

    def process(self, frame: Frame) -> TrackedFace:
        if self.fail:
            self.fail = False
            raise ZeroDivisionError("oops")
        return replace(self.face, frame=frame)

    def reset(self) -> None: ...

    def close(self) -> None: ...

    def configure(self, settings: TrackerSettings) -> None:
        self.settings.append(settings)

    def calibrate(self, calibration: Calibration | None) -> None:
        self.calibrations.append(calibration)


class Bench:
    """A session with a quick tracker, a tiny model and a camera that can be unplugged."""

    def __init__(self, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("models.face_model.load_face_model", tiny_model)
        monkeypatch.setattr("rendering.prepare_drawing", lambda model: None)
        monkeypatch.setattr("app.live.session.RETRY_S", 0.05)
        self.camera = FakeCamera()
        self.clip = clip
        self.trackers: list[QuickTracker] = []
        self.session = Session(TrackerSettings(), make_tracker=self._tracker, make_source=self._source)

    def _tracker(self, settings: TrackerSettings, model: FaceModel, calibration: Calibration | None) -> QuickTracker:
        self.trackers.append(QuickTracker())
        return self.trackers[-1]

    def _source(self, wanted: SourceSettings, model: FaceModel) -> Source:
        if wanted.kind == "camera":
            return CameraSource(0, capture_factory=self.camera)
        if wanted.kind == "file":
            raise SourceError("There is no such file: choose another one.")
        return VideoSource(self.clip, paced=True, loop=True)

    def state(self) -> PipelineState | None:
        status = self.session.poll().status
        return None if status is None else status.state


@pytest.fixture
def bench(tiny_clip: Path, monkeypatch: pytest.MonkeyPatch, no_leaked_threads: None) -> Iterator[Bench]:
    bench = Bench(tiny_clip, monkeypatch)
    bench.session.start()
    yield bench
    start = time.monotonic()
    bench.session.close()
    assert time.monotonic() - start < 3.0
    bench.session._thread.join(20.0)  # it may still be loading compiled functions: close does not wait for that


def test_nothing_is_open_at_first(bench: Bench) -> None:
    polled = bench.session.poll()
    assert polled.status is None and polled.face is None and not polled.opening


def test_a_source_is_opened_beside_the_caller(bench: Bench, wait_until: Wait) -> None:
    start = time.monotonic()
    bench.session.open(DEMO)
    assert time.monotonic() - start < 0.5
    assert bench.session.poll().opening
    wait_until(lambda: bench.session.latest() is not None)
    assert bench.state() is PipelineState.RUNNING and bench.session.valid > 0


def test_switching_keeps_the_tracker_and_shows_nothing_old(bench: Bench, wait_until: Wait) -> None:
    bench.session.open(DEMO)
    wait_until(lambda: bench.session.latest() is not None)
    bench.session.open(CAMERA)
    assert bench.session.latest() is None, "no picture of the last source under the new one's name"
    wait_until(lambda: bench.session.latest() is not None)
    assert len(bench.trackers) == 1
    bench.session.open(SourceSettings())
    wait_until(lambda: bench.session.poll().status is None)
    assert bench.session.latest() is None


def test_many_wishes_in_a_row_end_with_the_last(bench: Bench, wait_until: Wait) -> None:
    for wish in (DEMO, CAMERA, DEMO, SourceSettings(), CAMERA) * 3:
        bench.session.open(wish)
    wait_until(lambda: bench.state() is PipelineState.RUNNING)
    assert isinstance(bench.session._pipeline.source, CameraSource)  # type: ignore[union-attr]


def test_a_source_that_cannot_be_made_is_an_error_with_its_sentence(bench: Bench, wait_until: Wait) -> None:
    bench.session.open(SourceSettings(kind="file", path="nowhere.mp4"))
    wait_until(lambda: bench.state() is PipelineState.ERROR)
    status = bench.session.poll().status
    assert status is not None and status.error is not None
    assert status.error.sentence == "There is no such file: choose another one."
    bench.session.open(DEMO)
    wait_until(lambda: bench.state() is PipelineState.RUNNING)


def test_a_camera_that_is_not_there_is_waited_for_without_a_press(bench: Bench, wait_until: Wait) -> None:
    bench.camera.plugged = False
    bench.session.open(CAMERA)
    wait_until(lambda: bench.state() is PipelineState.NO_CAMERA)
    time.sleep(0.3)
    assert bench.state() is PipelineState.NO_CAMERA, "also while it is tried again"
    bench.camera.plugged = True
    wait_until(lambda: bench.state() is PipelineState.RUNNING)


def test_a_camera_that_is_unplugged_comes_back(bench: Bench, wait_until: Wait) -> None:
    bench.session.open(CAMERA)
    wait_until(lambda: bench.state() is PipelineState.RUNNING)
    bench.camera.plugged = False
    wait_until(lambda: bench.state() is PipelineState.NO_CAMERA)
    bench.camera.plugged = True
    wait_until(lambda: bench.state() is PipelineState.RUNNING)


def test_a_tracker_that_fails_is_replaced(bench: Bench, wait_until: Wait) -> None:
    bench.session.open(DEMO)
    wait_until(lambda: bench.session.latest() is not None)
    bench.trackers[0].fail = True
    wait_until(lambda: bench.state() is PipelineState.ERROR)
    time.sleep(0.4)  # the session has to see it
    bench.session.reopen()
    wait_until(lambda: bench.state() is PipelineState.RUNNING)
    assert len(bench.trackers) == 2


def test_settings_reach_the_tracker(bench: Bench, wait_until: Wait) -> None:
    bench.session.open(DEMO)
    wait_until(lambda: bench.session.latest() is not None)
    settings = TrackerSettings()
    bench.session.configure(settings)
    assert bench.trackers[0].settings[-1] is settings


def test_low_power_tracks_every_second_picture(bench: Bench, wait_until: Wait) -> None:
    bench.session.set_stride(2)
    bench.session.open(DEMO)
    wait_until(lambda: bench.session.tracked >= 6)
    status = bench.session.poll().status
    assert status is not None and abs(status.captured - 2 * status.tracked) <= 2 and status.dropped == 0


def outcome_of(bench: Bench, wait_until: Wait) -> CaptureOutcome:
    found: list[CaptureOutcome] = []

    def look() -> bool:
        outcome = bench.session.take_capture()
        if outcome is not None:
            found.append(outcome)
        return bool(found)

    wait_until(look)
    return found[0]


def test_a_neutral_face_is_measured(bench: Bench, wait_until: Wait) -> None:
    bench.session.open(CAMERA)
    wait_until(lambda: bench.session.latest() is not None)
    bench.session.measure_neutral("Ana")
    found = outcome_of(bench, wait_until)
    assert found.calibration is not None and found.calibration.person == "Ana"
    assert bench.session.take_capture() is None and bench.session.capture_progress == 1.0


def test_a_measuring_without_a_face_says_why(bench: Bench, wait_until: Wait) -> None:
    bench.session.open(CAMERA)
    wait_until(lambda: bench.session.latest() is not None)
    bench.trackers[0].face = replace(bench.trackers[0].face, state=TrackingState.SEARCHING, raw=None)
    bench.session.measure_neutral("Ana")
    found = outcome_of(bench, wait_until)
    assert found.calibration is None and "out of sight" in found.sentence


def test_closing_while_loading_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def slow() -> FaceModel:
        release.wait(10.0)
        return tiny_model()

    monkeypatch.setattr("models.face_model.load_face_model", slow)
    monkeypatch.setattr("rendering.prepare_drawing", lambda model: None)
    session = Session(TrackerSettings(), make_tracker=lambda *_: QuickTracker())
    session.start()
    start = time.monotonic()
    assert not session.close()
    assert time.monotonic() - start < 3.0
    release.set()
    session._thread.join(5.0)


def test_the_sources_of_the_settings(tmp_path: Path) -> None:
    assert isinstance(build_source(DEMO, tiny_model()), VideoSource)
    camera = build_source(SourceSettings(kind="camera", camera=3, fps=30), tiny_model())
    assert isinstance(camera, CameraSource) and camera.live
    with pytest.raises(SourceError, match="no camera, file or folder"):
        build_source(SourceSettings(kind="file", path=str(tmp_path / "none.mp4")), tiny_model())
    with pytest.raises(SourceError, match="No source is chosen"):
        build_source(SourceSettings(), tiny_model())


def test_a_rendered_face_is_a_live_source() -> None:
    with build_source(SourceSettings(kind="synthetic"), tiny_model()) as source:
        frame = source.read()
    assert source.live and frame is not None and np.asarray(frame.image).std() > 5
