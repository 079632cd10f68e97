"""Assembles the UV of the whole head: the unfolded skin and a small layout of its own for each other part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.face_model.build.makehuman import HeadMesh
from models.face_model.build.regions import uv_scale
from models.face_model.build.unfold import boundary_loop, pack, unfold_half

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CROWN_DEPTH = -0.09
"""z in metres, head frame, of the crown: the sheet is cut along the back from there down."""


@dataclass(frozen=True)
class UvLayout:
    """UV points (T, 2), the vertex of each (T,), and triangles over the points (F, 3) in the mesh's face order."""

    uv: Floats
    vertex: Ints
    faces: Ints


def build_layout(mesh: HeadMesh, vertices: Floats, regions: dict[str, Floats]) -> UvLayout:
    """The layout of the whole head from its mean (V, 3) in the head frame."""
    skin = mesh.parts == "skin"
    left_uv, left_vertices = _left_half(mesh, vertices, regions)
    count = len(vertices)
    # Points: left half as it is, right half mirrored, the front midline shared by both.
    point_of: dict[tuple[int, bool], int] = {}
    uv: list[Floats] = []
    vertex: list[int] = []
    shared = np.abs(left_uv[:, 0] - 0.5) < 1e-12
    for i, v in enumerate(left_vertices):
        for right in (False, True):
            owner = int(mesh.mirror[v]) if right else int(v)
            if right and shared[i]:
                point_of[(owner, True)] = point_of[(int(v), False)]
                continue
            point_of[(owner, right)] = len(uv)
            uv.append(np.array([1 - left_uv[i, 0], left_uv[i, 1]]) if right else left_uv[i])
            vertex.append(owner)
    faces = np.zeros_like(mesh.triangles)
    for f in np.flatnonzero(skin):
        corners = mesh.triangles[f]
        right = bool(vertices[corners, 0].mean() < 0)
        faces[f] = [point_of[(int(v), right)] for v in corners]
    for part in np.unique(mesh.parts[~skin]):
        own = mesh.parts == part
        used = np.unique(mesh.triangles[own])
        places = _eye_layout(vertices[used]) if part.startswith("eye") else _box_layout(vertices[used])
        position = np.full(count, -1)
        position[used] = len(uv) + np.arange(len(used))
        uv.extend(places)
        vertex.extend(used.tolist())
        faces[own] = position[mesh.triangles[own]]
    return UvLayout(np.array(uv), np.array(vertex), faces)


def _left_half(mesh: HeadMesh, vertices: Floats, regions: dict[str, Floats]) -> tuple[Floats, Ints]:
    triangles = mesh.triangles[mesh.parts == "skin"]
    half = triangles[vertices[triangles][:, :, 0].mean(axis=1) > 0]
    used, flat = np.unique(half, return_inverse=True)
    flat = flat.reshape(-1, 3)
    points = vertices[used]
    midline = mesh.mirror[used] == used
    loop = boundary_loop(flat)
    # The front midline runs from the crown over face and mouth interior down to the neck; the rest of the loop is seam.
    crown = min((v for v in loop if midline[v] and points[v, 1] > 0.09), key=lambda v: abs(points[v, 2] - CROWN_DEPTH))
    back = [v for v in loop if midline[v] and points[v, 2] < points[crown, 2] and points[v, 2] < -0.1]
    on_line = midline.copy()
    on_line[back] = False
    seam = np.array([v for v in loop if not on_line[v]])
    scale = uv_scale(regions)[used][flat].mean(axis=1)
    return pack(unfold_half(points, flat, on_line, seam, scale)), used


def _eye_layout(points: Floats) -> Floats:
    """Frontal view of an eyeball: iris at (1/2, 1/2), the radius is one half; the back folds over the front."""
    centre = (points.max(axis=0) + points.min(axis=0)) / 2
    radius = np.ptp(points[:, 0]) / 2
    return np.asarray(0.5 + 0.5 * np.stack([points[:, 0] - centre[0], -(points[:, 1] - centre[1])], axis=1) / radius)


def _box_layout(points: Floats) -> Floats:
    low, size = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-9)
    return np.asarray(np.stack([(points[:, 0] - low[0]) / size[0], 1 - (points[:, 1] - low[1]) / size[1]], axis=1))
