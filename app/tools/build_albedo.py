"""Builds the albedo basis of the shipped head from photographs of faces.

    python -m app.tools.build_albedo FOLDER_OF_NEUTRAL_PHOTOS [...]

Each photo is fitted, unwrapped into the face UV (after the mesh's points have been pulled onto the detected landmarks,
so that eyes, brows and lips land where they belong), relieved of its light as far as second-order spherical harmonics
go, filled where the camera did not see, and all of them together become a mean and principal components in linear
light.

The photographs must be under a licence that allows derived works; those of the shipped basis are named in NOTICE.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from models.face_model import FaceModel
from models.face_model.model import SHIPPED_MODEL
from models.face_model.schema import read_arrays, write_arrays
from models.face_model.symmetry import FACE_POINTS
from models.geometry.depth_map import depth_map, facing_cosines
from models.geometry.rasterise import Raster, interpolate, rasterise_uv
from models.geometry.rotations import HEAD_TO_CAMERA
from models.geometry.unwrap import fill_holes, unwrap
from models.synthesis.light import sh_basis, to_linear
from tracking.points import project_embedding
from tracking.sources.images import list_images, load_image
from tracking.still import StillTracker

Floats = NDArray[np.float32]
log = logging.getLogger(__name__)

MEAN_SIZE = 512
BASIS_SIZE = 256
MEAN_LUMINANCE = 0.26
"""Luminance of every person's cheek after the light is taken out: exposure is not skin, but tone differences within
0.6 .. 1.6 of the set's median are kept."""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
LIGHT_REGIONS = ("brows", "lips", "beard", "scalp", "lids", "nose")


def unwrapped(tracker: StillTracker, photo: Path, raster: Raster) -> tuple[Floats, Floats, Floats] | None:
    """Colour (S, S, 3) in linear light, visibility (S, S) and camera-frame normals (S, S, 3) of one photo's face."""
    image = load_image(photo)
    faces = tracker.detect(image)
    if not faces:
        return None
    height, width = image.shape[:2]
    parameters = tracker.fit(faces[0], width, height).parameters
    model, camera = tracker.model, parameters.camera
    posed = model.pose(parameters.identity, parameters.expression, parameters.gaze)
    points = camera.to_camera(posed.vertices, parameters.rotation, parameters.translation)
    pixels = camera.project(points, float(parameters.translation[2]))
    mesh_landmarks = project_embedding(model, parameters, posed.vertices, model.landmarks478)[:FACE_POINTS]
    residual = faces[0].landmarks[:FACE_POINTS, :2] - mesh_landmarks
    pull = RBFInterpolator(mesh_landmarks, residual, neighbors=24, smoothing=2.0, kernel="linear")
    near = (pixels.min(axis=1) > -width) & (pixels.max(axis=1) < 2 * width)
    pixels[near] += pull(pixels[near]) * _near_landmarks(pixels[near], mesh_landmarks)
    normals = posed.normals @ (HEAD_TO_CAMERA @ parameters.rotation).T.astype(np.float32)
    seen = depth_map(pixels, points[:, 2], model.faces, size=512)
    facing = facing_cosines(points, normals)
    texture, visible = unwrap(image, raster, model.faces, pixels, points[:, 2], facing, seen)
    return to_linear(texture), visible, interpolate(raster, normals, model.faces)


def _near_landmarks(pixels: NDArray[np.floating], landmarks: NDArray[np.floating]) -> NDArray[np.floating]:
    """(N, 1) share of the landmarks' pull: all of it among them, none further out than a third of the face."""
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    outside = np.maximum(np.maximum(low - pixels, pixels - high), 0).max(axis=1)
    return np.asarray(np.clip(1 - outside / (0.33 * float((high - low).max())), 0, 1)[:, None])


def without_light(colour: Floats, visible: Floats, normals: Floats, skin: Floats) -> Floats:
    """Divides out the shading: second-order light fitted to the luminance of plain skin (`skin` (S, S) in 0..1)."""
    unit = normals / np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    basis = sh_basis(unit)
    luminance = colour @ LUMINANCE
    weight = (visible * skin).ravel()
    target = luminance.ravel()
    for _ in range(4):
        # Iteratively reweighted: moles, hair and highlights must not count as light.
        system = basis.reshape(-1, 9) * weight[:, None]
        light = np.linalg.solve(system.T @ basis.reshape(-1, 9) + 1e-3 * np.eye(9), system.T @ target)
        shading = basis.reshape(-1, 9) @ light
        error = np.abs(target - shading) / np.maximum(shading, 1e-3)
        weight = (visible * skin).ravel() / (1 + (error / 0.12) ** 2)
    shade = np.maximum((basis @ light.astype(np.float32)), 0.2 * float(np.median(shading[weight > 0.3])))
    level = float(np.median(shading[weight > 0.3]))
    return np.asarray(colour * (level / shade)[:, :, None], np.float32)


