"""Sample sheets of relief: pictures beside grey displacement maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

GREY_PER_MILLIMETRE = 250.0


def relief_tile(displacement: Floats) -> Image:
    """(H, W, 3): grey is no displacement, darker lies deeper; half a millimetre is black."""
    grey = np.clip(128 + displacement * GREY_PER_MILLIMETRE, 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def tension_tile(tension: Floats) -> Image:
    """(H, W, 3): red is compressed, blue stretched."""
    out = np.zeros((*tension.shape, 3), np.uint8)
    out[..., 0], out[..., 2] = np.clip(tension * 1000, 0, 255), np.clip(-tension * 1000, 0, 255)
    return out


def relief_rows(rows: Sequence[tuple[Floats, Sequence[Floats]]]) -> Image:
    """A sheet: each row a picture (3, H, W) in 0..1 and its displacement maps (H, W)."""
    drawn = []
    for picture, maps in rows:
        photo = np.asarray(np.clip(picture, 0, 1) * 255, np.uint8).transpose(1, 2, 0)
        drawn.append(np.hstack([photo, *(relief_tile(m) for m in maps)]))
    return np.vstack(drawn)
