"""How far a person's hair stands out, by direction: a small grid about the skull.

Directions are those from SKULL_CENTRE to places on the model's mean face, head frame, so that one relief fits every
identity and moves with the vertices: RELIEF_ROWS elevations from -45 degrees in steps of 22.5 to straight up, and in
each row RELIEF_COLUMNS azimuths from -180 degrees in steps of 22.5, counted from the face (+z) to the subject's left
(+x).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LARGEST_RELIEF",
    "RELIEF_COLUMNS",
    "RELIEF_COUNT",
    "RELIEF_ROWS",
    "SKULL_CENTRE",
    "relief_at",
    "relief_directions",
]

Floats = NDArray[np.float32]

SKULL_CENTRE = (0.0, 0.02, -0.070)
"""Metres, head frame of the mean face; the vertex shader lays strands out around the same place."""
RELIEF_ROWS, RELIEF_COLUMNS = 7, 16
RELIEF_COUNT = RELIEF_ROWS * RELIEF_COLUMNS
LARGEST_RELIEF = 0.1
"""Metres."""
_STEP = np.radians(22.5)
_LOWEST = np.radians(-45.0)


def relief_directions() -> Floats:
    """(RELIEF_COUNT, 3) unit vectors of the grid's places, row by row, head frame."""
    elevation = np.repeat(_LOWEST + _STEP * np.arange(RELIEF_ROWS), RELIEF_COLUMNS)
    azimuth = np.tile(-np.pi + _STEP * np.arange(RELIEF_COLUMNS), RELIEF_ROWS)
    flat = np.cos(elevation)
    return np.stack([flat * np.sin(azimuth), np.sin(elevation), flat * np.cos(azimuth)], axis=1).astype(np.float32)


def relief_at(relief: Sequence[float], directions: NDArray[np.floating]) -> Floats:
    """(N,) metres that hair of this relief stands out in (N, 3) directions, bilinear between the grid's places.

    Below the lowest row that row counts; straight up the mean of the top row does.

    Raises:
        ValueError: the relief has not RELIEF_COUNT values.
    """
    if len(relief) != RELIEF_COUNT:
        raise ValueError(f"a relief of hair has {RELIEF_COUNT} values, not {len(relief)}")
    grid = np.array(relief, np.float64).reshape(RELIEF_ROWS, RELIEF_COLUMNS)
    grid[-1] = grid[-1].mean()
    x, y, z = np.asarray(directions, np.float64).T
    across = ((np.arctan2(x, z) + np.pi) / _STEP) % RELIEF_COLUMNS
    down = np.clip((np.arctan2(y, np.hypot(x, z)) - _LOWEST) / _STEP, 0, RELIEF_ROWS - 1)
    left, low = np.floor(across).astype(int), np.minimum(np.floor(down).astype(int), RELIEF_ROWS - 2)
    u, v = across - left, down - low
    left, right = left % RELIEF_COLUMNS, (left + 1) % RELIEF_COLUMNS
    lower = grid[low, left] * (1 - u) + grid[low, right] * u
    upper = grid[low + 1, left] * (1 - u) + grid[low + 1, right] * u
    return np.asarray(lower * (1 - v) + upper * v, np.float32)
