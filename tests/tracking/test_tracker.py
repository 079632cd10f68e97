"""The tracker frame by frame, on the clip that ships."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX
from tracking import (
    FaceTracker,
    FitSettings,
    Frame,
    TrackedFace,
    TrackerSettings,
    TrackingState,
    landmarks_68,
    landmarks_478,
)
from tracking.calibration import Calibration
from tracking.sources import VideoSource
from tracking.tracker import fit_confidence
from tracking.types import FaceObservation

COUNT = 40


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Matrices this small are slower on several threads, many times so beside other work."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def frames(demo_clip: Path) -> list[Frame]:
    with VideoSource(demo_clip) as source:
        return [frame for frame, _ in zip(source, range(COUNT), strict=False)]


@pytest.fixture(scope="module")
def tracker() -> Iterator[FaceTracker]:
    with FaceTracker() as tracker:
        yield tracker


@pytest.fixture(scope="module")
def faces(tracker: FaceTracker, frames: list[Frame]) -> list[TrackedFace]:
    tracker.reset()
    return [tracker.process(frame) for frame in frames]


def without_face(frame: Frame, later_s: float) -> Frame:
    return Frame(frame.index + 1, frame.time_s + later_s, 0, np.zeros_like(frame.image))


def test_the_face_is_tracked_throughout(faces: list[TrackedFace], frames: list[Frame]) -> None:
    for face, frame in zip(faces, frames, strict=True):
        assert face.frame is frame
        assert face.valid
        assert face.state is TrackingState.TRACKING
        assert face.confidence > 0.5
        assert face.raw is not None
        assert face.parameters is not None
        assert face.parameters.expression.shape == (CHANNEL_COUNT,)
        assert 0.0 <= face.parameters.expression.min() <= face.parameters.expression.max() <= 1.0
        assert 0.2 < face.parameters.translation[2] < 2.0
        assert face.raw.uncertainty is not None
        assert face.displacement is None


def test_stages_are_named_and_timed(faces: list[TrackedFace]) -> None:
    for face in faces:
        assert [stage.name for stage in face.stages] == ["landmarks", "fit", "filter", "mesh"]
        assert all(stage.ms >= 0 for stage in face.stages)


def test_the_mesh_lies_over_the_detected_landmarks(tracker: FaceTracker, faces: list[TrackedFace]) -> None:
    errors = []
    for face in faces[5:]:
        assert face.observation is not None
        seen = face.observation.landmarks[:468, :2]
        gaps = np.linalg.norm(landmarks_478(tracker.model, face)[:468] - seen, axis=1)
        errors.append(gaps.mean() / np.linalg.norm(seen[33] - seen[263]))
    assert np.median(errors) < 0.04
    points = landmarks_68(tracker.model, faces[-1])
    assert points.shape == (68, 2)
    assert points[45, 0] > points[36, 0], "the subject's left eye is on the picture's right"
    assert points[8, 1] > points[30, 1] > points[27, 1]


def test_vertices_and_normals_belong_to_the_parameters(tracker: FaceTracker, faces: list[TrackedFace]) -> None:
    face = faces[-1]
    assert face.parameters is not None
    posed = tracker.model.pose(face.parameters.identity, face.parameters.expression, face.parameters.gaze)
    np.testing.assert_array_equal(face.vertices, posed.vertices)
    np.testing.assert_array_equal(face.normals, posed.normals)


def test_smoothing_calms_the_head(faces: list[TrackedFace]) -> None:
    raw = np.array([f.raw.translation for f in faces if f.raw])
    smooth = np.array([f.parameters.translation for f in faces if f.parameters])
    assert np.abs(np.diff(smooth, 2, axis=0)).mean() < np.abs(np.diff(raw, 2, axis=0)).mean()
    assert np.abs(smooth - raw).max() < 0.05


def test_a_lost_face_is_held_then_fades_then_is_gone_and_comes_back(tracker: FaceTracker, frames: list[Frame]) -> None:
    tracker.reset()
    for frame in frames[:8]:
        last = tracker.process(frame)
    assert last.parameters is not None
    held = tracker.process(without_face(frames[7], 0.1))
    assert held.state is TrackingState.HOLDING
    assert not held.valid
    assert held.confidence == 0.0
    assert held.raw is None
    assert held.observation is None
    assert held.parameters is not None
    np.testing.assert_array_equal(held.parameters.expression, last.parameters.expression)
    assert held.vertices is not None
    assert [stage.name for stage in held.stages] == ["landmarks", "filter", "mesh"]
    fading = tracker.process(without_face(frames[7], 0.7))
    assert fading.state is TrackingState.FADING
    assert fading.parameters is not None
    assert 0 < fading.parameters.expression.sum() < last.parameters.expression.sum()
    gone = tracker.process(without_face(frames[7], 3.0))
    assert gone.state is TrackingState.SEARCHING
    assert gone.parameters is None
    assert gone.vertices is None
    assert [stage.name for stage in gone.stages] == ["landmarks", "filter"]
    with pytest.raises(ValueError, match="no face"):
        landmarks_68(tracker.model, gone)
    back = [tracker.process(replace(frame, time_s=frame.time_s + 5.0)) for frame in frames[8:20]]
    assert back[-1].valid
    assert back[-1].parameters is not None
    assert back[-1].raw is not None
    # The person is kept while out of sight.
    assert tracker.session.field_of_view == pytest.approx(last.parameters.camera.fov, rel=0.1)
    tiles = np.linalg.norm(
        tracker.model.neutral(back[-1].raw.identity) - tracker.model.neutral(last.parameters.identity), axis=1
    )
    assert tiles.mean() < 0.002


def test_nobody_to_be_seen(tracker: FaceTracker, frames: list[Frame]) -> None:
    tracker.reset()
    for index in range(3):
        face = tracker.process(Frame(index, index / 25, 0, np.zeros((120, 160, 3), np.uint8)))
        assert face.state is TrackingState.SEARCHING
        assert face.parameters is None
        assert face.raw is None


def test_a_reset_tracker_is_as_a_new_one(tracker: FaceTracker, frames: list[Frame]) -> None:
    def run(subject: FaceTracker) -> list[TrackedFace]:
        return [subject.process(frame) for frame in frames[:6]]

    for frame in frames[20:30]:
        tracker.process(replace(frame, time_s=frame.time_s + 10))
    tracker.reset()
    again = run(tracker)
    with FaceTracker() as other:
        fresh = run(other)
    for a, b in zip(again, fresh, strict=True):
        assert a.parameters is not None
        assert b.parameters is not None
        # MediaPipe's own start varies by a hundredth of a pixel.
        np.testing.assert_allclose(a.parameters.expression, b.parameters.expression, atol=0.01)
        np.testing.assert_allclose(a.parameters.translation, b.parameters.translation, atol=0.002)


def test_time_may_go_back(tracker: FaceTracker, frames: list[Frame]) -> None:
    tracker.reset()
    for frame in (*frames[10:14], *frames[:4]):
        assert tracker.process(frame).valid


def calibration(expression: dict[str, float]) -> Calibration:
    return Calibration(
        person="test", created=datetime.now(UTC), frames=25, expression=expression, gaze=((0.1, 0.0), (0.1, 0.0)),
        head_quaternion=(1.0, 0.0, 0.0, 0.0), head_position_m=(0.0, 0.0, 0.5),
    )  # fmt: skip


def test_calibration_is_applied_to_what_is_shown_and_not_to_the_raw_values(
    tracker: FaceTracker, frames: list[Frame]
) -> None:
    tracker.reset()
    plain = [tracker.process(frame) for frame in frames[:6]][-1]
    assert plain.parameters is not None
    assert plain.raw is not None
    strongest = int(np.delete(plain.parameters.expression, range(14)).argmax()) + 14
    name = tracker.model.expression_names[strongest]
    assert plain.parameters.expression[strongest] > 0.02
    tracker.reset()
    tracker.calibrate(calibration({name: min(1.0, float(plain.raw.expression[strongest]) + 0.2)}))
    try:
        shown = [tracker.process(frame) for frame in frames[:6]][-1]
    finally:
        tracker.calibrate(None)
    assert shown.parameters is not None
    assert shown.raw is not None
    assert shown.parameters.expression[strongest] == pytest.approx(0.0, abs=0.01)
    np.testing.assert_allclose(shown.raw.expression, plain.raw.expression, atol=0.02)
    np.testing.assert_allclose(plain.parameters.gaze[:, 0] - shown.parameters.gaze[:, 0], 0.1, atol=0.02)


def test_settings_may_change_while_it_runs(tracker: FaceTracker, frames: list[Frame]) -> None:
    tracker.reset()
    before = tracker.session
    tracker.process(frames[0])
    tracker.configure(TrackerSettings())
    assert tracker.session is before, "nothing changed, so the person is kept"
    tracker.configure(TrackerSettings(fit=FitSettings(fov_degrees=40)))
    try:
        face = tracker.process(frames[1])
    finally:
        tracker.configure(TrackerSettings())
    assert face.parameters is not None
    assert np.degrees(face.parameters.camera.fov) == pytest.approx(40, abs=0.01)


def test_confidence_falls_with_the_fits_error() -> None:
    face = FaceObservation(np.zeros((478, 3), np.float32), np.zeros(52, np.float32), np.zeros(4, np.float32), 0.8)
    values = [fit_confidence(face, error) for error in (0.0, 0.02, 0.04, 0.06, 1.0)]
    assert values[0] == pytest.approx(0.8)
    assert values == sorted(values, reverse=True)
    assert values[3] == values[4] == 0.0


def test_a_smile_is_read(tracker: FaceTracker) -> None:
    """End to end on a rendered person: the channel that moves is the one that is reported."""
    from tracking.sources.synthetic import SyntheticSettings, SyntheticSource

    settings = SyntheticSettings(seed=2, frames=150, width=400, height=300)
    source = SyntheticSource(settings)
    truths = np.array([source.truth(i).expression for i in range(settings.frames)])
    tracker.reset()
    channel = CHANNEL_INDEX["jawOpen"]
    peak = int(truths[:, channel].argmax())
    assert truths[peak, channel] > 0.3
    shown = {}
    for index in [*range(0, 30, 3), *range(max(30, peak - 6), peak + 1)]:
        frame = Frame(index, index / 30, 0, source.render(index))
        shown[index] = tracker.process(frame)
    rest, open_wide = shown[27], shown[peak]
    assert rest.raw is not None
    assert open_wide.raw is not None
    assert rest.raw.expression[channel] < 0.1
    assert open_wide.raw.expression[channel] > 0.5 * truths[peak, channel]
