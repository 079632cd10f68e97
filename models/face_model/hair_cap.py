"""The hair cap of a model: where on the scalp it grows, how high, and in which direction about the skull."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.face_model.hair_grid import SKULL_CENTRE
from models.face_model.model import FaceModel
from models.face_model.vertex_values import region, smoothed

__all__ = ["cap_directions", "cap_height"]

Floats = NDArray[np.float32]

_NO_HAIR = 0.004


def cap_height(model: FaceModel) -> Floats:
    """(V,) the hair cap's height as a share of the hair's thickness, some 1 on top of the head, falling to the nape and
    to exactly 0 at the hairline and beside the cap."""
    scalp = smoothed(model, region(model, "scalp"), 2)
    rise = np.clip((scalp - 0.30) / 0.70, 0, 1)
    rise = rise * rise * (3 - 2 * rise)
    # Fuller on top than at the nape, and not even.
    y, x = model.mean[:, 1], model.mean[:, 0]
    profile = 0.62 + 0.38 * np.clip((y + 0.05) / 0.12, 0, 1) + 0.06 * np.sin(x * 95 + 1.3) * np.sin(y * 70)
    height = smoothed(model, np.asarray(rise * profile, np.float32), 3)
    # Exactly 0 beside the cap: hair and bare skin are drawn apart, and a trace of height would open a crack.
    return np.asarray(np.maximum(height - _NO_HAIR, 0.0) / np.float32(1.0 - _NO_HAIR), np.float32)


def cap_directions(model: FaceModel) -> Floats:
    """(V, 3) unit vectors from SKULL_CENTRE to the mean face's vertices, head frame."""
    out = model.mean - np.array(SKULL_CENTRE, np.float32)
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9), np.float32)
