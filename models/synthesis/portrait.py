"""Pictures of a posed face on the CPU: textured skin, eyes with iris, spherical-harmonics light.

Plain and exact rather than pretty: it serves the synthetic source, the landmark embedding and training data, where the
truth must be known. The program's own picture comes from `rendering`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model.model import FaceModel, PosedFace
from models.geometry.camera import Camera
from models.geometry.rasterise import Raster, rasterise
from models.geometry.rotations import HEAD_TO_CAMERA
from models.synthesis.light import sh_basis, to_srgb

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Eyes:
    """Colours of the eyes, linear light 0..1, and the radii of iris and pupil as shares of the eyeball's."""

    iris: tuple[float, float, float] = (0.10, 0.065, 0.035)
    sclera: tuple[float, float, float] = (0.62, 0.57, 0.54)
    iris_radius: float = 0.44
    pupil_radius: float = 0.19


@dataclass(frozen=True, slots=True)
class Look:
    """All that decides how a face looks apart from its shape.

    Attributes:
        texture: (S, S, 3) float32 skin colour over the face UV, linear light 0..1.
        light: (9, 3) spherical harmonics, camera frame, see `directional_light`.
        background: (H, W, 3) uint8 or (3,) colour.
        eyes: see Eyes.
    """

    texture: Floats
    light: Floats
    background: NDArray[np.uint8] = field(default_factory=lambda: np.array([96, 100, 104], np.uint8))
    eyes: Eyes = Eyes()


_PLAIN = {"teeth": (0.55, 0.50, 0.42), "tongue": (0.35, 0.10, 0.09), "lashes": (0.012, 0.010, 0.009)}
_MOUTH_INTERIOR = np.array([0.14, 0.025, 0.02], np.float32)


@dataclass(frozen=True, slots=True)
class Portrait:
    """A picture (H, W, 3) uint8 sRGB and the raster that it was shaded from."""

    image: Image
    raster: Raster


def paint(
    model: FaceModel,
    posed: PosedFace,
    rotation: NDArray[np.floating],
    translation: NDArray[np.floating],
    camera: Camera,
    look: Look,
) -> Portrait:
    """Renders one face.

    Args:
        model: of `posed`.
        posed: vertices and normals in the head frame.
        rotation: (3, 3) head rotation.
        translation: (3,) head position, camera frame, metres.
        camera: of the picture.
        look: texture, light, background, eyes.
    """
    points = camera.to_camera(posed.vertices, rotation, translation)
    pixels = camera.project(points, float(translation[2])).astype(np.float32)
    raster = rasterise(pixels, points[:, 2].astype(np.float32), model.faces, camera.width, camera.height)
    shape = (camera.height, camera.width, 3)
    background = look.background if look.background.ndim == 3 else np.broadcast_to(look.background, shape)
    image = background.copy()
    rows, columns = np.nonzero(raster.covered)
    if rows.size:
        triangles = raster.triangle[rows, columns]
        weights = raster.barycentrics[rows, columns]
        normals = np.einsum("nk,nkd->nd", weights, posed.normals[model.faces[triangles]])
        normals = normals @ (HEAD_TO_CAMERA @ rotation).T.astype(np.float32)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        uv = np.einsum("nk,nkd->nd", weights, model.uv[model.uv_faces[triangles]])
        hidden = np.einsum("nk,nk->n", weights, model.regions["hidden"][model.faces[triangles]])
        colour = _base_colour(model, triangles, uv, hidden, look)
        shaded = colour * np.maximum(sh_basis(normals) @ look.light, 0.0)
        image[rows, columns] = to_srgb(shaded)
    return Portrait(image, raster)


def sample_texture(texture: Floats, uv: Floats) -> Floats:
    """(N, C) bilinear samples of a (S, S, C) map at (N, 2) UV in 0..1."""
    size = texture.shape[0]
    width = 1024  # cv2.remap takes at most 32,767 rows or columns
    padded = np.zeros((-(-len(uv) // width) * width, 2), np.float32)
    padded[: len(uv)] = uv * size - 0.5
    grid = padded.reshape(-1, width, 2)
    # The grid holds both coordinates; OpenCV's stubs do not know that the second map may then be None.
    sampled = cv2.remap(texture, grid, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(sampled.reshape(-1, texture.shape[2])[: len(uv)], np.float32)


def _base_colour(model: FaceModel, triangles: NDArray[np.int32], uv: Floats, hidden: Floats, look: Look) -> Floats:
    colour = sample_texture(look.texture, uv)
    inside = np.clip(hidden, 0, 1)[:, None]
    colour = colour * (1 - inside) + _MOUTH_INTERIOR * inside
    parts = model.face_part[triangles]
    for index, name in enumerate(model.part_names):
        own = parts == index
        if name in _PLAIN:
            colour[own] = _PLAIN[name]
        elif name.startswith("eye"):
            colour[own] = _eye_colour(uv[own], look.eyes)
    return np.asarray(colour, np.float32)


def _eye_colour(uv: Floats, eyes: Eyes) -> Floats:
    radius = np.linalg.norm(uv - 0.5, axis=1) * 2
    iris = np.clip((eyes.iris_radius - radius) / 0.04 + 0.5, 0, 1)[:, None]
    pupil = np.clip((eyes.pupil_radius - radius) / 0.04 + 0.5, 0, 1)[:, None]
    limbus = 1 - 0.6 * np.exp(-(((radius - eyes.iris_radius) / 0.035) ** 2))[:, None]
    colour = np.array(eyes.sclera, np.float32) * (1 - iris) + np.array(eyes.iris, np.float32) * iris
    return np.asarray((colour * (1 - pupil) + 0.006 * pupil) * limbus, np.float32)
