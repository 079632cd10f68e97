"""What a perfect detector would report of a face with known parameters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX
from models.face_model import FaceModel
from models.geometry.camera import Camera
from tracking.fit import FitSettings
from tracking.types import FaceObservation, FaceParameters

Floats = NDArray[np.float64]
WIDTH, HEIGHT = 640, 480
PLACE = np.array([0.0, 0.0, 0.6])
FOV = 56.0
# For landmarks that are exact, without a detector's opinion: every prior that pulls away from the truth is weak.
EXACT = FitSettings(
    guess_strength=0, rotation_strength=0, sparsity=0.0, expression_strength=1e-3, temporal_strength=0,
    correlation=1, fov_degrees=FOV,
)  # fmt: skip


def expression(**values: float) -> NDArray[np.float32]:
    result = np.zeros(CHANNEL_COUNT, np.float32)
    for name, value in values.items():
        result[CHANNEL_INDEX[name]] = value
    return result


def state(
    head: FaceModel,
    identity: NDArray[np.floating],
    channels: NDArray[np.floating] | None = None,
    rotation: Floats | None = None,
    place: Floats = PLACE,
    gaze: NDArray[np.floating] | None = None,
    projection: str = "perspective",
) -> FaceParameters:
    camera = Camera.from_fov(WIDTH, HEIGHT, float(np.radians(FOV)), "weak" if projection == "weak" else "perspective")
    return FaceParameters(
        head.identity(identity),
        np.zeros(CHANNEL_COUNT, np.float32) if channels is None else channels.astype(np.float32),
        np.eye(3) if rotation is None else rotation,
        place,
        np.zeros((2, 2), np.float32) if gaze is None else gaze.astype(np.float32),
        camera,
    )


def seen(head: FaceModel, truth: FaceParameters) -> FaceObservation:
    """What a perfect detector would report of a face."""
    posed = head.pose(truth.identity, truth.expression, truth.gaze)
    points = truth.camera.to_camera(head.embed(posed.vertices, head.landmarks478), truth.rotation, truth.translation)
    depth = float(truth.translation[2])
    pixels = truth.camera.project(points, depth)
    z = (points[:, 2:] - depth) * truth.camera.focal / depth
    landmarks = np.concatenate([pixels, z], axis=1).astype(np.float32)
    box = np.concatenate([pixels.min(axis=0), pixels.max(axis=0)]).astype(np.float32)
    return FaceObservation(landmarks, np.zeros(CHANNEL_COUNT, np.float32), box, 1.0)
