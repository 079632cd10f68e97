"""Mesh tension: where an expression compresses the skin and where it stretches it.

After Raman et al., Mesh-Tension Driven Expression-Based Wrinkles for Synthetic Faces, WACV 2023:
t_v = 1 - mean over the edges e of v of |e_deformed| / |e_neutral|.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.geometry.rasterise import Raster, interpolate

__all__ = ["SHORTEST_EDGE", "TENSION_LIMIT", "Tension", "mesh_edges", "tension_map"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]

TENSION_LIMIT = 0.5
"""Tension is clipped to +- this; most of what faces do lies within 0.3."""
SHORTEST_EDGE = 2e-4
"""Metres. Edges shorter than this in the neutral face (the seam of the lips, the corner of the mouth) would explode in
the ratio and do not count."""


def mesh_edges(faces: Indices) -> Indices:
    """(E, 2) int32, each undirected edge of (F, 3) triangles once, the smaller vertex first."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int32)


@njit(cache=True, nogil=True, error_model="numpy")
def _tension(
    neutral: Floats,
    deformed: Floats,
    edges: Indices,
    edge_weights: Floats,
    keep: Floats,
    shortest: float,
    limit: float,
    sums: Floats,
    out: Floats,
) -> None:
    sums[:] = 0
    out[:] = 0
    for e in range(edges.shape[0]):
        w = edge_weights[e]
        if w <= 0:
            continue
        a, b = edges[e, 0], edges[e, 1]
        before = np.float32(0)
        after = np.float32(0)
        for k in range(3):
            before += (neutral[b, k] - neutral[a, k]) ** 2
            after += (deformed[b, k] - deformed[a, k]) ** 2
        if before < shortest * shortest:
            continue
        ratio = w * np.sqrt(after / before)
        out[a] += ratio
        out[b] += ratio
        sums[a] += w
        sums[b] += w
    for v in range(out.size):
        value = 1 - out[v] / sums[v] if sums[v] > 1e-6 else np.float32(0)
        # Written so that a value that is not a number ends as 0.
        if not (value > -limit):
            value = -limit if value <= -limit else np.float32(0)
        out[v] = keep[v] * min(value, limit)


class Tension:
    """Tension of one topology; about 0.1 ms a frame for 5,000 vertices.

    Args:
        faces: (F, 3) int32 triangles.
        vertex_count: V.
        hidden: (V,) in 0..1, the mouth's inside and the eye sockets: 1 reports no tension and does not pull on its
            neighbours' mean. None hides nothing.

    Raises:
        ValueError: a triangle names a vertex that is not there, or `hidden` is not (V,).
    """

    def __init__(self, faces: Indices, vertex_count: int, hidden: NDArray[np.floating] | None = None) -> None:
        if faces.size and (int(faces.min()) < 0 or int(faces.max()) >= vertex_count):
            raise ValueError(f"a triangle names vertex {int(faces.max())} of a mesh with {vertex_count} vertices")
        if hidden is not None and hidden.shape != (vertex_count,):
            raise ValueError(f"{vertex_count} vertices need as many hidden weights, not {hidden.shape}")
        self.edges = mesh_edges(faces)
        self._keep = np.ones(vertex_count, np.float32)
        if hidden is not None:
            self._keep = np.clip(1.0 - hidden, 0.0, 1.0).astype(np.float32)
        self._edge_weights = np.ascontiguousarray(self._keep[self.edges].prod(axis=1))
        self._sums = np.empty(vertex_count, np.float32)

    def __call__(self, neutral: Floats, deformed: Floats, *, out: Floats | None = None) -> Floats:
        """Tension of a deformed face. Head pose drops out; scale does not.

        Args:
            neutral: (V, 3) metres, the same identity with expression and joints at zero.
            deformed: (V, 3) metres.
            out: (V,) float32 to write into; None allocates.

        Returns:
            (V,) in -0.5..0.5: above 0 compressed, below 0 stretched, 0 unchanged, hidden or not a number.

        Raises:
            ValueError: the vertices are not (V, 3).
        """
        shape = (len(self._keep), 3)
        if neutral.shape != shape or deformed.shape != shape:
            raise ValueError(f"two meshes of {shape} are needed, not {neutral.shape} and {deformed.shape}")
        result = np.empty(shape[0], np.float32) if out is None else out
        _tension(
            np.ascontiguousarray(neutral, np.float32),
            np.ascontiguousarray(deformed, np.float32),
            self.edges,
            self._edge_weights,
            self._keep,
            SHORTEST_EDGE,
            TENSION_LIMIT,
            self._sums,
            result,
        )
        return result


def tension_map(tension: Floats, uv_raster: Raster, faces: Indices, *, out: Floats | None = None) -> Floats:
    """(S, S) float32 map of (V,) tension over a UV raster; 0 outside the layout."""
    return interpolate(uv_raster, tension, faces, out=out)
