"""Draws what the detail network makes of people it was not trained on.

    python -m app.tools.detail_sheet LABELS [--weights FILE] [--out sheet.png]

Twelve test people of the splits: the six nearest the median of how much their smile folds, by the network's own
measure, and the six whose smile folds most. Columns: photo (smiling), clay without and with detail, and the same
person's neutral picture driven by a smile, a brow raise and a sneer.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model import load_face_model
from models.face_model.detail_map import DetailMap
from models.face_model.model import PosedFace
from models.geometry.camera import Camera
from models.geometry.rasterise import interpolate, rasterise
from models.geometry.rotations import HEAD_TO_CAMERA, from_euler
from models.networks.detail_weights import load_detail, shipped_detail
from models.synthesis.light import directional_light, sh_basis, to_srgb
from models.synthesis.portrait import sample_texture
from models.training.data.detail_shading import detail_normals
from models.training.data.labels import label_path, read_labels
from models.training.data.people import load_people, read_picture
from models.training.data.strain import surface_maps
from models.training.data.textures import FaceTexture
from models.training.evaluation.answers import DetailAnswers
from models.training.evaluation.people_detail import expression_tension
from models.training.evaluation.regions import face_regions, strength
from models.training.evaluation.synthetic_detail import driving_expressions
from models.training.runs import runs_folder

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

TILE = 320
DRIVERS = ("smile", "brow raise", "sneer")
COLUMNS = ("photo", "coarse", "detail", *(f"driven: {name}" for name in DRIVERS))
CLAY = np.array([0.52, 0.50, 0.47], np.float32)
LIGHT = directional_light(HEAD_TO_CAMERA @ np.array([0.55, 0.75, 0.75]), 0.75, 0.22)


def clay(window: DetailMap, posed: PosedFace, displacement: Floats | None, yaw: float = 0.2) -> Image:
    """(TILE, TILE, 3) uint8: a face in clay, displacement (256, 256) millimetres shown by its normals."""
    model = window.model
    rotation, translation = from_euler(yaw, 0.0, 0.0), np.array([0.0, -0.022, 0.62])
    camera = Camera(TILE, TILE, TILE * 3.3)
    points = camera.to_camera(posed.vertices, rotation, translation)
    raster = rasterise(camera.project(points, 0.62), points[:, 2], model.faces, TILE, TILE)
    normals = interpolate(raster, posed.normals, model.faces)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    if displacement is not None:
        maps = surface_maps(window, posed)
        added = detail_normals(displacement, maps) - detail_normals(np.zeros_like(displacement), maps)
        corners = model.uv[model.uv_faces[np.maximum(raster.triangle, 0)]]
        uv = np.einsum("ijk,ijkd->ijd", raster.barycentrics, corners).reshape(-1, 2).astype(np.float32)
        whole = np.asarray(DetailMap.whole(added), np.float32)
        skin = np.isin(raster.triangle, model.part_faces("skin"))[:, :, None]
        normals = normals + sample_texture(whole, uv).reshape(normals.shape) * skin
        normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    seen = normals @ (HEAD_TO_CAMERA @ rotation).T.astype(np.float32)
    shaded = CLAY * np.maximum(sh_basis(seen) @ LIGHT, 0.0)
    image = to_srgb(shaded)
    image[~raster.covered] = (38, 40, 43)
    return np.asarray(image, np.uint8)


def person_row(window: DetailMap, answers: DetailAnswers, pair: tuple[FaceTexture, FaceTexture], photo: Image) -> Image:
    """One person's tiles side by side, see the module."""
    neutral, smiling = pair
    model = window.model
    posed = model.pose(smiling.identity, smiling.expression)
    tiles = [photo, clay(window, posed, None), clay(window, posed, answers.of_face(smiling)[0])]
    expressions = driving_expressions()
    for name in DRIVERS:
        tension = expression_tension(window, neutral.identity, expressions[name])
        driven = answers.of_face(neutral, [tension])[0]
        tiles.append(clay(window, model.pose(neutral.identity, expressions[name]), driven))
    return np.hstack(tiles)


def face_photo(labels: Path, person: str) -> Image:
    """(TILE, TILE, 3) of the smiling photograph, cut around the face."""
    found = read_labels(label_path(labels / "london" / "smiling", Path(person)))
    image, points = read_picture(Path(found.source)), found.faces[0].landmarks[:, :2]
    centre, half = (points.min(axis=0) + points.max(axis=0)) / 2, float(np.ptp(points, axis=0).max()) * 0.62
    x0, y0 = (int(v) for v in np.maximum(centre - half, 0))
    x1, y1 = (int(v) for v in centre + half)
    return np.asarray(cv2.resize(image[y0:y1, x0:x1], (TILE, TILE), interpolation=cv2.INTER_AREA), np.uint8)


def chosen_people(
    window: DetailMap, answers: DetailAnswers, pairs: tuple[tuple[FaceTexture, FaceTexture], ...], each: int = 6
) -> list[int]:
    """Indices of the `each` people nearest the median smile fold, then of those with the deepest."""
    regions = face_regions(window)
    smiles = [answers.of_face(smiling)[0] for _, smiling in pairs]
    folds = np.array([strength(d, regions["nasolabial"]) + strength(d, regions["crows_feet"]) for d in smiles])
    order = np.argsort(folds)
    middle = len(order) // 2 - each // 2
    return [*order[middle : middle + each].tolist(), *order[-each:].tolist()]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m app.tools.detail_sheet", description=__doc__.split("\n")[0])
    parser.add_argument("labels", type=Path, help="folder of label files")
    parser.add_argument("--weights", type=Path, default=shipped_detail("lite"))
    parser.add_argument("--out", type=Path, default=Path("detail_sheet.png"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    window = DetailMap(load_face_model())
    network, _ = load_detail(options.weights, window.model.name)
    answers = DetailAnswers(network, window.mask)
    pairs = load_people(options.labels, runs_folder() / "textures", window, "test").pairs
    rows = []
    for index in chosen_people(window, answers, pairs):
        pair = pairs[index]
        rows.append(person_row(window, answers, pair, face_photo(options.labels, pair[1].person)))
    header = np.full((28, TILE * len(COLUMNS), 3), 255, np.uint8)
    for column, title in enumerate(COLUMNS):
        cv2.putText(header, title, (column * TILE + 8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 1, cv2.LINE_AA)
    sheet = np.vstack([header, *rows])
    cv2.imwrite(str(options.out), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    print(f"{options.out}: {len(rows)} people, the first half typical, the second half those who fold most.")


if __name__ == "__main__":
    main()
