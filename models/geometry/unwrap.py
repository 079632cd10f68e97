"""A picture unwrapped into the face's UV map, with how well each texel was seen."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.geometry.depth_map import DEPTH_TOLERANCE, DepthMap
from models.geometry.rasterise import Raster

__all__ = ["fill_holes", "unwrap"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]
Texture = NDArray[np.uint8]

FACING_NONE, FACING_FULL = 0.1, 0.5
"""Cosines between which visibility grows from 0 to 1: surface steeper than 84 degrees shows smeared pixels, below 60
degrees a texel is sampled well."""


@njit(cache=True, nogil=True, error_model="numpy")
def _unwrap(
    image: Texture,
    triangle: Indices,
    barycentrics: Floats,
    faces: Indices,
    points: NDArray[np.float64],
    depth: NDArray[np.float64],
    facing: Floats,
    nearest: Floats,
    scale: float,
    left: float,
    top: float,
    perspective: bool,
    tolerance: float,
    texture: Texture,
    visibility: Floats,
) -> None:
    height, width = image.shape[0], image.shape[1]
    size = nearest.shape[0]
    for v in range(triangle.shape[0]):
        for u in range(triangle.shape[1]):
            texture[v, u] = 0
            visibility[v, u] = 0
            f = triangle[v, u]
            if f < 0:
                continue
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            wa, wb, wc = barycentrics[v, u, 0], barycentrics[v, u, 1], barycentrics[v, u, 2]
            turned = wa * facing[a] + wb * facing[b] + wc * facing[c]
            if not turned > FACING_NONE:
                continue
            z = wa * depth[a] + wb * depth[b] + wc * depth[c]
            if not (z > 0 and z < 1e6):
                continue
            if perspective:
                # Barycentrics are linear on the surface; in the picture each corner counts by its nearness.
                za, zb, zc = wa / depth[a], wb / depth[b], wc / depth[c]
                total = za + zb + zc
                wa, wb, wc = za / total, zb / total, zc / total
            x = wa * points[a, 0] + wb * points[b, 0] + wc * points[c, 0]
            y = wa * points[a, 1] + wb * points[b, 1] + wc * points[c, 1]
            if not (x >= 0 and y >= 0 and x <= width - 1 and y <= height - 1):
                continue
            mx, my = (x - left) * scale, (y - top) * scale
            if not (mx > -0.5 and my > -0.5 and mx < size - 0.5 and my < size - 0.5):
                continue
            # The depth picture's pixels see a sloped surface up to a pixel away from here: more slack on slopes.
            slack = tolerance / max(turned, 0.25)
            behind = z - nearest[int(my + 0.5), int(mx + 0.5)]
            if behind >= slack:
                continue
            x0, y0 = int(x), int(y)
            x1, y1 = min(x0 + 1, width - 1), min(y0 + 1, height - 1)
            tx, ty = x - x0, y - y0
            for k in range(3):
                upper = image[y0, x0, k] * (1 - tx) + image[y0, x1, k] * tx
                lower = image[y1, x0, k] * (1 - tx) + image[y1, x1, k] * tx
                texture[v, u, k] = np.uint8(upper * (1 - ty) + lower * ty + 0.5)
            part = min((turned - FACING_NONE) / (FACING_FULL - FACING_NONE), 1.0)
            part = part * part * (3 - 2 * part)
            if behind > 0.5 * slack:
                part *= 2 * (1 - behind / slack)
            visibility[v, u] = part


def unwrap(
    image: Texture,
    uv_raster: Raster,
    faces: Indices,
    points: NDArray[np.floating],
    depth: NDArray[np.floating],
    facing: Floats,
    seen: DepthMap,
    *,
    perspective: bool = True,
    tolerance: float = DEPTH_TOLERANCE,
    out: tuple[Texture, Floats] | None = None,
) -> tuple[Texture, Floats]:
    """Samples a full-resolution picture for every texel of a UV map.

    Args:
        image: (H, W, 3) uint8.
        uv_raster: (S, S) of the UV layout, see `rasterise_uv`.
        faces: (F, 3) int32 triangles of the mesh, in the order of the UV triangles.
        points: (V, 2) pixels of `image`.
        depth: (V,) metres along the camera's axis.
        facing: (V,) see `facing_cosines`.
        seen: depth picture of the same mesh and camera, see `depth_map`.
        perspective: False for a weak-perspective camera.
        tolerance: metres of slack of the depth test.
        out: (S, S, 3) uint8 and (S, S) float32 to write into; None allocates.

    Returns:
        The texture (S, S, 3) uint8, bilinear, black where nothing was seen; and visibility (S, S) in 0..1, which falls
        off smoothly where the surface turns away or passes behind another part.

    Raises:
        ValueError: the picture is not (H, W, 3) uint8, or shapes do not belong together.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"a picture (H, W, 3) of uint8 is needed, not {image.shape} of {image.dtype}")
    count = len(points)
    if depth.shape != (count,) or facing.shape != (count,):
        raise ValueError(f"{count} points need {count} depths and facings, not {depth.shape} and {facing.shape}")
    if faces.size and (int(faces.min()) < 0 or int(faces.max()) >= count):
        raise ValueError(f"a triangle names vertex {int(faces.max())} of a mesh with {count} vertices")
    if uv_raster.triangle.size and int(uv_raster.triangle.max()) >= len(faces):
        raise ValueError("the UV raster belongs to another mesh")
    shape = uv_raster.triangle.shape
    texture, visibility = out or (np.empty((*shape, 3), np.uint8), np.empty(shape, np.float32))
    _unwrap(
        np.ascontiguousarray(image),
        uv_raster.triangle,
        uv_raster.barycentrics,
        np.ascontiguousarray(faces, np.int32),
        np.asarray(points, np.float64),
        np.asarray(depth, np.float64),
        np.asarray(facing, np.float32),
        seen.raster.depth,
        seen.scale,
        seen.offset[0],
        seen.offset[1],
        perspective,
        tolerance,
        texture,
        visibility,
    )
    return texture, visibility


