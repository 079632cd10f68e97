"""The camera: where points land in the picture."""

from __future__ import annotations

import numpy as np
import pytest

from models.geometry.camera import DEFAULT_FOV, Camera
from models.geometry.rotations import from_euler

PLACE = np.array([0.0, 0.0, 0.6])


def test_the_axis_meets_the_middle_of_the_picture() -> None:
    # Pixel centres are whole numbers: of four pixels in a row, the middle lies between 1 and 2.
    assert Camera.from_fov(4, 4).centre == (1.5, 1.5)
    camera = Camera.from_fov(641, 481)
    assert camera.centre == (320.0, 240.0)
    np.testing.assert_allclose(camera.project_head(np.zeros((1, 3)), np.eye(3), PLACE), [[320, 240]])


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (1, 1)])
def test_the_field_of_view_spans_the_longer_side(width: int, height: int) -> None:
    camera = Camera.from_fov(width, height, 1.2)
    assert camera.fov == pytest.approx(1.2)
    # The outer edges of the outermost pixels lie half a pixel beyond their centres.
    edge = np.array([[np.tan(0.6), 0.0, 1.0], [-np.tan(0.6), 0.0, 1.0]]) * 0.7
    if height > width:
        edge = edge[:, [1, 0, 2]]
    pixels = camera.project(edge, 0.7)[:, int(height > width)]
    np.testing.assert_allclose(pixels, [max(width, height) - 0.5, -0.5], atol=1e-9)


def test_the_subjects_left_is_on_the_pictures_right_and_up_is_up() -> None:
    camera = Camera.from_fov(640, 480)
    left, up, nose = camera.project_head(np.eye(3) * 0.05, np.eye(3), PLACE)
    assert left[0] > camera.centre[0] + 10
    assert up[1] < camera.centre[1] - 10
    np.testing.assert_allclose(nose, camera.centre)


def test_a_head_that_turns_left_shows_its_nose_on_the_right() -> None:
    camera = Camera.from_fov(640, 480)
    nose = np.array([[0.0, 0.0, 0.1]])
    assert camera.project_head(nose, from_euler(0.3, 0, 0), PLACE)[0, 0] > camera.centre[0] + 5
    assert camera.project_head(nose, from_euler(0, 0.3, 0), PLACE)[0, 1] > camera.centre[1] + 5


def test_perspective_enlarges_what_is_near_and_weak_does_not() -> None:
    points = np.array([[0.05, 0.0, 0.1], [0.05, 0.0, 0.0], [0.05, 0.0, -0.1]])
    perspective, weak = (Camera.from_fov(640, 480, 1.0, mode) for mode in ("perspective", "weak"))
    near, middle, far = perspective.project_head(points, np.eye(3), PLACE)[:, 0] - perspective.centre[0]
    assert near > middle > far
    assert near / far == pytest.approx(0.7 / 0.5)
    shifts = weak.project_head(points, np.eye(3), PLACE)[:, 0] - weak.centre[0]
    # In the plane of the head's origin both cameras agree.
    np.testing.assert_allclose(shifts, middle)


def test_weak_is_a_scale_and_a_shift() -> None:
    camera = Camera.from_fov(640, 480, 1.0, "weak")
    points = np.random.default_rng(0).normal(0, 0.1, (20, 3))
    turn, place = from_euler(0.4, 0.2, -0.1), np.array([0.03, -0.02, 0.5])
    turned = points @ turn.T
    expected = camera.focal / 0.5 * (turned[:, :2] * (1, -1) + place[:2]) + camera.centre
    np.testing.assert_allclose(camera.project_head(points, turn, place), expected)


def test_the_size_of_the_picture_scales_the_pixels() -> None:
    points = np.random.default_rng(1).normal(0, 0.05, (5, 3))
    small, large = (Camera.from_fov(w, h).project_head(points, np.eye(3), PLACE) for w, h in ((320, 240), (640, 480)))
    np.testing.assert_allclose((small + 0.5) * 2 - 0.5, large)


@pytest.mark.parametrize("fov", [0.0, -1.0, np.pi, 4.0, float("nan"), float("inf")])
def test_impossible_fields_of_view_are_refused(fov: float) -> None:
    with pytest.raises(ValueError, match="field of view"):
        Camera.from_fov(640, 480, fov)


def test_default_is_an_ordinary_webcam() -> None:
    assert Camera.from_fov(640, 480).fov == pytest.approx(DEFAULT_FOV)
    assert 40 < np.degrees(DEFAULT_FOV) < 80