def _textures(photos: list[Path], model: FaceModel) -> Iterator[Floats]:
    raster = rasterise_uv(model.uv, model.uv_faces, MEAN_SIZE, subset=model.part_faces("skin"))

    def region(*names: str) -> Floats:
        values = np.max([model.regions[n] for n in names], axis=0)
        return interpolate(raster, values, model.faces)

    plain = np.clip(region("face") - region(*LIGHT_REGIONS), 0, 1)
    allowed = np.clip(region("face", "ears", "nose", "lips", "lids"), 0, 1)
    with StillTracker(model=model) as tracker:
        for photo in photos:
            found = unwrapped(tracker, photo, raster)
            if found is None:
                log.warning("%s: no face found, left out", photo.name)
                continue
            colour, visible, normals = found
            colour = without_light(colour, visible, normals, plain)
            luminance = colour @ LUMINANCE
            cheek = float(np.median(luminance[(plain > 0.8) & (visible > 0.5)]))
            weight = np.clip((visible - 0.2) / 0.4, 0, 1) * allowed
            # Background, hair over the forehead and highlights at the rim are no skin.
            weight *= 1 - plain * np.clip((np.abs(np.log(np.maximum(luminance, 1e-4) / cheek)) - 0.35) / 0.2, 0, 1)
            mirrored = np.ascontiguousarray(colour[:, ::-1])
            mirrored_weight = weight[:, ::-1]
            share = (weight / np.maximum(weight + 0.15 * mirrored_weight, 1e-4))[:, :, None]
            both = colour * share + mirrored * (1 - share)
            filled = fill_holes(both.astype(np.float32), np.clip(np.maximum(weight, mirrored_weight) * 1.5, 0, 1))
            skin_tone = np.median(filled[plain > 0.8], axis=0)
            rest = 0.75 * (1 - np.clip(allowed * 1.4, 0, 1))[:, :, None]
            filled = filled.astype(np.float32) * (1 - rest) + skin_tone * rest
            level = MEAN_LUMINANCE * float(np.clip(cheek / MEAN_LUMINANCE, 0.45, 1.5))
            yield np.clip(filled.astype(np.float32) * (level / cheek), 0, 1)


def principal_colours(textures: Floats, components: int, weights: Floats) -> tuple[Floats, Floats]:
    """Mean (S, S, 3) and basis (A, B, B, 3) of (N, S, S, 3), weighted over texels by (S, S); basis at BASIS_SIZE.

    Skin tones multiply, so the components are those of the logarithm: colour = mean * exp(coefficients @ basis).
    """
    logs = np.log(np.clip(np.concatenate([textures, textures[:, :, ::-1]]), 0.004, 1.0))
    mean = np.median(logs, axis=0)
    size = (BASIS_SIZE, BASIS_SIZE)
    small = np.stack([cv2.resize(t - mean, size, interpolation=cv2.INTER_AREA) for t in logs])
    mask = cv2.resize(weights, size, interpolation=cv2.INTER_AREA)[None, :, :, None]
    flat = (small * np.sqrt(mask)).reshape(len(small), -1)
    values, vectors = np.linalg.eigh(flat @ flat.T)
    mixing = vectors[:, ::-1][:, :components].T / np.sqrt(len(small))
    log.info("%d components explain %.1f %%", components, 100 * values[::-1][:components].sum() / values.sum())
    basis = (mixing @ small.reshape(len(small), -1)).reshape(components, *size, 3)
    return np.exp(mean).astype(np.float32), basis.astype(np.float32)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m app.tools.build_albedo", description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, help="folders of photographs of neutral faces")
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="model file to add the albedo to")
    parser.add_argument("--components", type=int, default=16)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arrays = read_arrays(options.model)
    model = FaceModel(arrays)
    photos = [photo for folder in options.folders for photo in list_images(folder)]
    textures = np.stack(list(_textures(photos, model)))
    log.info("%d faces", len(textures))
    raster = rasterise_uv(model.uv, model.uv_faces, MEAN_SIZE, subset=model.part_faces("skin"))
    weights = np.clip(interpolate(raster, model.regions["face"], model.faces) + 0.05, 0, 1)
    mean, basis = principal_colours(textures, options.components, weights.astype(np.float32))
    write_arrays(options.model, replace(arrays, albedo_mean=mean, albedo_basis=basis))


if __name__ == "__main__":
    main()
