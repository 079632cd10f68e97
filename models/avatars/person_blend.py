"""Blending many pictures of one skin into one: the kernel."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["robust_blend"]

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

SPREAD = 0.10
"""Relative difference from the median at which a picture's say is halved."""


@njit(cache=True, nogil=True, error_model="numpy")
def robust_blend(colours: Image, weights: Floats, gains: Floats, linear: Floats) -> tuple[Floats, Floats]:
    """The weighted mean around the weighted median of luminance, texel by texel.

    Args:
        colours: (N, S, S, 3) sRGB of N pictures.
        weights: (N, S, S), how well each sees a texel; 0 not at all.
        gains: (N, L, L, 3) factors on linear light, read bilinearly.
        linear: (256,) linear light of sRGB levels.

    Returns:
        (S, S, 3) linear light, 0 where nothing was seen; and (S, S) the largest weight.
    """
    count, size = weights.shape[0], weights.shape[1]
    coarse = gains.shape[1]
    out = np.zeros((size, size, 3), np.float32)
    total = np.zeros((size, size), np.float32)
    values = np.empty((count, 3), np.float32)
    bright = np.empty(count, np.float32)
    say = np.empty(count, np.float32)
    for y in range(size):
        gy = min(max((y + 0.5) * coarse / size - 0.5, 0.0), coarse - 1.001)
        y0 = int(gy)
        ty = np.float32(gy - y0)
        for x in range(size):
            gx = min(max((x + 0.5) * coarse / size - 0.5, 0.0), coarse - 1.001)
            x0 = int(gx)
            tx = np.float32(gx - x0)
            used = 0
            strongest = np.float32(0)
            for n in range(count):
                strongest = max(strongest, weights[n, y, x])
            if strongest < 1e-3:
                continue
            for n in range(count):
                w = weights[n, y, x]
                # Views that see a place far worse than the best one would only blur it.
                if w < 0.3 * strongest:
                    continue
                for k in range(3):
                    upper = gains[n, y0, x0, k] * (1 - tx) + gains[n, y0, x0 + 1, k] * tx
                    lower = gains[n, y0 + 1, x0, k] * (1 - tx) + gains[n, y0 + 1, x0 + 1, k] * tx
                    values[used, k] = linear[colours[n, y, x, k]] * (upper * (1 - ty) + lower * ty)
                bright[used] = 0.2126 * values[used, 0] + 0.7152 * values[used, 1] + 0.0722 * values[used, 2]
                say[used] = w * w * w
                used += 1
            order = np.argsort(bright[:used])
            sum_ = np.float32(0)
            for i in range(used):
                sum_ += say[i]
            half, median = np.float32(0), bright[order[used - 1]]
            for i in range(used):
                half += say[order[i]]
                if half >= 0.5 * sum_:
                    median = bright[order[i]]
                    break
            agreed = np.float32(0)
            for i in range(used):
                off = (bright[i] - median) / (SPREAD * (median + np.float32(0.02)))
                w = say[i] / (1 + off * off) ** 2
                agreed += w
                for k in range(3):
                    out[y, x, k] += w * values[i, k]
            for k in range(3):
                out[y, x, k] /= agreed
            total[y, x] = strongest
    return out, total
