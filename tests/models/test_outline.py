"""The outline of shapes whose outline is known."""

from __future__ import annotations

import numpy as np
import pytest

from models.geometry.camera import Camera
from models.geometry.outline import FaceOutline
from models.geometry.rotations import from_euler
from tests.helpers.tiny_model import sphere, tiny_model

CAMERAS = [Camera(640, 480, 700.0), Camera(640, 480, 700.0, "weak")]
AT = np.array([0.05, -0.02, 0.5])


@pytest.fixture(scope="module")
def ball() -> tuple[np.ndarray, np.ndarray]:
    vertices, faces, *_ = sphere(48, 64)
    return (vertices * 0.1).astype(np.float32), faces


def tangent_circle(camera: Camera, turn: np.ndarray) -> np.ndarray:
    """Pixels of the circle where lines of sight touch the ball of radius 0.1 at AT."""
    if camera.projection == "weak":
        axis, centre, radius = np.array([0, 0, 1.0]), AT, 0.1
    else:
        distance = np.linalg.norm(AT)
        axis = AT / distance
        centre = AT - axis * 0.01 / distance
        radius = 0.1 * np.sqrt(1 - 0.01 / distance**2)
    side = np.cross(axis, (0, 1, 0))
    side /= np.linalg.norm(side)
    up = np.cross(axis, side)
    points = centre + radius * (np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * up)
    return camera.project(points, AT[2])


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda c: c.projection)
@pytest.mark.parametrize("yaw", [0.0, 0.7])
def test_exact_outline_of_a_ball_is_its_tangent_circle(
    ball: tuple[np.ndarray, np.ndarray], camera: Camera, yaw: float
) -> None:
    vertices, faces = ball
    finder = FaceOutline(faces, len(vertices), np.ones(len(vertices)))
    found = finder.exact(vertices, from_euler(yaw, 0.2, 0.1), AT, camera)
    assert len(found.pixels) > 60
    truth = tangent_circle(camera, np.linspace(0, 2 * np.pi, 2000))
    nearest = np.sqrt(((found.pixels[:, None] - truth[None]) ** 2).sum(-1)).min(axis=1)
    assert nearest.max() < 1.0, "facets of a 64-gon lie within a pixel of a circle of 140 pixels"
    covered = np.sqrt(((truth[::20, None] - found.pixels[None]) ** 2).sum(-1)).min(axis=1)
    assert covered.max() < 25, "the whole circle is found"


def test_points_lie_on_their_edges(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = ball
    found = FaceOutline(faces, len(vertices), np.ones(len(vertices))).exact(vertices, np.eye(3), AT, CAMERAS[0])
    ends = vertices[found.edges]
    points = ends[:, 0] * (1 - found.along[:, None]) + ends[:, 1] * found.along[:, None]
    np.testing.assert_allclose(CAMERAS[0].project_head(points, np.eye(3), AT), found.pixels, atol=1e-3)


def test_only_omega_counts(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = ball
    left = (vertices[:, 0] > 0).astype(np.float32)
    finder = FaceOutline(faces, len(vertices), left)
    found = finder.exact(vertices, np.eye(3), AT, CAMERAS[0])
    centre = CAMERAS[0].project(AT[None], AT[2])[0]
    assert len(found.pixels) > 20 and (found.pixels[:, 0] > centre[0] - 8).all()
    assert not len(FaceOutline(faces, len(vertices), left * 0).exact(vertices, np.eye(3), AT, CAMERAS[0]).pixels)


def test_silhouette_vertices_grow_with_the_tolerance_and_face_sideways(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = ball
    finder = FaceOutline(faces, len(vertices), np.ones(len(vertices)))
    counts = []
    for eps in (0.05, 0.1, 0.2):
        chosen = finder.vertices(vertices, np.eye(3), AT, CAMERAS[1], eps=eps)
        assert (np.abs(vertices[chosen, 2] / 0.1) < eps + 0.01).all()
        counts.append(len(chosen))
    assert 0 < counts[0] < counts[1] < counts[2]


def test_a_hidden_outline_is_left_out(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = ball
    # A small ball behind a large one has an outline that nobody sees.
    both = np.concatenate([vertices, vertices * 0.3 + (0, 0, -0.3)]).astype(np.float32)
    both_faces = np.concatenate([faces, faces + len(vertices)]).astype(np.int32)
    omega = np.repeat([0.0, 1.0], len(vertices))
    finder = FaceOutline(both_faces, len(both), omega)
    assert len(finder.exact(both, np.eye(3), AT, CAMERAS[0]).pixels) == 0
    aside = both.copy()
    aside[len(vertices) :, 0] += 0.3
    assert len(finder.exact(aside, np.eye(3), AT, CAMERAS[0]).pixels) > 20


def test_head_behind_the_camera_or_not_a_number_gives_nothing() -> None:
    model = tiny_model()
    finder = FaceOutline(model.faces, model.vertex_count, model.regions["outline"])
    for at in ((0, 0, -0.5), (0, 0, np.nan)):
        assert len(finder.exact(model.mean, np.eye(3), np.array(at, float), CAMERAS[0]).pixels) == 0
        assert len(finder.vertices(model.mean, np.eye(3), np.array(at, float), CAMERAS[0])) == 0
    with pytest.raises(ValueError, match="outline's region"):
        FaceOutline(model.faces, model.vertex_count, np.ones(3))
