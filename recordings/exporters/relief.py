"""The skin's relief for formats that only move vertices: sampled on a refined mesh, and as a few shapes that mix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel
from models.geometry.normals import VertexNormals
from rendering.subdivide import Subdivision, loop_subdivision

__all__ = ["FineSkin", "ReliefShapes", "relief_shapes"]

Floats = NDArray[np.float32]
LIMIT_MM = 10.0
MOST_SAMPLES = 600
"""Maps that shapes are computed from; more of them, evenly spread, are left out."""


class FineSkin:
    """The skin refined once (about 33,000 triangles with `levels` 1), with a place in the face UV for each vertex.

    Args:
        model: whose skin.
        levels: how often each triangle becomes four.

    Attributes:
        faces: (F', 3) int32 triangles over the refined UV points.
        uv: (T', 2) their places, v = 0 at the top.
    """

    def __init__(self, model: FaceModel, levels: int = 1) -> None:
        skin = model.part_faces("skin")
        self._model = model
        faces = np.ascontiguousarray(model.faces[skin])
        uv_faces = np.ascontiguousarray(model.uv_faces[skin])
        uv = model.uv
        vertex = model.uv_vertex
        self._steps: list[Subdivision] = []
        for _ in range(levels):
            shape = loop_subdivision(faces, self._count(faces))
            layout = loop_subdivision(uv_faces, self._count(uv_faces))
            # Both refine the same triangles in the same order, so corners correspond.
            uv = layout(uv[: self._count(uv_faces)])
            vertex = np.zeros(self._count(layout.faces), np.int32)
            vertex[layout.faces] = shape.faces
            faces, uv_faces = shape.faces, layout.faces
            self._steps.append(shape)
        self._shape_faces = faces
        used, corners = np.unique(uv_faces, return_inverse=True)
        self.faces: NDArray[np.int32] = corners.reshape(-1, 3).astype(np.int32)
        self.uv = np.asarray(uv[used], np.float32)
        self._vertex = vertex[used]

    @staticmethod
    def _count(faces: NDArray[np.int32]) -> int:
        return int(faces.max()) + 1

    def points(self, values: NDArray[np.floating]) -> Floats:
        """(T', C) values at the refined points of (V, C) values of the model's vertices."""
        for step in self._steps:
            values = step(values[: step.matrix.shape[1]])
        return np.asarray(values[self._vertex], np.float32)

    def raised(self, vertices: Floats, normals: Floats, relief: Floats) -> tuple[Floats, Floats]:
        """Points (T', 3) with relief on them and their normals, across the seams of the UV layout as well.

        Args:
            vertices, normals: (V, 3) of the model.
            relief: (T',) metres.
        """
        points = self.points(vertices) + relief[:, None] * _unit(self.points(normals))
        count = int(self._vertex.max()) + 1
        whole = np.zeros((count, 3), np.float32)
        whole[self._vertex] = points
        faces = self._shape_faces[(self._shape_faces < count).all(axis=1)]
        return points, VertexNormals(faces, count)(whole)[self._vertex]

    def relief(self, displacement: NDArray[np.floating]) -> Floats:
        """(T',) metres along the normal, of a map (S, S) of millimetres over the face UV."""
        height, width = displacement.shape
        at = np.asarray(self.uv * np.array([width, height]) - 0.5, np.float32)
        flat = np.nan_to_num(np.asarray(displacement, np.float32))
        found = cv2.remap(flat, at[:, :1], at[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(np.clip(found[:, 0], -LIMIT_MM, LIMIT_MM) / 1000, np.float32)


def _unit(values: Floats) -> Floats:
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9), np.float32)


@dataclass(frozen=True, slots=True)
class ReliefShapes:
    """Relief as a mixture.

    Attributes:
        shapes: (K, T') metres along the normal.
        times: (M,) seconds of the maps, ascending.
        weights: (M, K) of each map, 0..1.
        kept: share of the relief's mean square that the mixture repeats, 0..1.
    """

    shapes: Floats
    times: NDArray[np.float64]
    weights: Floats
    kept: float

    def at(self, times: NDArray[np.float64]) -> Floats:
        """(N, K) weights at other times: of the last map before each, none before the first."""
        row = np.searchsorted(self.times, times + 1e-6, side="right") - 1
        return np.where(row[:, None] >= 0, self.weights[np.maximum(row, 0)], 0).astype(np.float32)


def relief_shapes(skin: FineSkin, maps: Iterator[tuple[float, Floats]], count: int) -> ReliefShapes | None:
    """Principal shapes of a sequence of displacement maps; None where all of them are flat.

    Weights of principal components take both signs, but many programs allow shape keys from 0 to 1 alone. So every
    component stands there as two shapes, one for each sign, and `count` components give up to 2 `count` shapes.

    Args:
        skin: where the relief is sampled.
        maps: (time, (S, S) millimetres), in order of time.
        count: components.
    """
    times: list[float] = []
    rows: list[Floats] = []
    for time_s, displacement in maps:
        times.append(time_s)
        rows.append(skin.relief(displacement))
    if not rows:
        return None
    relief = np.stack(rows)
    chosen = relief[np.unique(np.linspace(0, len(relief) - 1, min(len(relief), MOST_SAMPLES)).round().astype(int))]
    total = float(np.square(relief, dtype=np.float64).sum())
    if total <= 0:
        return None
    # Through the small matrix of the maps' products: there are far fewer maps than vertices.
    values, vectors = np.linalg.eigh((chosen @ chosen.T).astype(np.float64))
    order = np.argsort(values)[::-1][:count]
    order = order[values[order] > 1e-9 * values.max()]
    basis = (vectors[:, order] / np.sqrt(values[order])).T @ chosen
    mixed = relief @ basis.T.astype(np.float32)
    kept = float(np.square(mixed, dtype=np.float64).sum()) / total
    shapes, weights = [], []
    for k in range(len(basis)):
        for sign in (1.0, -1.0):
            part = np.maximum(sign * mixed[:, k], 0)
            if part.max() > 0:
                shapes.append(sign * basis[k] * part.max())
                weights.append(part / part.max())
    return ReliefShapes(
        np.asarray(shapes, np.float32), np.asarray(times), np.asarray(weights, np.float32).T.copy(), min(kept, 1.0)
    )
