"""What relief does to a picture of skin: light on the detail normal against the coarse normal, and occlusion."""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.synthesis.light import directional_light
from models.training.data.strain import SurfaceMaps

__all__ = ["detail_normals", "occlusion", "random_light", "shading"]

Floats = NDArray[np.float32]

FLAT = 0.06
"""Least irradiance, so that the ratio of two shadings stays finite."""


@njit(cache=True, nogil=True, fastmath=True)
def _detail_normals(
    displaced: Floats, normals: Floats, along_u: Floats, along_v: Floats, metric: Floats, out: Floats
) -> None:
    size = displaced.shape[0]
    for y in range(size):
        for x in range(size):
            x0, x1 = max(x - 1, 0), min(x + 1, size - 1)
            y0, y1 = max(y - 1, 0), min(y + 1, size - 1)
            du = (displaced[y, x1] - displaced[y, x0]) / (x1 - x0)
            dv = (displaced[y1, x] - displaced[y0, x]) / (y1 - y0)
            e, f, g = metric[y, x, 0], metric[y, x, 1], metric[y, x, 2]
            area = e * g - f * f
            if area < 1e-3:
                for k in range(3):
                    out[y, x, k] = normals[y, x, k]
                continue
            a, b = (g * du - f * dv) / area, (e * dv - f * du) / area
            length = np.float32(0)
            for k in range(3):
                value = normals[y, x, k] - a * along_u[y, x, k] - b * along_v[y, x, k]
                out[y, x, k] = value
                length += value * value
            scale = 1 / max(np.sqrt(length), 1e-6)
            for k in range(3):
                out[y, x, k] *= scale


def detail_normals(displaced: Floats, maps: SurfaceMaps) -> Floats:
    """(256, 256, 3) unit normals, head frame, of the surface v + D n.

    n' is parallel to n - grad D, the surface gradient taken with the first fundamental form; |D| is small against the
    surface's radii of curvature.

    Args:
        displaced: (256, 256) millimetres.
        maps: of the posed face.
    """
    out = np.empty((*displaced.shape, 3), np.float32)
    _detail_normals(displaced, maps.normals, maps.along_u, maps.along_v, maps.metric, out)
    return out


@njit(cache=True, nogil=True, fastmath=True)
def _shading(normals: Floats, light: Floats, out: Floats) -> None:
    # Harmonics convolved with the cosine lobe, after Ramamoorthi and Hanrahan 2001, as `sh_basis` has them.
    for i in range(normals.shape[0]):
        x, y, z = normals[i, 0], normals[i, 1], normals[i, 2]
        b1, b2, b3 = np.float32(0.325735) * y, np.float32(0.325735) * z, np.float32(0.325735) * x
        b4, b5, b7 = np.float32(0.273137) * x * y, np.float32(0.273137) * y * z, np.float32(0.273137) * x * z
        b6, b8 = np.float32(0.078848) * (3 * z * z - 1), np.float32(0.1365685) * (x * x - y * y)
        for k in range(light.shape[1]):
            out[i, k] = (
                np.float32(0.282095) * light[0, k] + b1 * light[1, k] + b2 * light[2, k] + b3 * light[3, k]
                + b4 * light[4, k] + b5 * light[5, k] + b6 * light[6, k] + b7 * light[7, k] + b8 * light[8, k]
            )  # fmt: skip


def shading(normals: Floats, light: Floats) -> Floats:
    """(256, 256, 3) irradiance, at least FLAT, of unit normals (256, 256, 3) under light (9, 3), both in one frame."""
    out = np.empty((normals.shape[0] * normals.shape[1], 3), np.float32)
    _shading(np.ascontiguousarray(normals).reshape(-1, 3), np.ascontiguousarray(light, np.float32), out)
    return np.maximum(out, FLAT).reshape(normals.shape)


def occlusion(displaced: Floats, strength: float) -> Floats:
    """(256, 256) logarithm (0 or less) of the light that reaches the bottom of creases.

    Reconstruction after the "dark is deep" rule of Langer and Buelthoff (2000): what lies below its surroundings, at
    two scales, sees less of the sky.

    Args:
        displaced: (256, 256) millimetres.
        strength: about 1 for an even sky.
    """
    near = cv2.GaussianBlur(displaced, (0, 0), 2.5) - displaced
    far = cv2.GaussianBlur(displaced, (0, 0), 7.0) - displaced
    dark = -strength * (0.6 * np.maximum(near, 0) + 0.8 * np.maximum(far, 0))
    # A crease is never darker than the little light that skin itself lets through.
    return np.asarray(1.6 * np.tanh(dark / 1.6), np.float32)


def random_light(rng: np.random.Generator) -> Floats:
    """(9, 3) a random light, head frame: an even surround and one or two lamps, from flat studio light to a window."""
    side = float(rng.beta(1.3, 1.3))
    light = np.zeros((9, 3), np.float32)
    for _ in range(rng.integers(1, 3)):
        direction = rng.normal(0, 1, 3)
        direction[2] = abs(direction[2]) + 0.15
        direction[1] += 0.5
        warm = float(rng.normal(0, 0.08))
        light += directional_light(direction, side * rng.uniform(0.3, 0.9), 0.0, (1 + warm, 1.0, 1 - warm))
    ambient = rng.uniform(0.35, 0.7) * (1.25 - side)
    light[0] += ambient / 0.282095
    # Rooms are brighter above.
    light[1] += rng.uniform(0, 0.5) * ambient / 0.488603
    return light
