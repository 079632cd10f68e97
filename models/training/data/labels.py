"""Label files: what the detector and the fit say of each picture of a folder or a clip, as training reads it.

One file per picture or clip: a compressed NPZ without pickled objects. `python main.py label` writes them; nothing here
looks at pixels.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT
from models.geometry.camera import Camera

__all__ = ["LABEL_SUFFIX", "FaceLabel", "LabelFileError", "Labels", "list_labels", "read_labels", "write_labels"]

Floats = NDArray[np.float32]

LABEL_SUFFIX = ".labels.npz"
SCHEMA_VERSION = 1
_MAX_FRAMES = 1_000_000


class LabelFileError(Exception):
    """A label file that cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class FaceLabel:
    """One picture's face.

    Attributes:
        frame: index of the picture in its source, 0 for a single picture.
        identity: (K,) coefficients in standard deviations.
        expression: (52,) channels in 0..1.
        rotation: (3, 3) head rotation.
        translation: (3,) metres, camera frame.
        gaze: (2, 2) radians, rows left and right eye, columns yaw and pitch.
        camera: intrinsics of the full-resolution picture.
        landmarks: (478, 3) pixels of the detector.
        scores: (52,) of the detector, 0..1.
        confidence: 0..1.
    """

    frame: int
    identity: Floats
    expression: Floats
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    gaze: Floats
    camera: Camera
    landmarks: Floats
    scores: Floats
    confidence: float


@dataclass(frozen=True, slots=True)
class Labels:
    """A picture's or a clip's faces.

    Attributes:
        source: path of the picture or clip, as it was given.
        sha256: of that file, hexadecimal.
        width, height: pixels of its pictures.
        frame_count: pictures looked at; those without a face have no entry in `faces`.
        face_model: name of the fitted face model.
        person: who it is, where the caller said so; empty otherwise.
        faces: the largest face of each picture that shows one, in order.
    """

    source: str
    sha256: str
    width: int
    height: int
    frame_count: int
    face_model: str
    person: str
    faces: tuple[FaceLabel, ...]


_STACKED = ("identity", "expression", "rotation", "translation", "gaze", "landmarks", "scores", "confidence")
_SHAPES: dict[str, tuple[int, ...]] = {
    "expression": (CHANNEL_COUNT,),
    "rotation": (3, 3),
    "translation": (3,),
    "gaze": (2, 2),
    "landmarks": (478, 3),
    "scores": (CHANNEL_COUNT,),
    "confidence": (),
}


def write_labels(path: Path, labels: Labels) -> None:
    """Writes a label file; an older one of that name is replaced only once the new one is complete.

    Raises:
        OSError: it cannot be written.
    """
    head = {
        "schema_version": SCHEMA_VERSION,
        "source": labels.source,
        "sha256": labels.sha256,
        "width": labels.width,
        "height": labels.height,
        "frame_count": labels.frame_count,
        "face_model": labels.face_model,
        "person": labels.person,
        "projection": labels.faces[0].camera.projection if labels.faces else "perspective",
    }
    arrays: dict[str, Any] = {"head": np.array(json.dumps(head))}
    arrays["frame"] = np.array([face.frame for face in labels.faces], np.int64)
    arrays["focal"] = np.array([face.camera.focal for face in labels.faces], np.float64)
    for name in _STACKED:
        kind = np.float64 if name in ("rotation", "translation") else np.float32
        arrays[name] = np.array([getattr(face, name) for face in labels.faces], kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        with unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_labels(path: Path) -> Labels:
    """Reads a label file.

    Raises:
        LabelFileError: it is missing, damaged, or of another layout.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = json.loads(str(arrays["head"]))
        if head["schema_version"] != SCHEMA_VERSION:
            raise LabelFileError(
                f"The label file {path} has layout version {head['schema_version']} and this program reads version "
                f"{SCHEMA_VERSION}: write it again with `python main.py label`."
            )
        _check(arrays)
        return _assembled(head, arrays)
    except FileNotFoundError:
        raise LabelFileError(f"There is no label file {path}: write it with `python main.py label`.") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise LabelFileError(
            f"The label file {path} is damaged ({error}): write it again with `python main.py label`."
        ) from error


def list_labels(folder: Path) -> list[Path]:
    """The label files of a folder, sorted by name.

    Raises:
        LabelFileError: there is no such folder, or it holds none.
    """
    found = sorted(folder.glob(f"*{LABEL_SUFFIX}")) if folder.is_dir() else []
    if not found:
        raise LabelFileError(f"There are no label files in {folder}: write them with `python main.py label`.")
    return found


def label_path(folder: Path, source: Path) -> Path:
    """Where the labels of a picture or clip lie."""
    return folder / f"{source.stem}{LABEL_SUFFIX}"


def _check(arrays: dict[str, NDArray[np.generic]]) -> None:
    count = len(arrays["frame"])
    if count > _MAX_FRAMES:
        raise ValueError(f"it holds {count} faces")
    for name in (*_STACKED, "focal"):
        values = arrays[name]
        wanted = _SHAPES.get(name, () if name == "focal" else values.shape[1:])
        if count and values.shape != (count, *wanted):
            raise ValueError(f"{name} has shape {values.shape}")
        if not np.isfinite(np.asarray(values, np.float64)).all():
            raise ValueError(f"{name} holds values that are not numbers")


def _assembled(head: dict[str, Any], arrays: dict[str, Any]) -> Labels:
    width, height = int(head["width"]), int(head["height"])
    columns: Sequence[Any] = [arrays[name] for name in ("frame", "focal", *_STACKED)]
    faces = []
    for frame, focal, identity, expression, rotation, translation, gaze, landmarks, scores, sure in zip(
        *columns, strict=True
    ):
        camera = Camera(width, height, float(focal), head["projection"])
        faces.append(
            FaceLabel(
                int(frame), identity, expression, rotation, translation, gaze, camera, landmarks, scores, float(sure)
            )
        )
    return Labels(
        str(head["source"]), str(head["sha256"]), width, height, int(head["frame_count"]), str(head["face_model"]),
        str(head["person"]), tuple(faces),
    )  # fmt: skip
