"""What the detector says about an expression, freed of pose, size and place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def align(points: Floats, reference: Floats) -> tuple[Floats, Floats]:
    """Similarity that lays `points` onto `reference` in the least-squares sense.

    After Umeyama, Least-squares estimation of transformation parameters between two point patterns, 1991.

    Args:
        points, reference: (N, 3).

    Returns:
        The moved points (N, 3), and the rotation (3, 3) that moved them.
    """
    centre, target = points.mean(axis=0), reference.mean(axis=0)
    a, b = points - centre, reference - target
    u, singular, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float(singular @ sign) / max(float(np.sum(a * a)), 1e-12)
    return a @ rotation.T * scale + target, rotation
