"""Tension against deformations whose stretch is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX
from models.geometry.rasterise import rasterise_uv
from models.geometry.rotations import from_euler
from models.geometry.tension import Tension, mesh_edges, tension_map
from tests.helpers.tiny_model import sphere, tiny_model


@pytest.fixture(scope="module")
def ball() -> tuple[np.ndarray, np.ndarray]:
    vertices, faces, *_ = sphere(12, 16)
    return (vertices * 0.1).astype(np.float32), faces


def test_each_edge_counts_once(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = ball
    assert len(mesh_edges(faces)) == len(vertices) + len(faces) - 2  # Euler's formula for a closed surface


@pytest.mark.parametrize(("scale", "expected"), [(1.0, 0.0), (0.8, 0.2), (1.25, -0.25), (0.1, 0.5), (3.0, -0.5)])
def test_even_scaling(ball: tuple[np.ndarray, np.ndarray], scale: float, expected: float) -> None:
    vertices, faces = ball
    values = Tension(faces, len(vertices))(vertices, vertices * np.float32(scale))
    np.testing.assert_allclose(values, expected, atol=1e-5)


def test_head_pose_drops_out(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = ball
    moved = (vertices @ from_euler(0.5, -0.3, 0.2).T + (0.1, 0.2, 0.3)).astype(np.float32)
    np.testing.assert_allclose(Tension(faces, len(vertices))(vertices, moved), 0, atol=1e-5)


def test_mean_over_the_edges_of_a_vertex() -> None:
    neutral = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    deformed = np.array([[0, 0, 0], [0.8, 0, 0], [0, 1.1, 0]], np.float32)
    values = Tension(np.array([[0, 1, 2]], np.int32), 3)(neutral, deformed)
    assert values[0] == pytest.approx(1 - (0.8 + 1.1) / 2, abs=1e-6)


def test_hidden_skin_reports_nothing_and_does_not_spoil_its_neighbours() -> None:
    neutral = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], np.float32)
    deformed = neutral.copy()
    deformed[3] = (9, 9, 0)
    faces = np.array([[0, 1, 2], [1, 3, 2]], np.int32)
    values = Tension(faces, 4, np.array([0, 0, 0, 1], np.float32))(neutral, deformed)
    np.testing.assert_allclose(values, 0, atol=1e-6)


def test_edges_without_neutral_length_do_not_explode() -> None:
    neutral = np.array([[0, 0, 0], [1e-7, 0, 0], [0, 0.01, 0]], np.float32)
    deformed = np.array([[0, 0, 0], [0.01, 0, 0], [0, 0.01, 0]], np.float32)
    values = Tension(np.array([[0, 1, 2]], np.int32), 3)(neutral, deformed)
    assert values[0] == pytest.approx(0, abs=1e-6)


def test_map_shows_an_expression_where_it_acts() -> None:
    model = tiny_model()
    expression = np.zeros(CHANNEL_COUNT, np.float32)
    expression[CHANNEL_INDEX["mouthSmileLeft"]] = 1
    face = model.pose(model.identity(), expression)
    values = Tension(model.faces, model.vertex_count, model.regions["hidden"])(face.neutral, face.vertices)
    raster = rasterise_uv(model.uv, model.uv_faces, 64, subset=model.part_faces("skin"))
    picture = tension_map(values, raster, model.faces)
    assert picture.shape == (64, 64) and np.abs(picture).max() > 0.03
    strength = np.abs(picture).sum(axis=0)
    assert strength[32:].sum() > 3 * strength[:32].sum(), "the subject's left is the map's right half"


@settings(max_examples=40, deadline=None)
@given(deformed=arrays(np.float32, (5, 3), elements=st.floats(allow_nan=True, allow_infinity=True, width=32)))
def test_any_numbers_give_bounded_tension(deformed: np.ndarray) -> None:
    neutral = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    values = Tension(np.array([[0, 1, 2], [2, 3, 4]], np.int32), 5)(neutral, deformed)
    assert np.isfinite(values).all() and np.abs(values).max() <= 0.5


def test_wrong_meshes_are_refused(ball: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, faces = ball
    with pytest.raises(ValueError, match="two meshes"):
        Tension(faces, len(vertices))(vertices, vertices[:5])
    with pytest.raises(ValueError, match="names vertex"):
        Tension(faces, 3)
