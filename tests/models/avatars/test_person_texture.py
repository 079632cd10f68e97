"""Skin from pictures: what was painted comes back, without the light, from several views."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.avatars.person_colours import hair_colour, iris_colour
from models.avatars.person_texture import PersonTexture, SkinView, blend_person
from models.face_model import FaceModel, load_face_model
from models.geometry.camera import Camera
from models.geometry.rasterise import interpolate, rasterise_uv
from models.geometry.rotations import HEAD_TO_CAMERA, from_euler
from models.synthesis.light import directional_light, to_linear
from models.synthesis.portrait import Look, paint
from models.synthesis.skin import skin_texture

SIZE = 256
CAMERA = Camera.from_fov(320, 320, 0.6)
PLACE = np.array([0.0, 0.0, 0.62])
Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return load_face_model()


@pytest.fixture(scope="module")
def skin(model: FaceModel) -> Floats:
    """A painted skin, with a mole on the left cheek."""
    raster = rasterise_uv(model.uv, model.uv_faces, SIZE, subset=model.part_faces("skin"))
    painted = skin_texture(model, np.random.default_rng(2), raster, 0.35)
    cheek = np.argmin(np.linalg.norm(model.mean - np.array([0.035, -0.04, 0.03]), axis=1))
    places = interpolate(raster, model.mean, model.faces)
    near = np.linalg.norm(places - model.mean[cheek], axis=2) < 0.004
    painted[near & raster.covered] = (0.02, 0.01, 0.01)
    return painted


def view(model: FaceModel, skin: Floats, yaw: float, light: Floats, weight: float = 1.0) -> SkinView:
    turn = from_euler(yaw, 0.0, 0.0)
    posed = model.pose(model.identity(), np.zeros(52, np.float32))
    image = paint(model, posed, turn, PLACE, CAMERA, Look(skin, light)).image
    points = CAMERA.to_camera(posed.vertices, turn, PLACE)
    normals = np.asarray(posed.normals @ (HEAD_TO_CAMERA @ turn).T, np.float32)
    return SkinView(image, CAMERA.project(points, PLACE[2]), points, normals, weight)


@pytest.fixture(scope="module")
def result(model: FaceModel, skin: Floats) -> PersonTexture:
    """From three views under light from the picture's left."""
    light = directional_light(np.array([-0.7, -0.3, -0.6], np.float32), 0.7, 0.4)
    return blend_person(model, [view(model, skin, yaw, light) for yaw in (0.0, 0.5, -0.5)], SIZE)


def plain_skin(model: FaceModel) -> NDArray[np.bool_]:
    raster = rasterise_uv(model.uv, model.uv_faces, SIZE, subset=model.part_faces("skin"))
    names = ("brows", "lips", "beard", "scalp", "lids", "nose")
    other = np.max([model.regions[name] for name in names], axis=0)
    return np.asarray(interpolate(raster, model.regions["face"] - other, model.faces) > 0.9)


