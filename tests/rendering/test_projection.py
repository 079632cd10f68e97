"""What is drawn lies where the camera model says, to a fraction of a pixel."""

from __future__ import annotations

import numpy as np
import pytest

from models.face_model import FaceModel
from models.geometry.camera import Camera
from models.geometry.rasterise import rasterise
from rendering import CameraMode, OffscreenRenderer, Overlay, Scene, View, Viewpoint
from rendering.projection import fitted_viewport, head_view
from tests.helpers.tracked import tracked_face

CAMERAS = [
    Camera.from_fov(640, 480),
    Camera.from_fov(321, 243, projection="weak"),
    Camera.from_fov(480, 640, fov=1.4),
]


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda c: f"{c.width}x{c.height} {c.projection}")
def test_matrices_agree_with_the_camera_model(model: FaceModel, camera: Camera) -> None:
    face = tracked_face(model, angles=(0.5, -0.3, 0.2), translation=(0.05, 0.03, 0.5), camera=camera)
    assert face.parameters is not None and face.vertices is not None
    view = head_view(face.parameters, Scene(View.OVERLAY), camera.width, camera.height)
    truth = camera.project_head(face.vertices, face.parameters.rotation, face.parameters.translation)
    assert np.abs(view.window(face.vertices) - truth).max() < 1e-6


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda c: f"{c.width}x{c.height} {c.projection}")
def test_overlay_covers_the_pixels_of_the_projected_mesh(
    renderer: OffscreenRenderer, model: FaceModel, camera: Camera
) -> None:
    black = np.zeros((camera.height, camera.width, 3), np.uint8)
    face = tracked_face(model, angles=(0.4, 0.1, -0.2), translation=(0.03, -0.02, 0.55), camera=camera, image=black)
    assert face.parameters is not None and face.vertices is not None
    renderer.scene = Scene(View.OVERLAY, overlay=Overlay(View.CLAY, 1.0, face_only=False))
    picture = renderer.render(face, size=(camera.width, camera.height))
    drawn = picture.max(axis=2) > 8
    points = camera.project_head(face.vertices, face.parameters.rotation, face.parameters.translation)
    depth = camera.to_camera(face.vertices, face.parameters.rotation, face.parameters.translation)[:, 2]
    solid = np.flatnonzero(model.face_part != model.part_names.index("lashes")).astype(np.int32)
    raster = rasterise(
        points,
        depth,
        model.faces,
        camera.width,
        camera.height,
        perspective=camera.projection == "perspective",
        subset=solid,
    )
    different = drawn != raster.covered
    assert raster.covered.sum() > 3000
    assert different.sum() < 0.004 * raster.covered.sum(), "the same silhouette but for ties on its rim"


def test_picture_keeps_its_shape_in_a_window_of_another(renderer: OffscreenRenderer, model: FaceModel) -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, :100] = (255, 0, 0)
    image[:, 100:] = (0, 255, 0)
    face = tracked_face(model, camera=Camera.from_fov(200, 100), image=image, translation=(0, 0, 50))
    renderer.scene = Scene(View.OVERLAY)
    picture = renderer.render(face, size=(400, 400))
    assert tuple(picture[200, 50]) == (255, 0, 0) and tuple(picture[200, 350]) == (0, 255, 0)
    assert picture[:95].max() == 0 and picture[305:].max() == 0, "black bars above and below"
    assert fitted_viewport(Camera(200, 100, 1.0), 400, 400) == (0, 100, 400, 200)


def test_mirrored_scene_is_the_flipped_picture(renderer: OffscreenRenderer, model: FaceModel) -> None:
    image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    face = tracked_face(model, angles=(0.5, 0, 0), camera=Camera.from_fov(160, 120), image=image)
    for view in (View.OVERLAY, View.CLAY):
        renderer.scene = Scene(view)
        plain = renderer.render(face, size=(160, 120)).astype(int)
        renderer.scene = Scene(view, mirror=True)
        mirrored = renderer.render(face, size=(160, 120)).astype(int)
        assert (np.abs(plain[:, ::-1] - mirrored).max(axis=2) > 12).mean() < 0.01


def test_subjects_left_is_the_pictures_right(renderer: OffscreenRenderer, model: FaceModel) -> None:
    # Lit evenly, a head that turns to its left shows its right cheek to the left of the picture's middle: the nose's
    # side of the picture follows the turn. Here: the left eye's place.
    for yaw, direction in ((0.6, 1), (-0.6, -1)):
        view = head_view(tracked_face(model, angles=(yaw, 0, 0)).parameters, Scene(), 400, 400)
        eyes = view.window(np.array([[0.031, 0, 0.012], [-0.031, 0, 0.012]]))
        assert eyes[0, 0] > eyes[1, 0], "the left eye is on the picture's right"
        assert (eyes[:, 0].mean() - 199.5) * direction > 20


def test_viewer_can_walk_around_and_come_nearer(model: FaceModel) -> None:
    nose = np.array([[0, -0.03, 0.02]])
    left = head_view(None, Scene(viewpoint=Viewpoint(yaw=0.7)), 400, 400).window(nose)
    above = head_view(None, Scene(viewpoint=Viewpoint(pitch=0.7)), 400, 400).window(nose)
    straight = head_view(None, Scene(), 400, 400).window(nose)
    assert left[0, 0] < straight[0, 0] - 10, "seen from the subject's left, the nose points to the picture's left"
    assert above[0, 1] > straight[0, 1] + 10, "seen from above, the nose points down"
    wide = np.array([[0.05, 0, 0], [-0.05, 0, 0]])
    far = np.ptp(head_view(None, Scene(), 400, 400).window(wide)[:, 0])
    near = np.ptp(head_view(None, Scene(viewpoint=Viewpoint(zoom=2.0)), 400, 400).window(wide)[:, 0])
    assert near > 1.8 * far


def test_locked_camera_ignores_the_heads_turn(model: FaceModel) -> None:
    scene = Scene(viewpoint=Viewpoint(CameraMode.LOCKED))
    turned = head_view(tracked_face(model, angles=(0.6, 0.2, 0.1)).parameters, scene, 300, 300)
    np.testing.assert_allclose(turned.view_from_head, head_view(None, scene, 300, 300).view_from_head)


@pytest.mark.parametrize("values", [{"fov": 0.0}, {"zoom": 0.0}, {"zoom": float("nan")}])
def test_impossible_viewpoints_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"lies between"):
        Viewpoint(**values)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="style of an overlay"):
        Overlay(View.OVERLAY)
