"""Which landmark is which in the mirror."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel
from models.face_model.symmetry import mirror_assignment

FACE_POINTS = 468
_IRIS_PARTNERS = (473, 476, 475, 474, 477, 468, 471, 470, 469, 472)


@cache
def mirror_partners(model: FaceModel) -> NDArray[np.int64]:
    """(478,) mirror partner of each landmark, from where the landmarks lie on the symmetric mean face."""
    places = model.embed(model.mean, model.landmarks478)[:FACE_POINTS].astype(np.float64)
    return np.concatenate([mirror_assignment(places), np.array(_IRIS_PARTNERS)])


def mirrored_landmarks(model: FaceModel, landmarks: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Landmarks (478, 3) found in a mirrored picture of `width` pixels, as they would lie in the picture itself."""
    points = landmarks[mirror_partners(model)].copy()
    points[:, 0] = width - 1 - points[:, 0]
    return points
