"""A scripted sequence drives an avatar; its pictures, tracked again, are compared with the script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX, gaze_to_channels
from models.face_model import FaceModel
from models.geometry.camera import Camera
from models.geometry.rotations import from_euler, to_euler
from rendering.scene import Background, Scene, Viewpoint
from rendering.subject import Subject, SubjectPictures
from tracking import FaceTracker, TrackerSettings
from tracking.types import FaceParameters, Frame, TrackedFace, TrackingState

__all__ = ["GROUPS", "GroupScore", "Script", "evaluate_driving", "make_script"]

FPS = 25.0
MOVE_S = 1.6
"""Of one movement: up and down again."""
REST_S = 1.0
"""At the beginning, for the tracker to get to know the face."""
SIZE = (640, 480)
LEAST_SPREAD = 0.05
"""Standard deviation of a group in the script below which its correlation says nothing."""

GROUPS: dict[str, tuple[str, ...]] = {
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "squint": ("eyeSquintLeft", "eyeSquintRight", "cheekSquintLeft", "cheekSquintRight"),
    "wide eyes": ("eyeWideLeft", "eyeWideRight"),
    "brows up": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    "brows down": ("browDownLeft", "browDownRight"),
    "jaw open": ("jawOpen",),
    "jaw sideways": ("jawLeft",),
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "frown": ("mouthFrownLeft", "mouthFrownRight"),
    "pucker": ("mouthPucker", "mouthFunnel"),
    "mouth sideways": ("mouthLeft",),
    "sneer": ("noseSneerLeft", "noseSneerRight", "mouthUpperUpLeft", "mouthUpperUpRight"),
    "lower lip": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "cheeks": ("cheekPuff",),
}
"""Name -> channels that move together."""
ANGLES = (("head yaw", 0.40), ("head pitch", 0.35), ("head roll", 0.35))
"""Radians to either side."""
GAZE = 0.35


@dataclass(frozen=True, slots=True)
class Script:
    """What drives, frame by frame.

    Attributes:
        expression: (N, 52).
        angles: (N, 3) yaw, pitch, roll in radians.
        gaze: (N,) yaw of both eyes in radians.
    """

    expression: NDArray[np.float32]
    angles: NDArray[np.float64]
    gaze: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.gaze)


@dataclass(frozen=True, slots=True)
class GroupScore:
    """How well one group came back.

    Attributes:
        name: of the group.
        spread: standard deviation in the script (channels 0..1, angles in radians).
        correlation: of the tracked group with the script; None where the spread is too small to say.
        gain: tracked for scripted, by least squares.
    """

    name: str
    spread: float
    correlation: float | None
    gain: float


def make_script() -> Script:
    """Rest, then every group one after another, then the head's angles and the eyes."""
    rest, move = round(REST_S * FPS), round(MOVE_S * FPS)
    count = rest + move * (len(GROUPS) + len(ANGLES) + 1)
    expression = np.zeros((count, CHANNEL_COUNT), np.float32)
    angles, gaze = np.zeros((count, 3)), np.zeros(count)
    swell = np.sin(np.arange(move) / move * pi) ** 2
    swing = np.sin(np.arange(move) / move * 2 * pi)
    at = rest
    for channels in GROUPS.values():
        for name in channels:
            expression[at : at + move, CHANNEL_INDEX[name]] = 0.9 * swell
        at += move
    for k, (_, reach) in enumerate(ANGLES):
        angles[at : at + move, k] = reach * swing
        at += move
    gaze[at : at + move] = GAZE * swing
    return Script(expression, angles, gaze)


def evaluate_driving(
    subject: Subject,
    model: FaceModel,
    step: Callable[[], None] = lambda: None,
    script: Script | None = None,
    settings: TrackerSettings | None = None,
) -> tuple[list[GroupScore], int, int]:
    """Draws the script on the avatar, tracks the pictures, and compares.

    Args:
        subject: who is driven.
        model: face model of persons.
        step: called after each picture.
        script: another one than `make_script`'s.
        settings: how the pictures are tracked.

    Returns:
        A score for each group; pictures; pictures in which a face was seen.

    Raises:
        RenderingUnavailableError: there is no usable OpenGL.
        ValueError: the avatar cannot be drawn.
        WeightsError, EngineError: the settings ask for the coarse network, and it cannot be used.
    """
    script = script or make_script()
    found = np.full((len(script), CHANNEL_COUNT), np.nan)
    turned, looked = np.full((len(script), 3), np.nan), np.full(len(script), np.nan)
    scene = Scene(background=Background(), viewpoint=Viewpoint())
    with SubjectPictures(model, scene) as pictures, FaceTracker(settings, model) as tracker:
        pictures.choose(subject)
        for row in range(len(script)):
            driving = _driving(script, row, model)
            picture = pictures.render(driving, scene, SIZE, alpha=False)
            face = tracker.process(Frame(row, row / FPS, driving.frame.captured_ns, picture))
            if face.valid and face.parameters is not None:
                found[row] = face.parameters.expression
                turned[row] = to_euler(face.parameters.rotation)
                looked[row] = face.parameters.gaze[:, 0].mean()
            step()
    seen = np.isfinite(looked)
    scores = []
    for name, channels in GROUPS.items():
        index = [CHANNEL_INDEX[channel] for channel in channels]
        scores.append(_score(name, script.expression[:, index].mean(axis=1), found[:, index].mean(axis=1), seen))
    for k, (name, _) in enumerate(ANGLES):
        scores.append(_score(name, script.angles[:, k], turned[:, k], seen))
    scores.append(_score("eyes sideways", script.gaze, looked, seen))
    return scores, len(script), int(seen.sum())


def _score(name: str, wanted: NDArray[np.floating], got: NDArray[np.floating], seen: NDArray[np.bool_]) -> GroupScore:
    a, b = np.asarray(wanted[seen], np.float64), np.asarray(got[seen], np.float64)
    spread = float(np.std(wanted))
    if len(a) < 10 or spread < LEAST_SPREAD or b.std() == 0:
        return GroupScore(name, spread, None, 0.0)
    a, b = a - a.mean(), b - b.mean()
    product, own = float((a * b).sum()), float((a**2).sum())
    return GroupScore(name, spread, product / float(np.sqrt(own * (b**2).sum())), product / own)


def _driving(script: Script, row: int, model: FaceModel) -> TrackedFace:
    """The script's frame as a tracked face of the mean person."""
    gaze = np.array([[script.gaze[row], 0.0]] * 2, np.float32)
    values = script.expression[row] + gaze_to_channels(gaze)
    yaw, pitch, roll = script.angles[row].tolist()
    identity = model.identity()
    posed = model.pose(identity, values, gaze)
    camera = Camera.from_fov(*SIZE)
    parameters = FaceParameters(identity, values, from_euler(yaw, pitch, roll), np.array([0.0, 0.0, 0.6]), gaze, camera)
    blank = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    frame = Frame(row, row / FPS, round(row / FPS * 1e9), blank)
    return TrackedFace(
        frame, TrackingState.TRACKING, 1.0, None, parameters, parameters, posed.vertices, posed.normals, None, ()
    )
