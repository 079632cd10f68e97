"""Where faces fold out of habit: there, a trace of each fold stays in the skin at rest.

What expressions fold again and again does not smooth out entirely. So a picture of a resting face hints at the folds
that it will show, which is all that lets anyone say where a person will crease whom they have only seen at rest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.face_model.detail_map import DETAIL_SIZE, DetailMap
from models.training.data.expressions import FAMILIES, named_expression
from models.training.data.strain import compression, surface_maps
from models.training.data.wrinkles import ORIENTATIONS, field_opening

__all__ = ["habitual_opening"]


def habitual_opening(window: DetailMap) -> NDArray[np.float32]:
    """(8, 256, 256) how far the fields of creases open in the expression that opens them most.

    Args:
        window: the detail window; the face is the mean one.
    """
    model = window.model
    mean = np.zeros(model.identity_count, np.float32)
    out = np.zeros((ORIENTATIONS, DETAIL_SIZE, DETAIL_SIZE), np.float32)
    neutral = None
    for name, (_, channels) in FAMILIES.items():
        if not channels:
            continue
        maps = surface_maps(window, model.pose(mean, named_expression(name)), neutral)
        neutral = maps.neutral_metric
        for k in range(ORIENTATIONS):
            np.maximum(out[k], field_opening(compression(maps, np.pi * k / ORIENTATIONS)), out=out[k])
    return out
