"""The scene's background on the virtual camera, unless that has one of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.face_model import FaceModel
from rendering import Background, BackgroundPicture, Backing, OffscreenRenderer, Scene, View
from rendering.virtual_camera import VirtualCameraSettings
from rendering.virtual_camera.compose import compose
from rendering.virtual_camera.feed import feed_scene, feed_settings, feed_size
from tests.helpers.tracked import tracked_face
from tests.helpers.virtual_camera import Pixels

pytestmark = pytest.mark.gl

PINK, GREY = (255, 0, 200), (24, 26, 30)


def out(
    renderer: OffscreenRenderer, model: FaceModel, scene: Scene, most: int | None = None, **changes: object
) -> Pixels:
    """What goes out."""
    settings = VirtualCameraSettings.model_validate({"width": 320, "height": 180} | changes)
    renderer.scene = feed_scene(settings, scene)
    face = tracked_face(model)
    size = feed_size(settings, (face.frame.image.shape[1], face.frame.image.shape[0]), most)
    view = renderer.render(face, size=size, alpha=True)
    return compose(face.frame.image, view, feed_settings(settings, scene))


def test_the_scenes_own_goes_out(renderer: OffscreenRenderer, model: FaceModel) -> None:
    picture = BackgroundPicture(np.full((20, 20, 3), (10, 200, 30), np.uint8))
    for background, wanted in (
        (Background.plain((1.0, 0.2, 0.4)), (255, 51, 102)),
        (Background(kind=Backing.PICTURE, picture=picture), (10, 200, 30)),
        (Background.plain((1.0, 0.0, 200 / 255), Backing.KEY), PINK),
    ):
        sent = out(renderer, model, Scene(background=background))
        assert tuple(sent[0, 0].tolist()) == tuple(sent[-1, -1].tolist()) == wanted
        assert tuple(sent[90, 160].tolist()) != wanted


def test_one_of_the_cameras_own_comes_first(renderer: OffscreenRenderer, model: FaceModel) -> None:
    for background in (Background.plain((1.0, 0.0, 0.0)), Background.plain((0.0, 0.0, 1.0), Backing.KEY)):
        sent = out(renderer, model, Scene(background=background), background="colour")
        assert tuple(sent[0, 0].tolist()) == GREY


@pytest.mark.parametrize("most", [None, 9_000])
def test_a_scenes_key_colour_is_pure_also_where_less_is_drawn(
    renderer: OffscreenRenderer, model: FaceModel, most: int | None
) -> None:
    def sent(colour: tuple[float, float, float]) -> Pixels:
        return out(renderer, model, Scene(background=Background.plain(colour, Backing.KEY)), most)

    pink, black = sent((1.0, 0.0, 200 / 255)), sent((0.0, 0.0, 0.0))
    keyed = (pink == PINK).all(axis=2)
    assert 0.2 < keyed.mean() < 0.95
    np.testing.assert_array_equal(pink[~keyed], black[~keyed])


def test_a_camera_cannot_be_transparent(renderer: OffscreenRenderer, model: FaceModel) -> None:
    studio = out(renderer, model, Scene())
    for background in (Background(alpha=0.0), Background(kind=Backing.CHECKS)):
        np.testing.assert_array_equal(out(renderer, model, Scene(background=background)), studio)


def test_over_the_picture_there_is_no_key(renderer: OffscreenRenderer, model: FaceModel) -> None:
    key = Scene(background=Background.plain((1.0, 0.0, 200 / 255), Backing.KEY))
    sent = out(renderer, model, key, layout="overlay", fit="crop")
    np.testing.assert_array_equal(sent, out(renderer, model, Scene(), layout="overlay", fit="crop"))
    assert feed_scene(VirtualCameraSettings(), replace(key, view=View.OVERLAY)).view is View.TEXTURED
