"""Landmark files for tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pts_text(points: NDArray[np.floating]) -> str:
    """The content of a `.pts` file with these (N, 2) points."""
    rows = "\n".join(f"{x:.6f} {y:.6f}" for x, y in points)
    return f"version: 1\nn_points: {len(points)}\n{{\n{rows}\n}}\n"
