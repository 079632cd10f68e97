"""Mirror partners of points on a mirror-symmetric face."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from models.face_model.model import FaceModel

FACE_POINTS = 468
"""Of MediaPipe's 478 landmarks, those on the face; the others are the irises."""
_IRIS_PARTNERS = (473, 476, 475, 474, 477, 468, 471, 470, 469, 472)


def mirror_assignment(points: NDArray[np.floating]) -> NDArray[np.int64]:
    """(N,) partner of each of (N, 3) head-frame points under x -> -x; one to one, the least total distance."""
    # Imported late: it takes a fifth of a second that the first frame need not wait for.
    from scipy.optimize import linear_sum_assignment

    flipped = points * np.array([-1.0, 1.0, 1.0])
    cost = np.linalg.norm(points[:, None] - flipped[None], axis=2)
    return np.asarray(linear_sum_assignment(cost)[1], np.int64)


@cache
def mirror_partners(model: FaceModel) -> NDArray[np.int64]:
    """(478,) mirror partner of each landmark, from where the landmarks lie on the symmetric mean face."""
    places = model.embed(model.mean, model.landmarks478)[:FACE_POINTS].astype(np.float64)
    return np.concatenate([mirror_assignment(places), np.array(_IRIS_PARTNERS)])
