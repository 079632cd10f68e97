"""Lays another head's mesh over the shipped head and carries over what its files do not hold.

UV, regions, landmark embeddings and joints come from the nearest places on the shipped head, so that textures, detail
maps and trackers made for one model serve the other. Both heads face +z with y up; units and position are found here:
nose tips are laid on one another, then a similarity is refined by iterative closest points (after Besl and McKay, 1992;
reconstruction, trimmed to the face region).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from models.face_model.model import FaceModel
from models.face_model.schema import Embedding, FaceModelArrays
from models.face_model.surface import closest_on_surface

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ITERATIONS = 40
NEAR = 0.02
"""Metres from the shipped head's surface within which a foreign vertex takes part in its regions."""
TRIM = 0.8
"""Share of the nearest pairs that count in each iteration: hair, ears and necks differ."""


@dataclass(frozen=True, slots=True)
class Correspondence:
    """How a foreign mesh lies on the shipped head.

    Attributes:
        vertices: (V, 3) foreign vertices in the shipped head's frame, metres.
        scale: metres per foreign unit.
        triangles: (V,) shipped triangle nearest to each vertex.
        barycentrics: (V, 3) place in that triangle.
        distance: (V,) metres to it.
    """

    vertices: Floats
    scale: float
    triangles: Ints
    barycentrics: Floats
    distance: Floats


def lay_over(model: FaceModel, vertices: Floats, scale: float) -> Correspondence:
    """Finds the similarity that lays foreign `vertices` (V, 3) onto the mean of `model`.

    Args:
        model: the shipped head.
        vertices: facing +z, y up, any position.
        scale: first guess of metres per foreign unit.
    """
    target = model.mean.astype(np.float64)
    face = np.flatnonzero(model.regions["face"] > 0.5)
    moved = vertices * scale
    moved = moved + target[target[:, 2].argmax()] - moved[moved[:, 2].argmax()]
    for _ in range(ITERATIONS):
        distance, nearest = cKDTree(moved).query(target[face])
        kept = distance <= np.quantile(distance, TRIM)
        a, b = vertices[nearest[kept]], target[face][kept]
        ca, cb = a.mean(axis=0), b.mean(axis=0)
        # Heads are upright in both files: scale, position and a nod are free, turning and tilting are not.
        ya, yb = (a - ca)[:, 1:], (b - cb)[:, 1:]
        angle = np.arctan2(float(np.sum(ya[:, 0] * yb[:, 1] - ya[:, 1] * yb[:, 0])), float(np.sum(ya * yb)))
        turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
        rotated = (a - ca) @ turn.T
        scale = float(np.sum(rotated * (b - cb)) / np.sum(rotated**2))
        moved = (vertices - ca) @ turn.T * scale + cb
        moved[:, 0] -= np.median(moved[nearest[kept], 0] - b[:, 0])
    skin = model.part_faces("skin")
    triangles, barycentrics, gap = closest_on_surface(moved, target, model.faces, skin)
    return Correspondence(moved, scale, triangles, barycentrics, gap)


def carried(model: FaceModel, match: Correspondence, values: NDArray[np.floating]) -> Floats:
    """Vertex values (..., S, C) of the shipped head at the foreign vertices: (..., V, C)."""
    corners = model.faces[match.triangles]
    return np.asarray(np.einsum("vk,...vkc->...vc", match.barycentrics, values[..., corners, :].astype(np.float64)))


def carried_uv(model: FaceModel, match: Correspondence, faces: Ints) -> tuple[Floats, Ints, Ints]:
    """UV points, the vertex of each, and triangles over them, for foreign `faces` (F, 3).

    Triangles across the shipped layout's cut at the back get points of their own on one side of it.
    """
    corners = model.uv_faces[match.triangles]
    uv = np.einsum("vk,vkc->vc", match.barycentrics, model.uv[corners].astype(np.float64))
    uv_faces = faces.copy()
    spread = np.ptp(uv[faces][:, :, 0], axis=1)
    points, owners = [*uv], [*range(len(uv))]
    for f in np.flatnonzero(spread > 0.5):
        for k in range(3):
            v = int(faces[f, k])
            if uv[v, 0] < 0.5:
                uv_faces[f, k] = len(points)
                points.append(np.array([1.0, uv[v, 1]]))
                owners.append(v)
    return np.array(points), np.array(owners), uv_faces


