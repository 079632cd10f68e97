"""A face model's mesh as the graphics card wants it: one point per UV corner, parts as index lists, static masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX
from models.face_model import FaceModel
from models.face_model.vertex_values import region, smoothed
from models.geometry.normals import VertexNormals
from rendering.surface import (
    ambient_light,
    hair_height,
    lash_coordinates,
    neck_fade,
    tooth_coordinates,
)

if TYPE_CHECKING:
    from rendering.subdivide import Subdivision

__all__ = ["DYNAMIC_TYPE", "STATIC_TYPE", "HeadMesh", "head_mesh"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]

DYNAMIC_TYPE = np.dtype([("a_position", np.float32, 3), ("a_normal", np.float32, 3)])
STATIC_TYPE = np.dtype(
    [
        ("a_uv", np.float32, 2),
        ("a_fade", np.float32),
        ("a_mask", np.float32, 4),
        ("a_hair", np.float32, 4),
        ("a_rest", np.float32, 3),
    ]
)

DRAWN_TOGETHER = {
    "skin": ("skin",),
    "eyes": ("eye_left", "eye_right"),
    "mouth": ("teeth", "tongue"),
    "lashes": ("lashes",),
}
"""Part of a drawing -> parts of the model."""
MOUTH_BELOW = -0.02
"""Metres: hidden skin below the eyes by so much is the mouth's."""
LIPS_CLOSED, LIPS_OPEN = 0.0015, 0.008
"""Metres between the inner lips."""


@njit(cache=True, nogil=True)
def _gather(vertices: Floats, normals: Floats, index: Indices, out: Floats) -> None:
    for i in range(index.size):
        v = index[i]
        for k in range(3):
            out[i, k] = vertices[v, k]
            out[i, k + 3] = normals[v, k]


@dataclass(frozen=True, slots=True)
class _Topology:
    faces: Indices
    uv: Floats
    uv_faces: Indices
    uv_vertex: Indices
    face_part: NDArray[np.uint8]


