"""Values over a model's vertices: its regions, and smoothing along its mesh."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.face_model.model import FaceModel
from models.geometry.tension import mesh_edges

__all__ = ["region", "smoothed"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]


def region(model: FaceModel, name: str) -> Floats:
    """(V,) weights of a region; zeros where the model does not have it."""
    found = model.regions.get(name)
    return np.zeros(model.vertex_count, np.float32) if found is None else np.asarray(found, np.float32)


def smoothed(model: FaceModel, values: Floats, rounds: int) -> Floats:
    """(V,) values averaged with their neighbours on the mesh, so many times."""
    one, other = _edges(model).T
    count = model.vertex_count
    places = 1.0 + np.bincount(one, minlength=count) + np.bincount(other, minlength=count)
    for _ in range(rounds):
        sums = values + np.bincount(one, values[other], count) + np.bincount(other, values[one], count)
        values = np.asarray(sums / places, np.float32)
    return values


@lru_cache(maxsize=2)
def _edges(model: FaceModel) -> Indices:
    return mesh_edges(model.faces)
