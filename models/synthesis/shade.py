"""Fast shading of a rasterised face for training data: about 2 ms for a 320 px picture.

The same model of a face as `portrait.paint`, which stays the plain reference, plus skin shine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.face_model.model import FaceModel
from models.geometry.rasterise import Raster
from models.synthesis.portrait import Eyes

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

_SKIN, _EYE, _TEETH, _TONGUE, _LASHES = range(5)
_KINDS = {"skin": _SKIN, "eye_left": _EYE, "eye_right": _EYE, "teeth": _TEETH, "tongue": _TONGUE, "lashes": _LASHES}
_GAMMA_STEPS = 4096


def _gamma_table() -> Image:
    linear = np.arange(_GAMMA_STEPS) / (_GAMMA_STEPS - 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(linear, 1 / 2.4) - 0.055)
    return np.round(encoded * 255).astype(np.uint8)


_TABLE = _gamma_table()


@dataclass(frozen=True, slots=True)
class Shine:
    """Highlights on skin and eyes.

    Attributes:
        direction: (3,) unit vector towards the light, camera frame.
        strength: of the highlight on skin, linear light; eyes shine more.
        sharpness: exponent of Blinn and Phong.
    """

    direction: tuple[float, float, float] = (0.0, -0.5, -0.866)
    strength: float = 0.04
    sharpness: float = 12.0


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _shade(
    triangle: NDArray[np.int32],
    bary: Floats,
    faces: NDArray[np.int32],
    uv_faces: NDArray[np.int32],
    uv: Floats,
    kinds: NDArray[np.int8],
    normals: Floats,
    hidden: Floats,
    texture: Floats,
    light: Floats,
    eyes: Floats,
    inside: Floats,
    half_vector: Floats,
    strength: float,
    sharpness: float,
    table: Image,
    image: Image,
) -> None:
    size = texture.shape[0]
    colour = np.zeros(3, np.float32)
    for y in range(triangle.shape[0]):
        for x in range(triangle.shape[1]):
            f = triangle[y, x]
            if f < 0:
                continue
            wa, wb, wc = bary[y, x, 0], bary[y, x, 1], bary[y, x, 2]
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            nx = wa * normals[a, 0] + wb * normals[b, 0] + wc * normals[c, 0]
            ny = wa * normals[a, 1] + wb * normals[b, 1] + wc * normals[c, 1]
            nz = wa * normals[a, 2] + wb * normals[b, 2] + wc * normals[c, 2]
            norm = np.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-9)
            nx, ny, nz = nx / norm, ny / norm, nz / norm
            ua, ub, uc = uv_faces[f, 0], uv_faces[f, 1], uv_faces[f, 2]
            u = wa * uv[ua, 0] + wb * uv[ub, 0] + wc * uv[uc, 0]
            v = wa * uv[ua, 1] + wb * uv[ub, 1] + wc * uv[uc, 1]
            kind = kinds[f]
            shine = strength
            if kind == _SKIN:
                px = min(max(u * size - 0.5, 0.0), size - 1.001)
                py = min(max(v * size - 0.5, 0.0), size - 1.001)
                x0, y0 = int(px), int(py)
                tx, ty = px - x0, py - y0
                hide = min(max(wa * hidden[a] + wb * hidden[b] + wc * hidden[c], 0.0), 1.0)
                for k in range(3):
                    upper = texture[y0, x0, k] * (1 - tx) + texture[y0, x0 + 1, k] * tx
                    lower = texture[y0 + 1, x0, k] * (1 - tx) + texture[y0 + 1, x0 + 1, k] * tx
                    colour[k] = (upper * (1 - ty) + lower * ty) * (1 - hide) + inside[k] * hide
                shine *= 1 - hide
            elif kind == _EYE:
                r = 2 * np.sqrt((u - 0.5) ** 2 + (v - 0.5) ** 2)
                iris = min(max((eyes[2, 0] - r) / 0.04 + 0.5, 0.0), 1.0)
                pupil = min(max((eyes[2, 1] - r) / 0.04 + 0.5, 0.0), 1.0)
                ring = 1 - 0.6 * np.exp(-(((r - eyes[2, 0]) / 0.035) ** 2))
                for k in range(3):
                    base = eyes[1, k] * (1 - iris) + eyes[0, k] * iris
                    colour[k] = (base * (1 - pupil) + 0.006 * pupil) * ring
                shine = 6 * strength
            else:
                for k in range(3):
                    colour[k] = inside[k + 3 * (kind - 1)]
                if kind == _LASHES:
                    shine = 0.0
            dot = nx * half_vector[0] + ny * half_vector[1] + nz * half_vector[2]
            spark = shine * max(dot, 0.0) ** (sharpness if kind == _SKIN else 4 * sharpness)
            for k in range(3):
                irradiance = (
                    light[0, k]
                    + light[1, k] * ny
                    + light[2, k] * nz
                    + light[3, k] * nx
                    + light[4, k] * nx * ny
                    + light[5, k] * ny * nz
                    + light[6, k] * (3 * nz * nz - 1)
                    + light[7, k] * nx * nz
                    + light[8, k] * (nx * nx - ny * ny)
                )
                value = colour[k] * max(irradiance, 0.0) + spark
                image[y, x, k] = table[int(min(value, 1.0) * (table.size - 1) + 0.5)]


class FaceShader:
    """Shades faces of one model.

    Args:
        model: the face model.
    """

    def __init__(self, model: FaceModel) -> None:
        self._model = model
        self._kinds = np.array([_KINDS[name] for name in model.part_names], np.int8)[model.face_part]
        self._hidden = np.ascontiguousarray(model.regions["hidden"], np.float32)
        self._inside = np.array(
            # Mouth interior, (unused for eyes), teeth, tongue, lashes: the kinds above, three numbers each.
            [0.14, 0.025, 0.02, 0.55, 0.50, 0.42, 0.35, 0.10, 0.09, 0.012, 0.010, 0.009], np.float32,
        )  # fmt: skip

    def __call__(
        self, raster: Raster, normals: Floats, texture: Floats, light: Floats, eyes: Eyes, shine: Shine, image: Image
    ) -> None:
        """Draws over `image`.

        Args:
            raster: of the model's faces.
            normals: (V, 3) camera frame.
            texture: (S, S, 3) skin, linear light.
            light: (9, 3) spherical harmonics, camera frame, as `sh_basis` takes them.
            eyes: colours of the eyes.
            shine: highlights.
            image: (H, W, 3) uint8 of the raster's size; written where the face is.
        """
        half = np.asarray(shine.direction, np.float32) + np.array([0, 0, -1], np.float32)
        half /= max(float(np.linalg.norm(half)), 1e-6)
        colours = np.zeros((3, 3), np.float32)
        colours[0], colours[1] = eyes.iris, eyes.sclera
        colours[2, :2] = eyes.iris_radius, eyes.pupil_radius
        _shade(
            raster.triangle, raster.barycentrics, self._model.faces, self._model.uv_faces, self._model.uv, self._kinds,
            np.ascontiguousarray(normals, np.float32), self._hidden, texture, _folded(light), colours, self._inside,
            half, shine.strength, shine.sharpness, _TABLE, image,
        )  # fmt: skip


_FACTORS = np.array(
    [0.282095, *[0.488603 * 2 / 3] * 3, *[1.092548 / 4] * 2, 0.315392 / 4, 1.092548 / 4, 0.546274 / 4], np.float32
)


def _folded(light: Floats) -> Floats:
    """(9, 3) light with the constants of `sh_basis` multiplied in, in its order."""
    return np.asarray(light * _FACTORS[:, None], np.float32)
