"""Landmark embeddings by looking: render many people, let the detector find its points, cast them back on the mesh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX
from models.face_model.model import Embedding, FaceModel
from models.face_model.surface import closest_on_surface
from models.face_model.symmetry import mirror_assignment
from models.geometry.camera import Camera
from models.geometry.rasterise import rasterise, rasterise_uv
from models.geometry.rotations import from_euler
from models.synthesis.light import directional_light
from models.synthesis.portrait import Eyes, Look, paint
from models.synthesis.skin import skin_texture

Floats = NDArray[np.float64]
Detector = Callable[[NDArray[np.uint8]], NDArray[np.floating] | None]
"""Takes (H, W, 3) RGB, gives (478, >= 2) pixels or None."""

SIZE = 640
TEXTURE = 512
IRIS_START = 468
LIP_POINTS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415),
    *(76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408),
    *(62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407),
)
"""MediaPipe's four rings around the mouth."""
SCREEN_TOLERANCE = 3.0
"""Pixels within which a landmark that misses the skin (over the open mouth or an eye) snaps to visible skin."""


@dataclass(frozen=True)
class Sighting:
    """Where the detector's points fell in one render: on the neutral mean mesh (N, 3), NaN where they missed."""

    places: Floats


def sight(model: FaceModel, detect: Detector, rng: np.random.Generator, mouth_open: bool) -> Sighting | None:
    """Renders one random person near the front and casts the detected points onto the mesh."""
    identity = rng.normal(0, 0.8, model.identity_count).astype(np.float32)
    expression = np.zeros(CHANNEL_COUNT, np.float32)
    if mouth_open:
        expression[CHANNEL_INDEX["jawOpen"]] = rng.uniform(0.2, 0.5)
    posed = model.pose(identity, expression)
    yaw, pitch, roll = rng.uniform(-0.4, 0.4), rng.uniform(-0.25, 0.25), rng.uniform(-0.1, 0.1)
    camera = Camera.from_fov(SIZE, SIZE, rng.uniform(0.5, 0.9))
    distance = 0.32 / np.tan(camera.fov / 2) * 0.6
    place = np.array([0.0, 0.02, distance])
    rotation = from_euler(yaw, pitch, roll)
    texture = skin_texture(model, rng, rasterise_uv(model.uv, model.uv_faces, TEXTURE, subset=model.part_faces("skin")))
    light = directional_light(np.array([rng.uniform(-1, 1), rng.uniform(-1, 0.2), -1.0]), 0.6, 0.5)
    picture = paint(model, posed, rotation, place, camera, Look(texture, light))
    found = detect(picture.image)
    if found is None:
        return None
    return Sighting(_cast(model, posed.vertices, rotation, place, camera, np.asarray(found, np.float64)[:, :2]))


def _cast(
    model: FaceModel, vertices: NDArray[np.float32], rotation: Floats, place: Floats, camera: Camera, points: Floats
) -> Floats:
    seen = camera.to_camera(vertices, rotation, place)
    pixels = camera.project(seen, float(place[2]))
    raster = rasterise(pixels, seen[:, 2], model.faces, camera.width, camera.height, subset=visible_skin(model))
    rows, columns = np.nonzero(raster.covered)
    tree = cKDTree(np.stack([columns, rows], axis=1))
    distance, nearest = tree.query(points)
    rows, columns = rows[nearest], columns[nearest]
    corners = model.mean[model.faces[raster.triangle[rows, columns]]]
    places = np.einsum("nk,nkd->nd", raster.barycentrics[rows, columns], corners).astype(np.float64)
    places[distance > SCREEN_TOLERANCE] = np.nan
    return np.asarray(places)


def visible_skin(model: FaceModel) -> NDArray[np.int32]:
    """Indices of the skin's triangles outside mouth interior and eye sockets."""
    skin = model.part_faces("skin")
    return np.asarray(skin[model.regions["hidden"][model.faces[skin]].mean(axis=1) < 0.5])


def surface_embedding(model: FaceModel, points: Floats, faces: NDArray[np.int32]) -> Embedding:
    """The nearest points on some triangles of the mean mesh.

    Args:
        model: whose mean mesh it is.
        points: (N, 3) near that mesh.
        faces: indices of the triangles allowed.
    """
    triangles, barycentrics, _ = closest_on_surface(points, model.mean, model.faces, faces)
    return Embedding(triangles.astype(np.int32), barycentrics.astype(np.float32))


def iris_points(model: FaceModel) -> Floats:
    """(10, 3) the iris landmarks on the mean eyeballs that look straight ahead: centre, then four points around.

    MediaPipe's order: 468 centre of the subject's right iris, 469 its outline towards the subject's left, 470 top,
    471 towards the right, 472 bottom; 473..477 the same for the left eye, where 474 lies towards the left.
    """
    points = []
    for part in ("eye_right", "eye_left"):
        own = model.mean[np.unique(model.faces[model.part_faces(part)])].astype(np.float64)
        centre = (own.max(axis=0) + own.min(axis=0)) / 2
        radius = float(np.ptp(own[:, 0]) / 2)
        front = own[:, 2].max()
        ring = Eyes().iris_radius * radius
        depth = front - 0.35 * ring
        points.append([centre[0], centre[1], front])
        points += [
            [centre[0] + dx * ring, centre[1] + dy * ring, depth] for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1))
        ]
    return np.array(points)


def build_embedding(model: FaceModel, detect: Detector, people: int, seed: int = 7) -> Embedding:
    """The 478-point embedding: per point the median over people of where it fell, put back on the surface, made
    mirror-symmetric.

    Raises:
        ValueError: the detector found fewer than half of the rendered faces.
    """
    rng = np.random.default_rng(seed)
    places = _median_places(model, detect, rng, people // 2, mouth_open=False)
    # On a shut mouth upper and lower lip meet in one line, and a ray cannot tell whose inner edge it hit.
    opened = _median_places(model, detect, rng, people - people // 2, mouth_open=True)
    lips = np.isin(np.arange(len(places)), LIP_POINTS)
    places[lips] = opened[lips]
    partner = mirror_assignment(places[:IRIS_START])
    flipped = places[:IRIS_START][partner] * np.array([-1.0, 1.0, 1.0])
    places[:IRIS_START] = (places[:IRIS_START] + flipped) / 2
    face = surface_embedding(model, places[:IRIS_START], visible_skin(model))
    eyes = surface_embedding(model, iris_points(model), model.part_faces("eye_left", "eye_right"))
    return Embedding(
        np.concatenate([face.triangles, eyes.triangles]), np.concatenate([face.barycentrics, eyes.barycentrics])
    )


def _median_places(
    model: FaceModel, detect: Detector, rng: np.random.Generator, people: int, mouth_open: bool
) -> Floats:
    """(478, 3) median over random people of where each point fell on the mean mesh."""
    tries = (sight(model, detect, rng, mouth_open) for _ in range(people))
    sightings = [sighting.places for sighting in tries if sighting is not None]
    if len(sightings) < people / 2:
        raise ValueError(f"the detector found only {len(sightings)} of {people} rendered faces")
    return np.asarray(np.nanmedian(np.stack(sightings), axis=0))
