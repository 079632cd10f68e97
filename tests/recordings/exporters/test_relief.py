"""The skin's relief on refined meshes and as shapes that mix."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.face_model import load_face_model
from recordings.detail_track import DetailTrack
from recordings.exporters.relief import FineSkin, relief_shapes

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def skin() -> FineSkin:
    return FineSkin(load_face_model(), 1)


def bump(u: float, v: float, mm: float = 1.0) -> Floats:
    rows, columns = np.mgrid[:320, :320] / 320
    return np.asarray(mm * np.exp(-((columns - u) ** 2 + (rows - v) ** 2) / 0.002), np.float32)


def areas(corners: Floats) -> Floats:
    """(F,) twice the areas of (F, 3, 3) triangles."""
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.asarray(np.linalg.norm(across, axis=1), np.float32)


def test_refined_skin_stays_the_skin(skin: FineSkin) -> None:
    model = load_face_model()
    points = skin.points(model.mean)
    assert len(skin.faces) == 4 * len(model.part_faces("skin"))
    area = areas(points[skin.faces])
    corners = model.mean[model.faces[model.part_faces("skin")]]
    assert area.sum() == pytest.approx(areas(corners).sum(), rel=0.03)
    # Each point's UV is that of its place: points of one UV neighbourhood are neighbours on the skin.
    edges = np.linalg.norm(points[skin.faces[:, 0]] - points[skin.faces[:, 1]], axis=1)
    assert np.percentile(edges, 99) < 0.02


def test_relief_raises_along_the_normal_where_the_map_says(skin: FineSkin) -> None:
    model = load_face_model()
    normals = model.normals(model.mean)
    relief = skin.relief(bump(0.5, 0.35, 2.0))
    top = int(relief.argmax())
    assert np.linalg.norm(skin.uv[top] - (0.5, 0.35)) < 0.02
    assert relief[top] == pytest.approx(0.002, rel=0.05)
    flat, _ = skin.raised(model.mean, normals, np.zeros(len(skin.uv), np.float32))
    raised, bent = skin.raised(model.mean, normals, relief)
    moved = np.linalg.norm(raised - flat, axis=1)
    assert np.allclose(moved, np.abs(relief), atol=1e-6)
    assert np.allclose(np.linalg.norm(bent[relief > 1e-4], axis=1), 1, atol=1e-4)
    assert np.abs(skin.relief(np.full((320, 320), 99.0))).max() <= 0.0101


def test_shapes_mix_into_the_maps_with_weights_of_0_to_1(skin: FineSkin) -> None:
    a, b = bump(0.4, 0.3), bump(0.6, 0.5, -0.5)
    mixes = [(0.0, 0.0), (1.0, 0.2), (0.3, 1.0), (0.8, 0.8)]
    shapes = relief_shapes(skin, ((0.1 * n, (p * a + q * b).astype(np.float32)) for n, (p, q) in enumerate(mixes)), 4)
    assert shapes is not None and shapes.kept > 0.999
    assert shapes.weights.min() >= 0 and shapes.weights.max() <= 1 + 1e-6
    for n, (p, q) in enumerate(mixes):
        wanted = skin.relief(p * a + q * b)
        assert np.abs(shapes.weights[n] @ shapes.shapes - wanted).max() < 2e-5
    held = shapes.at(np.array([-1.0, 0.15, 9.0]))
    assert (
        not held[0].any() and np.array_equal(held[1], shapes.weights[1]) and np.array_equal(held[2], shapes.weights[3])
    )


def test_no_relief_no_shapes(skin: FineSkin) -> None:
    assert relief_shapes(skin, iter([(0.0, np.zeros((320, 320), np.float32))]), 4) is None
    assert relief_shapes(skin, iter([]), 4) is None


def test_maps_hold_until_the_next_one() -> None:
    maps = [(t, np.full((4, 4), t, np.float32)) for t in (0.1, 0.3, 0.7)]
    track = DetailTrack(lambda start_s: iter(maps))
    at = track.follow()
    found = [at(t) for t in (0.0, 0.1, 0.29, 0.3, 0.9)]
    assert found[0] is None
    assert [float(m[0, 0]) for m in found[1:] if m is not None] == pytest.approx([0.1, 0.1, 0.3, 0.7])
    assert [t for t, _ in track.between(0.4, 0.8)] == [0.3, 0.7]
    assert [t for t, _ in track.between(0.8, 0.9)] == [0.7]
    assert [t for t, _ in track.between(0.0, 0.05)] == []
