"""Landmarks found in a mirrored picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel
from models.face_model.symmetry import mirror_partners


def mirrored_landmarks(model: FaceModel, landmarks: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Landmarks (478, 3) found in a mirrored picture of `width` pixels, as they would lie in the picture itself."""
    points = landmarks[mirror_partners(model)].copy()
    points[:, 0] = width - 1 - points[:, 0]
    return points
