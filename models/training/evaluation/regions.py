"""Where folds are looked for, over the detail window."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model.detail_map import DETAIL_SIZE, DetailMap
from models.training.data.anatomy import landmark_texels

__all__ = ["face_regions", "strength"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Point = tuple[float, float]

BAND = 20
"""Texels across the band in which a nasolabial fold lies."""


def face_regions(window: DetailMap) -> dict[str, Mask]:
    """Name -> (256, 256) bool: nasolabial, crows_feet, forehead, glabella, and three where a smile makes no folds:
    nose, chin, brow_rim. All are symmetric and inside the detail mask."""
    landmarks = landmark_texels(window)
    centre = DETAIL_SIZE / 2 - 0.5
    out: dict[str, Mask] = {}

    def of(index: int, outward: float = 0.0, down: float = 0.0) -> Point:
        x, y = landmarks[index]
        return (centre + abs(x - centre) + outward, y + down)

    def drawn(polygon: list[Point], width: int = 0) -> Mask:
        canvas = np.zeros((DETAIL_SIZE, DETAIL_SIZE), np.uint8)
        points = np.round(polygon).astype(np.int32)
        if width:
            cv2.polylines(canvas, [points], False, 255, width)
        else:
            cv2.fillPoly(canvas, [points], 255)
        return np.asarray((canvas | canvas[:, ::-1]) > 0)

    out["nasolabial"] = drawn([of(35, 7, -6), of(54, 10, -25), of(54, 11, 2)], BAND)
    out["crows_feet"] = drawn([of(45, 5, -6), of(45, 26, -24), of(45, 34, 0), of(45, 24, 22), of(45, 5, 6)])
    out["forehead"] = drawn([(centre, of(21)[1] - 12), of(24, 8, -8), of(24, 14, -34), (centre, of(24)[1] - 40)])
    out["glabella"] = drawn([(centre, of(27)[1] - 2), of(27, 9, -2), of(27, 10, -26), (centre, of(27)[1] - 28)])
    out["nose"] = drawn([of(27, 4, 6), of(30, 11, -6), of(30, 11, 4), (centre, of(30)[1] + 6), (centre, of(27)[1] + 6)])
    out["chin"] = drawn([of(57, 0, 14), of(56, 9, 14), of(56, 9, 30), of(57, 0, 32)])
    out["brow_rim"] = drawn([of(22, 0, 5), of(24, 0, 7), of(26, 0, 6)], 7)
    inside = window.mask > 0.3
    return {name: mask & inside for name, mask in out.items()}


def strength(displacement: Floats, region: Mask) -> float:
    """How strongly a region is folded: root mean square of the displacement against its surroundings, millimetres.

    Slow changes (beyond some twelve texels) are form, not folds, and are taken out.
    """
    folds = displacement - cv2.GaussianBlur(displacement, (0, 0), 12.0)
    return float(np.sqrt(np.mean(folds[region] ** 2)))
