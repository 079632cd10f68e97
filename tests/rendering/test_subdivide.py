"""Loop subdivision against what is known of it."""

from __future__ import annotations

import numpy as np
import pytest

from models.geometry.tension import mesh_edges
from rendering.subdivide import loop_subdivision
from tests.helpers.tiny_model import sphere, tiny_model


def test_a_plane_stays_a_plane_and_its_corners_stay() -> None:
    vertices = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    fine = loop_subdivision(faces, 4)
    refined = fine(vertices)
    assert refined.shape == (9, 3) and fine.faces.shape == (8, 3)
    np.testing.assert_allclose(refined[:, 2], 1, atol=1e-6)
    np.testing.assert_array_equal(fine.parent, np.repeat([0, 1], 4))


def test_a_ball_gets_rounder_and_stays_closed() -> None:
    vertices, faces, *_ = sphere(10, 14)
    fine = loop_subdivision(faces, len(vertices))
    refined = fine(vertices)
    assert len(refined) == len(vertices) + len(mesh_edges(faces))
    assert len(refined) - len(mesh_edges(fine.faces)) + len(fine.faces) == 2, "Euler's formula of a ball"
    np.testing.assert_allclose(np.asarray(fine.matrix.sum(axis=1)).ravel(), 1, atol=1e-5)

    def normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
        a, b, c = (points[triangles[:, k]] for k in range(3))
        return np.asarray((np.cross(b - a, c - a) * (a + b + c)).sum(axis=1))

    assert (normals(refined, fine.faces) > 0).all(), "still facing outwards"


def test_other_parts_keep_their_vertices_and_layouts_fit() -> None:
    model = tiny_model()
    skin = model.part_faces("skin")
    surface = loop_subdivision(model.faces, model.vertex_count, skin)
    layout = loop_subdivision(model.uv_faces, len(model.uv), skin)
    eye = np.unique(model.faces[model.part_faces("eye_left")])
    np.testing.assert_array_equal(surface(model.mean)[eye], model.mean[eye])
    np.testing.assert_array_equal(surface.parent, layout.parent)
    vertex_of = np.full(layout.matrix.shape[0], -1)
    vertex_of[layout.faces.reshape(-1)] = surface.faces.reshape(-1)
    np.testing.assert_array_equal(vertex_of[layout.faces], surface.faces, "each UV point has one vertex")
    with pytest.raises(ValueError, match="names vertex"):
        loop_subdivision(model.faces, 5)
