"""Hints: the right one, after a moment, without flicker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.state.guidance import ENTER_AFTER_S, LEAVE_AFTER_S, Conditions, Guidance, Hint, measure
from tests.helpers.tiny_model import tiny_model
from tests.helpers.tracked import no_face, tracked_face
from tracking.types import FaceObservation, TrackedFace

FINE = Conditions(brightness=120, surround=110, height=0.5, margin=0.2, camera_fps=30.0)
BAD = {
    Hint.DARK: Conditions(30, 40, 0.5, 0.2, 30.0),
    Hint.BACKLIT: Conditions(80, 200, 0.5, 0.2, 30.0),
    Hint.BRIGHT: Conditions(240, 200, 0.5, 0.2, 30.0),
    Hint.EDGE: Conditions(120, 110, 0.5, -0.1, 30.0),
    Hint.FAR: Conditions(120, 110, 0.1, 0.2, 30.0),
    Hint.NEAR: Conditions(120, 110, 0.95, 0.01, 30.0),
    Hint.SLOW_CAMERA: Conditions(120, 110, 0.5, 0.2, 12.0),
}


def after(guidance: Guidance, conditions: Conditions, start_s: float, seconds: float) -> Hint | None:
    for step in range(round(seconds * 10) + 1):
        guidance.update(conditions, start_s + step / 10)
    return guidance.hint


@pytest.mark.parametrize("hint", list(Hint))
def test_each_condition_has_its_hint_and_loses_it(hint: Hint) -> None:
    guidance = Guidance()
    assert after(guidance, FINE, 0.0, 2.0) is None
    assert after(guidance, BAD[hint], 2.1, ENTER_AFTER_S + 0.2) is hint
    assert after(guidance, FINE, 5.0, LEAVE_AFTER_S + 0.2) is None


def test_a_moment_is_not_enough() -> None:
    guidance = Guidance()
    assert after(guidance, BAD[Hint.DARK], 0.0, ENTER_AFTER_S - 0.2) is None


def test_a_value_at_the_threshold_does_not_flicker() -> None:
    guidance = Guidance()
    after(guidance, BAD[Hint.DARK], 0.0, 2.0)
    seen = []
    for step in range(100):  # ten seconds around the threshold, above and below in turn
        brightness = 48 + (4 if step % 2 else -4)
        seen.append(guidance.update(Conditions(brightness, 50, 0.5, 0.2, 30.0), 3.0 + step / 10))
    assert set(seen) == {Hint.DARK}


def test_without_a_face_only_light_and_camera_are_judged() -> None:
    guidance = Guidance()
    assert after(guidance, Conditions(20.0), 0.0, 2.0) is Hint.DARK
    guidance.reset()
    assert after(guidance, Conditions(120.0, camera_fps=5.0), 0.0, 2.0) is Hint.SLOW_CAMERA
    guidance.reset()
    assert after(guidance, Conditions(120.0), 0.0, 2.0) is None


def test_the_most_important_hint_comes_first() -> None:
    assert after(Guidance(), Conditions(20, 30, 0.1, -0.1, 5.0), 0.0, 2.0) is Hint.DARK


def face_at(
    box: tuple[float, float, float, float], image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> TrackedFace:

    observation = FaceObservation(
        np.zeros((478, 3), np.float32), np.zeros(52, np.float32), np.array(box, np.float32), 1
    )
    return replace(tracked_face(tiny_model(), image=image), observation=observation)


def test_conditions_are_measured_in_the_picture() -> None:
    image = np.full((240, 320, 3), 200, np.uint8)
    image[60:180, 100:220] = 50
    found = measure(face_at((100, 60, 219, 179), image), 25.0)
    assert found.brightness == pytest.approx(50, abs=12) and found.surround == pytest.approx(200, abs=2)
    assert found.height == pytest.approx(0.5, abs=0.01) and found.camera_fps == 25.0
    assert found.margin == pytest.approx(60 / 119, abs=0.02)
    cut = measure(face_at((-30, 60, 90, 180), image), None)
    assert cut.margin is not None and cut.margin < 0
    nobody = measure(no_face(image), None)
    assert nobody.height is None and nobody.brightness > 100
