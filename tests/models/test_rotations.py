"""Closed-form rotations against scipy's, and the signs that the conventions promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from models.geometry.rotations import (
    HEAD_TO_CAMERA,
    facing,
    from_euler,
    from_quaternion,
    from_rotvec,
    to_euler,
    to_quaternion,
    to_rotvec,
)  # fmt: skip

RANDOM = Rotation.random(500, random_state=3)


def test_every_form_agrees_with_scipy() -> None:
    for one in RANDOM:
        matrix = one.as_matrix()
        np.testing.assert_allclose(from_euler(*one.as_euler("YXZ")), matrix, atol=1e-9)
        np.testing.assert_allclose(from_euler(*to_euler(matrix)), matrix, atol=1e-9)
        np.testing.assert_allclose(from_quaternion(to_quaternion(matrix)), matrix, atol=1e-9)
        np.testing.assert_allclose(from_rotvec(one.as_rotvec()), matrix, atol=1e-9)
        np.testing.assert_allclose(to_rotvec(matrix), one.as_rotvec(), atol=1e-7)
        x, y, z, w = one.as_quat(canonical=True)
        np.testing.assert_allclose(to_quaternion(matrix), [w, x, y, z], atol=1e-9)


def test_signs_are_those_of_the_conventions() -> None:
    nose = np.array([0.0, 0.0, 1.0])
    assert (from_euler(0.3, 0, 0) @ nose)[0] > 0, "yaw > 0 turns to the subject's left"
    assert (from_euler(0, 0.3, 0) @ nose)[1] < 0, "pitch > 0 looks down"
    assert (from_euler(0, 0, 0.3) @ np.array([1.0, 0, 0]))[1] > 0, "roll > 0 lifts the left side"


def test_looking_straight_up_or_down_survives() -> None:
    for pitch in (np.pi / 2, -np.pi / 2):
        matrix = from_euler(0.4, pitch, 0.3)
        np.testing.assert_allclose(from_euler(*to_euler(matrix)), matrix, atol=1e-7)


def test_zero_quaternion_is_refused() -> None:
    with pytest.raises(ValueError, match="zero"):
        from_quaternion([0, 0, 0, 0])


def test_facing_turns_the_axis_onto_the_ray() -> None:
    place = np.array([0.2, -0.1, 0.6])
    np.testing.assert_allclose(facing(place) @ [0, 0, 1], place / np.linalg.norm(place), atol=1e-12)
    np.testing.assert_allclose(facing([0, 0, 1.0]), np.eye(3))
    np.testing.assert_allclose(HEAD_TO_CAMERA @ HEAD_TO_CAMERA, np.eye(3))
