"""Gaze from the irises of faces with known parameters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.channels import CHANNEL_INDEX, GAZE_CHANNELS, gaze_to_channels
from models.face_model import FaceModel, load_face_model
from models.geometry.rotations import from_euler
from tests.helpers.perfect_detector import EXACT, HEIGHT, PLACE, WIDTH, expression, seen, state
from tracking.fit import FitSession
from tracking.fit.gaze import PITCH_HABIT, estimate_gaze, eyeball_radius

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def head() -> FaceModel:
    return load_face_model()


@pytest.fixture(scope="module")
def somebody(head: FaceModel) -> NDArray[np.float32]:
    return head.identity(np.random.default_rng(3).normal(0, 0.7, 20))


def gaze_of(
    head: FaceModel,
    somebody: NDArray[np.float32],
    gaze: NDArray[np.floating],
    channels: NDArray[np.floating] | None = None,
    rotation: Floats | None = None,
    place: Floats = PLACE,
    previous: NDArray[np.floating] | None = None,
) -> Floats:
    truth = state(head, somebody, None, rotation, place, gaze)
    # A detector places irises too low by a habit that the estimate takes out; the guess agrees with the truth.
    habit = np.array([0.0, PITCH_HABIT])
    observed = seen(head, replace(truth, gaze=(gaze + habit).astype(np.float32))).landmarks
    return estimate_gaze(
        observed, head.joints(somebody), eyeball_radius(head), truth.rotation, truth.translation, truth.camera,
        np.zeros(52) if channels is None else channels, previous, gaze.astype(np.float64),
    )  # fmt: skip


@pytest.mark.parametrize(("yaw", "pitch"), [(0.0, 0.0), (0.4, 0.0), (-0.4, 0.0), (0.0, 0.25), (0.0, -0.3), (0.3, 0.2)])
@pytest.mark.parametrize("turned", [False, True])
def test_gaze_is_read_from_the_irises(
    head: FaceModel, somebody: NDArray[np.float32], yaw: float, pitch: float, turned: bool
) -> None:
    gaze = np.array([[yaw, pitch], [yaw, pitch]])
    pose = (from_euler(-0.4, 0.1, 0.2), np.array([0.1, 0.05, 0.5])) if turned else (np.eye(3), PLACE)
    np.testing.assert_allclose(gaze_of(head, somebody, gaze, None, *pose), gaze, atol=0.05)


def test_the_fitted_gaze_goes_the_right_way(head: FaceModel, somebody: NDArray[np.float32]) -> None:
    found = {}
    for name, (yaw, pitch) in {"left": (0.4, 0), "right": (-0.4, 0), "down": (0, 0.4), "up": (0, -0.4)}.items():
        truth = state(head, somebody, gaze=np.array([[yaw, pitch]] * 2))
        found[name] = FitSession(head, EXACT).fit(seen(head, truth), WIDTH, HEIGHT).parameters
        looks = found[name].expression[list(GAZE_CHANNELS)]
        np.testing.assert_allclose(looks, gaze_to_channels(found[name].gaze)[list(GAZE_CHANNELS)], atol=1e-6)
    assert (found["left"].gaze[:, 0] > found["right"].gaze[:, 0] + 0.3).all()
    assert (found["down"].gaze[:, 1] > found["up"].gaze[:, 1] + 0.3).all()
    assert found["left"].expression[CHANNEL_INDEX["eyeLookOutLeft"]] > 0.1
    assert found["left"].expression[CHANNEL_INDEX["eyeLookInLeft"]] == 0.0


def test_shut_eyes_keep_their_gaze_and_a_winking_one_follows(head: FaceModel, somebody: NDArray[np.float32]) -> None:
    gaze, before = np.array([[0.3, 0.1], [0.3, 0.1]]), np.array([[-0.2, 0.05], [-0.2, 0.05]])
    both = expression(eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    np.testing.assert_allclose(gaze_of(head, somebody, gaze, both, previous=before), before)
    np.testing.assert_allclose(gaze_of(head, somebody, gaze, both), 0.0)
    wink = gaze_of(head, somebody, gaze, expression(eyeBlinkLeft=1.0), previous=before)
    np.testing.assert_allclose(wink[0], wink[1])
    np.testing.assert_allclose(wink[1], gaze[1], atol=0.05)


def test_eyes_do_not_diverge(head: FaceModel, somebody: NDArray[np.float32]) -> None:
    squinting = gaze_of(head, somebody, np.array([[0.3, 0.0], [-0.3, 0.0]]))
    assert squinting[0, 0] == pytest.approx(squinting[1, 0])
    near = gaze_of(head, somebody, np.array([[-0.05, 0.0], [0.05, 0.0]]))
    assert near[1, 0] - near[0, 0] == pytest.approx(0.1, abs=0.04)
