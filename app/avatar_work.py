"""Unfinished work on an avatar, kept on disk, so that a cancelled or crashed creation goes on where it was."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatars.person_file import write_in_one_piece
from models.geometry.camera import Camera
from tracking.person_capture import CapturedFrame, CaptureReport
from tracking.person_fit import PersonFit
from tracking.second_look import SHARE
from tracking.types import FaceObservation, FaceParameters

__all__ = ["CAPTURED", "AvatarWork", "kept_captures", "load_work", "save_work"]

VERSION = 1
CAPTURED = "capture"
"""Source of work that a guided capture left: there is no file to look at again."""
LARGEST = 400_000_000
"""Bytes of a file that is read back."""


@dataclass(frozen=True, slots=True)
class AvatarWork:
    """What has been done so far.

    Attributes:
        source: fingerprint of what it was made from; other sources start anew.
        report: what the capture is worth.
        seen: observations and parameters over the whole capture.
        frames: the pictures that were kept.
        spread: small pictures evenly over the capture.
        fit: who it is, None before that is known.
        name, licence: of a guided capture, as they were typed.
    """

    source: str
    report: CaptureReport
    seen: tuple[tuple[FaceObservation, FaceParameters], ...]
    frames: tuple[CapturedFrame, ...]
    fit: PersonFit | None = None
    name: str = ""
    licence: str = ""
    spread: tuple[CapturedFrame, ...] = ()


def save_work(work: AvatarWork, path: Path) -> None:
    """Writes it in one piece.

    Raises:
        AvatarFileError: the disk refuses.
    """
    arrays: dict[str, NDArray[Any]] = {}
    _put_observations(arrays, "seen", [o for o, _ in work.seen])
    _put_parameters(arrays, "seen", [p for _, p in work.seen])
    kept = {name: frames for name, frames in (("frames", work.frames), ("spread", work.spread)) if frames}
    head: dict[str, Any] = {
        "version": VERSION,
        "source": work.source,
        "name": work.name,
        "licence": work.licence,
        "report": asdict(work.report),
        **{name: _put_frames(arrays, name, frames) for name, frames in kept.items()},
    }
    if work.fit is not None:
        arrays["identity"] = work.fit.identity
        _put_parameters(arrays, "poses", list(work.fit.poses))
        head["fit"] = [work.fit.fov, work.fit.error, work.fit.learned, work.fit.share]
    content = io.BytesIO()
    arrays["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
    with zipfile.ZipFile(content, "w") as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asanyarray(values), allow_pickle=False)
    write_in_one_piece(path, content.getvalue())


def load_work(path: Path, source: str) -> AvatarWork | None:
    """What was done before for the same source; None where there is nothing of use."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            head = json.loads(arrays["head"].tobytes())
            if head["version"] != VERSION or head["source"] != source:
                return None
            seen = tuple(zip(_observations(arrays, "seen"), _parameters(arrays, "seen"), strict=True))
            frames = _frames(arrays, "frames", head["frames"])
            spread = _frames(arrays, "spread", head["spread"]) if "spread" in head else ()
            report = CaptureReport(
                **head["report"] | {key: tuple(head["report"][key]) for key in ("missing", "advice")}
            )
            name, licence = str(head.get("name", "")), str(head.get("licence", ""))
            work = AvatarWork(source, report, seen, frames, name=name, licence=licence, spread=spread)
            if "fit" in head:
                poses = tuple(_parameters(arrays, "poses"))
                fov, error, learned, share = [*head["fit"], SHARE][:4]  # work of earlier versions has no share
                work = replace(work, fit=PersonFit(arrays["identity"], fov, error, learned, poses, share))
            return work if work.frames and work.seen else None
    except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile, cv2.error):
        return None  # damaged work is done again


def kept_captures(folder: Path) -> list[str]:
    """Names of the guided captures in a folder that no avatar was made of yet."""
    names = []
    for path in sorted(folder.glob("*.unfinished")):
        try:
            if path.stat().st_size > LARGEST:
                continue
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                head = json.loads(arrays["head"].tobytes())
            if head["version"] == VERSION and head["source"] == CAPTURED and head["name"]:
                names.append(str(head["name"]))
        except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile):
            continue  # damaged work is done again
    return names


_PICTURE = {"frames": "image", "spread": "small"}
"""What the members with their pictures are called."""


def _put_frames(arrays: dict[str, NDArray[Any]], name: str, frames: tuple[CapturedFrame, ...]) -> list[list[float]]:
    """What the head says of the frames."""
    _put_observations(arrays, name, [f.observation for f in frames])
    _put_parameters(arrays, name, [f.parameters for f in frames])
    for n, frame in enumerate(frames):
        ok, encoded = cv2.imencode(
            ".png", cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_PNG_COMPRESSION, 1)
        )
        assert ok
        arrays[f"{_PICTURE[name]}_{n}"] = np.asarray(encoded, np.uint8).reshape(-1)
    return [[*f.offset, f.sharpness, f.time_s, f.scale] for f in frames]


def _frames(arrays: Any, name: str, heads: list[list[Any]]) -> tuple[CapturedFrame, ...]:
    """Raises ValueError where a picture is damaged."""
    frames = []
    found = zip(_observations(arrays, name), _parameters(arrays, name), heads, strict=True)
    for n, (observation, parameters, (x, y, sharpness, time_s, scale)) in enumerate(found):
        image = cv2.imdecode(arrays[f"{_PICTURE[name]}_{n}"], cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError("a picture is damaged")
        picture = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        frames.append(CapturedFrame(picture, (x, y), observation, parameters, sharpness, time_s, scale))
    return tuple(frames)


def _put_observations(arrays: dict[str, NDArray[Any]], name: str, items: list[FaceObservation]) -> None:
    for field in ("landmarks", "scores", "box"):
        arrays[f"{name}_{field}"] = np.stack([getattr(item, field) for item in items])
    arrays[f"{name}_confidence"] = np.array([item.confidence for item in items])


def _observations(arrays: Any, name: str) -> list[FaceObservation]:
    landmarks, scores, box, confidence = (
        arrays[f"{name}_{field}"] for field in ("landmarks", "scores", "box", "confidence")
    )
    return [FaceObservation(landmarks[n], scores[n], box[n], float(confidence[n])) for n in range(len(landmarks))]


def _put_parameters(arrays: dict[str, NDArray[Any]], name: str, items: list[FaceParameters]) -> None:
    for field in ("identity", "expression", "rotation", "translation", "gaze"):
        arrays[f"{name}_{field}"] = np.stack([getattr(item, field) for item in items])
    arrays[f"{name}_camera"] = np.array([[p.camera.width, p.camera.height, p.camera.focal] for p in items])


def _parameters(arrays: Any, name: str) -> list[FaceParameters]:
    identity, expression, rotation, translation, gaze, cameras = (
        arrays[f"{name}_{field}"] for field in ("identity", "expression", "rotation", "translation", "gaze", "camera")
    )
    found = []
    for n, (width, height, focal) in enumerate(cameras):
        camera = Camera(int(width), int(height), float(focal))
        found.append(FaceParameters(identity[n], expression[n], rotation[n], translation[n], gaze[n], camera))
    return found
