"""What of a mesh a camera sees: a small depth picture of the face alone, and the test of points against it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.geometry.rasterise import NEAR_PLANE, Raster, empty_raster, rasterise

__all__ = ["DEPTH_TOLERANCE", "DepthMap", "depth_map", "facing_cosines"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]

DEPTH_TOLERANCE = 0.004
"""Metres that a point may lie behind the depth picture and still count as seen: two pixels of a head-wide map of 256,
less than the thickness of a lip or a nostril's wing."""


@dataclass(frozen=True, slots=True)
class DepthMap:
    """A square depth picture cut around a projected mesh.

    Attributes:
        raster: (S, S) of the mesh.
        scale: map pixels per camera pixel.
        offset: (2,) camera pixels of the map's pixel (0, 0).
    """

    raster: Raster
    scale: float
    offset: tuple[float, float]

    def visible(
        self,
        points: NDArray[np.floating],
        depth: NDArray[np.floating],
        *,
        tolerance: float | NDArray[np.floating] = DEPTH_TOLERANCE,
    ) -> NDArray[np.bool_]:
        """(N,) whether nothing of the mesh hides (N, 2) camera pixels at (N,) metres; False for values that are not
        finite, lie outside the map or before the near plane."""
        slack = np.broadcast_to(np.asarray(tolerance, np.float64), (len(points),))
        return np.asarray(
            _visible(
                np.asarray(points, np.float64),
                np.asarray(depth, np.float64),
                slack,
                self.raster.depth,
                self.scale,
                self.offset[0],
                self.offset[1],
            )
        )


@njit(cache=True, nogil=True, error_model="numpy")
def _visible(
    points: NDArray[np.float64],
    depth: NDArray[np.float64],
    tolerance: NDArray[np.float64],
    nearest: Floats,
    scale: float,
    left: float,
    top: float,
) -> NDArray[np.bool_]:
    size = nearest.shape[0]
    out = np.zeros(len(points), np.bool_)
    for i in range(len(points)):
        x, y = (points[i, 0] - left) * scale, (points[i, 1] - top) * scale
        if x > -0.5 and y > -0.5 and x < size - 0.5 and y < size - 0.5:
            out[i] = depth[i] >= NEAR_PLANE and depth[i] <= nearest[int(y + 0.5), int(x + 0.5)] + tolerance[i]
    return out


def depth_map(
    points: NDArray[np.floating],
    depth: NDArray[np.floating],
    faces: Indices,
    *,
    size: int = 256,
    perspective: bool = True,
    subset: Indices | None = None,
    out: Raster | None = None,
) -> DepthMap:
    """Draws a mesh's depth into a square that just holds it, whatever the picture's size.

    Args:
        points: (V, 2) camera pixels.
        depth: (V,) metres.
        faces: (F, 3) int32, counter-clockwise seen from outside.
        size: S, pixels a side.
        perspective: False for a weak-perspective camera.
        subset: triangles to draw; None draws all.
        out: buffers of (S, S); None allocates.

    Raises:
        ValueError: as `rasterise`.
    """
    raster = empty_raster(size, size) if out is None else out
    usable = np.isfinite(points).all(axis=1) & (np.asarray(depth) >= NEAR_PLANE)
    if not usable.any():
        raster.triangle[:], raster.barycentrics[:], raster.depth[:] = -1, 0, np.inf
        return DepthMap(raster, 1.0, (0.0, 0.0))
    low, high = points[usable].min(axis=0), points[usable].max(axis=0)
    # One pixel of margin, so that outline points on the border still fall inside.
    scale = (size - 3) / max(float((high - low).max()), 1e-6)
    offset = (float(low[0]) - 1.0 / scale, float(low[1]) - 1.0 / scale)
    rasterise(
        (np.asarray(points, np.float64) - offset) * scale,
        depth,
        faces,
        size,
        size,
        perspective=perspective,
        subset=subset,
        out=raster,
    )
    return DepthMap(raster, scale, offset)


def facing_cosines(points: NDArray[np.floating], normals: NDArray[np.floating], *, perspective: bool = True) -> Floats:
    """How much each vertex faces the camera.

    Args:
        points: (V, 3) metres, camera frame.
        normals: (V, 3) unit, camera frame.
        perspective: False takes the camera's axis as everyone's line of sight (weak perspective).

    Returns:
        (V,) cosine of the angle between normal and the direction to the camera: 1 faces it, 0 is the outline, below 0
        turns away.
    """
    if not perspective:
        return np.asarray(-normals[:, 2], np.float32)
    distance = np.maximum(np.sqrt(np.einsum("vk,vk->v", points, points)), 1e-12)
    return np.asarray(-np.einsum("vk,vk->v", points, normals) / distance, np.float32)
