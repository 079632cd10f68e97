"""The window of the face UV that carries detail: what the detail networks see and where they may put relief.

The face fills four fifths of its UV layout; scalp and neck, which carry no detail, fill the rest. The layout is drawn
at 320 texels and the middle 256 of them are the networks' map, about a millimetre a texel, so that what goes into a
network and what comes out needs no resampling.
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model.model import FaceModel
from models.geometry.rasterise import Raster, interpolate, rasterise_uv
from models.geometry.tension import Tension, tension_map

__all__ = ["DETAIL_SIZE", "FULL_SIZE", "DetailMap"]

Floats = NDArray[np.float32]

DETAIL_SIZE = 256
"""Texels a side of the window."""
FULL_SIZE = 320
"""Texels a side of the whole layout at the window's resolution."""
_TOP, _LEFT = 41, 32
_NOSTRIL_REACH = 0.0065
_FACING_NONE, _FACING_FULL = 0.05, 0.4


class DetailMap:
    """The detail window of one face model.

    Maps of the window are (256, 256): row 0 is nearest the top of the forehead, a flip of the columns mirrors the face.

    Args:
        model: whose face UV it is.

    Attributes:
        model: as given.
        raster: (256, 256) of the skin's layout within the window.
    """

    def __init__(self, model: FaceModel) -> None:
        self.model = model
        whole = rasterise_uv(model.uv, model.uv_faces, FULL_SIZE, subset=model.part_faces("skin"))
        rows, columns = slice(_TOP, _TOP + DETAIL_SIZE), slice(_LEFT, _LEFT + DETAIL_SIZE)
        self.raster = Raster(
            np.ascontiguousarray(whole.triangle[rows, columns]),
            np.ascontiguousarray(whole.barycentrics[rows, columns]),
            np.ascontiguousarray(whole.depth[rows, columns]),
        )
        self._tension = Tension(model.faces, model.vertex_count, model.regions["hidden"])

    def tension(self, neutral: Floats, deformed: Floats) -> Floats:
        """(256, 256) tension of (V, 3) deformed against neutral vertices; 0 outside the layout."""
        return tension_map(self._tension(neutral, deformed), self.raster, self.model.faces)

    def region(self, *names: str) -> Floats:
        """(256, 256) in 0..1: the largest of the named regions."""
        values = np.max([self.model.regions[name] for name in names], axis=0)
        return np.asarray(np.clip(interpolate(self.raster, values, self.model.faces), 0, 1), np.float32)

    @staticmethod
    def texels(uv: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, 2) column and row in the window of (N, 2) UV in 0..1; texel centres are whole numbers."""
        return np.asarray(uv, np.float64) * FULL_SIZE - np.array([_LEFT + 0.5, _TOP + 0.5], np.float64)

    @cached_property
    def mask(self) -> Floats:
        """(256, 256) in 0..1, where displacement may be: skin without lips, lash line, brows' hair, nostrils, and with
        a soft rim, so that the face's border never becomes a line."""
        bare = _grown(self.region("hidden"), 5)
        face = _grown((self.region("face") + bare > 0.98).astype(np.float32), -5)
        lashes, lips = (_soft(_grown(self.region(name), 3), 1.0) for name in ("lids", "lips"))
        kept = _soft(face, 3.0) * (1 - lashes) * (1 - lips) * (1 - bare)
        kept *= (1 - 0.85 * self.region("brows")) * (1 - self.nostrils) * (1 - self.region("ears"))
        # The rim under the jaw and before the ears is seen by no camera that sees the face.
        posed = self.model.pose(self.model.identity(), np.zeros(len(self.model.expression_names), np.float32))
        facing = _soft(interpolate(self.raster, posed.normals, self.model.faces)[..., 2], 4.0)
        kept *= np.clip((facing - _FACING_NONE) / (_FACING_FULL - _FACING_NONE), 0, 1)
        return np.ascontiguousarray((kept + kept[:, ::-1]) / 2, np.float32)

    @cached_property
    def nostrils(self) -> Floats:
        """(256, 256) in 0..1: the nostrils and the underside of the nose around them."""
        places = interpolate(self.raster, self.model.mean, self.model.faces)
        # Points 31..35 of the 68 run along the base of the nose, the nostrils lie between them.
        base = self.model.embed(self.model.mean, self.model.landmarks68)[31:36]
        gap = np.min([np.linalg.norm(places - point, axis=2) for point in (*base, (base[0] + base[1]) / 2)], axis=0)
        soft = np.clip(1.6 - gap / _NOSTRIL_REACH, 0, 1) * self.raster.covered
        return np.asarray(np.maximum(soft, soft[:, ::-1]), np.float32)

    @staticmethod
    def window(whole: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The window (256, 256, ...) of a map (320, 320, ...) of the whole layout, a copy of its own."""
        return np.ascontiguousarray(whole[_TOP : _TOP + DETAIL_SIZE, _LEFT : _LEFT + DETAIL_SIZE])

    @staticmethod
    def whole(window: NDArray[np.generic]) -> NDArray[np.generic]:
        """A map (256, 256, ...) of the window placed in the whole layout (320, 320, ...); zero around it."""
        out = np.zeros((FULL_SIZE, FULL_SIZE, *window.shape[2:]), window.dtype)
        out[_TOP : _TOP + DETAIL_SIZE, _LEFT : _LEFT + DETAIL_SIZE] = window
        return out


def _grown(values: Floats, side: int) -> Floats:
    """Grey dilation by a square of `side` texels, erosion where it is negative."""
    square = np.ones((abs(side), abs(side)), np.uint8)
    return np.asarray(cv2.dilate(values, square) if side > 0 else cv2.erode(values, square), np.float32)


def _soft(values: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(np.ascontiguousarray(values), (0, 0), sigma), np.float32)
