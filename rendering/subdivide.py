"""One level of Loop subdivision as a sparse matrix: computed once per topology, applied to every frame's vertices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

__all__ = ["Subdivision", "loop_subdivision"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Subdivision:
    """A refined topology.

    Attributes:
        matrix: (V', V) sparse float32; `matrix @ vertices` are the refined vertices, old ones first.
        faces: (F', 3) int32. The triangles that were refined come first, four for each in their order, then the rest.
        parent: (F',) int32 triangle of the old mesh that each came from.
    """

    matrix: csr_array
    faces: Indices
    parent: Indices

    def __call__(self, values: NDArray[np.floating]) -> Floats:
        """(V', C) refined from (V, C)."""
        return np.asarray(self.matrix @ np.asarray(values, np.float32), np.float32)


def loop_subdivision(faces: Indices, vertex_count: int, refined: Indices | None = None) -> Subdivision:
    """Refines a mesh, or some of its triangles, once.

    C. Loop, Smooth Subdivision Surfaces Based on Triangles, 1987, with Warren's weights; borders (and edges of more
    than two triangles) follow the cubic B-spline rule, so that borders that two meshes share stay shared.

    Args:
        faces: (F, 3) int32 triangles. A UV layout's triangles in the same order give a refined layout that fits.
        vertex_count: V.
        refined: (N,) int32 triangles to refine; None refines all. The others keep their vertices' places only if they
            share none with the refined ones.

    Raises:
        ValueError: a triangle names a vertex that is not there.
    """
    if faces.size and (int(faces.min()) < 0 or int(faces.max()) >= vertex_count):
        raise ValueError(f"a triangle names vertex {int(faces.max())} of a mesh with {vertex_count} vertices")
    chosen = np.arange(len(faces), dtype=np.int32) if refined is None else np.asarray(refined, np.int32)
    own = faces[chosen]
    # Edge k of a triangle lies opposite its corner k.
    sides = np.sort(np.stack([own[:, [1, 2]], own[:, [2, 0]], own[:, [0, 1]]], axis=1), axis=2)
    edges, which, uses = np.unique(sides.reshape(-1, 2), axis=0, return_inverse=True, return_counts=True)
    which = which.reshape(-1, 3)
    inner = uses == 2

    rows, columns, weights = [], [], []

    def add(row: NDArray[np.integer], column: NDArray[np.integer], weight: NDArray[np.floating] | float) -> None:
        rows.append(row)
        columns.append(column)
        weights.append(np.broadcast_to(np.asarray(weight, np.float64), row.shape))

    new = vertex_count + np.arange(len(edges))
    ends = np.where(inner, 0.375, 0.5)
    add(new, edges[:, 0], ends)
    add(new, edges[:, 1], ends)
    for corner in range(3):
        shared = inner[which[:, corner]]
        add(new[which[shared, corner]], own[shared, corner], 0.125)

    border = np.zeros(vertex_count, bool)
    border[edges[~inner]] = True
    valence = np.bincount(edges.reshape(-1), minlength=vertex_count)
    border_uses = np.bincount(edges[~inner].reshape(-1), minlength=vertex_count)
    # Corners where borders meet or touch stay where they are.
    fixed = (valence == 0) | (border & (border_uses != 2))
    smooth = ~border & ~fixed
    share = np.where(valence == 3, 3.0 / 16.0, 3.0 / (8.0 * np.maximum(valence, 1)))
    everyone = np.arange(vertex_count)
    centre = np.where(fixed, 1.0, np.where(border, 0.75, 1.0 - valence * share))
    add(everyone, everyone, centre)
    for a, b in ((0, 1), (1, 0)):
        to_smooth = smooth[edges[:, a]]
        add(edges[to_smooth, a], edges[to_smooth, b], share[edges[to_smooth, a]])
        to_border = ~inner & border[edges[:, a]] & ~fixed[edges[:, a]]
        add(edges[to_border, a], edges[to_border, b], 0.125)

    matrix = coo_array(
        (np.concatenate(weights).astype(np.float32), (np.concatenate(rows), np.concatenate(columns))),
        shape=(vertex_count + len(edges), vertex_count),
    ).tocsr()
    m0, m1, m2 = (new[which[:, k]] for k in range(3))
    quarters = np.stack(
        [
            np.stack([own[:, 0], m2, m1], axis=1),
            np.stack([m2, own[:, 1], m0], axis=1),
            np.stack([m1, m0, own[:, 2]], axis=1),
            np.stack([m0, m1, m2], axis=1),
        ],
        axis=1,
    ).reshape(-1, 3)
    rest = np.setdiff1d(np.arange(len(faces)), chosen)
    return Subdivision(
        matrix,
        np.concatenate([quarters, faces[rest]]).astype(np.int32),
        np.concatenate([np.repeat(chosen, 4), rest]).astype(np.int32),
    )
