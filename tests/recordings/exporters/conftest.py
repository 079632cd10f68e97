"""A session of known values, and what reads exports in the tests: never our own code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from models.face_model import load_face_model
from recordings import SessionManifest, SessionWriter
from recordings.manifest import MediaPart, ParametersPart, SourcePart
from recordings.reader import Session, open_session
from tests.helpers.tracked import no_face, tracked_face
from tracking.types import Frame, TrackedFace

FPS, FRAMES = 25, 20
BLIND = (7, 8)
"""Frames without a face."""

MakeSession = Callable[..., Path]


def face_at(row: int) -> TrackedFace:
    """The face of a frame: everything moves, differently."""
    if row in BLIND:
        face = no_face()
    else:
        phase = row / FRAMES
        face = tracked_face(
            load_face_model(),
            channels={"jawOpen": 0.8 * phase, "mouthSmileLeft": 0.5 + 0.4 * np.sin(9 * phase), "jawLeft": 0.25,
                      "mouthRight": 0.125, "eyeBlinkRight": float(row % 4 == 0)},
            angles=(0.3 * np.sin(6 * phase), -0.2 * phase, 0.15),
            translation=(0.02 * phase, -0.01, 0.6 + 0.05 * phase),
            gaze=((0.2 * phase, -0.1), (0.15 * phase, -0.05)),
            identity=np.array([0.8, -1.1, 0.4], np.float32),
        )  # fmt: skip
    image = np.zeros((48, 64, 3), np.uint8)
    return replace(face, frame=Frame(row, row / FPS, 0, image))


@pytest.fixture
def make_session(tmp_path: Path) -> MakeSession:
    """Writes a session's folder: `make_session(times=..., rows=..., video=..., face_model=...)`."""

    def make(
        name: str = "take",
        rows: range | list[int] = range(FRAMES),
        times: list[float] | None = None,
        video: str | None = None,
        face_model: str | None = None,
        mirrored: bool = False,
    ) -> Path:
        folder = tmp_path / name
        manifest = SessionManifest(
            command="track",
            created=datetime(2026, 1, 2, tzinfo=UTC),
            source=SourcePart(kind="video", name="clip.mp4", path=video, mirrored=mirrored),
            media=MediaPart(width=640, height=480, fps=FPS),
            parameters=ParametersPart(face_model=face_model or load_face_model().name),
        )
        writer = SessionWriter(folder, manifest, ())
        for n, row in enumerate(rows):
            face = face_at(row)
            if times is not None:
                face = replace(face, frame=replace(face.frame, time_s=times[n]))
            writer.add(face)
        writer.close(complete=True)
        return folder

    return make


@pytest.fixture
def session(make_session: MakeSession) -> Session:
    """Twenty frames at 25 a second; two of them without a face."""
    return open_session(make_session())
