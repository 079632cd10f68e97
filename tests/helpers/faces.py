"""States of a face for tests."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX, gaze_to_channels
from models.geometry.camera import Camera
from models.geometry.rotations import from_euler
from tracking.types import FaceParameters


def face_state(
    channels: Mapping[str, float] | None = None,
    *,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    translation: ArrayLike = (0.0, 0.0, 0.6),
    gaze: ArrayLike = ((0.0, 0.0), (0.0, 0.0)),
) -> FaceParameters:
    """A face with the named channels set; angles in radians, translation in metres, eyeLook* from the gaze."""
    directions = np.asarray(gaze, np.float32)
    expression = np.zeros(CHANNEL_COUNT, np.float32)
    for name, value in (channels or {}).items():
        expression[CHANNEL_INDEX[name]] = value
    return FaceParameters(
        identity=np.zeros(10, np.float32),
        expression=np.maximum(expression, gaze_to_channels(directions)),
        rotation=from_euler(yaw, pitch, roll),
        translation=np.asarray(translation, np.float64),
        gaze=directions,
        camera=Camera.from_fov(640, 480),
    )


def value(parameters: FaceParameters, name: str) -> float:
    """What one channel reads."""
    return float(parameters.expression[CHANNEL_INDEX[name]])
