"""Z-buffer rasteriser on one CPU thread: which triangle a pixel or texel shows, and where in that triangle it lies.

Pixels count as in `camera.py`: the centre of the top-left pixel is (0, 0). Texels of an S x S map lie at
uv = (i + 0.5) / S, so that mirroring a map is a flip of its columns, and row 0 is v = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["NEAR_PLANE", "Raster", "empty_raster", "interpolate", "rasterise", "rasterise_uv"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]

NEAR_PLANE = 0.01
"""Metres. Triangles with a corner nearer than this are left out, so that no division by a small depth happens."""

_FARTHEST_PIXEL = 1e7
_INSIDE_TOLERANCE = -1e-7
"""Barycentric slack that keeps pixels exactly on a shared edge from falling between both triangles by rounding."""


@dataclass(frozen=True, slots=True)
class Raster:
    """What each pixel (or texel) of a mesh's picture shows.

    Attributes:
        triangle: (H, W) int32 index of the triangle, -1 where nothing is.
        barycentrics: (H, W, 3) float32 weights of the triangle's corners, perspective-correct; 0 where nothing is.
        depth: (H, W) float32 metres along the camera's axis, infinite where nothing is; 0 on a UV raster's triangles.
    """

    triangle: Indices
    barycentrics: Floats
    depth: Floats

    @property
    def covered(self) -> NDArray[np.bool_]:
        """(H, W) bool, where a triangle is."""
        return np.asarray(self.triangle >= 0)


def empty_raster(width: int, height: int) -> Raster:
    """Buffers for `rasterise(..., out=...)`, showing nothing.

    Raises:
        ValueError: a side is not positive.
    """
    if width < 1 or height < 1:
        raise ValueError(f"a raster needs at least one pixel, not {width} x {height}")
    return Raster(
        np.full((height, width), -1, np.int32),
        np.zeros((height, width, 3), np.float32),
        np.full((height, width), np.inf, np.float32),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(
    points: NDArray[np.floating],
    keys: NDArray[np.float64],
    faces: Indices,
    subset: Indices,
    perspective: bool,
    cull_back: bool,
    triangle: Indices,
    barycentrics: Floats,
    depth: Floats,
) -> None:
    # The key grows towards the camera and is linear in the picture: 1/z under perspective, -z otherwise. While
    # filling, `depth` holds the key; a key of NaN marks a vertex that must not be drawn.
    height, width = triangle.shape
    triangle[:] = -1
    barycentrics[:] = 0
    depth[:] = -np.inf
    for n in range(subset.size):
        f = subset[n]
        i0, i1, i2 = faces[f, 0], faces[f, 1], faces[f, 2]
        x0, y0, x1, y1, x2, y2 = (
            np.float64(points[i0, 0]),
            np.float64(points[i0, 1]),
            np.float64(points[i1, 0]),
            np.float64(points[i1, 1]),
            np.float64(points[i2, 0]),
            np.float64(points[i2, 1]),
        )
        # Counter-clockwise from outside is a negative area here, because y points down.
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if not (abs(area) > 1e-12) or (cull_back and area > 0):
            continue
        k0, k1, k2 = keys[i0], keys[i1], keys[i2]
        if not (k0 + k1 + k2 > -np.inf):
            continue
        left, right = min(x0, x1, x2), max(x0, x1, x2)
        top, bottom = min(y0, y1, y2), max(y0, y1, y2)
        if not (left > -_FARTHEST_PIXEL and right < _FARTHEST_PIXEL):
            continue
        if not (top > -_FARTHEST_PIXEL and bottom < _FARTHEST_PIXEL):
            continue
        if right < 0 or bottom < 0 or left > width - 1 or top > height - 1:
            continue
        inverse = 1.0 / area
        first_x, last_x = int(np.ceil(max(left, 0.0))), int(np.floor(min(right, width - 1.0)))
        first_y, last_y = int(np.ceil(max(top, 0.0))), int(np.floor(min(bottom, height - 1.0)))
        if first_x > last_x or first_y > last_y:
            continue
        b1_dx, b1_dy = (y2 - y0) * inverse, -(x2 - x0) * inverse
        b2_dx, b2_dy = -(y1 - y0) * inverse, (x1 - x0) * inverse
        for y in range(first_y, last_y + 1):
            b1 = (first_x - x0) * b1_dx + (y - y0) * b1_dy
            b2 = (first_x - x0) * b2_dx + (y - y0) * b2_dy
            for x in range(first_x, last_x + 1):
                b0 = 1.0 - b1 - b2
                if b0 >= _INSIDE_TOLERANCE and b1 >= _INSIDE_TOLERANCE and b2 >= _INSIDE_TOLERANCE:
                    key = b0 * k0 + b1 * k1 + b2 * k2
                    if key > depth[y, x]:
                        depth[y, x] = key
                        triangle[y, x] = f
                        if perspective:
                            barycentrics[y, x, 0] = max(b0, 0.0) * k0 / key
                            barycentrics[y, x, 1] = max(b1, 0.0) * k1 / key
                            barycentrics[y, x, 2] = max(b2, 0.0) * k2 / key
                        else:
                            barycentrics[y, x, 0] = max(b0, 0.0)
                            barycentrics[y, x, 1] = max(b1, 0.0)
                            barycentrics[y, x, 2] = max(b2, 0.0)
                b1 += b1_dx
                b2 += b2_dx
    for y in range(height):
        for x in range(width):
            key = depth[y, x]
            depth[y, x] = 1.0 / key if perspective else -key
            if triangle[y, x] < 0:
                depth[y, x] = np.inf


def rasterise(
    points: NDArray[np.floating],
    depth: NDArray[np.floating],
    faces: Indices,
    width: int,
    height: int,
    *,
    perspective: bool = True,
    cull_back: bool = True,
    near: float = NEAR_PLANE,
    subset: Indices | None = None,
    out: Raster | None = None,
) -> Raster:
    """Draws a projected mesh.

    Safe for any input: triangles with a corner nearer than `near`, at infinity or not a number are left out, those
    partly outside the picture are clipped.

    Args:
        points: (V, 2) pixels.
        depth: (V,) metres along the camera's axis (z of the camera frame).
        faces: (F, 3) int32 triangles, counter-clockwise seen from outside.
        width, height: of the picture in pixels.
        perspective: interpolate perspective-correctly; False for a weak-perspective camera (affine).
        cull_back: leave out triangles that show their back.
        near: metres.
        subset: (N,) int32 triangles to draw; None draws all.
        out: buffers of this size to draw into (see `empty_raster`); None allocates.

    Returns:
        `out`, or a new Raster.

    Raises:
        ValueError: shapes do not belong together, or a triangle names a vertex that is not there.
    """
    if points.ndim != 2 or points.shape[1] != 2 or depth.shape != (len(points),):
        raise ValueError(f"points (V, 2) and depth (V,) are needed, not {points.shape} and {depth.shape}")
    faces, chosen = _checked_faces(faces, subset, len(points))
    raster = _buffers(width, height, out)
    z = np.asarray(depth, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        keys = np.where((z >= near) & (z < np.inf), 1.0 / z if perspective else -z, np.nan)
    _fill(
        np.ascontiguousarray(points),
        keys,
        faces,
        chosen,
        perspective,
        cull_back,
        raster.triangle,
        raster.barycentrics,
        raster.depth,
    )
    return raster


def rasterise_uv(uv: Floats, uv_faces: Indices, size: int, *, subset: Indices | None = None) -> Raster:
    """Draws a UV layout: which triangle each texel belongs to. Computed once per topology and kept.

    Args:
        uv: (T, 2) float32 in 0..1, row 0 of the map is v = 0.
        uv_faces: (F, 3) int32 triangles over `uv`.
        size: S, texels a side.
        subset: (N,) int32 triangles to draw; None draws all. Islands that overlap (one layout per part) need it.

    Returns:
        Raster of (S, S); both windings are drawn, depth is 0 where a triangle is.

    Raises:
        ValueError: shapes do not belong together, or a triangle names a UV point that is not there.
    """
    points = np.asarray(uv, np.float64) * size - 0.5
    return rasterise(
        points,
        np.zeros(len(points)),
        uv_faces,
        size,
        size,
        perspective=False,
        cull_back=False,
        near=-1.0,
        subset=subset,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _interpolate(triangle: Indices, barycentrics: Floats, faces: Indices, values: Floats, out: Floats) -> None:
    height, width = triangle.shape
    for y in range(height):
        for x in range(width):
            f = triangle[y, x]
            if f < 0:
                out[y, x] = 0
                continue
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            wa, wb, wc = barycentrics[y, x, 0], barycentrics[y, x, 1], barycentrics[y, x, 2]
            for k in range(values.shape[1]):
                out[y, x, k] = wa * values[a, k] + wb * values[b, k] + wc * values[c, k]


def interpolate(
    raster: Raster, attributes: NDArray[np.floating], faces: Indices, *, out: Floats | None = None
) -> Floats:
    """Vertex attributes over the pixels of a raster.

    Args:
        raster: of a picture or a UV map.
        attributes: (V, C) or (V,) values.
        faces: (F, 3) int32 triangles over `attributes`, in the order that was rasterised. A UV raster takes the mesh's
            own `faces` here, so that vertex attributes land in the map.
        out: (H, W, C) or (H, W) float32 to write into; None allocates.

    Returns:
        (H, W, C), or (H, W) for one-dimensional attributes; 0 where nothing is.

    Raises:
        ValueError: a triangle names a vertex that is not there, or shapes do not belong together.
    """
    values = np.ascontiguousarray(attributes, np.float32)
    flat = values.ndim == 1
    if flat:
        values = values[:, None]
    faces, _ = _checked_faces(faces, None, len(values))
    if raster.triangle.size and int(raster.triangle.max()) >= len(faces):
        raise ValueError(f"the raster shows triangle {int(raster.triangle.max())} of a mesh with {len(faces)}")
    shape = (*raster.triangle.shape, values.shape[1])
    result = np.empty(shape, np.float32) if out is None else out.reshape(shape)
    _interpolate(raster.triangle, raster.barycentrics, faces, values, result)
    return result[..., 0] if flat else result


def _checked_faces(faces: Indices, subset: Indices | None, count: int) -> tuple[Indices, Indices]:
    """Contiguous int32 triangles and chosen indices, so that no kernel reads out of bounds."""
    if faces.ndim != 2 or faces.shape[1] != 3:
        raise ValueError(f"triangles (F, 3) are needed, not {faces.shape}")
    faces = np.ascontiguousarray(faces, np.int32)
    if faces.size and (int(faces.min()) < 0 or int(faces.max()) >= count):
        raise ValueError(f"a triangle names vertex {int(faces.max())} of a mesh with {count} vertices")
    if subset is None:
        return faces, np.arange(len(faces), dtype=np.int32)
    chosen = np.ascontiguousarray(subset, np.int32)
    if chosen.size and (int(chosen.min()) < 0 or int(chosen.max()) >= len(faces)):
        raise ValueError(f"the subset names triangle {int(chosen.max())} of a mesh with {len(faces)}")
    return faces, chosen


def _buffers(width: int, height: int, out: Raster | None) -> Raster:
    if out is None:
        return empty_raster(width, height)
    if out.triangle.shape != (height, width):
        raise ValueError(f"the output buffers hold {out.triangle.shape[::-1]} pixels, not {(width, height)}")
    return out
