"""Frames as posed heads, for formats that store every frame's shape or its picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel, PosedFace
from models.geometry.camera import Camera
from models.geometry.rotations import from_quaternion
from recordings.exporters.base import Job
from recordings.track import Track
from tracking.types import FaceParameters, Frame, Image, TrackedFace, TrackingState

__all__ = ["PosedFrame", "camera_of", "posed_frames", "tracked_face"]

Floats = NDArray[np.float32]
USUAL_FOV_DEGREES = 60.0
USUAL_SIZE = (1280, 720)


@dataclass(frozen=True, slots=True)
class PosedFrame:
    """One frame.

    Attributes:
        row: of the track.
        posed: the mesh, head frame.
        rotation: (3, 3) of the head.
        place: (3,) metres: the head's origin with +y up and +z towards the viewer, the camera at the origin.
        displacement: (S, S) millimetres that hold at the frame; None without.
    """

    row: int
    posed: PosedFace
    rotation: NDArray[np.float64]
    place: NDArray[np.float64]
    displacement: Floats | None

    def world(self, points: NDArray[np.floating]) -> Floats:
        """(N, 3) in the world of `place`, of (N, 3) in the head frame."""
        return np.asarray(points @ self.rotation.T + self.place, np.float32)


def posed_frames(job: Job, track: Track, model: FaceModel) -> Iterator[PosedFrame]:
    """Every row of a filled track, posed; reports progress."""
    identity = model.identity(track.identity)
    details = job.session.details() if job.options.wrinkles else None
    displacement = details.follow(float(track.time_s[0])) if details is not None else lambda time_s: None
    for row in range(len(track)):
        posed = model.pose(identity, track.expression[row], track.gaze[row])
        place = track.translation[row] * (1, -1, -1)
        found = displacement(float(track.time_s[row]))
        yield PosedFrame(row, posed, from_quaternion(track.quaternion[row]), place, found)
        job.progress(row + 1, len(track))


def camera_of(track: Track) -> Camera:
    """The camera that the session was tracked with; a usual webcam's where the session does not say."""
    width, height = track.image_size if min(track.image_size) > 0 else USUAL_SIZE
    return Camera.from_fov(width, height, float(np.radians(track.fov_degrees or USUAL_FOV_DEGREES)))


def tracked_face(track: Track, row: int, posed: PosedFace, camera: Camera, image: Image) -> TrackedFace:
    """A row as what the tracker gave then, for renderers; a row without a face shows the held one."""
    parameters = FaceParameters(
        identity=track.identity,
        expression=track.expression[row],
        rotation=from_quaternion(track.quaternion[row]),
        translation=track.translation[row],
        gaze=track.gaze[row],
        camera=camera,
    )
    valid = bool(track.valid[row])
    return TrackedFace(
        frame=Frame(int(track.index[row]), float(track.time_s[row]), 0, image),
        state=TrackingState.TRACKING if valid else TrackingState.HOLDING,
        confidence=float(track.confidence[row]),
        observation=None,
        raw=None,
        parameters=parameters,
        vertices=posed.vertices,
        normals=posed.normals,
        displacement=None,
        stages=(),
    )
