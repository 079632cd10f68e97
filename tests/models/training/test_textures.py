"""Unwrapping labelled photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.face_model import load_face_model
from models.face_model.detail_map import DetailMap
from models.geometry.camera import Camera
from models.synthesis.light import directional_light, to_srgb
from models.synthesis.portrait import Look, paint
from models.training.data.labels import FaceLabel, Labels
from models.training.data.textures import TextureCache, face_texture, fill_from_mirror


@pytest.fixture(scope="module")
def window() -> DetailMap:
    return DetailMap(load_face_model())


def pictured(window: DetailMap, shift: float = 0.0) -> tuple[np.ndarray, FaceLabel, np.ndarray]:
    """A rendered face with a chequered skin, its label (landmarks off by `shift` pixels), and the skin."""
    model = window.model
    size = 512
    rows, columns = np.mgrid[:size, :size]
    tone = np.where((rows // 16 + columns // 16) % 2, 0.6, 0.2).astype(np.float32)
    skin = np.repeat(tone[:, :, None], 3, axis=2)
    camera = Camera.from_fov(800, 800, 0.6)
    rotation, translation = np.eye(3), np.array([0.0, 0.02, 0.55])
    identity, expression = model.identity(), np.zeros(52, np.float32)
    posed = model.pose(identity, expression, np.zeros((2, 2)))
    even = directional_light(np.array([0.0, 0, 1]), 0.0, 1.0)
    image = paint(model, posed, rotation, translation, camera, Look(skin, even)).image
    marks = camera.project_head(model.embed(posed.vertices, model.landmarks478), rotation, translation)
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[:, :2] = marks + shift
    label = FaceLabel(
        0, identity, expression, rotation, translation, np.zeros((2, 2), np.float32), camera, landmarks,
        np.zeros(52, np.float32), 1.0,
    )  # fmt: skip
    return image, label, skin


def test_a_rendered_skin_comes_back(window: DetailMap) -> None:
    image, label, skin = pictured(window)
    found = face_texture(image, label, window)
    seen = (found.visibility > 0.9) & (window.mask > 0.9)
    assert 0.15 < float(seen.mean()) < 0.8
    uv = (np.stack(np.meshgrid(np.arange(256), np.arange(256)), 2) + [32.5, 41.5]) / 320 * 512
    wanted = to_srgb(skin[uv[..., 1].astype(int), uv[..., 0].astype(int)])[..., 0].astype(float)
    got = found.rgb[..., 0].astype(float)
    assert float(np.corrcoef(got[seen], wanted[seen])[0, 1]) > 0.85
    assert float(np.abs(found.tension).max()) < 1e-3


def test_landmarks_pull_the_mesh_to_where_they_are(window: DetailMap) -> None:
    image, label, _ = pictured(window)
    right = face_texture(image, label, window)
    moved = np.roll(image, (6, 6), axis=(0, 1))
    _, shifted, _ = pictured(window, shift=6.0)
    pulled = face_texture(moved, shifted, window)
    seen = (right.visibility > 0.9) & (window.mask > 0.9)
    difference = np.abs(pulled.rgb.astype(int) - right.rgb.astype(int))[..., 0][seen]
    assert float(np.mean(difference)) < 12


def test_hidden_texels_come_from_the_mirrored_side() -> None:
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb[:, 32:] = 200
    visible = np.zeros((64, 64), np.float32)
    visible[:, 32:] = 1
    assert int(fill_from_mirror(rgb, visible)[:, :32].min()) > 180


def test_the_cache_unwraps_once_and_survives_damage(window: DetailMap, tmp_path: Path) -> None:
    image, label, _ = pictured(window)
    labels = Labels("x.png", "0" * 64, 800, 800, 1, window.model.name, "", (label,))
    looked = []

    def load() -> np.ndarray:
        looked.append(1)
        return image

    cache = TextureCache(tmp_path, window)
    first, second = cache.get(labels, 0, load), cache.get(labels, 0, load)
    assert len(looked) == 1
    np.testing.assert_array_equal(first.rgb, second.rgb)
    assert first.person == "x"
    (file,) = tmp_path.glob("*.npz")
    file.write_bytes(b"broken")
    cache.get(labels, 0, load)
    assert len(looked) == 2
    with pytest.raises(ValueError, match="face model"):
        cache.get(Labels("x.png", "0" * 64, 800, 800, 1, "another", "", (label,)), 0, load)


def test_a_picture_of_another_size_is_refused(window: DetailMap) -> None:
    image, label, _ = pictured(window)
    with pytest.raises(ValueError, match="pixels"):
        face_texture(image[:400], label, window)
