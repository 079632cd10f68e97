"""How an expression stretches the skin, direction by direction, over the detail window.

The scalar tension that the networks see is a mean over directions. What opens a crease is the compression across it:
with the first fundamental forms G0 (neutral) and G1 (deformed) of the surface over UV, a step n in UV keeps
sqrt(n' G1 n / n' G0 n) of its length.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.face_model.detail_map import DetailMap
from models.face_model.model import PosedFace
from models.geometry.rasterise import interpolate

__all__ = ["SurfaceMaps", "compression", "first_form", "surface_maps"]

Floats = NDArray[np.float32]

SMOOTHING = 2.0
"""Texels: the mesh is made of flat triangles, and their edges must not show in the strain."""


@dataclass(frozen=True, slots=True)
class SurfaceMaps:
    """A posed face over the detail window.

    Attributes:
        normals: (256, 256, 3) unit, head frame; 0 outside the layout.
        along_u, along_v: (256, 256, 3) millimetres a texel, head frame: steps to the right and down.
        metric: (256, 256, 3) G1: uu, uv, vv in square millimetres, smoothed.
        neutral_metric: (256, 256, 3) G0.
        tension: (256, 256).
    """

    normals: Floats
    along_u: Floats
    along_v: Floats
    metric: Floats
    neutral_metric: Floats
    tension: Floats


@njit(cache=True, nogil=True, fastmath=True)
def _forms(places: Floats, along_u: Floats, along_v: Floats, metric: Floats) -> None:
    size = places.shape[0]
    for y in range(size):
        y0, y1 = max(y - 1, 0), min(y + 1, size - 1)
        for x in range(size):
            x0, x1 = max(x - 1, 0), min(x + 1, size - 1)
            uu, uv, vv = np.float32(0), np.float32(0), np.float32(0)
            for k in range(3):
                du = (places[y, x1, k] - places[y, x0, k]) / (x1 - x0)
                dv = (places[y1, x, k] - places[y0, x, k]) / (y1 - y0)
                along_u[y, x, k], along_v[y, x, k] = du, dv
                uu += du * du
                uv += du * dv
                vv += dv * dv
            # Across the border of the layout a step is as long as the head is far from its origin.
            metric[y, x, 0] = min(uu, np.float32(9))
            metric[y, x, 1] = min(max(uv, np.float32(-9)), np.float32(9))
            metric[y, x, 2] = min(vv, np.float32(9))


def first_form(places: Floats) -> tuple[Floats, Floats, Floats]:
    """Steps along u and v (256, 256, 3) in millimetres a texel, and the smoothed metric (256, 256, 3) uu, uv, vv, of
    places (256, 256, 3) in millimetres."""
    along_u, along_v, metric = (np.empty_like(places) for _ in range(3))
    _forms(places, along_u, along_v, metric)
    return along_u, along_v, np.asarray(cv2.GaussianBlur(metric, (0, 0), SMOOTHING), np.float32)


def surface_maps(window: DetailMap, posed: PosedFace, neutral_metric: Floats | None = None) -> SurfaceMaps:
    """The maps of a posed face.

    Args:
        window: the detail window.
        posed: vertices and normals.
        neutral_metric: G0 of this identity where it is known already.
    """
    model = window.model
    if neutral_metric is None:
        neutral_metric = first_form(interpolate(window.raster, posed.neutral * np.float32(1000), model.faces))[2]
    both = interpolate(
        window.raster, np.concatenate([posed.vertices * np.float32(1000), posed.normals], axis=1), model.faces
    )
    along_u, along_v, metric = first_form(np.ascontiguousarray(both[..., :3]))
    return SurfaceMaps(
        np.ascontiguousarray(both[..., 3:]), along_u, along_v, metric, neutral_metric,
        window.tension(posed.neutral, posed.vertices),
    )  # fmt: skip


def compression(maps: SurfaceMaps, angle: float) -> Floats:
    """(256, 256) share of its length that a step in the direction `angle` (radians, 0 to the right, pi/2 down) loses:
    above 0 compressed, below 0 stretched; within +-0.7."""
    c, s = float(np.cos(angle)), float(np.sin(angle))
    weights = np.array([c * c, 2 * c * s, s * s], np.float32)
    ratio = (maps.metric @ weights + 1e-3) / (maps.neutral_metric @ weights + 1e-3)
    return np.asarray(np.clip(1 - np.sqrt(np.clip(ratio, 0.09, 2.9)), -0.7, 0.7), np.float32)
