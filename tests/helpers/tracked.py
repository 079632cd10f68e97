"""Tracked faces for tests and benchmarks, posed by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX
from models.face_model import FaceModel
from models.geometry.camera import Camera
from models.geometry.rotations import from_euler
from tracking.types import FaceParameters, Frame, TrackedFace, TrackingState


def tracked_face(
    model: FaceModel,
    *,
    channels: dict[str, float] | None = None,
    angles: tuple[float, float, float] = (0.0, 0.0, 0.0),
    translation: tuple[float, float, float] = (0.0, 0.0, 0.6),
    gaze: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (0.0, 0.0)),
    camera: Camera | None = None,
    image: NDArray[np.uint8] | None = None,
    identity: NDArray[np.floating] | None = None,
    displacement: NDArray[np.float32] | None = None,
) -> TrackedFace:
    """A face of a model.

    Args:
        channels: expression by name.
        angles: yaw, pitch, roll of the head in radians.
        translation: metres, camera frame.
        gaze: left and right eye's yaw and pitch in radians.
        camera: default 640 x 480.
        image: the picture; default grey, of the camera's size.
    """
    camera = camera or Camera.from_fov(640, 480)
    expression = np.zeros(CHANNEL_COUNT, np.float32)
    for name, value in (channels or {}).items():
        expression[CHANNEL_INDEX[name]] = value
    coefficients = model.identity(identity)
    turn = np.array(gaze, np.float32)
    face = model.pose(coefficients, expression, turn)
    parameters = FaceParameters(
        coefficients, expression, from_euler(*angles), np.array(translation, np.float64), turn, camera
    )
    if image is None:
        image = np.full((camera.height, camera.width, 3), 128, np.uint8)
    return TrackedFace(
        frame=Frame(0, 0.0, 0, image),
        state=TrackingState.TRACKING,
        confidence=1.0,
        observation=None,
        raw=parameters,
        parameters=parameters,
        vertices=face.vertices,
        normals=face.normals,
        displacement=displacement,
        stages=(),
    )


def no_face(image: NDArray[np.uint8] | None = None) -> TrackedFace:
    """A frame in which nobody has been seen yet."""
    picture = np.full((48, 64, 3), 128, np.uint8) if image is None else image
    return TrackedFace(Frame(0, 0.0, 0, picture), TrackingState.SEARCHING, 0.0, None, None, None, None, None, None, ())