def carried_embedding(model: FaceModel, match: Correspondence, faces: Ints, embedding: Embedding) -> Embedding:
    """The same landmarks on the foreign mesh: the nearest places on its surface."""
    points = model.embed(model.mean, embedding).astype(np.float64)
    triangles, barycentrics, _ = closest_on_surface(
        points, match.vertices, faces.astype(np.int32), np.arange(len(faces), dtype=np.int32)
    )
    return Embedding(triangles.astype(np.int32), barycentrics.astype(np.float32))


def mirror_map(vertices: Floats) -> Ints:
    """(V,) nearest vertex of each vertex's mirror image."""
    return np.asarray(cKDTree(vertices).query(vertices * np.array([-1.0, 1.0, 1.0]))[1])


def carried_regions(model: FaceModel, match: Correspondence) -> dict[str, NDArray[np.float32]]:
    """The shipped head's regions at the foreign vertices; what is far from its surface belongs to `hidden` alone."""
    near = match.distance < NEAR
    regions = {}
    for name, values in model.regions.items():
        at = np.einsum("vk,vk->v", match.barycentrics, values[model.faces[match.triangles]])
        regions[name] = np.where(near, at, float(name == "hidden")).astype(np.float32)
    return regions


def linear_part(before: Floats, after: Floats) -> Floats:
    """(3, 3) matrix M of the similarity that moved `before` (V, 3) to `after` (V, 3): offsets d become d @ M."""
    a, b = before - before.mean(axis=0), after - after.mean(axis=0)
    return np.asarray(np.linalg.lstsq(a, b, rcond=None)[0])


@dataclass(frozen=True, slots=True)
class ForeignHead:
    """What a foreign model's own files hold, laid over the shipped head, metres.

    Attributes:
        faces: (F, 3) triangles.
        identity: (K, V, 3) offsets.
        expression: (52, V, 3) offsets.
        joint_mean: (4, 3) neck, jaw, left eye, right eye.
        joint_basis: (K, 4, 3) their offsets.
        skin_weights: (V, 4) shares of the joints.
        eye: (V,) 1 on the left eyeball, 2 on the right, 0 elsewhere.
    """

    faces: Ints
    identity: Floats
    expression: Floats
    joint_mean: Floats
    joint_basis: Floats
    skin_weights: Floats
    eye: Ints


def foreign_arrays(
    model: FaceModel, match: Correspondence, head: ForeignHead, *, name: str, source: str
) -> FaceModelArrays:
    """All arrays of a foreign head: its own, and those that the shipped head lends it."""
    # The head frame's origin lies midway between the eyeballs, for every identity.
    centre = head.joint_mean[2:].mean(axis=0)
    centre_basis = head.joint_basis[:, 2:].mean(axis=1, keepdims=True)
    uv, owners, uv_faces = carried_uv(model, match, head.faces)
    return FaceModelArrays(
        name=name,
        source=source,
        mean=(match.vertices - centre).astype(np.float32),
        identity_basis=(head.identity - centre_basis).astype(np.float32),
        expression_basis=head.expression.astype(np.float32),
        faces=head.faces.astype(np.int32),
        uv=uv.astype(np.float32),
        uv_faces=uv_faces.astype(np.int32),
        uv_vertex=owners.astype(np.int32),
        part_names=("skin", "eye_left", "eye_right"),
        face_part=head.eye[head.faces].min(axis=1).astype(np.uint8),
        regions=carried_regions(model, match),
        symmetry=mirror_map(match.vertices).astype(np.int32),
        joint_mean=(head.joint_mean - centre).astype(np.float32),
        joint_basis=(head.joint_basis - centre_basis).astype(np.float32),
        skin_weights=head.skin_weights.astype(np.float32),
        landmarks478=carried_embedding(model, match, head.faces, model.landmarks478),
        landmarks68=carried_embedding(model, match, head.faces, model.landmarks68),
        albedo_mean=model.albedo_mean,
        albedo_basis=model.albedo_basis,
    )
