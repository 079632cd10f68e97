"""Do two pictures of one real person say the same of their shape? Nobody knows the true one, but it cannot be two.

    python -m tests.benchmarks.identity_agreement LABELS

LABELS holds label files of people at rest and smiling (`london/neutral`, `london/smiling`, by `python main.py label
--people`); the test people of the splits are used. Each picture's shape is found by itself: from the detector's
landmarks, from those half-way to the coarse network's, and from the network's alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.machine import machine_facts
from models.face_model import FaceModel, load_face_model
from models.face_model.symmetry import FACE_POINTS
from models.training.data.labels import list_labels, read_labels
from models.training.splits import load_splits
from tracking.coarse import CoarsePredictor
from tracking.person_capture import CapturedFrame
from tracking.person_fit import Observed, fit_person
from tracking.second_look import SHARE, second_look
from tracking.sources import load_image
from tracking.threads import use_one_thread
from tracking.types import FaceObservation, FaceParameters

WAYS = {"detector": 0.0, "both": SHARE, "network": 1.0}


def picture(path: Path) -> CapturedFrame:
    """A labelled photograph."""
    labels = read_labels(path)
    (face, *_) = labels.faces
    box = np.concatenate([face.landmarks[:, :2].min(axis=0), face.landmarks[:, :2].max(axis=0)]).astype(np.float32)
    seen = FaceObservation(face.landmarks, face.scores, box, face.confidence)
    fitted = FaceParameters(
        face.identity, face.expression, face.rotation, face.translation, face.gaze, face.camera
    )  # fmt: skip
    return CapturedFrame(load_image(Path(labels.source)), (0, 0), seen, fitted, 1.0, 0.0)


def shape(model: FaceModel, predictor: CoarsePredictor, frame: CapturedFrame, share: float) -> NDArray[np.float64]:
    """(468, 3) millimetres, landmarks of the face at rest about their middle."""
    look = second_look(predictor, frame) if share else None
    one = Observed(frame.observation, frame.parameters, look, share)
    identity = model.identity(fit_person(model, [one], [one]).identity)
    rest = model.pose(identity, np.zeros(52, np.float32), np.zeros((2, 2), np.float32)).vertices
    points = model.embed(rest, model.landmarks478)[:FACE_POINTS].astype(np.float64) * 1e3
    return np.asarray(points - points.mean(axis=0), np.float64)


def agreement(
    first: Sequence[NDArray[np.float64]], second: Sequence[NDArray[np.float64]]
) -> tuple[float, float, float]:
    """Mean distance of two pictures of one person and of two people, millimetres; share of people found again."""
    apart = np.linalg.norm(np.stack(first)[:, None] - np.stack(second)[None], axis=3).mean(axis=2)
    same = np.eye(len(apart), dtype=bool)
    return (
        float(apart[same].mean()),
        float(apart[~same].mean()),
        float((apart.argmin(axis=1) == np.arange(len(apart))).mean()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path)
    labels: Path = parser.parse_args().labels
    use_one_thread()
    model = load_face_model()
    predictor = CoarsePredictor(model)
    people = load_splits().london_set.part("test")
    kinds = ("neutral", "smiling")
    files = {kind: {p.name.split(".")[0]: p for p in list_labels(labels / "london" / kind)} for kind in kinds}
    names = [name for name in people if all(name in files[kind] for kind in kinds)]
    frames = {kind: [picture(files[kind][name]) for name in names] for kind in kinds}
    print(f"{len(names)} people. {'':10} {'one person':>11} {'two people':>11} {'ratio':>6} {'found again':>12}")
    for way, share in WAYS.items():
        own, other, found = agreement(
            *([shape(model, predictor, frame, share) for frame in frames[kind]] for kind in kinds)
        )  # fmt: skip
        print(f"{'':11} {way:10} {own:8.2f} mm {other:8.2f} mm {own / other:6.2f} {found:12.0%}")
    print(machine_facts())


if __name__ == "__main__":
    main()
