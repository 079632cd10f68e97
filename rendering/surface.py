"""Static facts of a head's surface that shading needs: how much light reaches each vertex, where hair grows and how
thick, which way lashes run. Computed once per model from its mean face and regions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel
from models.face_model.hair_cap import cap_directions, cap_height
from models.face_model.hair_grid import relief_at
from models.face_model.vertex_values import smoothed
from models.geometry.depth_map import depth_map
from models.geometry.rasterise import empty_raster

__all__ = ["ambient_light", "hair_height", "lash_coordinates", "neck_fade", "tooth_coordinates"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]

AMBIENT_DIRECTIONS = 72
AMBIENT_MAP = 160
TOOTH_WIDTH = 0.0078
"""Metres, of a front tooth."""
LASHES_PER_METRE = 1900.0
LOWER_LID = 1000.0
NECK_BELOW = -0.07
"""Metres: an open border below this height is the neck's, not an eye's or the mouth's."""
NECK_FADE = 0.035
"""Metres over which the bust ends."""


def ambient_light(model: FaceModel, vertices: Floats, normals: Floats) -> Floats:
    """(V,) share of an even sky, 0..1, that reaches each vertex past the rest of the head (ambient occlusion).

    Looks at the head from many sides at once and counts, weighted by the cosine, from where a vertex is seen.
    """
    numbers = [i for i, name in enumerate(model.part_names) if name != "lashes"]
    solid = np.asarray(np.flatnonzero(np.isin(model.face_part, numbers)), np.int32)
    buffers = empty_raster(AMBIENT_MAP, AMBIENT_MAP)
    seen = np.zeros(len(vertices))
    total = np.full(len(vertices), 1e-6)
    for direction in _even_directions(AMBIENT_DIRECTIONS):
        side = np.cross(direction, (0.0, 1.0, 0.0) if abs(direction[1]) < 0.9 else (1.0, 0.0, 0.0))
        side /= np.linalg.norm(side)
        # A camera frame that looks along -direction: x right, y down, depth forward.
        points = np.stack([vertices @ -side, vertices @ -np.cross(side, direction)], axis=1) * 1000.0
        depth = 1.0 - vertices @ direction
        picture = depth_map(points, depth, model.faces, size=AMBIENT_MAP, perspective=False, subset=solid, out=buffers)
        weight = np.maximum(normals @ direction, 0.0)
        seen += weight * picture.visible(points, depth, tolerance=0.003)
        total += weight
    return smoothed(model, np.asarray(seen / total, np.float32), 1)


def _even_directions(count: int) -> NDArray[np.float64]:
    """(count, 3) unit vectors spread evenly over the sphere (Fibonacci)."""
    n = np.arange(count) + 0.5
    y = 1 - 2 * n / count
    turn = n * np.pi * (3 - np.sqrt(5))
    flat = np.sqrt(1 - y * y)
    return np.stack([flat * np.cos(turn), y, flat * np.sin(turn)], axis=1)


def hair_height(model: FaceModel, relief: Sequence[float] = ()) -> tuple[Floats, Floats]:
    """The hair cap on the mean face.

    Args:
        model: any back end.
        relief: how far hair stands out by direction, see `models.face_model.hair_grid`; empty where it is even.

    Returns:
        height (V,), fading to exactly 0 at the hairline: metres with a relief, without one 0..1 of the hair's
        thickness; and (V, 3) its gradient along the surface, per metre, which tilts the normals.

    Raises:
        ValueError: the relief is not empty and has not RELIEF_COUNT values.
    """
    height = cap_height(model)
    if relief:
        # The grid's cells are wider than the mesh's: their edges must not show as creases.
        height = height * smoothed(model, relief_at(relief, cap_directions(model)), 2)
    corners = model.mean[model.faces].astype(np.float64)
    edge1, edge2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(edge1, edge2)
    doubled = np.maximum(np.einsum("fk,fk->f", normal, normal), 1e-18)
    rise1 = height[model.faces[:, 1]] - height[model.faces[:, 0]]
    rise2 = height[model.faces[:, 2]] - height[model.faces[:, 0]]
    # Gradient of a linear function over a triangle, times the triangle's area for the vertices' mean.
    slope = (rise1[:, None] * np.cross(edge2, normal) - rise2[:, None] * np.cross(edge1, normal)) / doubled[:, None]
    area = np.sqrt(doubled)
    gradient = np.zeros((model.vertex_count, 3))
    weight = np.full(model.vertex_count, 1e-12)
    for k in range(3):
        np.add.at(gradient, model.faces[:, k], slope * area[:, None])
        np.add.at(weight, model.faces[:, k], area)
    return height, np.asarray(gradient / weight[:, None], np.float32)


