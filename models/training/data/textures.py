"""Textures of real people over the detail window, unwrapped from labelled photographs.

The fitted mesh is pulled onto the detected landmarks before it is unwrapped, so that eyes, brows, lips and the base of
the nose land on the same texels in every person; what the camera did not see is filled from the mirrored side.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from models.face_model.detail_map import DETAIL_SIZE, DetailMap
from models.face_model.model import FaceModel
from models.geometry.depth_map import depth_map, facing_cosines
from models.geometry.rasterise import interpolate
from models.geometry.rotations import HEAD_TO_CAMERA
from models.geometry.unwrap import fill_holes, unwrap
from models.training.data.labels import FaceLabel, Labels

__all__ = ["FaceTexture", "TextureCache", "face_texture", "fill_from_mirror"]

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

FACE_POINTS = 468
"""Of the 478 landmarks, those on the face; the rest are the irises."""
OUTER_EYES = (33, 263)
EYE_PIXELS = 140.0
"""Outer eye distance in pixels to which larger faces are reduced; it spans about 95 texels of the window."""
VERSION = 1
_MIRROR_SHARE = 0.15
"""What the mirrored side counts beside a texel that is seen itself: the two blend instead of meeting in a line."""


@dataclass(frozen=True, slots=True)
class FaceTexture:
    """One face over the detail window (256 x 256).

    Attributes:
        rgb: (256, 256, 3) uint8 sRGB, hidden texels filled.
        visibility: (256, 256) float32 in 0..1 of what the camera itself saw.
        tension: (256, 256) float32 of the fitted expression.
        normals: (256, 256, 3) float32 unit, camera frame, of the fitted coarse mesh.
        identity, expression: as fitted.
        person: who it is, as the label says; else the name of the file.
    """

    rgb: Image
    visibility: Floats
    tension: Floats
    normals: Floats
    identity: Floats
    expression: Floats
    person: str


def face_texture(image: Image, label: FaceLabel, window: DetailMap, person: str = "") -> FaceTexture:
    """Unwraps one labelled face.

    Args:
        image: (H, W, 3) uint8 RGB at full resolution.
        label: of this picture.
        window: of the face model that was fitted.
        person: kept in the result.

    Raises:
        ValueError: the picture does not have the label's size.
    """
    height, width = image.shape[:2]
    if (label.camera.width, label.camera.height) != (width, height):
        wanted = f"{label.camera.width} x {label.camera.height}"
        raise ValueError(f"the label is for a picture of {wanted} pixels, not {width} x {height}")
    image, label = _reduced(image, label)
    model = window.model
    posed = model.pose(label.identity, label.expression, label.gaze)
    points = label.camera.to_camera(posed.vertices, label.rotation, label.translation)
    pixels = label.camera.project(points, float(label.translation[2]))
    pixels = pixels + landmark_pull(model, label, posed.vertices, pixels)
    normals = posed.normals @ (HEAD_TO_CAMERA @ label.rotation).T.astype(np.float32)
    perspective = label.camera.projection == "perspective"
    seen = depth_map(pixels, points[:, 2], model.faces, size=512, perspective=perspective)
    facing = facing_cosines(points, normals, perspective=perspective)
    rgb, visibility = unwrap(
        image, window.raster, model.faces, pixels, points[:, 2], facing, seen, perspective=perspective
    )
    unit = interpolate(window.raster, normals, model.faces)
    unit /= np.maximum(np.linalg.norm(unit, axis=2, keepdims=True), 1e-6)
    return FaceTexture(
        rgb=fill_from_mirror(rgb, visibility),
        visibility=visibility,
        tension=window.tension(posed.neutral, posed.vertices),
        normals=unit,
        identity=label.identity,
        expression=label.expression,
        person=person,
    )


def fill_from_mirror(rgb: Image, visibility: Floats) -> Image:
    """Fills hidden texels from the mirrored side, and what both sides hide from the surroundings.

    Args:
        rgb: (S, S, 3) uint8.
        visibility: (S, S) in 0..1.
    """
    other = visibility[:, ::-1]
    share = (visibility / np.maximum(visibility + _MIRROR_SHARE * other * (1 - visibility), 1e-4))[:, :, None]
    both = rgb * share + rgb[:, ::-1] * (1 - share)
    known = np.clip(np.maximum(visibility, other) * 1.5, 0, 1)
    filled = fill_holes(both.astype(np.float32), known)
    return np.asarray(np.clip(np.asarray(filled, np.float32) + np.float32(0.5), 0, 255), np.uint8)


def landmark_pull(
    model: FaceModel, label: FaceLabel, vertices: Floats, pixels: NDArray[np.floating]
) -> NDArray[np.float64]:
    """(V, 2) pixels by which the projected mesh is pulled onto the detected landmarks: their residuals interpolated
    among them, and fading out within a third of the face around them."""
    mesh = label.camera.project_head(
        model.embed(vertices, model.landmarks478)[:FACE_POINTS], label.rotation, label.translation
    )
    residual = label.landmarks[:FACE_POINTS, :2] - mesh
    low, high = mesh.min(axis=0), mesh.max(axis=0)
    outside = np.maximum(np.maximum(low - pixels, pixels - high), 0).max(axis=1)
    share = np.clip(1 - outside / (0.33 * float((high - low).max())), 0, 1)
    near = share > 0
    pull = np.zeros((len(pixels), 2))
    # Pixels of a face a thousand pixels wide: smoothing is in the same unit as the residuals squared.
    interpolated = RBFInterpolator(mesh, residual, neighbors=24, smoothing=2.0, kernel="linear")
    pull[near] = interpolated(pixels[near]) * share[near, None]
    return pull


def _reduced(image: Image, label: FaceLabel) -> tuple[Image, FaceLabel]:
    """Picture and label at a size where a texel is about a pixel and a half, so that sampling does not alias."""
    eyes = float(np.linalg.norm(label.landmarks[OUTER_EYES[0], :2] - label.landmarks[OUTER_EYES[1], :2]))
    scale = EYE_PIXELS / max(eyes, 1.0)
    if scale >= 0.8:
        return image, label
    width, height = (max(1, round(side * scale)) for side in (image.shape[1], image.shape[0]))
    small = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    camera = replace(label.camera, width=width, height=height, focal=label.camera.focal * width / image.shape[1])
    landmarks = label.landmarks.copy()
    landmarks[:, :2] = (landmarks[:, :2] + 0.5) * [width / image.shape[1], height / image.shape[0]] - 0.5
    return small, replace(label, camera=camera, landmarks=landmarks)


class TextureCache:
    """Textures of labelled pictures, kept as files so that photographs are unwrapped once.

    Args:
        folder: of the cache; made if it is not there.
        window: of the face model that the labels belong to.
    """

    def __init__(self, folder: Path, window: DetailMap) -> None:
        self._folder = folder
        self._window = window

    def get(self, labels: Labels, index: int, image: Callable[[], Image]) -> FaceTexture:
        """The texture of a picture's face.

        Args:
            labels: of the picture or clip.
            index: which of its faces.
            image: loads the picture (H, W, 3) uint8 RGB; called only where the cache lacks it.

        Raises:
            ValueError: the labels belong to another face model, or the picture is not the labelled one.
            OSError: the cache cannot be written.
        """
        if labels.face_model != self._window.model.name:
            raise ValueError(f"the labels belong to the face model {labels.face_model}, not {self._window.model.name}")
        face = labels.faces[index]
        stamp = hashlib.sha256(f"{VERSION} {labels.sha256} {labels.face_model} {face.frame}".encode())
        for values in (face.identity, face.expression, face.landmarks, face.translation):
            stamp.update(np.ascontiguousarray(values).tobytes())
        path = self._folder / f"{stamp.hexdigest()[:32]}.npz"
        person = labels.person or Path(labels.source).stem
        found = _read(path, person)
        if found is None:
            found = face_texture(image(), face, self._window, person)
            _write(path, found)
        return found


def _read(path: Path, person: str) -> FaceTexture | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        if arrays["rgb"].shape != (DETAIL_SIZE, DETAIL_SIZE, 3):
            return None
        floats = {
            name: arrays[name].astype(np.float32)
            for name in ("visibility", "tension", "normals", "identity", "expression")
        }
        return FaceTexture(rgb=arrays["rgb"], person=person, **floats)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, texture: FaceTexture) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("wb") as file:
        np.savez_compressed(
            file,
            rgb=texture.rgb,
            visibility=texture.visibility.astype(np.float16),
            tension=texture.tension.astype(np.float16),
            normals=texture.normals.astype(np.float16),
            identity=texture.identity,
            expression=texture.expression,
        )
    unfinished.replace(path)
