"""What a capture keeps, what it misses, and which captures are refused."""

from __future__ import annotations

import numpy as np
import pytest

from models.channels import ARKIT_CHANNELS
from models.geometry.camera import Camera
from models.geometry.rotations import from_euler
from tracking.person_capture import LARGEST_CROP, MOST_FRAMES, CaptureError, PersonCapture
from tracking.person_rest import resting_calibration
from tracking.types import FaceObservation, FaceParameters, Image


def observation(left: float = 100, top: float = 80, side: float = 200) -> FaceObservation:
    return FaceObservation(
        np.zeros((478, 3), np.float32), np.zeros(52, np.float32),
        np.array([left, top, left + side, top + side], np.float32), 0.95,
    )  # fmt: skip


def parameters(yaw: float = 0.0, **channels: float) -> FaceParameters:
    values = np.zeros(52, np.float32)
    for name, value in channels.items():
        values[ARKIT_CHANNELS.index(name)] = value
    return FaceParameters(
        np.zeros(10, np.float32), values, from_euler(yaw, 0.0, 0.0), np.array([0.0, 0.0, 0.6]),
        np.zeros((2, 2), np.float32), Camera.from_fov(400, 360),
    )  # fmt: skip


def picture(level: float = 120, detail: float = 20, size: tuple[int, int] = (360, 400), seed: int = 0) -> Image:
    noise = np.random.default_rng(seed).normal(0, detail, (*size, 1))
    return np.clip(level + np.repeat(noise, 3, axis=2), 0, 255).astype(np.uint8)


def captured(count: int = 5, **kinds: object) -> PersonCapture:
    capture = PersonCapture()
    for n in range(count):
        capture.add_picture(picture(seed=n), observation(), parameters(**kinds), n / 25)  # type: ignore[arg-type]
    return capture


def sentence(capture: PersonCapture) -> str:
    with pytest.raises(CaptureError) as caught:
        capture.check()
    assert str(caught.value).endswith(".")
    return str(caught.value)


def test_no_picture_and_no_face() -> None:
    assert "no picture" in sentence(PersonCapture())
    capture = PersonCapture()
    capture.add_picture(picture(), None, None, 0.0)
    assert "No face" in sentence(capture)


def test_two_people_are_refused_and_a_passer_by_is_not() -> None:
    capture = captured()
    for _ in range(10):
        capture.add_look([observation(), observation(300, 80, 150)], observation())
    assert "several people" in sentence(capture)
    capture = captured()
    for n in range(20):
        others = [observation(300, 80, 150)] if n < 2 else [observation(300, 80, 60)]
        capture.add_look([observation(), *others], observation())
    capture.check()


def test_small_dark_and_overexposed_faces_are_refused() -> None:
    capture = PersonCapture()
    capture.add_picture(picture(), observation(side=40), parameters(), 0.0)
    assert "40 pixels" in sentence(capture) and "nearer" in sentence(capture)
    for level, word in ((8, "dark"), (254, "overexposed")):
        capture = PersonCapture()
        capture.add_picture(picture(level, 1), observation(), parameters(), 0.0)
        assert word in sentence(capture)


def test_a_face_that_never_moves_makes_a_plain_avatar() -> None:
    report = captured().check()
    assert len(report.missing) == 6
    assert any("plain" in advice for advice in report.advice)
    assert sum("not turned" in advice for advice in report.advice) == 2


def test_what_was_seen_is_not_missed() -> None:
    capture = captured(mouthSmileLeft=0.8)
    capture.add_picture(picture(), observation(), parameters(0.4, jawOpen=0.6), 1.0)
    report = capture.check()
    assert "a smile" not in report.missing and "an open mouth" not in report.missing and "a frown" in report.missing
    assert [advice for advice in report.advice if "turned to its right" in advice]
    assert not [advice for advice in report.advice if "turned to its left" in advice]


def test_the_sharp_calm_frames_are_kept() -> None:
    capture = PersonCapture()
    for n in range(60):
        capture.add_picture(picture(detail=2, seed=n), observation(), parameters(), n / 25)
    for n in range(4):
        capture.add_picture(picture(detail=40, seed=n), observation(), parameters(), 10 + n)
    assert {frame.time_s for frame in capture.frames()} == {10.0, 11.0, 12.0, 13.0}
    capture.add_picture(picture(detail=60), observation(), parameters(eyeBlinkLeft=1.0), 20.0)
    assert 20.0 not in {frame.time_s for frame in capture.frames()}


def test_memory_is_bounded() -> None:
    capture = PersonCapture()
    large = np.full((1500, 1600, 3), 120, np.uint8)
    for n in range(650):
        yaw, smile = (n % 13 - 6) * 0.23, float(n % 2) * 2
        capture.add_picture(large, observation(300, 200, 900), parameters(yaw, mouthSmileLeft=smile), n / 25)
    frames = capture.frames()
    assert len(frames) <= MOST_FRAMES and len(capture.seen) < 600
    assert all(max(frame.image.shape) <= LARGEST_CROP for frame in frames)
    assert len({round(float(frame.parameters.rotation[0, 2]), 2) for frame in frames}) > 8


def test_pixels_follow_the_crop() -> None:
    capture = PersonCapture()
    image = np.full((2000, 2600, 3), 120, np.uint8)
    image[900:940, 1000:1040] = 250
    capture.add_picture(image, observation(500, 300, 1200), parameters(), 0.0)
    frame = capture.frames()[0]
    x, y = frame.to_image(np.array([[1019.5, 919.5]]))[0]
    assert frame.scale < 1
    assert frame.image[round(y), round(x), 0] > 240
    assert frame.image[round(y), round(x + 40 * frame.scale), 0] < 130


def test_the_face_at_rest_is_that_of_the_calmest_frames() -> None:
    seen = [parameters(mouthSmileLeft=0.9) for _ in range(40)] + [parameters(mouthFrownLeft=0.12) for _ in range(20)]
    calibration = resting_calibration("Ada", seen)
    assert calibration.expression["mouthFrownLeft"] == pytest.approx(0.12)
    assert calibration.expression["mouthSmileLeft"] == 0
    assert not any(name.startswith("eyeLook") for name in calibration.expression)
    with pytest.raises(ValueError, match="at least one"):
        resting_calibration("Ada", [])
