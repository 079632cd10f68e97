"""A small face model for tests: an egg for a head, with every part, region and channel of the real layout.

It has no likeness to anyone, but the same conventions: eyeballs at the head frame's origin height that half stand out
of the skin, channels that move the skin where their name says, a mirror-symmetric UV map, landmarks on the front.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS
from models.face_model import FaceModel
from models.face_model.schema import PARTS, Embedding, FaceModelArrays

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]

HEAD_CENTRE = np.array([0.0, -0.02, -0.085])
HEAD_RADII = np.array([0.075, 0.115, 0.095])
EYE_X, EYE_RADIUS = 0.031, 0.012
IDENTITY_COUNT = 4


def sphere(rows: int, columns: int) -> tuple[NDArray[np.float64], Indices, Floats, Indices, Indices]:
    """A unit sphere with poles on the y axis and its seam at the back (-z).

    Returns:
        vertices (V, 3), faces (F, 3) counter-clockwise from outside, uv (T, 2) with v = 0 at +y and u growing to +x,
        uv_faces (F, 3) and uv_vertex (T,).
    """
    polar = np.linspace(0, np.pi, rows + 1)
    azimuth = np.linspace(-np.pi, np.pi, columns + 1)
    ring = [(np.sin(p) * np.sin(a), np.cos(p), np.sin(p) * np.cos(a)) for p in polar[1:-1] for a in azimuth[:-1]]
    vertices = np.array([(0.0, 1.0, 0.0), *ring, (0.0, -1.0, 0.0)])
    uv = np.array([(j / columns, i / rows) for i in range(rows + 1) for j in range(columns + 1)], np.float32)

    def vertex(i: int, j: int) -> int:
        if i == 0:
            return 0
        return len(vertices) - 1 if i == rows else 1 + (i - 1) * columns + j % columns

    corners = []
    for i in range(rows):
        for j in range(columns):
            a, b, c, d = (i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)
            left = j < columns // 2
            if i == 0:
                corners += [(a, b, c)] if left else [(d, b, c)]
            elif i == rows - 1:
                corners += [(a, b, d)] if left else [(a, c, d)]
            else:  # the diagonals mirror too, so that the two halves have the same surface
                corners += [(a, b, c), (a, c, d)] if left else [(a, b, d), (b, c, d)]
    faces = np.array([[vertex(*p) for p in t] for t in corners], np.int32)
    uv_faces = np.array([[i * (columns + 1) + j for i, j in t] for t in corners], np.int32)
    uv_vertex = np.array([vertex(i, j) for i in range(rows + 1) for j in range(columns + 1)], np.int32)
    return vertices, faces, uv, uv_faces, uv_vertex


def tiny_arrays(rows: int = 24, columns: int = 32, parts: tuple[str, ...] = PARTS) -> FaceModelArrays:
    """The model's arrays.

    Args:
        rows, columns: of the head's egg.
        parts: which of schema.PARTS it has, in that order; `("skin",)` is like a converted FLAME.
    """
    unit, skin_faces, skin_uv, skin_uv_faces, skin_uv_vertex = sphere(rows, columns)
    pieces = [(unit * HEAD_RADII + HEAD_CENTRE, skin_faces, skin_uv, skin_uv_faces, skin_uv_vertex)]
    pieces += [_part(name) for name in parts[1:]]
    counts = np.cumsum([0] + [len(p[0]) for p in pieces])
    uv_counts = np.cumsum([0] + [len(p[2]) for p in pieces])
    mean = np.concatenate([p[0] for p in pieces]).astype(np.float32)
    faces = np.concatenate([p[1] + counts[i] for i, p in enumerate(pieces)]).astype(np.int32)
    face_part = np.concatenate([np.full(len(p[1]), i, np.uint8) for i, p in enumerate(pieces)])
    skin = np.zeros(len(mean), bool)
    skin[: counts[1]] = True
    part_vertices = {name: slice(counts[i], counts[i + 1]) for i, name in enumerate(parts)}
    return FaceModelArrays(
        name="tiny head",
        source="tests",
        mean=mean,
        identity_basis=_identity_basis(mean),
        expression_basis=_expression_basis(mean, skin),
        faces=faces,
        uv=np.concatenate([p[2] for p in pieces]).astype(np.float32),
        uv_faces=np.concatenate([p[3] + uv_counts[i] for i, p in enumerate(pieces)]).astype(np.int32),
        uv_vertex=np.concatenate([p[4] + counts[i] for i, p in enumerate(pieces)]).astype(np.int32),
        part_names=parts,
        face_part=face_part,
        regions=_regions(mean, skin),
        symmetry=_symmetry(mean),
        joint_mean=np.array([[0, -0.1, -0.08], [0, -0.03, -0.08], [EYE_X, 0, 0], [-EYE_X, 0, 0]], np.float32),
        joint_basis=np.zeros((IDENTITY_COUNT, 4, 3), np.float32),
        skin_weights=_skin_weights(mean, part_vertices),
        landmarks478=_landmarks478(mean, faces, skin, part_vertices),
        landmarks68=_on_skin(mean, faces, _spread(68)),
    )


@cache
def tiny_model() -> FaceModel:
    """The model with all parts; one object per process."""
    return FaceModel(tiny_arrays())


def _part(name: str) -> tuple[NDArray[np.float64], Indices, Floats, Indices, Indices]:
    vertices, faces, uv, uv_faces, uv_vertex = sphere(16, 24)
    if name.startswith("eye"):
        # Seen from the front: the iris' centre at (0.5, 0.5), 0.5 away is the eyeball's radius.
        centre = np.array([EYE_X if name == "eye_left" else -EYE_X, 0.0, 0.0])
        planar = np.stack([0.5 + vertices[:, 0] / 2, 0.5 - vertices[:, 1] / 2], axis=1).astype(np.float32)
        return vertices * EYE_RADIUS + centre, faces, planar, faces.copy(), np.arange(len(vertices), dtype=np.int32)
    if name == "lashes":
        strips = [_lash_strip(side * EYE_X) for side in (1, -1)]
        strip_vertices = np.concatenate([s[0] for s in strips])
        strip_faces = np.concatenate([s[1] + i * len(strips[0][0]) for i, s in enumerate(strips)]).astype(np.int32)
        planar = np.tile(np.array([(i / 8, j) for i in range(9) for j in range(2)], np.float32), (2, 1))
        index = np.arange(len(strip_vertices), dtype=np.int32)
        return strip_vertices, strip_faces, planar, strip_faces.copy(), index
    depth = {"teeth": -0.006, "tongue": -0.016}[name]
    return vertices * (0.018, 0.006, 0.006) + (0.0, -0.06, depth), faces, uv, uv_faces, uv_vertex


def _lash_strip(x: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    turn = np.linspace(0.3, np.pi - 0.3, 9)
    rim = np.stack([x + np.cos(turn) * 0.012, np.sin(turn) * 0.007, np.full(9, 0.0115)], axis=1)
    vertices = np.stack([rim, rim + np.array([0, 0.004, 0.006])], axis=1).reshape(-1, 3)
    quads = [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(8)]
    return vertices, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])


def _bump(points: NDArray[np.floating], centre: tuple[float, float, float], radius: float) -> Floats:
    squared = ((points - np.array(centre)) ** 2).sum(axis=1) / radius**2
    return np.asarray(np.exp(-squared), np.float32)


def _identity_basis(mean: Floats) -> Floats:
    basis = np.zeros((IDENTITY_COUNT, *mean.shape), np.float32)
    for axis in range(3):
        basis[axis, :, axis] = (mean[:, axis] - HEAD_CENTRE[axis]) * 0.06
    basis[3, :, 2] = _bump(mean, (0, -0.03, 0.01), 0.02) * 0.006
    return basis


_PLACES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "eyeBlink": ((0.031, 0.01, 0.005), (0, -0.004, 0.002)),
    "eyeLook": ((0.031, 0.008, 0.005), (0, 0.001, 0)),
    "eye": ((0.031, -0.012, 0.003), (0, 0.003, 0.001)),
    "jaw": ((0, -0.11, -0.02), (0, -0.02, 0)),
    "mouth": ((0.022, -0.06, 0.0), (0.006, 0.006, 0)),
    "brow": ((0.028, 0.035, 0.0), (0, 0.006, 0)),
    "cheek": ((0.04, -0.03, -0.005), (0.006, 0.002, 0.006)),
    "nose": ((0.012, -0.025, 0.008), (0, 0.004, 0)),
    "tongue": ((0, -0.06, 0.008), (0, 0, 0.01)),
}


def _expression_basis(mean: Floats, skin: NDArray[np.bool_]) -> Floats:
    # Every channel gets its own direction and place near its organ, so that no two are alike; Left and Right mirror.
    basis = np.zeros((len(ARKIT_CHANNELS), *mean.shape), np.float32)
    for i, name in enumerate(ARKIT_CHANNELS):
        stem = name.removesuffix("Left").removesuffix("Right")
        random = np.random.default_rng(sum(ord(c) * k for k, c in enumerate(stem, 1)))
        place, move = next(v for k, v in _PLACES.items() if stem.startswith(k))
        sides = [1] if name.endswith("Left") else [-1] if name.endswith("Right") else [1, -1]
        shift = random.normal(size=3) * (0.008, 0.006, 0.0)
        turn = np.array(move) + random.normal(size=3) * 0.002
        for side in sides:
            mirror = np.array([side, 1, 1])
            centre = (np.array(place) + shift) * mirror
            basis[i] += _bump(mean, tuple(centre), 0.02)[:, None] * (turn * mirror)
    basis[:, ~skin] = 0
    return basis


def _regions(mean: Floats, skin: NDArray[np.bool_]) -> dict[str, Floats]:
    x, y, z = np.abs(mean[:, 0]), mean[:, 1], mean[:, 2]
    brows = np.maximum(_bump(mean, (0.03, 0.03, 0), 0.015), _bump(mean, (-0.03, 0.03, 0), 0.015))
    lids = np.maximum(_bump(mean, (0.031, 0, 0), 0.016), _bump(mean, (-0.031, 0, 0), 0.016))
    ears = np.maximum(_bump(mean, (0.075, -0.02, -0.085), 0.02), _bump(mean, (-0.075, -0.02, -0.085), 0.02))
    face = (z > -0.06) & (y < 0.06) & (y > -0.12)
    regions = {
        "face": face,
        "lips": _bump(mean, (0, -0.06, 0.005), 0.015),
        "brows": brows,
        "beard": (y < -0.06) & face,
        "scalp": (y > 0.06) | ((z < -0.1) & (y > -0.06)),
        "ears": ears,
        "neck": y < -0.12,
        "hidden": _bump(mean, (0, -0.06, -0.01), 0.004),
        "outline": (z > -0.12) & (z < -0.01) & (y < 0.06) & (x > 0.02),
        "nose": _bump(mean, (0, -0.03, 0.01), 0.015),
        "lids": lids,
        "forehead": (y > 0.03) & face,
    }
    return {name: (np.asarray(values, np.float32) * skin).astype(np.float32) for name, values in regions.items()}


def _symmetry(mean: Floats) -> Indices:
    mirrored = mean * (-1, 1, 1)
    distances = ((mirrored[:, None, :] - mean[None]) ** 2).sum(axis=2)
    return np.asarray(distances.argmin(axis=1), np.int32)


def _skin_weights(mean: Floats, parts: dict[str, slice]) -> Floats:
    weights = np.zeros((len(mean), 4), np.float32)
    weights[parts["skin"], 0] = np.clip((-0.09 - mean[parts["skin"], 1]) / 0.03, 0, 1)
    for joint, name in ((2, "eye_left"), (3, "eye_right")):
        if name in parts:
            weights[parts[name], joint] = 1
    return weights


def _spread(count: int) -> NDArray[np.float64]:
    """(count, 3) places on the front of the egg, a sunflower seen along z."""
    n = np.arange(count) + 0.5
    radius, turn = np.sqrt(n / count) * 0.9, n * 2.399963
    x, y = radius * np.cos(turn), radius * np.sin(turn)
    return np.asarray(np.stack([x, y, np.sqrt(1 - radius**2)], axis=1) * HEAD_RADII + HEAD_CENTRE)


def _on_skin(mean: Floats, faces: Indices, places: NDArray[np.float64]) -> Embedding:
    centroids = mean[faces].mean(axis=1)
    nearest = ((places[:, None] - centroids[None]) ** 2).sum(axis=2).argmin(axis=1)
    return Embedding(nearest.astype(np.int32), np.full((len(places), 3), 1 / 3, np.float32))


def _landmarks478(mean: Floats, faces: Indices, skin: NDArray[np.bool_], parts: dict[str, slice]) -> Embedding:
    skin_faces = faces[skin[faces].all(axis=1)]
    embedding = _on_skin(mean, skin_faces, _spread(478))
    triangles, barycentrics = embedding.triangles.copy(), embedding.barycentrics.copy()
    # 468..472 is the subject's right iris, 473..477 the left one: centre, then four points on its rim.
    for start, name, x in ((468, "eye_right", -EYE_X), (473, "eye_left", EYE_X)):
        if name not in parts:
            continue
        own = np.flatnonzero((faces >= parts[name].start).all(axis=1) & (faces < parts[name].stop).all(axis=1))
        rim = [(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)]
        places = np.array([(x + a * 0.006, b * 0.006, EYE_RADIUS * 0.9) for a, b in rim])
        triangles[start : start + 5] = own[_on_skin(mean, faces[own], places).triangles]
    return Embedding(triangles, barycentrics)
