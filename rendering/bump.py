"""From a displacement map to the gradient map that shading reads."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["MAX_DISPLACEMENT_MM", "displacement_gradient"]

Floats = NDArray[np.float32]

MAX_DISPLACEMENT_MM = 10.0
"""The format's limit; see the conventions on displacement maps."""


@njit(cache=True, nogil=True)
def _gradient(height: Floats, limit: float, out: Floats) -> None:
    rows, columns = height.shape
    for y in range(rows):
        up, down = max(y - 1, 0), min(y + 1, rows - 1)
        for x in range(columns):
            left, right = max(x - 1, 0), min(x + 1, columns - 1)
            du = (_bounded(height[y, right], limit) - _bounded(height[y, left], limit)) / max(right - left, 1)
            dv = (_bounded(height[down, x], limit) - _bounded(height[up, x], limit)) / max(down - up, 1)
            out[y, x, 0] = du * columns
            out[y, x, 1] = dv * rows


@njit(cache=True, inline="always")
def _bounded(value: float, limit: float) -> float:
    # A value that is not a number counts as flat.
    if not (value > -limit):
        return -limit if value <= -limit else 0.0
    return min(value, limit)


def displacement_gradient(displacement: NDArray[np.floating], *, out: Floats | None = None) -> Floats:
    """Gradient of a displacement map over UV, by central differences.

    Args:
        displacement: (S, S) millimetres along the outward normal; limited to +-10 mm, not-a-number counts as 0.
        out: (S, S, 3) float32 to write into; None allocates.

    Returns:
        (S, S, 3): d/du, d/dv in millimetres per unit of UV, and 0 (three channels, because every driver filters them).

    Raises:
        ValueError: the map is not two-dimensional or is empty.
    """
    if displacement.ndim != 2 or not displacement.size:
        raise ValueError(f"a displacement map (S, S) is needed, not {displacement.shape}")
    shape = (*displacement.shape, 3)
    result = np.zeros(shape, np.float32) if out is None or out.shape != shape else out
    _gradient(np.ascontiguousarray(displacement, np.float32), MAX_DISPLACEMENT_MM, result)
    return result
