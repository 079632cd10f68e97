"""A camera that stands still, and the head that moves in its picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.avatars import load_avatar
from models.face_model import FaceModel
from rendering import Background, CameraMode, OffscreenRenderer, Scene, Viewpoint
from rendering.place import HeadPlace
from rendering.subject import Subject, SubjectPictures
from tests.helpers.avatar_files import person
from tests.helpers.tracked import no_face, tracked_face
from tracking.retarget import RetargetSettings
from tracking.types import TrackedFace

STAY = Scene(viewpoint=Viewpoint(CameraMode.STAY), background=Background(alpha=0.0))


def at(model: FaceModel, x: float, y: float, z: float, time_s: float = 0.0) -> TrackedFace:
    face = tracked_face(model, translation=(x, y, z))
    return replace(face, frame=replace(face.frame, captured_ns=int(time_s * 1e9)))


def moved(scene: Scene) -> tuple[float, ...]:
    return tuple(round(part, 6) for part in scene.viewpoint.moved)


class TestPlace:
    def test_the_first_face_is_at_rest_and_others_are_moved_from_there(self, model: FaceModel) -> None:
        place = HeadPlace()
        assert moved(place.placed(STAY, at(model, 0.1, 0.05, 0.7))) == (0, 0, 0)
        # From the camera's frame, with y down and z away, to the view's.
        assert moved(place.placed(STAY, at(model, 0.15, 0.02, 0.6))) == (0.05, 0.03, 0.1)
        assert moved(place.placed(STAY, no_face())) == (0.05, 0.03, 0.1), "a lost face stays where it was"
        assert moved(place.placed(STAY, at(model, 0.15, 0.02, 0.6), mirrored=True)) == (-0.05, 0.03, 0.1)

    def test_nobody_leaves_the_picture_for_good(self, model: FaceModel) -> None:
        place = HeadPlace()
        place.placed(STAY, at(model, 0.0, 0.0, 0.7))
        assert moved(place.placed(STAY, at(model, 9.0, -9.0, 0.1))) == (0.6, 0.4, 0.35)

    def test_a_camera_that_follows_heeds_nothing(self, model: FaceModel) -> None:
        place, follow = HeadPlace(), Scene()
        assert place.placed(follow, at(model, 0.1, 0.05, 0.7)) is follow
        # And when it stands still, rest is where the head is then.
        assert moved(place.placed(STAY, at(model, 0.3, 0.0, 0.7))) == (0, 0, 0)

    def test_recentring_and_a_long_absence_make_a_new_rest(self, model: FaceModel) -> None:
        place = HeadPlace()
        place.placed(STAY, at(model, 0.0, 0.0, 0.7, 1.0))
        assert moved(place.placed(STAY, at(model, 0.2, 0.0, 0.7, 1.1))) == (0.2, 0, 0)
        again = replace(STAY, viewpoint=replace(STAY.viewpoint, rest=1))
        assert moved(place.placed(again, at(model, 0.2, 0.0, 0.7, 1.2))) == (0, 0, 0)
        assert moved(place.placed(again, at(model, 0.4, 0.0, 0.7, 1.3))) == (0.2, 0, 0)
        assert moved(place.placed(again, at(model, 0.4, 0.0, 0.7, 20.0))) == (0, 0, 0)


@pytest.mark.gl
class TestDrawn:
    @pytest.fixture(params=["own", "avatar"])
    def subject(self, request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
        if request.param == "own":
            return Subject()
        return Subject("a", avatar=load_avatar(person().save(tmp_path / "a.glb")), settings=RetargetSettings())

    def test_the_head_moves_as_the_person_does(
        self, subject: Subject, model: FaceModel, renderer: OffscreenRenderer
    ) -> None:
        def centre(x: float, y: float, z: float, scene: Scene = STAY) -> tuple[float, float, float]:
            alpha = pictures.render(at(model, x, y, z), scene, (200, 200), alpha=True)[..., 3] > 128
            rows, columns = np.nonzero(alpha)
            return columns.mean(), rows.mean(), alpha.sum()

        with SubjectPictures(model, STAY) as pictures:
            pictures.choose(subject)
            rest = centre(0.0, 0.0, 0.7)
            assert centre(0.05, 0.0, 0.7)[0] > rest[0] + 10
            assert centre(0.0, 0.03, 0.7)[1] > rest[1] + 5, "y points down in the camera's frame"
            assert centre(0.0, 0.0, 0.55)[2] > 1.1 * rest[2], "nearer is larger"
            assert centre(0.05, 0.0, 0.7, replace(STAY, mirror=True))[0] < rest[0] - 10
            follow = replace(STAY, viewpoint=Viewpoint())
            assert centre(0.05, 0.0, 0.6, follow) == pytest.approx(centre(0.0, 0.0, 0.7, follow))

    def test_a_wider_field_of_view_keeps_the_size_and_brings_out_the_nose(
        self, model: FaceModel, renderer: OffscreenRenderer
    ) -> None:
        shown = []
        for fov in (0.2, 1.2):
            renderer.scene = Scene(viewpoint=Viewpoint(fov=fov), background=Background(alpha=0.0))
            shown.append(renderer.render(tracked_face(model), size=(200, 200), alpha=True)[..., 3] > 128)
        heights = [np.ptp(np.nonzero(alpha.any(axis=1))[0]) for alpha in shown]
        assert heights[1] == pytest.approx(heights[0], rel=0.25)
        assert (shown[0] != shown[1]).sum() > 200