class HeadMesh:
    """Points, triangles and static attributes of a model, optionally refined once.

    Args:
        model: any back end; parts and regions that it lacks are simply not there.
        refine: subdivide the skin once, so that displacement can move vertices.

    Attributes:
        static: (T,) STATIC_TYPE.
        point_vertex: (T,) int32 (refined) vertex of each point.
        parts: name -> (N, 3) int32 triangles over the points: `skin` without `scalp` (where hair may show), `throat`
            (only seen through open lips) and `neck` (which fades out), `eyes`, `mouth`, `lashes`; a part
            without triangles is missing.
        triangles: (F, 3) int32, all of them.
        eye_radius: of the mean face in metres; 0 without eyeballs.
        mouth_depth: z in metres, head frame, where it is dark in the mouth and where light comes in.
    """

    def __init__(self, model: FaceModel, *, refine: bool = False) -> None:
        self._subdivision: Subdivision | None = None
        topology = _Topology(model.faces, model.uv, model.uv_faces, model.uv_vertex, model.face_part)
        if refine:
            self._subdivision, topology = _refined(model)
        self.point_vertex = np.ascontiguousarray(topology.uv_vertex)
        self._vertex_count = int(topology.faces.max()) + 1 if self._subdivision else model.vertex_count
        self._normals = VertexNormals(topology.faces, self._vertex_count)
        self.triangles = np.ascontiguousarray(topology.uv_faces)
        self.static = self._static(model, topology)
        self.mouth_depth = _mouth_depth(model)
        # Inner lip points of the 68: upper 61..63, and below each of them 67..65.
        inner = [61, 62, 63, 67, 66, 65]
        self._lip_corners = model.faces[model.landmarks68.triangles[inner]]
        self._lip_weights = model.landmarks68.barycentrics[inner]
        self.eye_radius = 0.0
        if "eye_left" in model.part_names:
            eye = np.unique(model.faces[model.part_faces("eye_left")])
            centre = model.joints(model.identity())[2]
            # The layout's half is the radius as seen from the front; the joint may lie a little off the middle.
            self.eye_radius = float(np.ptp(model.mean[eye, 0]) / 2) or float(
                np.linalg.norm(model.mean[eye] - centre, axis=1).max()
            )
        self.parts = self._parts(model, topology)

    @property
    def vertex_count(self) -> int:
        """Vertices after refinement."""
        return self._vertex_count

    def points(self, vertices: Floats, normals: Floats, out: NDArray[np.void]) -> None:
        """Writes a posed face into (T,) DYNAMIC_TYPE.

        Raises:
            ValueError: the vertices or normals are not the model's (V, 3).
        """
        expected = (self._vertex_count if self._subdivision is None else self._subdivision.matrix.shape[1], 3)
        if vertices.shape != expected or normals.shape != expected:
            raise ValueError(
                f"this head has vertices and normals of {expected}, not {vertices.shape} and {normals.shape}"
            )
        if self._subdivision is not None:
            vertices = self._subdivision(vertices)
            normals = self._normals(vertices)
        flat = out.view(np.float32).reshape(-1, 6)
        _gather(
            np.ascontiguousarray(vertices, np.float32),
            np.ascontiguousarray(normals, np.float32),
            self.point_vertex,
            flat,
        )

    def point_values(self, values: Floats) -> Floats:
        """(T, ...) values over the points of (V, ...) values over the model's vertices."""
        if self._subdivision is not None:
            values = self._subdivision(values)
        return np.ascontiguousarray(values[self.point_vertex], np.float32)

    def hair(self, model: FaceModel, relief: Sequence[float] = ()) -> Floats:
        """(T, 4) gradient and height of the hair cap over the points, as `hair_height` gives them."""
        height, slope = hair_height(model, relief)
        return self.point_values(np.concatenate([slope, height[:, None]], axis=1))

    def mouth_opening(self, vertices: Floats) -> float:
        """0 with closed lips to 1 where they part by a centimetre: how much light gets in."""
        corners = vertices[self._lip_corners]
        points = np.einsum("nk,nkd->nd", self._lip_weights, corners)
        gap = float(np.linalg.norm(points[:3] - points[3:], axis=1).mean())
        return float(np.clip((gap - LIPS_CLOSED) / (LIPS_OPEN - LIPS_CLOSED), 0.0, 1.0))

    def _static(self, model: FaceModel, topology: _Topology) -> NDArray[np.void]:
        static = np.zeros(len(topology.uv), STATIC_TYPE)
        # A little open, so that the light inside the mouth is that of a mouth one looks into.
        expression = np.zeros(CHANNEL_COUNT, np.float32)
        expression[CHANNEL_INDEX["jawOpen"]] = 0.35
        face = model.pose(model.identity(), expression)
        masks = [
            smoothed(model, region(model, "lips"), 1),
            smoothed(model, region(model, "scalp"), 2),
            # A model that does not say where its face is is all face.
            smoothed(model, model.regions.get("face", np.ones(model.vertex_count, np.float32)), 1),
            ambient_light(model, face.vertices, face.normals),
        ]
        static["a_uv"] = topology.uv
        for part, coordinates in (("lashes", lash_coordinates(model)), ("teeth", tooth_coordinates(model))):
            own = np.isin(self.point_vertex, _part_vertices(model, part))
            static["a_uv"][own] = self.point_values(coordinates)[own]
        static["a_fade"] = self.point_values(neck_fade(model)[:, None])[:, 0]
        static["a_mask"] = self.point_values(np.stack(masks, axis=1))
        for name in ("eye_left", "tongue"):
            static["a_mask"][np.isin(self.point_vertex, _part_vertices(model, name)), 0] = 1.0
        static["a_hair"] = self.hair(model)
        static["a_rest"] = self.point_values(model.mean)
        return static

    def _parts(self, model: FaceModel, topology: _Topology) -> dict[str, Indices]:
        parts = {}
        for name, members in DRAWN_TOGETHER.items():
            numbers = [i for i, part in enumerate(model.part_names) if part in members]
            parts[name] = topology.uv_faces[np.isin(topology.face_part, numbers)]
        skin = parts.pop("skin")
        hairy = (self.static["a_mask"][skin, 1] > 0.02) | (self.static["a_hair"][skin, 3] > 0)
        fading = (self.static["a_fade"][skin] < 1).any(axis=1)
        scalp = hairy.any(axis=1) & ~fading
        hidden = self.point_values(region(model, "hidden")[:, None])[:, 0]
        inside = np.asarray((hidden[skin] > 0.99).all(axis=1), np.bool_)
        throat, socket = self._insides(model, skin, inside)
        # In drawing order: what fades comes last, over what is behind it.
        plain = ~scalp & ~fading & ~throat & ~socket
        parts = {"scalp": skin[scalp], "skin": skin[plain], "throat": skin[throat], **parts, "neck": skin[fading]}
        return {name: np.ascontiguousarray(faces) for name, faces in parts.items() if len(faces)}

    def _insides(
        self, model: FaceModel, skin: Indices, inside: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which hidden triangles of the skin line the mouth, and which lie behind the eyeballs and are never seen."""
        places = self.static["a_rest"][skin].mean(axis=1)
        socket = np.zeros(len(skin), bool)
        if self.eye_radius > 0:
            for eye in model.joints(model.identity())[2:4]:
                socket |= inside & (np.linalg.norm(places - eye, axis=1) < 2.5 * self.eye_radius)
                # The lids' inner rims touch the eyeball and do show.
                socket &= ~((np.linalg.norm(places - eye, axis=1) < 2.5 * self.eye_radius) & (places[:, 2] > eye[2]))
        return inside & ~socket & (places[:, 1] < MOUTH_BELOW), socket


@lru_cache(maxsize=4)
def head_mesh(model: FaceModel, *, refine: bool = False) -> HeadMesh:
    """The mesh of a model, shared by all its renderers: its light from around takes a fifth of a second to find."""
    return HeadMesh(model, refine=refine)


def _mouth_depth(model: FaceModel) -> tuple[float, float]:
    lips = region(model, "lips") > 0.5
    if not lips.any():
        return -2.0, -1.0
    front = float(model.mean[lips, 2].max())
    return front - 0.052, front - 0.016


def _part_vertices(model: FaceModel, name: str) -> Indices:
    if name not in model.part_names:
        return np.zeros(0, np.int32)
    return np.unique(model.faces[model.part_faces(name)]).astype(np.int32)


def _refined(model: FaceModel) -> tuple[Subdivision, _Topology]:
    from rendering.subdivide import loop_subdivision  # late: the window's first picture need not wait for SciPy

    skin = model.part_faces("skin") if "skin" in model.part_names else None
    surface = loop_subdivision(model.faces, model.vertex_count, skin)
    layout = loop_subdivision(model.uv_faces, len(model.uv), skin)
    uv_vertex = np.zeros(layout.matrix.shape[0], np.int32)
    uv_vertex[: len(model.uv)] = model.uv_vertex
    uv_vertex[layout.faces.reshape(-1)] = surface.faces.reshape(-1)
    topology = _Topology(surface.faces, layout(model.uv), layout.faces, uv_vertex, model.face_part[surface.parent])
    return surface, topology
