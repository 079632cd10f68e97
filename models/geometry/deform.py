"""The two kernels that pose a face: weighted sums of basis rows, and skinning about joints."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@njit(cache=True, fastmath=True, nogil=True)
def _accumulate(out: Floats, rows: Floats, coefficients: Floats) -> None:
    # Blocks keep the output in the first-level cache while the rows stream through once.
    block = 4096
    for start in range(0, out.size, block):
        stop = min(start + block, out.size)
        for k in range(coefficients.size):
            c = coefficients[k]
            if c != 0.0:
                for i in range(start, stop):
                    out[i] += c * rows[k, i]


def accumulate_rows(start: Floats, rows: Floats, coefficients: Floats) -> Floats:
    """`start` (N,) + coefficients (K,) @ rows (K, N), skipping zero coefficients; a new float32 array."""
    out = start.copy()
    _accumulate(out, rows, coefficients)
    return out


@njit(cache=True, fastmath=True, nogil=True)
def skin_vertices(vertices: Floats, index: NDArray[np.int32], weights: Floats, joints: Floats, turns: Floats) -> None:
    """Linear blend skinning in place: each named vertex moves by the weighted turns about the joints.

    Args:
        vertices: (V, 3) metres, changed in place.
        index: (M,) vertices that any joint moves.
        weights: (M, J) shares; what is missing to 1 stays still.
        joints: (J, 3) positions in metres.
        turns: (J, 3, 3) rotations.
    """
    for m in range(index.size):
        v = index[m]
        x, y, z = vertices[v, 0], vertices[v, 1], vertices[v, 2]
        dx, dy, dz = np.float32(0), np.float32(0), np.float32(0)
        for j in range(joints.shape[0]):
            w = weights[m, j]
            if w > 0:
                px, py, pz = x - joints[j, 0], y - joints[j, 1], z - joints[j, 2]
                dx += w * (turns[j, 0, 0] * px + turns[j, 0, 1] * py + turns[j, 0, 2] * pz - px)
                dy += w * (turns[j, 1, 0] * px + turns[j, 1, 1] * py + turns[j, 1, 2] * pz - py)
                dz += w * (turns[j, 2, 0] * px + turns[j, 2, 1] * py + turns[j, 2, 2] * pz - pz)
        vertices[v, 0] = x + dx
        vertices[v, 1] = y + dy
        vertices[v, 2] = z + dz
