"""Hair that stands out: what pictures were drawn with comes back, before plain and untidy walls, and none where there
is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.avatars.hair_outline import LARGEST, hair_outline
from models.avatars.person_colours import hair_colour_of
from models.avatars.person_hair import person_hair
from models.avatars.person_manifest import HairPart
from models.avatars.person_texture import PersonTexture, SkinView, blend_person
from models.face_model import FaceModel, load_face_model
from models.face_model.hair_cap import cap_directions, cap_height
from models.face_model.hair_grid import RELIEF_COLUMNS, RELIEF_COUNT, RELIEF_ROWS, relief_at, relief_directions
from models.geometry.camera import Camera
from models.geometry.rasterise import interpolate, rasterise_uv
from models.geometry.rotations import HEAD_TO_CAMERA, from_euler
from models.synthesis.light import directional_light
from models.synthesis.portrait import Look, paint

CAMERA = Camera.from_fov(300, 300, 0.72)
PLACE = np.array([0.0, 0.01, 0.62])
TURNS = ((0.0, 0.0), (0.5, 0.0), (-0.5, 0.1), (0.9, 0.0), (-0.9, 0.0), (0.0, 0.3), (0.2, -0.25))
DARK, SKIN = (0.018, 0.011, 0.007), (0.42, 0.24, 0.17)
Floats = NDArray[np.float32]
Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return load_face_model()


def hair_relief(model: FaceModel, views: Sequence[SkinView]) -> tuple[float, ...] | None:
    found = hair_outline(model, views)
    return None if found is None else found.relief


def thickness(directions: Floats) -> Floats:
    """Metres: full on top, close at the sides, fuller on the left."""
    return np.asarray(0.009 + 0.024 * np.maximum(directions[:, 1], 0) + 0.008 * directions[:, 0], np.float32)


def plain(rng: np.random.Generator) -> Image:
    grey = np.full((300, 300, 3), (150, 158, 165), np.float64) + np.linspace(-15, 15, 300)[None, :, None]
    return np.asarray(np.clip(grey + rng.normal(0, 3, grey.shape), 0, 255), np.uint8)


def untidy(rng: np.random.Generator) -> Image:
    """Shelves: boxes of many colours, lighter than hair."""
    coarse = rng.integers(80, 240, (11, 9, 3)).astype(np.uint8)
    blocks = cv2.resize(coarse, (300, 300), interpolation=cv2.INTER_NEAREST)
    return np.asarray(np.clip(cv2.GaussianBlur(blocks, (0, 0), 1.2) + rng.normal(0, 3, blocks.shape), 0, 255), np.uint8)


def as_dark_as_hair(rng: np.random.Generator) -> Image:
    return np.asarray(np.clip(rng.normal((36, 29, 24), 7, (300, 300, 3)), 0, 255), np.uint8)


def pictures(
    model: FaceModel,
    wall: Callable[[np.random.Generator], Image],
    hair: Floats | None,
    turns: Sequence[tuple[float, float]] = TURNS,
    hair_colour: tuple[float, float, float] = DARK,
) -> list[SkinView]:
    """Views of a head with (V,) metres of dark hair, or a bald one."""
    raster = rasterise_uv(model.uv, model.uv_faces, 256, subset=model.part_faces("skin"))
    share = np.clip(interpolate(raster, cap_height(model), model.faces) * 4, 0, 1)
    dark = share[..., None] * (hair is not None)
    texture = np.asarray(np.array(SKIN) * (1 - dark) + np.array(hair_colour) * dark, np.float32)
    bare = model.pose(model.identity(), np.zeros(52, np.float32))
    grown = bare
    if hair is not None:
        grown = replace(bare, vertices=bare.vertices + bare.normals * (cap_height(model) * hair)[:, None])
    light = directional_light(np.array([-0.3, -0.5, -0.8], np.float32), 0.6, 0.5)
    rng = np.random.default_rng(3)
    views = []
    for yaw, pitch in turns:
        turn = from_euler(yaw, pitch, 0.0)
        image = paint(model, grown, turn, PLACE, CAMERA, Look(texture, light, wall(rng))).image
        image = np.asarray(
            np.clip(cv2.GaussianBlur(image, (0, 0), 0.8) + rng.normal(0, 2, image.shape), 0, 255), np.uint8
        )
        points = CAMERA.to_camera(bare.vertices, turn, PLACE)
        normals = np.asarray(bare.normals @ (HEAD_TO_CAMERA @ turn).T, np.float32)
        views.append(SkinView(image, CAMERA.project(points, PLACE[2]), points, normals))
    return views


def seen(model: FaceModel) -> NDArray[np.bool_]:
    """Vertices of the cap whose outline these turns show: not the back of the head."""
    return np.asarray((cap_height(model) > 0.5) & (model.mean[:, 2] > -0.10))


@pytest.mark.parametrize("wall", [plain, untidy])
def test_the_outline_that_was_drawn_comes_back(model: FaceModel, wall: Callable[[np.random.Generator], Image]) -> None:
    directions = cap_directions(model)
    truth = thickness(directions)
    relief = hair_relief(model, pictures(model, wall, truth))
    assert relief is not None and len(relief) == RELIEF_COUNT
    chosen = seen(model)
    found = relief_at(relief, directions[chosen])
    error = np.abs(found - truth[chosen])
    assert float(np.median(error)) < 0.005 and float(np.quantile(error, 0.9)) < 0.010
    assert float(np.corrcoef(found, truth[chosen])[0, 1]) > 0.9


def test_what_only_one_side_showed_is_carried_to_the_other(model: FaceModel) -> None:
    truth = np.full(model.vertex_count, 0.03, np.float32)
    relief = hair_relief(model, pictures(model, plain, truth, ((0.3, 0.0), (0.6, 0.0), (0.9, 0.0), (0.9, 0.2))))
    assert relief is not None
    grid = np.array(relief)
    sides = np.abs(relief_directions()[:, 0]) > 0.6
    assert float(np.abs(grid[sides] - 0.03).max()) < 0.006


def test_a_bald_head_has_no_relief(model: FaceModel) -> None:
    assert hair_relief(model, pictures(model, plain, None)) is None


def test_a_wall_as_dark_as_the_hair_tells_nothing_or_what_is_possible(model: FaceModel) -> None:
    truth = thickness(cap_directions(model))
    relief = hair_relief(model, pictures(model, as_dark_as_hair, truth))
    assert relief is None or (min(relief) >= 0 and max(relief) <= LARGEST)


def test_pictures_before_such_a_wall_do_not_spoil_those_before_another(model: FaceModel) -> None:
    directions = cap_directions(model)
    truth = thickness(directions)
    mixed = [*pictures(model, as_dark_as_hair, truth, TURNS[3:]), *pictures(model, plain, truth, TURNS[:3])]
    relief = hair_relief(model, mixed)
    assert relief is not None
    chosen = seen(model)
    assert float(np.median(np.abs(relief_at(relief, directions[chosen]) - truth[chosen]))) < 0.008


def test_a_face_from_the_front_shows_the_colour_of_the_hair_above_it(model: FaceModel) -> None:
    found = hair_outline(model, pictures(model, plain, np.full(model.vertex_count, 0.03, np.float32), TURNS[:1]))
    assert found is not None and found.colours.shape == found.normals.shape and len(found.colours) > 30
    np.testing.assert_allclose(np.linalg.norm(found.normals, axis=1), 1)
    light = np.zeros((9, 3), np.float32)
    light[0] = 1.0
    exposure = np.ones(3, np.float32)
    skin = PersonTexture(np.full((4, 4, 3), 160, np.uint8), np.ones((4, 4), np.float32), light, exposure)
    colour, hairy = hair_colour_of(found.colours, found.normals, skin)
    assert hairy and max(colour) < 0.3 and colour[0] >= colour[2]


def test_a_skull_that_is_larger_than_the_models_is_no_hair(model: FaceModel) -> None:
    views = pictures(model, plain, np.full(model.vertex_count, 0.02, np.float32), TURNS[:1], hair_colour=SKIN)
    assert hair_outline(model, views) is not None
    assert not person_hair(model, views, blend_person(model, views, 128)).visible


def test_hair_that_cannot_be_seen_is_as_usual(model: FaceModel) -> None:
    truth = np.full(model.vertex_count, 0.02, np.float32)
    skin = blend_person(model, pictures(model, plain, truth), 128)
    found = person_hair(model, pictures(model, plain, truth), skin)
    assert found.visible and len(found.relief_m) == RELIEF_COUNT and max(found.colour) < 0.3
    assert person_hair(model, [], skin) == HairPart()


def test_pictures_without_a_head_tell_nothing(model: FaceModel) -> None:
    view = pictures(model, plain, None, TURNS[:1])[0]
    nowhere = [
        replace(view, pixels=view.pixels + 1000),
        replace(view, pixels=np.full_like(view.pixels, np.nan)),
        replace(view, points=-view.points),
        replace(view, points=np.full_like(view.points, np.inf)),
        replace(view, pixels=view.pixels * 0.05),
        replace(view, pixels=view.pixels * 50),
    ]
    assert hair_relief(model, nowhere) is None
    assert hair_relief(model, []) is None


def test_a_relief_is_read_between_its_places() -> None:
    relief = np.zeros((RELIEF_ROWS, RELIEF_COLUMNS))
    relief[2, 8], relief[2, 9] = 0.02, 0.04  # level with the middle; straight ahead, and 22.5 degrees to the left
    angle = np.radians([0.0, 11.25, 22.5, -11.25, 180.0])
    level = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], axis=1)
    values = relief.reshape(-1).tolist()
    np.testing.assert_allclose(relief_at(values, level), [0.02, 0.03, 0.04, 0.01, 0.0], atol=1e-6)
    grid = relief_directions()
    below_the_top = slice(0, -RELIEF_COLUMNS)
    np.testing.assert_allclose(relief_at(values, grid)[below_the_top], values[below_the_top], atol=1e-5)
    assert relief_at([0.02] * RELIEF_COUNT, np.array([[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]])).tolist() == pytest.approx(
        [0.02, 0.02]
    )
    with pytest.raises(ValueError, match="112 values"):
        relief_at([0.02] * 7, level)
