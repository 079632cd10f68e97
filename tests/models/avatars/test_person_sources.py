"""Pictures of a person's skin: which are kept, how they are mixed, what a file may hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.avatars.errors import AvatarFileError
from models.avatars.person_file import read_person, write_person
from models.avatars.person_sources import (
    MOST_SOURCES,
    MixedSkin,
    SkinSources,
    choose_sources,
    from_tensors,
    skin_sources,
    to_tensors,
)
from models.avatars.person_texture import SkinView
from models.channels import CHANNEL_INDEX
from models.face_model import load_face_model
from models.face_model.detail_map import DetailMap
from models.geometry.camera import Camera
from models.geometry.rotations import HEAD_TO_CAMERA
from tests.models.avatars.test_person_file import avatar

SIZE = 256


def sources(count: int = 3) -> SkinSources:
    rng = np.random.default_rng(0)
    smooth = np.linspace(40, 220, SIZE, dtype=np.float32)
    pictures = np.stack([np.broadcast_to((smooth + 5 * n)[:, None, None], (SIZE, SIZE, 3)) for n in range(count)])
    visibility = np.broadcast_to(np.linspace(0, 1, SIZE, dtype=np.float32), (count, SIZE, SIZE)).copy()
    return SkinSources(pictures.astype(np.uint8), visibility, rng.random((count, 52), np.float32))


def test_what_differs_most_is_chosen() -> None:
    tensions = np.zeros((6, SIZE, SIZE), np.float32)
    for n, strength in enumerate((0.1, 0.0, 0.11, 0.4, 0.41, -0.3)):
        tensions[n, :128] = strength
    ones = np.ones((SIZE, SIZE), np.float32)
    chosen = choose_sources(tensions, np.ones(6), ones)
    assert chosen[0] == 1 and set(chosen[1:3]) == {4, 5} and sorted(chosen) == [0, 1, 2, 3, 4, 5]
    worth = np.array([1, 1, 1, 1, 0.5, 1.0])
    assert choose_sources(tensions, worth, ones)[1] == 3
    assert len(choose_sources(np.repeat(tensions, 5, axis=0), np.ones(30), ones)) == MOST_SOURCES


def test_the_picture_that_is_most_alike_counts_most_and_what_it_does_not_show_comes_from_the_others() -> None:
    tensions = np.zeros((2, SIZE, SIZE), np.float32)
    tensions[1] = 0.2
    visibility = np.ones((2, SIZE, SIZE), np.float32)
    visibility[1, :, :64] = 0
    tokens = [np.full((1, 256, 4), float(n), np.float32) for n in range(2)]
    maps = [np.full((1, 3, 128, 128), float(n), np.float32) for n in range(2)]
    mixed = MixedSkin(list(zip(tokens, maps, strict=True)), tensions, visibility)
    weights = mixed.weights(np.full((SIZE, SIZE), 0.2, np.float32))
    np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-5)
    assert (weights[1, :, 32:] > 0.99).all()
    near_zero = MixedSkin(list(zip(tokens, maps, strict=True)), tensions, visibility)
    halfway = near_zero.weights(np.full((SIZE, SIZE), 0.1, np.float32))
    assert (halfway[0, :, :8] > 0.9).all(), "the second one does not show that side"
    assert halfway[0, 32, 50] == pytest.approx(0.5, abs=0.05)
    own, surface = mixed.at(np.full((SIZE, SIZE), 0.2, np.float32))
    assert own.shape == (1, 256, 4) and surface.shape == (1, 3, 128, 128)
    assert own.reshape(16, 16, 4)[8, 12] == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(surface[0, 0, :, 80:], 1, atol=0.02)


def test_one_picture_alone_is_left_as_it_is() -> None:
    tokens = np.random.default_rng(1).normal(size=(1, 256, 8)).astype(np.float32)
    mixed = MixedSkin([(tokens,)], np.zeros((1, SIZE, SIZE), np.float32), np.zeros((1, SIZE, SIZE), np.float32))
    np.testing.assert_allclose(mixed.at(np.full((SIZE, SIZE), 0.3, np.float32))[0], tokens, rtol=1e-5)


def test_pictures_are_unwrapped_where_they_show_the_skin() -> None:
    model = load_face_model()
    window = DetailMap(model)
    camera = Camera(640, 480, 700.0)
    rotation, translation = np.eye(3), np.array([0.0, 0.0, 0.5])
    views, expressions = [], []
    for channel in (None, "jawOpen", "browInnerUp"):
        expression = np.zeros(52, np.float32)
        if channel:
            expression[CHANNEL_INDEX[channel]] = 0.9
        posed = model.pose(model.identity(), expression)
        points = camera.to_camera(posed.vertices, rotation, translation)
        normals = posed.normals @ (HEAD_TO_CAMERA @ rotation).T.astype(np.float32)
        image = np.full((480, 640, 3), 90, np.uint8)
        image[:, 320:] = 180
        views.append(SkinView(image, camera.project(points, 0.5), points, normals))
        expressions.append(expression)
    found = skin_sources(window, views, model.identity(), expressions)
    assert found is not None and len(found.pictures) == 3
    assert found.expressions[0].sum() == 0, "the calmest comes first"
    seen = found.visibility[0] > 0.8
    assert seen.mean() > 0.3
    assert set(np.unique(found.pictures[0][seen])) >= {90, 180}
    away = [replace(view, pixels=view.pixels + 5000) for view in views]
    assert skin_sources(window, away, model.identity(), expressions) is None


def test_a_file_keeps_them(tmp_path: Path) -> None:
    kept = sources()
    path = tmp_path / "a.mien"
    write_person(replace(avatar(), sources=kept), path)
    after = read_person(path).sources
    assert after is not None
    np.testing.assert_array_equal(after.expressions, kept.expressions)
    assert np.abs(after.pictures.astype(int) - kept.pictures).max() <= 6
    assert np.abs(after.visibility - kept.visibility).max() < 0.02


def bad(**changes: Any) -> dict[str, Any]:
    return to_tensors(sources()) | changes


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        bad(expressions=np.full((3, 52), np.nan, np.float32)),
        bad(expressions=np.zeros((3, 51), np.float32)),
        bad(expressions=np.zeros((3, 52))),
        bad(expressions=np.zeros((0, 52), np.float32)),
        bad(expressions=np.zeros((99, 52), np.float32)),
        bad(visibility=np.zeros((3, 8, 8), np.uint8)),
        bad(picture_0=np.arange(200, dtype=np.uint8)),
        bad(picture_1=np.zeros((4, 4), np.float32)),
        bad(another=np.zeros(3, np.uint8)),
    ],
)
def test_anything_else_is_refused(tensors: dict[str, Any]) -> None:
    with pytest.raises(AvatarFileError, match=r"x\.mien is damaged: its pictures of the skin"):
        from_tensors(tensors, "x.mien")


def test_a_picture_of_another_size_is_refused() -> None:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.zeros((2048, 2048, 3), np.uint8)).save(out, "JPEG")
    with pytest.raises(AvatarFileError, match="damaged"):
        from_tensors(bad(picture_0=np.frombuffer(out.getvalue(), np.uint8)), "x.mien")