def neck_fade(model: FaceModel) -> Floats:
    """(V,) 0 at the open end of the neck to 1 away from it, so that a bust ends softly; all 1 where nothing is open."""
    if "skin" not in model.part_names:
        return np.ones(model.vertex_count, np.float32)
    faces = model.faces[model.part_faces("skin")]
    sides = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    edges, uses = np.unique(sides, axis=0, return_counts=True)
    border = np.unique(edges[uses == 1])
    border = border[model.mean[border, 1] < NECK_BELOW]
    if not border.size:
        return np.ones(model.vertex_count, np.float32)
    # One border vertex after another: some hundred of them, and a tree's library takes longer to load than this.
    nearest = np.full(model.vertex_count, np.inf, np.float32)
    for place in model.mean[border]:
        np.minimum(nearest, np.square(model.mean - place).sum(axis=1), out=nearest)
    distance = np.sqrt(nearest)
    return np.asarray(np.clip(distance / NECK_FADE, 0.0, 1.0), np.float32)


def _cards(model: FaceModel, part: str) -> list[Indices]:
    """Vertices of each connected piece of a part."""
    if part not in model.part_names:
        return []
    faces = model.faces[model.part_faces(part)]
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    # Each vertex takes the smallest number of its piece. SciPy's graphs would take longer to load than this.
    label = np.arange(model.vertex_count)
    before = label[:0]
    while not np.array_equal(label, before):
        before = label.copy()
        np.minimum.at(label, ends[:, 0], before[ends[:, 1]])
        np.minimum.at(label, ends[:, 1], before[ends[:, 0]])
        label = label[label]
    used = np.unique(faces).astype(np.int32)
    return [used[label[used] == piece] for piece in np.unique(label[used])]


def lash_coordinates(model: FaceModel) -> Floats:
    """(V, 2) for the lashes' vertices, zeros elsewhere: strands counted along the lid (from LOWER_LID on below the
    eye), and 0 at the root to 1 at the tip. Roots are what lies nearest to the eyeball's centre."""
    coordinates = np.zeros((model.vertex_count, 2), np.float32)
    eyes = model.joints(model.identity())[2:4]
    for own in _cards(model, "lashes"):
        places = model.mean[own]
        eye = eyes[np.argmin(np.linalg.norm(eyes - places.mean(axis=0), axis=1))]
        reach = np.linalg.norm(places - eye, axis=1)
        x = places[:, 0]
        near = np.abs(x[:, None] - x[None]) < 0.0035
        lowest = np.where(near, reach[None], np.inf).min(axis=1)
        highest = np.where(near, reach[None], -np.inf).max(axis=1)
        out = reach - lowest
        coordinates[own, 0] = (x - x.min()) * LASHES_PER_METRE
        coordinates[own, 1] = out / np.maximum(highest - lowest, 1e-6)
        # On the lower lid the tips point down.
        tips, roots = coordinates[own, 1] > 0.7, coordinates[own, 1] < 0.3
        if places[tips, 1].mean() < places[roots, 1].mean():
            coordinates[own, 0] += LOWER_LID
    return coordinates


def tooth_coordinates(model: FaceModel) -> Floats:
    """(V, 2) for the teeth's vertices, zeros elsewhere: teeth counted along the arch from the middle (gaps at whole
    numbers), and 0 at the biting edge to 1 at the root."""
    coordinates = np.zeros((model.vertex_count, 2), np.float32)
    rows = _cards(model, "teeth")
    if not rows:
        return coordinates
    middle = np.mean([model.mean[own, 1].mean() for own in rows])
    for own in rows:
        places = model.mean[own]
        back, front = places[:, 2].min(), places[:, 2].max()
        turn = np.arctan2(places[:, 0], places[:, 2] - back)
        coordinates[own, 0] = turn * (front - back) / TOOTH_WIDTH
        low, high = places[:, 1].min(), places[:, 1].max()
        height = (places[:, 1] - low) / max(high - low, 1e-6)
        coordinates[own, 1] = height if places[:, 1].mean() > middle else 1 - height
    return coordinates