@njit(cache=True, nogil=True, error_model="numpy")
def _pull(values: Floats, weights: Floats, coarse: Floats, coarse_weights: Floats) -> None:
    # Each coarse texel is the weighted mean of its four children.
    for y in range(coarse.shape[0]):
        for x in range(coarse.shape[1]):
            total = np.float32(0)
            coarse[y, x] = 0
            for dy in range(2):
                for dx in range(2):
                    cy, cx = min(2 * y + dy, values.shape[0] - 1), min(2 * x + dx, values.shape[1] - 1)
                    w = weights[cy, cx]
                    total += w
                    for k in range(values.shape[2]):
                        coarse[y, x, k] += w * values[cy, cx, k]
            if total > 0:
                for k in range(values.shape[2]):
                    coarse[y, x, k] /= total
            coarse_weights[y, x] = min(total, np.float32(1))


@njit(cache=True, nogil=True, error_model="numpy")
def _push(values: Floats, weights: Floats, coarse: Floats) -> None:
    # What a texel lacks in weight comes bilinearly from the coarser level.
    height, width = coarse.shape[0], coarse.shape[1]
    for y in range(values.shape[0]):
        cy = min(max(y * 0.5 - 0.25, 0.0), height - 1.0)
        y0 = int(cy)
        y1, ty = min(y0 + 1, height - 1), np.float32(cy - y0)
        for x in range(values.shape[1]):
            w = weights[y, x]
            if w >= 1:
                continue
            cx = min(max(x * 0.5 - 0.25, 0.0), width - 1.0)
            x0 = int(cx)
            x1, tx = min(x0 + 1, width - 1), np.float32(cx - x0)
            for k in range(values.shape[2]):
                upper = coarse[y0, x0, k] * (1 - tx) + coarse[y0, x1, k] * tx
                lower = coarse[y1, x0, k] * (1 - tx) + coarse[y1, x1, k] * tx
                values[y, x, k] = w * values[y, x, k] + (1 - w) * (upper * (1 - ty) + lower * ty)


def fill_holes(texture: NDArray[np.generic], weights: NDArray[np.floating]) -> NDArray[np.generic]:
    """Fills what is missing in a map smoothly from its surroundings (pull-push, Gortler et al., The Lumigraph, 1996).

    Args:
        texture: (H, W, C) uint8 or float32.
        weights: (H, W) in 0..1; 1 keeps a texel, 0 replaces it, between blends. All zeros give an even black.

    Returns:
        A new map of the texture's shape and type.

    Raises:
        ValueError: shapes do not belong together.
    """
    if texture.ndim != 3 or weights.shape != texture.shape[:2]:
        raise ValueError(f"a map (H, W, C) and weights (H, W) are needed, not {texture.shape} and {weights.shape}")
    levels = [texture.astype(np.float32)]
    shares = [np.nan_to_num(np.clip(np.asarray(weights, np.float32), 0, 1), copy=False)]
    while max(levels[-1].shape[:2]) > 1:
        height, width = ((side + 1) // 2 for side in levels[-1].shape[:2])
        levels.append(np.empty((height, width, texture.shape[2]), np.float32))
        shares.append(np.empty((height, width), np.float32))
        _pull(levels[-2], shares[-2], levels[-1], shares[-1])
    for finer, share, coarser in zip(levels[-2::-1], shares[-2::-1], levels[::-1], strict=False):
        _push(finer, share, coarser)
    if texture.dtype == np.uint8:
        return np.asarray(np.clip(levels[0] + 0.5, 0, 255), np.uint8)
    return levels[0].astype(texture.dtype)
