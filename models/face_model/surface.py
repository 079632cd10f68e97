"""Closest points on triangle meshes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
CANDIDATES = 16


def closest_on_surface(
    points: NDArray[np.floating], vertices: NDArray[np.floating], faces: NDArray[np.int32], subset: NDArray[np.int32]
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """The nearest place on some triangles of a mesh for each point.

    Looks at the triangles whose centres are nearest, which is exact for meshes without very long triangles.

    Args:
        points: (N, 3).
        vertices: (V, 3).
        faces: (F, 3) triangles.
        subset: triangles allowed.

    Returns:
        (N,) triangle, (N, 3) barycentrics, (N,) distance.
    """
    wanted: Floats = np.asarray(points, np.float64)
    corners: Floats = vertices[faces[subset]].astype(np.float64)
    count = min(CANDIDATES, len(subset))
    _, candidates = cKDTree(corners.mean(axis=1)).query(wanted, k=count)
    candidates = candidates.reshape(len(wanted), count)
    barycentrics = closest_barycentrics(wanted[:, None], corners[candidates])
    places = np.einsum("nck,nckd->ncd", barycentrics, corners[candidates])
    gaps = np.linalg.norm(places - wanted[:, None], axis=2)
    best = gaps.argmin(axis=1)
    rows = np.arange(len(wanted))
    return subset[candidates[rows, best]].astype(np.int64), barycentrics[rows, best], gaps[rows, best]


def closest_barycentrics(points: Floats, corners: Floats) -> Floats:
    """(..., 3) barycentrics of the points of triangles (..., 3, 3) that lie nearest to `points` (..., 3)."""
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11 = np.sum(ab * ab, -1), np.sum(ab * ac, -1), np.sum(ac * ac, -1)
    d20, d21 = np.sum(ap * ab, -1), np.sum(ap * ac, -1)
    denominator = np.maximum(d00 * d11 - d01 * d01, 1e-24)
    v = (d11 * d20 - d01 * d21) / denominator
    w = (d00 * d21 - d01 * d20) / denominator
    inside = np.stack([1 - v - w, v, w], axis=-1)
    # Outside the triangle the nearest place lies on one of its edges.
    options = [np.where((inside >= 0).all(-1, keepdims=True), inside, np.nan)]
    for i, j in ((0, 1), (1, 2), (2, 0)):
        start, edge = corners[..., i, :], corners[..., j, :] - corners[..., i, :]
        t = np.clip(np.sum((points - start) * edge, -1) / np.maximum(np.sum(edge * edge, -1), 1e-24), 0, 1)
        option = np.zeros_like(inside)
        option[..., i], option[..., j] = 1 - t, t
        options.append(option)
    stack = np.stack(options)
    gaps = np.linalg.norm(np.einsum("o...k,...kd->o...d", stack, corners) - points, axis=-1)
    best = np.nanargmin(np.where(np.isnan(gaps), np.inf, gaps), axis=0)
    return np.asarray(np.take_along_axis(stack, best[None, ..., None], axis=0)[0])