def test_one_sided_light_is_taken_out(model: FaceModel, skin: Floats, result: PersonTexture) -> None:
    chosen = plain_skin(model)
    left, right = chosen.copy(), chosen.copy()
    left[:, : SIZE // 2 + 12] = False
    right[:, SIZE // 2 - 12 :] = False
    lit = np.array(
        view(model, skin, 0.0, directional_light(np.array([-0.7, -0.3, -0.6], np.float32), 0.7, 0.4)).image, np.float64
    )
    across = to_linear(result.texture)[..., 1]
    sides = float(np.median(across[left]) / np.median(across[right]))
    picture = to_linear(lit.astype(np.uint8))[150:190, :, 1]
    assert abs(np.log(picture[:, 90:130].mean() / picture[:, 190:230].mean())) > 0.3  # the light is really one-sided
    assert abs(np.log(sides)) < 0.1


def test_a_mole_stays_on_its_side(result: PersonTexture, model: FaceModel) -> None:
    raster = rasterise_uv(model.uv, model.uv_faces, SIZE, subset=model.part_faces("skin"))
    cheek = np.argmin(np.linalg.norm(model.mean - np.array([0.035, -0.04, 0.03]), axis=1))
    gap = np.linalg.norm(interpolate(raster, model.mean, model.faces) - model.mean[cheek], axis=2)
    row, column = np.unravel_index(int(np.argmin(np.where(raster.covered, gap, 9))), gap.shape)
    green = to_linear(result.texture)[..., 1]
    assert green[row, column] < 0.5 * green[row, SIZE - 1 - column]


def test_a_picture_that_disagrees_leaves_no_trace(model: FaceModel, skin: Floats) -> None:
    light = directional_light(np.array([0.0, -0.4, -0.9], np.float32), 0.6, 0.5)
    good = [view(model, skin, yaw, light) for yaw in (-0.1, -0.05, 0.0, 0.05, 0.1)]
    clean = blend_person(model, good, SIZE).texture.astype(int)
    image = good[2].image.copy()
    cv2.circle(image, (185, 190), 16, (20, 200, 30), -1)  # something green before the cheek in one of five
    bad = SkinView(image, good[2].pixels, good[2].points, good[2].normals)
    hidden = blend_person(model, [*good[:2], bad, *good[3:]], SIZE).texture.astype(int)
    chosen = plain_skin(model)
    assert np.percentile(np.abs(hidden - clean)[chosen], 99) < 14


def test_what_nobody_saw_is_filled_with_this_skin(model: FaceModel, skin: Floats) -> None:
    light = directional_light(np.array([0.0, -0.4, -0.9], np.float32), 0.6, 0.5)
    made = blend_person(model, [view(model, skin, 0.6, light)], SIZE)
    raster = rasterise_uv(model.uv, model.uv_faces, SIZE, subset=model.part_faces("skin"))
    back = interpolate(raster, model.regions["neck"], model.faces) > 0.9
    colour = np.median(to_linear(made.texture)[back], axis=0)
    face = np.median(to_linear(made.texture)[plain_skin(model)], axis=0)
    assert np.abs(np.log(colour / face)).max() < 0.35
    assert np.isfinite(made.texture).all() and made.texture.min() > 0
    assert made.seen[:, : SIZE // 3].mean() != pytest.approx(made.seen[:, -SIZE // 3 :].mean(), rel=0.2)


def test_no_view_and_a_view_of_nothing_are_refused(model: FaceModel, skin: Floats) -> None:
    with pytest.raises(ValueError, match="at least one"):
        blend_person(model, [], SIZE)
    away = view(model, skin, 0.0, directional_light(np.array([0, 0, -1], np.float32)))
    aside = SkinView(away.image, away.pixels + 5000, away.points, away.normals)
    with pytest.raises(ValueError, match="no picture shows"):
        blend_person(model, [aside], SIZE)


def test_dark_hair_and_its_absence(model: FaceModel, skin: Floats, result: PersonTexture) -> None:
    light = directional_light(np.array([-0.7, -0.3, -0.6], np.float32), 0.7, 0.4)
    raster = rasterise_uv(model.uv, model.uv_faces, SIZE, subset=model.part_faces("skin"))
    scalp = np.clip(interpolate(raster, model.regions["scalp"], model.faces), 0, 1)[..., None]
    bare = np.median(skin[plain_skin(model)], axis=0)
    for colour, visible in (((0.01, 0.008, 0.006), True), (tuple(bare), False)):
        dressed = np.asarray(skin * (1 - scalp) + np.array(colour) * scalp, np.float32)
        found = hair_colour(model, [view(model, dressed, 0.0, light)], result)
        assert found is not None and found[1] is visible
        assert not visible or max(found[0]) < 0.25


def test_irises_too_small_are_left_alone(result: PersonTexture) -> None:
    image = np.full((80, 80, 3), (60, 90, 150), np.uint8)
    rim = np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]], float)
    large, small = (np.stack([40 + r * rim, 40 + r * rim]) for r in (12, 2))
    colour = iris_colour([(image, large)], result)
    assert colour is not None and colour[2] > colour[0]
    assert iris_colour([(image, small)], result) is None
