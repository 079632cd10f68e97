"""Vertex normals of a fixed topology, fast enough for every frame."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@njit(cache=True, fastmath=True, nogil=True)
def _normals(vertices: Floats, faces: NDArray[np.int32], out: Floats) -> None:
    out[:] = 0
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        vx, vy, vz = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in (a, b, c):
            out[k, 0] += nx
            out[k, 1] += ny
            out[k, 2] += nz
    for i in range(out.shape[0]):
        length = np.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2)
        if length > 1e-20:
            out[i] /= length


class VertexNormals:
    """Area-weighted unit normals of meshes that share one list of triangles.

    Args:
        faces: (F, 3) int32 triangles, counter-clockwise seen from outside.
        vertex_count: V.
    """

    def __init__(self, faces: NDArray[np.int32], vertex_count: int) -> None:
        self._faces = np.ascontiguousarray(faces, np.int32)
        self._count = vertex_count

    def __call__(self, vertices: Floats) -> Floats:
        """(V, 3) unit normals of (V, 3) vertices; a vertex of no triangle has a zero normal."""
        out = np.empty((self._count, 3), np.float32)
        _normals(np.ascontiguousarray(vertices, np.float32), self._faces, out)
        return out
