"""The outline of a face as a camera sees it.

Two measures of the same thing: silhouette vertices, those whose normal is about perpendicular to the line of sight,
for losses; and the exact outline, the points on edges where the facing changes sign, for evaluation (with a tolerance
the error would fall as the tolerance grows, and would be no measure).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.geometry.camera import Camera
from models.geometry.depth_map import DEPTH_TOLERANCE, DepthMap, depth_map, facing_cosines
from models.geometry.normals import VertexNormals
from models.geometry.rasterise import empty_raster
from models.geometry.rotations import HEAD_TO_CAMERA
from models.geometry.tension import mesh_edges

__all__ = ["FaceOutline", "OutlinePoints"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class OutlinePoints:
    """Points of the exact outline.

    Attributes:
        edges: (N, 2) int32 vertices of the edge that each point lies on.
        along: (N,) float32 in 0..1, from the edge's first vertex to its second.
        pixels: (N, 2) float64.
    """

    edges: Indices
    along: Floats
    pixels: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _View:
    points: NDArray[np.float64]
    pixels: NDArray[np.float64]
    facing: Floats
    seen: DepthMap


@njit(cache=True, nogil=True, error_model="numpy")
def _crossings(edges: Indices, facing: Floats, found: Indices, along: Floats) -> int:
    count = 0
    for e in range(edges.shape[0]):
        a, b = facing[edges[e, 0]], facing[edges[e, 1]]
        if (a > 0) != (b > 0) and abs(a - b) > 1e-12:
            found[count] = e
            along[count] = a / (a - b)
            count += 1
    return count


class FaceOutline:
    """Finds the outline of one topology.

    Args:
        faces: (F, 3) int32 triangles, counter-clockwise seen from outside.
        vertex_count: V.
        omega: (V,) in 0..1, the outer band of the face on which the outline may lie (without ears and neck).
        map_size: pixels a side of the depth picture that decides what is visible.

    Raises:
        ValueError: shapes do not belong together.
    """

    def __init__(self, faces: Indices, vertex_count: int, omega: NDArray[np.floating], *, map_size: int = 256) -> None:
        if omega.shape != (vertex_count,):
            raise ValueError(f"{vertex_count} vertices need as many weights of the outline's region, not {omega.shape}")
        self._faces = np.ascontiguousarray(faces, np.int32)
        self._omega = np.asarray(omega, np.float32)
        self._band = np.flatnonzero(self._omega >= 0.5).astype(np.int32)
        edges = mesh_edges(faces)
        self._edges = np.ascontiguousarray(edges[(self._omega[edges] > 0).any(axis=1)])
        self._found = np.empty(len(self._edges), np.int32)
        self._along = np.empty(len(self._edges), np.float32)
        self._normals = VertexNormals(self._faces, vertex_count)
        self._buffers = empty_raster(map_size, map_size)

    def exact(
        self,
        vertices: Floats,
        rotation: NDArray[np.floating],
        translation: NDArray[np.floating],
        camera: Camera,
        *,
        normals: Floats | None = None,
        tolerance: float = DEPTH_TOLERANCE,
    ) -> OutlinePoints:
        """Points on edges where the facing changes sign, inside Omega and visible.

        Args:
            vertices: (V, 3) metres, head frame.
            rotation, translation: head pose, (3, 3) and (3,) metres in the camera frame.
            camera: of the picture.
            normals: (V, 3) unit, head frame; None computes them.
            tolerance: metres of slack of the visibility test.

        Returns:
            The points in no particular order; none where the face is behind the camera.
        """
        view = self._look(vertices, rotation, translation, camera, normals)
        count = _crossings(self._edges, view.facing, self._found, self._along)
        edges, along = self._edges[self._found[:count]], self._along[:count].copy()
        ends = view.points[edges]
        points = ends[:, 0] + along[:, None] * (ends[:, 1] - ends[:, 0])
        weights = self._omega[edges]
        inside = weights[:, 0] + along * (weights[:, 1] - weights[:, 0]) >= 0.5
        inside &= points[:, 2] > 0
        edges, along, points = edges[inside], along[inside], points[inside]
        pixels = camera.project(points, float(translation[2]))
        kept = view.seen.visible(pixels, points[:, 2], tolerance=tolerance)
        return OutlinePoints(edges[kept], along[kept], pixels[kept])

    def vertices(
        self,
        vertices: Floats,
        rotation: NDArray[np.floating],
        translation: NDArray[np.floating],
        camera: Camera,
        *,
        normals: Floats | None = None,
        eps: float = 0.1,
        tolerance: float = DEPTH_TOLERANCE,
    ) -> Indices:
        """(N,) int32 silhouette vertices: { j in Omega : |n_j . view| < eps and visible }. Arguments as `exact`."""
        view = self._look(vertices, rotation, translation, camera, normals)
        chosen = self._band[np.abs(view.facing[self._band]) < eps]
        kept = view.seen.visible(view.pixels[chosen], view.points[chosen, 2], tolerance=tolerance)
        return np.asarray(chosen[kept], np.int32)

    def _look(
        self,
        vertices: Floats,
        rotation: NDArray[np.floating],
        translation: NDArray[np.floating],
        camera: Camera,
        normals: Floats | None,
    ) -> _View:
        if normals is None:
            normals = self._normals(vertices)
        perspective = camera.projection == "perspective"
        points = camera.to_camera(vertices, rotation, translation)
        with np.errstate(divide="ignore", invalid="ignore"):
            pixels = camera.project(points, float(translation[2]))
        facing = facing_cosines(points, normals @ (HEAD_TO_CAMERA @ rotation).T, perspective=perspective)
        seen = depth_map(
            pixels,
            points[:, 2],
            self._faces,
            size=self._buffers.triangle.shape[0],
            perspective=perspective,
            out=self._buffers,
        )
        return _View(points, pixels, facing, seen)
