"""The synthetic source: rendered people whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from models.channels import ARKIT_CHANNELS, CHANNEL_INDEX, GAZE_CHANNELS, channels_to_gaze, gaze_to_channels
from models.geometry.rotations import to_euler
from tests.helpers.tiny_model import tiny_model
from tracking.landmarks import LandmarkDetector
from tracking.sources.base import SourceError
from tracking.sources.synthetic import SyntheticSettings, SyntheticSource

SMALL = SyntheticSettings(seed=3, frames=5, width=96, height=72)


def test_same_settings_same_pixels_and_another_seed_another_person() -> None:
    first, again = SyntheticSource(SMALL), SyntheticSource(SMALL)
    np.testing.assert_array_equal(first.render(4), again.render(4))
    np.testing.assert_array_equal(first.render(4), first.render(4))
    np.testing.assert_array_equal(first.truth(4).expression, again.truth(4).expression)
    other = SyntheticSource(SMALL.model_copy(update={"seed": 4}))
    assert np.abs(first.identity - other.identity).max() > 0.5
    assert np.abs(first.render(0).astype(int) - other.render(0)).mean() > 10


def test_frames_in_order_with_their_times() -> None:
    with SyntheticSource(SMALL) as source:
        assert (source.width, source.height, source.fps, source.live) == (96, 72, 30.0, False)
        assert source.name == "synthetic:3"
        frames = list(source)
        assert source.read() is None, "a source that has ended stays ended"
    assert [f.index for f in frames] == [0, 1, 2, 3, 4]
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(5) / 30)
    captured = [f.captured_ns for f in frames]
    assert captured == sorted(captured)
    for frame in frames:
        assert frame.image.shape == (72, 96, 3)
        assert frame.image.dtype == np.uint8
        np.testing.assert_array_equal(frame.image, source.render(frame.index))


def test_opening_twice_does_nothing_and_opening_again_starts_over() -> None:
    source = SyntheticSource(SMALL)
    source.open()
    first = source.read()
    source.open()
    second = source.read()
    assert first is not None
    assert second is not None
    assert (first.index, second.index) == (0, 1)
    source.close()
    source.close()
    assert source.read() is None
    source.open()
    again = source.read()
    assert again is not None
    assert again.index == 0
    source.close()


def test_reading_before_opening_is_an_error_in_one_sentence() -> None:
    with pytest.raises(SourceError, match=r"not open.*\.$"):
        SyntheticSource(SMALL).read()


@pytest.mark.parametrize("index", [-1, 5])
def test_frames_that_do_not_exist_have_no_truth(index: int) -> None:
    source = SyntheticSource(SMALL)
    with pytest.raises(IndexError, match="0 to 4"):
        source.truth(index)
    with pytest.raises(IndexError):
        source.render(index)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_truth_stays_within_what_was_asked(seed: int) -> None:
    settings = SyntheticSettings(seed=seed, frames=900, width=64, height=48, yaw_degrees=25)
    source = SyntheticSource(settings)
    truths = [source.truth(i) for i in range(settings.frames)]
    channels = np.stack([t.expression for t in truths])
    assert channels.dtype == np.float32
    assert 0.0 <= channels.min() <= channels.max() <= 1.0
    angles = np.degrees([to_euler(t.rotation) for t in truths])
    assert (np.abs(angles).max(axis=0) <= np.array([25, 15, 10]) + 1e-6).all()
    assert np.abs(angles[:, 0]).max() > 12
    for truth in truths[::50]:
        assert 0.45 < truth.translation[2] < 0.65
        looks = list(GAZE_CHANNELS)
        np.testing.assert_allclose(truth.expression[looks], gaze_to_channels(truth.gaze)[looks], atol=1e-6)
        np.testing.assert_allclose(channels_to_gaze(truth.expression), truth.gaze, atol=1e-5)
        assert truth.camera == source.camera
        np.testing.assert_array_equal(truth.identity, source.identity)
    # From frame to frame a face moves smoothly; a blink takes a quarter of a second.
    assert np.abs(np.diff(angles, axis=0)).max() < 6
    assert np.abs(np.diff(channels, axis=0)).max() < 0.65


def test_the_first_second_is_a_still_neutral_face() -> None:
    source = SyntheticSource(SyntheticSettings(seed=7, frames=60, width=64, height=48))
    for index in range(30):
        truth = source.truth(index)
        assert truth.expression.max() == 0.0
        np.testing.assert_allclose(truth.rotation, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(truth.translation, [0, 0, 0.55])
    eager = SyntheticSource(SyntheticSettings(seed=7, frames=60, width=64, height=48, neutral_s=0))
    assert max(eager.truth(i).expression.max() for i in range(30)) > 0.1


def test_every_channel_has_its_turn() -> None:
    source = SyntheticSource(SyntheticSettings(seed=1, frames=3000, width=64, height=48))
    heights = np.max([source.truth(i).expression for i in range(0, 3000, 3)], axis=0)
    assert [n for n, h in zip(ARKIT_CHANNELS, heights, strict=True) if h < 0.3 and not n.startswith("eyeLook")] == []
    both_lids = [CHANNEL_INDEX["eyeBlinkLeft"], CHANNEL_INDEX["eyeBlinkRight"]]
    assert heights[both_lids].min() > 0.9


@pytest.mark.parametrize(
    "wrong", [{"frames": 0}, {"width": 1}, {"fps": 0}, {"fov_degrees": 180}, {"yaw_degrees": 91}, {"hats": 1}]
)
def test_settings_that_make_no_clip_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        SyntheticSettings(**wrong)


def test_one_frame_and_another_model_will_do() -> None:
    with SyntheticSource(SyntheticSettings(frames=1, width=32, height=24), tiny_model()) as source:
        frame = source.read()
        assert frame is not None
        assert frame.image.std() > 5
        assert source.read() is None


def test_a_face_detector_finds_the_face_where_the_truth_has_it() -> None:
    source = SyntheticSource(SyntheticSettings(seed=1, frames=40, width=320, height=240))
    truth = source.truth(10)
    with LandmarkDetector("image", 1) as detector:
        (face,) = detector.detect(source.render(10))
    model = source.model
    posed = model.pose(truth.identity, truth.expression, truth.gaze)
    pixels = truth.camera.project_head(
        model.embed(posed.vertices, model.landmarks478), truth.rotation, truth.translation
    )
    eyes = np.linalg.norm(pixels[33] - pixels[263])
    assert np.linalg.norm(face.landmarks[:, :2] - pixels, axis=1).mean() < 0.08 * eyes
    assert face.landmarks[263, 0] > face.landmarks[33, 0], "the subject's left is on the picture's right"
