"""Rendered faces: light, skin and pictures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX
from models.face_model import FaceModel, load_face_model
from models.geometry.camera import Camera
from models.geometry.rasterise import Raster, rasterise_uv
from models.geometry.rotations import from_euler
from models.synthesis.light import directional_light, sh_basis, to_linear, to_srgb
from models.synthesis.portrait import Eyes, Look, Portrait, paint, sample_texture
from models.synthesis.skin import random_skin, skin_texture

SIZE = 128
BACKGROUND = np.array([10, 200, 30], np.uint8)
FROM_THE_FRONT = np.array([0.0, 0.0, -1.0])


@pytest.fixture(scope="module")
def head() -> FaceModel:
    return load_face_model()


@pytest.fixture(scope="module")
def uv_raster(head: FaceModel) -> Raster:
    return rasterise_uv(head.uv, head.uv_faces, SIZE, subset=head.part_faces("skin"))


def unit_vectors(count: int, seed: int = 0) -> NDArray[np.float64]:
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def portrait(
    head: FaceModel,
    look: Look,
    expression: NDArray[np.floating] | None = None,
    gaze: NDArray[np.floating] | None = None,
    yaw: float = 0.0,
) -> Portrait:
    posed = head.pose(head.identity(), np.zeros(CHANNEL_COUNT) if expression is None else expression, gaze)
    place = np.array([0.0, -0.03, 0.6])
    return paint(head, posed, from_euler(yaw, 0, 0), place, Camera.from_fov(240, 240, 0.5), look)


def plain(light: NDArray[np.float32], colour: tuple[float, float, float] = (0.5, 0.3, 0.2)) -> Look:
    return Look(np.broadcast_to(np.array(colour, np.float32), (8, 8, 3)).copy(), light, BACKGROUND)


# Light.


def test_even_light_is_even() -> None:
    light = directional_light(FROM_THE_FRONT, strength=0.0, ambient=0.4)
    np.testing.assert_allclose(sh_basis(unit_vectors(50)) @ light, 0.4, atol=1e-6)


def test_light_falls_like_the_cosine_from_where_it_comes() -> None:
    direction = np.array([0.6, -0.5, -1.0])
    unit = direction / np.linalg.norm(direction)
    normals = unit_vectors(2000)
    shaded = (sh_basis(normals) @ directional_light(direction * 7, strength=0.7, ambient=0.0))[:, 0]
    expected = 0.7 * np.maximum(normals @ unit, 0)
    # Second order follows the clipped cosine to 6 % of its height at the peak, 13 % elsewhere.
    assert np.abs(shaded - expected).max() < 0.13 * 0.7
    facing = float((sh_basis(unit[None]) @ directional_light(direction, 0.7, 0.0))[0, 0])
    assert facing == pytest.approx(0.7, rel=0.065)


def test_coloured_light_colours() -> None:
    light = directional_light(FROM_THE_FRONT, 1.0, 0.0, (1.0, 0.5, 0.25))
    red, green, blue = (sh_basis(FROM_THE_FRONT[None]) @ light)[0]
    assert green / red == pytest.approx(0.5)
    assert blue / red == pytest.approx(0.25)


def test_srgb_and_linear_undo_one_another() -> None:
    values = np.arange(256, dtype=np.uint8)
    linear = to_linear(values)
    assert linear[0] == 0.0
    assert linear[255] == pytest.approx(1.0)
    assert linear[188] == pytest.approx(0.503, abs=0.001)
    np.testing.assert_array_equal(to_srgb(linear), values)
    np.testing.assert_array_equal(to_srgb(np.array([-1.0, 7.0])), [0, 255])


# Skin.


def test_skin_is_the_seeds_alone(head: FaceModel, uv_raster: Raster) -> None:
    for make in (skin_texture, random_skin):
        first, again, other = (make(head, np.random.default_rng(seed), uv_raster) for seed in (4, 4, 5))
        np.testing.assert_array_equal(first, again)
        assert np.abs(first - other).mean() > 0.01
        assert first.shape == (SIZE, SIZE, 3)
        assert first.dtype == np.float32
        assert np.isfinite(first).all()
        assert 0.0 < first.min() <= first.max() <= 1.0


def test_both_kinds_of_skin_occur(head: FaceModel, uv_raster: Raster) -> None:
    painted = 0
    for seed in range(12):
        skin = skin_texture(head, np.random.default_rng(seed), uv_raster)
        painted += int(np.array_equal(skin, random_skin(head, np.random.default_rng(seed), uv_raster)))
    assert 2 <= painted <= 10


def test_tone_darkens_and_lips_are_redder_than_the_skin_around(head: FaceModel, uv_raster: Raster) -> None:
    light, dark = (skin_texture(head, np.random.default_rng(0), uv_raster, tone=t) for t in (0.0, 1.0))
    assert light.mean() > 3 * dark.mean()
    uv = np.zeros((head.vertex_count, 2), np.float32)
    uv[head.uv_vertex] = head.uv
    lips = sample_texture(light, uv[head.regions["lips"] > 0.95]).mean(axis=0)
    forehead = sample_texture(light, uv[head.regions["forehead"] > 0.95]).mean(axis=0)
    assert lips[0] / lips[1] > 1.2 * forehead[0] / forehead[1]


def test_texels_lie_at_their_centres() -> None:
    texture = np.random.default_rng(0).uniform(size=(16, 16, 3)).astype(np.float32)
    rows, columns = np.meshgrid(np.arange(16), np.arange(16), indexing="ij")
    uv = np.stack([(columns + 0.5) / 16, (rows + 0.5) / 16], axis=-1).reshape(-1, 2).astype(np.float32)
    np.testing.assert_allclose(sample_texture(texture, uv), texture.reshape(-1, 3), atol=1e-6)


# Pictures.


def test_the_picture_shows_the_face_before_its_background(head: FaceModel) -> None:
    picture = portrait(head, plain(directional_light(FROM_THE_FRONT)))
    assert picture.image.shape == (240, 240, 3)
    assert picture.image.dtype == np.uint8
    covered = picture.raster.covered
    assert 0.2 < covered.mean() < 0.8
    assert (picture.image[~covered] == BACKGROUND).all()
    assert (np.abs(picture.image[covered].astype(int) - BACKGROUND).max(axis=1) > 20).all()


def test_a_picture_as_background(head: FaceModel) -> None:
    scene = np.random.default_rng(0).integers(0, 255, (240, 240, 3), np.uint8)
    look = Look(np.full((4, 4, 3), 0.4, np.float32), directional_light(FROM_THE_FRONT), scene)
    before = scene.copy()
    picture = portrait(head, look)
    outside = ~picture.raster.covered
    np.testing.assert_array_equal(picture.image[outside], scene[outside])
    np.testing.assert_array_equal(scene, before)


def test_the_subjects_left_half_is_on_the_pictures_right(head: FaceModel) -> None:
    texture = np.zeros((64, 64, 3), np.float32)
    texture[:, 32:, 0] = 0.8  # u grows to the subject's left: the left half of the face is red
    texture[:, :32, 2] = 0.8
    picture = portrait(head, Look(texture, directional_light(FROM_THE_FRONT, 0.2, 0.8), BACKGROUND))
    skin = picture.raster.covered & np.isin(picture.raster.triangle, head.part_faces("skin"))
    rows, columns = np.nonzero(skin)
    image = picture.image[rows, columns].astype(int)
    inside = head.regions["hidden"][head.faces[picture.raster.triangle[rows, columns]]].max(axis=1) > 0
    right_half = columns > 122
    assert (image[right_half & ~inside, 0] > image[right_half & ~inside, 2]).mean() > 0.99
    left_half = columns < 117
    assert (image[left_half & ~inside, 2] > image[left_half & ~inside, 0]).mean() > 0.99


def test_light_from_the_subjects_left_brightens_the_pictures_right(head: FaceModel) -> None:
    # The light's frame is the camera's: x > 0 is the picture's right.
    for side in (1, -1):
        image = portrait(head, plain(directional_light(np.array([side, 0.0, -0.4]), 0.9, 0.1))).image
        assert side * (image[110:160, 130:160].mean() - image[110:160, 80:110].mean()) > 15
    below = portrait(head, plain(directional_light(np.array([0.0, 1.0, -0.3]), 0.9, 0.1))).image
    above = portrait(head, plain(directional_light(np.array([0.0, -1.0, -0.3]), 0.9, 0.1))).image
    assert above[60:80, 110:130].mean() > below[60:80, 110:130].mean() + 15, "y points down: -1 is light from above"


BLUE = Eyes(iris=(0.0, 0.0, 0.9))


def blue_columns(picture: Portrait) -> NDArray[np.int64]:
    """Columns of the pixels of blue irises."""
    image = picture.image.astype(int)
    return np.nonzero(image[:, :, 2] > image[:, :, 0] + 60)[1]


def test_eyes_look_where_the_gaze_says(head: FaceModel) -> None:
    look = Look(np.full((4, 4, 3), 0.6, np.float32), directional_light(FROM_THE_FRONT), BACKGROUND, BLUE)
    left, straight, right = (
        blue_columns(portrait(head, look, gaze=np.array([[yaw, 0.0]] * 2))) for yaw in (0.4, 0.0, -0.4)
    )
    for half in (slice(0, 120), slice(120, 240)):
        seen = [c[(c >= half.start) & (c < half.stop)] for c in (left, straight, right)]
        middles = [float(columns.mean()) for columns in seen]
        assert middles[0] > middles[1] + 1.5 > middles[2] + 3


def test_the_iris_has_its_colour_and_lids_cover_it(head: FaceModel) -> None:
    look = Look(np.full((4, 4, 3), 0.5, np.float32), directional_light(FROM_THE_FRONT), BACKGROUND, BLUE)
    shut = np.zeros(CHANNEL_COUNT)
    shut[[CHANNEL_INDEX["eyeBlinkLeft"], CHANNEL_INDEX["eyeBlinkRight"]]] = 1.0
    assert len(blue_columns(portrait(head, look))) > 30
    assert len(blue_columns(portrait(head, look, expression=shut))) < 5


def test_a_turned_head_and_one_out_of_sight(head: FaceModel) -> None:
    look = plain(directional_light(FROM_THE_FRONT))
    assert not np.array_equal(portrait(head, look, yaw=0.5).image, portrait(head, look, yaw=-0.5).image)
    posed = head.pose(head.identity(), np.zeros(CHANNEL_COUNT))
    away = paint(head, posed, np.eye(3), np.array([50.0, 0.0, 0.6]), Camera.from_fov(32, 24), look)
    assert (away.image == BACKGROUND).all()
    behind = paint(head, posed, np.eye(3), np.array([0.0, 0.0, -1.0]), Camera.from_fov(32, 24), look)
    assert (behind.image == BACKGROUND).all()
