"""Landmarks of the fitted mesh in the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tracking.types import FaceParameters, TrackedFace

if TYPE_CHECKING:
    from models.face_model import Embedding, FaceModel


def project_embedding(
    model: FaceModel, parameters: FaceParameters, vertices: NDArray[np.floating], embedding: Embedding
) -> NDArray[np.float32]:
    """(N, 2) pixels of an embedding's points on posed `vertices` (V, 3)."""
    points = model.embed(vertices, embedding)
    pixels = parameters.camera.project_head(points, parameters.rotation, parameters.translation)
    return np.asarray(pixels, np.float32)


def landmarks_68(model: FaceModel, face: TrackedFace) -> NDArray[np.float32]:
    """(68, 2) pixels of the iBUG points on the tracked mesh (calibrated and smoothed).

    Raises:
        ValueError: there is no mesh, because no face is tracked.
    """
    return _projected(model, face, model.landmarks68)


def landmarks_478(model: FaceModel, face: TrackedFace) -> NDArray[np.float32]:
    """(478, 2) pixels of MediaPipe's points on the tracked mesh; the detector's own are `face.observation.landmarks`.

    Raises:
        ValueError: there is no mesh, because no face is tracked.
    """
    return _projected(model, face, model.landmarks478)


def _projected(model: FaceModel, face: TrackedFace, embedding: Embedding) -> NDArray[np.float32]:
    if face.parameters is None or face.vertices is None:
        raise ValueError("there is no mesh: no face is tracked in this frame")
    return project_embedding(model, face.parameters, face.vertices, embedding)
