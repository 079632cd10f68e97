"""Smooth random fields."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> Floats:
    """(size, size) smooth noise of about unit spread with `cells` features across."""
    coarse = rng.standard_normal((cells + 2, cells + 2)).astype(np.float32)
    fine = cv2.resize(coarse, (round(size * (cells + 2) / cells),) * 2, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(fine[:size, :size], np.float32)


def random_warp(maps: NDArray[np.generic], rng: np.random.Generator, texels: float, cells: int = 5) -> Floats:
    """Maps (S, S, C) bent smoothly at random by about `texels`."""
    size = maps.shape[0]
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=2).astype(np.float32)
    for axis in range(2):
        grid[..., axis] += smooth_noise(rng, size, cells) * np.float32(texels)
    # The grid holds both coordinates; OpenCV's stubs do not know that the second map may then be None.
    return np.asarray(
        cv2.remap(maps, grid, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),  # type: ignore[call-overload]
        np.float32,
    )
