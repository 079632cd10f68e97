"""Backgrounds as real OpenGL draws them, behind a head and behind a third-party avatar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.avatars import load_avatar
from models.face_model import FaceModel, load_face_model
from rendering import (
    Background,
    BackgroundPicture,
    Backing,
    OffscreenRenderer,
    RenderingUnavailableError,
    Scene,
    View,
)
from rendering.avatar_offscreen import AvatarPictures
from rendering.backdrop import blurred
from tests.helpers.avatar_files import person
from tests.helpers.tracked import no_face, tracked_face
from tracking.retarget import driven_from
from tracking.types import TrackedFace

pytestmark = pytest.mark.gl

SIZE = (160, 120)
GREEN = (0, 255, 0)
Pixels = NDArray[np.uint8]
Draw = Callable[..., Pixels]


def seen(model: FaceModel, image: Pixels | None = None) -> TrackedFace:
    face = tracked_face(model)
    return face if image is None else replace(face, frame=replace(face.frame, image=image))


@pytest.fixture
def head(renderer: OffscreenRenderer, model: FaceModel) -> Draw:
    def draw(scene: Scene, image: Pixels | None = None, size: tuple[int, int] = SIZE) -> Pixels:
        renderer.scene = scene
        return renderer.render(seen(model, image), size=size, alpha=True)

    return draw


@pytest.fixture(scope="module")
def bust() -> Iterator[Draw]:
    """The head that ships: its neck fades out, and it has hair and lashes."""
    model = load_face_model()
    try:
        opened = OffscreenRenderer(model)
    except RenderingUnavailableError as error:
        pytest.skip(str(error))
    with opened as renderer:

        def draw(scene: Scene, image: Pixels | None = None, size: tuple[int, int] = SIZE) -> Pixels:
            renderer.scene = scene
            return renderer.render(seen(model, image), size=size, alpha=True)

        yield draw


@pytest.fixture
def avatar(tmp_path: Path, renderer: OffscreenRenderer) -> Iterator[Draw]:
    """`renderer` skips where there is no OpenGL."""
    with AvatarPictures(load_avatar(person().save(tmp_path / "a.glb"))) as pictures:

        def draw(scene: Scene, image: Pixels | None = None, size: tuple[int, int] = SIZE) -> Pixels:
            pictures.scene = scene
            return pictures.render(driven_from(), size, alpha=True, picture=image)

        yield draw


@pytest.fixture(params=["head", "avatar"])
def draw(request: pytest.FixtureRequest) -> Draw:
    """Draws a scene with whoever it is in its middle."""
    found: Draw = request.getfixturevalue(request.param)
    return found


def corners(picture: Pixels) -> list[tuple[int, ...]]:
    return [tuple(picture[y, x].tolist()) for y in (0, -1) for x in (0, -1)]


def middle(picture: Pixels) -> Pixels:
    return picture[picture.shape[0] // 2 - 5 : picture.shape[0] // 2 + 5, picture.shape[1] // 2 - 5 :][:, :10]


def test_a_colour_is_exact_in_every_corner(draw: Draw) -> None:
    picture = draw(Scene(background=Background.plain((17 / 255, 130 / 255, 201 / 255))))
    assert corners(picture) == [(17, 130, 201, 255)] * 4
    assert not (middle(picture)[..., :3] == (17, 130, 201)).all(axis=2).any()


def test_transparent_is_nothing_outside_and_solid_inside(draw: Draw) -> None:
    for background in (Background(alpha=0.0), replace(Background.plain((1.0, 0.0, 0.0)), alpha=0.0)):
        picture = draw(Scene(background=background))
        assert corners(picture) == [(0, 0, 0, 0)] * 4
        assert (middle(picture)[..., 3] == 255).all()
        # Multiplied by alpha: no channel is more than it.
        assert (picture[..., :3].max(axis=2) <= picture[..., 3]).all()


def test_transparent_over_a_colour_is_what_that_colour_behind_gives(bust: Draw) -> None:
    clear = bust(Scene(background=Background(alpha=0.0))).astype(np.float64)
    solid = bust(Scene(background=Background.plain((200 / 255, 40 / 255, 90 / 255)))).astype(np.float64)
    put = clear[..., :3] + (200, 40, 90) * (1 - clear[..., 3:] / 255)
    assert ((clear[..., 3] > 0) & (clear[..., 3] < 255)).sum() > 100, "the neck fades out"
    assert np.abs(put - solid[..., :3]).max() <= 2


@pytest.mark.parametrize("view", [View.TEXTURED, View.CLAY, View.WIREFRAME, View.TENSION])
def test_a_key_colour_is_never_mixed(bust: Draw, view: View) -> None:
    key = Scene(view=view, background=Background.plain((0.0, 1.0, 0.0), Backing.KEY))
    picture, black = bust(key), bust(replace(key, background=Background.plain((0.0, 0.0, 0.0), Backing.KEY)))
    assert corners(picture) == [(*GREEN, 255)] * 4 and (picture[..., 3] == 255).all()
    keyed = (picture[..., :3] == GREEN).all(axis=2)
    assert 0.2 < keyed.mean() < 0.95
    # Wherever it is not the key colour itself, nothing of it has come in.
    np.testing.assert_array_equal(picture[~keyed], black[~keyed])
    assert (black[keyed][..., :3] == 0).all()


def test_a_key_colour_is_never_mixed_with_an_avatar(tmp_path: Path, avatar: Draw) -> None:
    key = Scene(background=Background.plain((0.0, 1.0, 0.0), Backing.KEY))
    picture, black = avatar(key), avatar(replace(key, background=Background.plain((0.0, 0.0, 0.0), Backing.KEY)))
    keyed = (picture[..., :3] == GREEN).all(axis=2)
    assert corners(picture) == [(*GREEN, 255)] * 4 and 0.2 < keyed.mean() < 0.95
    np.testing.assert_array_equal(picture[~keyed], black[~keyed])


def test_a_key_colour_behind_what_lets_light_through(tmp_path: Path, renderer: OffscreenRenderer) -> None:
    shown = {}
    for alpha in (0.3, 0.7):
        file = person()
        file.json["materials"][0] |= {
            "alphaMode": "BLEND",
            "pbrMetallicRoughness": {"baseColorFactor": [1, 1, 1, alpha]},
        }
        scene = Scene(background=Background.plain((0.0, 1.0, 0.0), Backing.KEY))
        with AvatarPictures(load_avatar(file.save(tmp_path / f"{alpha}.glb")), scene) as pictures:
            picture = pictures.render(driven_from(), SIZE, alpha=True)
        shown[alpha] = picture
        assert (picture[..., 3] == 255).all() and corners(picture) == [(*GREEN, 255)] * 4
    assert (middle(shown[0.3])[..., :3] == GREEN).all(), "too faint to cover it"
    colours = middle(shown[0.7])[..., :3].astype(int)
    assert (np.ptp(colours, axis=2) < 40).all(), "white, and no green in it"


def test_a_key_colour_stays_hard_however_smoothly_the_head_is_drawn(model: FaceModel, renderer: object) -> None:
    scene = Scene(background=Background.plain((0.0, 1.0, 0.0), Backing.KEY))
    with OffscreenRenderer(model, scene, supersample=2) as smooth:
        picture = smooth.render(tracked_face(model), size=SIZE)
        smooth.scene = replace(scene, background=Background.plain((0.0, 0.0, 0.0), Backing.KEY))
        black = smooth.render(tracked_face(model), size=SIZE)
    keyed = (picture == GREEN).all(axis=2)
    np.testing.assert_array_equal(picture[~keyed], black[~keyed])


def test_a_picture_fills_the_background_and_keeps_its_shape(draw: Draw) -> None:
    pixels = np.zeros((100, 400, 3), np.uint8)
    pixels[:, :200], pixels[:, 200:] = (250, 20, 20), (20, 20, 250)
    pixels[:50] //= 2
    background = Background(kind=Backing.PICTURE, picture=BackgroundPicture(pixels))
    picture = draw(Scene(background=background))
    assert corners(picture) == [(125, 10, 10, 255), (10, 10, 125, 255), (250, 20, 20, 255), (20, 20, 250, 255)]
    # A mirrored view mirrors the head, not what somebody may want to read.
    mirrored = draw(Scene(background=background, mirror=True))
    assert corners(mirrored) == corners(picture)
    tall = draw(Scene(background=background), None, (60, 120))
    assert corners(tall) == corners(picture)


def test_a_picture_that_is_not_there_leaves_its_colour(draw: Draw) -> None:
    background = replace(Background.plain((0.2, 0.4, 0.6)), kind=Backing.PICTURE)
    assert corners(draw(Scene(background=background))) == [(51, 102, 153, 255)] * 4


def test_the_camera_is_blurred_and_mirrored_with_the_view(draw: Draw) -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    image[:, :160], image[:, 160:] = (240, 0, 0), (0, 0, 240)
    image[::2] //= 2  # stripes of one pixel
    background = Background(kind=Backing.CAMERA, blur=0.03)
    picture = draw(Scene(background=background), image).astype(int)
    assert picture[0, 0, 0] > 150 > picture[0, 0, 2] and picture[0, -1, 2] > 150 > picture[0, -1, 0]
    assert np.abs(np.diff(picture[:40, 0, 0])).max() < 6, "no stripes are left"
    # A soft step in the middle instead of a hard one.
    edge = picture[3, 60:100, 0]
    assert ((edge > 40) & (edge < 140)).sum() >= 4
    mirrored = draw(Scene(background=background, mirror=True), image).astype(int)
    assert mirrored[0, 0, 2] > 150 and mirrored[0, -1, 0] > 150


def test_without_a_camera_picture_its_colour_stands_in(avatar: Draw) -> None:
    background = Background.plain((0.2, 0.4, 0.6), Backing.CAMERA)
    assert corners(avatar(Scene(background=background), None)) == [(51, 102, 153, 255)] * 4


def test_a_new_camera_picture_is_shown_and_the_same_one_not_blurred_again(
    head: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counted(picture: Pixels, blur: float) -> Pixels:
        calls.append(blur)
        return blurred(picture, blur)

    monkeypatch.setattr("rendering.backdrop.blurred", counted)
    scene = Scene(background=Background(kind=Backing.CAMERA))
    red, blue = np.full((48, 64, 3), (200, 0, 0), np.uint8), np.full((48, 64, 3), (0, 0, 200), np.uint8)
    assert corners(head(scene, red))[0][:3] == (200, 0, 0)
    assert corners(head(scene, red))[0][:3] == (200, 0, 0)
    assert corners(head(scene, blue))[0][:3] == (0, 0, 200)
    assert len(calls) == 2


def test_nobody_in_the_picture(renderer: OffscreenRenderer) -> None:
    for background, wanted in (
        (Background.plain((0.0, 1.0, 0.0), Backing.KEY), (*GREEN, 255)),
        (Background.plain((1.0, 0.0, 0.0)), (255, 0, 0, 255)),
        (Background(alpha=0.0), (0, 0, 0, 0)),
    ):
        renderer.scene = Scene(background=background)
        picture = renderer.render(no_face(), size=SIZE, alpha=True)
        assert (picture == wanted).all()


def test_over_the_picture_the_background_does_not_show(head: Draw) -> None:
    image = np.full((48, 64, 3), (90, 100, 110), np.uint8)
    scene = Scene(view=View.OVERLAY, background=Background.plain((0.0, 1.0, 0.0), Backing.KEY))
    picture = head(scene, image, (200, 120))
    assert picture[0, 60].tolist() == [90, 100, 110, 255]
    assert picture[0, 0].tolist() == [0, 0, 0, 255], "bars beside it are black"


def test_the_pattern_for_transparency_has_two_greys(draw: Draw) -> None:
    picture = draw(Scene(background=Background(kind=Backing.CHECKS)))
    border = np.concatenate([picture[0], picture[-1]])
    assert len(np.unique(border, axis=0)) == 2 and (border[:, 3] == 255).all()


@pytest.mark.parametrize("size", [(2, 2), (1, 40), (33, 7), (1920, 1080)])
@pytest.mark.parametrize("blur", [0.0, 0.006, 0.055])
def test_blurring_takes_pictures_of_any_size(size: tuple[int, int], blur: float) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    small = blurred(picture, blur)
    assert small.shape[1] <= 320 and small.shape[2] == 3
    assert small.std() <= picture.std() + 1
