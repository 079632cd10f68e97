"""What is drawn over the camera's picture: outline, points or mesh, and the face's box. Numbers only, no Qt."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from app.window_settings import PictureOverlay
from tracking import TrackedFace, landmarks_68
from tracking.types import TrackingState

if TYPE_CHECKING:
    from models.face_model import FaceModel

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

# Runs of the 68 iBUG points, and whether they close.
LINES: tuple[tuple[int, int, bool], ...] = (
    *((0, 16, False), (17, 21, False), (22, 26, False), (27, 30, False), (31, 35, False)),
    *((36, 41, True), (42, 47, True), (48, 59, True), (60, 67, True)),
)
FRACTION = 16
"""OpenCV takes sixteenths of a pixel."""


PLANE = 1000
"""Size of the plane in which the landmarks are joined to triangles."""


@lru_cache(maxsize=2)
def mesh_edges(model: FaceModel) -> NDArray[np.int32]:
    """(E, 2) pairs of the 478 landmarks that are neighbours on the mean face, seen from the front."""
    places = model.embed(model.mean, model.landmarks478)
    # OpenCV's triangulation: loading SciPy's for this alone makes the window stand still for a sixth of a second.
    span = np.ptp(places[:, :2], axis=0).max()
    flat = np.asarray((places[:, :2] - places[:, :2].min(axis=0)) * (PLANE / span), np.float32)
    plane = cv2.Subdiv2D((-1, -1, PLANE + 2, PLANE + 2))
    index = {(float(x), float(y)): n for n, (x, y) in enumerate(flat)}
    for x, y in index:
        plane.insert((x, y))
    found = np.asarray(plane.getEdgeList()).reshape(-1, 2, 2).tolist()
    # Edges to the corners of the plane have ends that are no landmark.
    pairs = [(index.get(tuple(start)), index.get(tuple(end))) for start, end in found]
    edges = np.asarray([pair for pair in pairs if None not in pair], np.int64)
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    lengths = np.linalg.norm(places[edges[:, 0]] - places[edges[:, 1]], axis=1)
    return np.asarray(edges[lengths < 0.035], np.int32)


def scaled(image: Image, width: int, height: int) -> Image:
    """The picture in another size, a copy of its own."""
    if image.shape[1] == width and image.shape[0] == height:
        return image.copy()
    # Averaging over areas costs five times as much and shows only where much is left out.
    method = cv2.INTER_AREA if 2 * width < image.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)


def mark(
    image: Image,
    face: TrackedFace,
    model: FaceModel,
    overlay: PictureOverlay,
    *,
    box: bool,
    colour: Colour,
    thickness: int = 1,
) -> None:
    """Draws over an already scaled picture, in place.

    Args:
        image: (h, w, 3) RGB, of the frame's shape in any size.
        face: whose marks.
        model: that it was tracked with.
        overlay: what to draw.
        box: also the face's box.
        colour: RGB, 0..255.
        thickness: of lines, pixels.
    """
    if face.state is not TrackingState.TRACKING:
        return
    scale = np.array([image.shape[1] / face.frame.image.shape[1], image.shape[0] / face.frame.image.shape[0]])
    if overlay == "outline" and face.vertices is not None:
        _outline(image, landmarks_68(model, face) * scale, colour, thickness)
    elif face.observation is not None and overlay in ("points", "mesh"):
        points = face.observation.landmarks[:, :2] * scale
        if overlay == "points":
            _points(image, points, colour, thickness)
        else:
            lines = _whole(points[mesh_edges(model)])
            drawn = image.copy()
            cv2.polylines(drawn, list(lines), False, colour, 1, cv2.LINE_AA, 4)
            # Half transparent: the lines lie close together, and the face has to be seen through them.
            cv2.addWeighted(drawn, 0.4, image, 0.6, 0.0, dst=image)
    if box and face.observation is not None:
        left, top, right, bottom = (int(v) for v in (face.observation.box.reshape(2, 2) * scale).reshape(-1))
        cv2.rectangle(image, (left, top), (right, bottom), colour, thickness, cv2.LINE_AA)


def _outline(image: Image, points: NDArray[np.floating], colour: Colour, thickness: int) -> None:
    for first, last, closed in LINES:
        cv2.polylines(image, [_whole(points[first : last + 1])], closed, colour, thickness, cv2.LINE_AA, 4)


def _points(image: Image, points: NDArray[np.floating], colour: Colour, thickness: int) -> None:
    for x, y in _whole(points).tolist():
        cv2.circle(image, (x, y), 10 + 6 * (thickness - 1), colour, -1, cv2.LINE_AA, 4)


def _whole(points: NDArray[np.floating]) -> NDArray[np.int32]:
    return np.asarray(np.round(points * FRACTION), np.int32)


__all__ = ["LINES", "mark", "mesh_edges", "scaled"]
