"""From head frame to clip space, exactly as `models.geometry.camera` projects.

View frame: the camera frame with y up and z towards the viewer (OpenGL's habit). Pixel (0, 0) is the centre of the
top-left pixel, so window coordinate x is pixel + 0.5 and the principal point is the middle of the viewport.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import tan

import numpy as np
from numpy.typing import NDArray

from models.geometry.camera import Camera
from models.geometry.rotations import HEAD_TO_CAMERA, from_euler
from rendering.scene import CameraMode, Scene, View
from tracking.types import FaceParameters

__all__ = ["HeadView", "clip_from_camera", "fitted_viewport", "head_view"]

Matrix = NDArray[np.float64]
CAMERA_TO_VIEW: Matrix = np.diag([1.0, -1.0, -1.0])

HEAD_REACH = 0.40
"""Metres around the head's origin that are drawn: shoulders' height to hair, with room for an outstretched tongue. A
tight depth range keeps 16-bit depth buffers below 0.02 mm."""
FRAMED_HEIGHT = 0.335
"""Metres that the picture's height shows at the head's distance with zoom 1."""
PIVOT = np.array([0.0, -0.022, -0.070])
"""Head frame, metres: the point that stays in the middle of the picture while the head turns."""


@dataclass(frozen=True, slots=True)
class HeadView:
    """One head in one picture.

    Attributes:
        view_from_head: (4, 4) head frame to view frame, metres.
        clip_from_view: (4, 4).
        viewport: left, bottom, width, height in pixels of the framebuffer.
        perspective: whether lines of sight meet.
    """

    view_from_head: Matrix
    clip_from_view: Matrix
    viewport: tuple[int, int, int, int]
    perspective: bool

    def window(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Pixels (N, 2) of the framebuffer, counted as `Camera` counts but from its own bottom-left viewport corner up:
        x right, y down from the viewport's top, of (N, 3) head-frame points. For tests and picking."""
        ones = np.concatenate([points, np.ones((len(points), 1))], axis=1)
        clip = ones @ (self.clip_from_view @ self.view_from_head).T
        normal = clip[:, :2] / clip[:, 3:]
        _, _, width, height = self.viewport
        return np.stack([(normal[:, 0] + 1) * width / 2 - 0.5, (1 - normal[:, 1]) * height / 2 - 0.5], axis=1)


def clip_from_camera(camera: Camera, origin_depth: float) -> Matrix:
    """(4, 4) from the camera frame (x right, y down, z forward) to clip space.

    Args:
        camera: intrinsics; the clip volume is its picture.
        origin_depth: metres to the head's origin; sets the depth range, and the scale under weak perspective.
    """
    near, far = max(origin_depth - HEAD_REACH, 0.01), max(origin_depth, 0.02) + HEAD_REACH
    x, y = 2.0 * camera.focal / camera.width, -2.0 * camera.focal / camera.height
    if camera.projection == "weak":
        x, y = x / origin_depth, y / origin_depth
        z, shift = 2.0 / (far - near), -(far + near) / (far - near)
        return np.array([[x, 0, 0, 0], [0, y, 0, 0], [0, 0, z, shift], [0, 0, 0, 1]], np.float64)
    z, shift = (far + near) / (far - near), -2.0 * far * near / (far - near)
    return np.array([[x, 0, 0, 0], [0, y, 0, 0], [0, 0, z, shift], [0, 0, 1, 0]], np.float64)


def fitted_viewport(camera: Camera, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, bottom, width, height of the largest rectangle of the camera's shape in the middle of the framebuffer."""
    scale = min(width / camera.width, height / camera.height)
    inner_width, inner_height = max(round(camera.width * scale), 1), max(round(camera.height * scale), 1)
    return (width - inner_width) // 2, (height - inner_height) // 2, inner_width, inner_height


def head_view(parameters: FaceParameters | None, scene: Scene, width: int, height: int) -> HeadView:
    """How a head is seen.

    Args:
        parameters: pose and camera; None takes a head that looks straight ahead.
        scene: view, viewpoint and mirroring.
        width, height: of the framebuffer in pixels.
    """
    as_tracked = scene.view is View.OVERLAY or scene.viewpoint.mode is CameraMode.CAMERA
    viewport = (0, 0, width, height)
    if parameters is not None and as_tracked:
        camera = parameters.camera
        rotation, translation = parameters.rotation, np.asarray(parameters.translation, np.float64)
        viewport = fitted_viewport(camera, width, height)
    else:
        point = scene.viewpoint
        # The long side of a narrow window must not cut the head: the field of view spans the height, or the width
        # where that is smaller.
        focal = min(height, width * 1.25) / 2.0 / tan(point.fov / 2.0)
        camera = Camera(width, height, focal)
        distance = FRAMED_HEIGHT / 2.0 / tan(point.fov / 2.0) / point.zoom
        turned = np.eye(3)
        if parameters is not None and point.mode in (CameraMode.FRAMED, CameraMode.STAY):
            turned = parameters.rotation
        walk = np.eye(3)
        if point.yaw or point.pitch:
            walk = from_euler(0.0, point.pitch, 0.0) @ from_euler(-point.yaw, 0.0, 0.0)
        rotation = walk @ turned
        translation = np.array([0.0, 0.0, distance - PIVOT[2]]) - HEAD_TO_CAMERA @ rotation @ PIVOT
        if point.mode is CameraMode.STAY:
            translation = translation + CAMERA_TO_VIEW @ walk @ np.array(point.moved)
    view_from_head = np.eye(4)
    view_from_head[:3, :3] = CAMERA_TO_VIEW @ HEAD_TO_CAMERA @ rotation
    view_from_head[:3, 3] = CAMERA_TO_VIEW @ translation
    clip = clip_from_camera(camera, float(translation[2]))
    if scene.mirror:
        clip = np.diag([-1.0, 1.0, 1.0, 1.0]) @ clip
    clip_from_view = clip @ np.diag([*np.diag(CAMERA_TO_VIEW), 1.0])
    return HeadView(view_from_head, clip_from_view, viewport, camera.projection == "perspective")
