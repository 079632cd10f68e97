"""Gaze from the iris landmarks: the ray through each iris meets the posed eyeball."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS
from models.face_model import FaceModel
from models.geometry.camera import Camera
from models.geometry.rotations import HEAD_TO_CAMERA

Floats = NDArray[np.float64]

LEFT_IRIS, RIGHT_IRIS = 473, 468
"""First of the five landmarks of each iris; the first is its centre."""
LIMIT_YAW, LIMIT_PITCH = 0.75, 0.60
"""Radians beyond which an eye does not turn."""
SHUT_LOW, SHUT_HIGH = 0.35, 0.65
"""Blink values between which trust in an iris falls from one to nothing: shut lids hide it."""
PITCH_HABIT = 0.139
"""Radians by which the detector places irises too low, for a face that looks straight ahead (measured on renders:
`python main.py evaluate synthetic` reports what is left)."""
GUESS_SHARE = 0.5
"""Share of the learned gaze in the result; the rest is geometry."""
LARGEST_CROSSING = 0.25
"""Radians between both eyes' yaw when they look at something 25 cm away."""
_BLINK = (ARKIT_CHANNELS.index("eyeBlinkLeft"), ARKIT_CHANNELS.index("eyeBlinkRight"))


def eyeball_radius(model: FaceModel) -> float:
    """Distance in metres from the eye joint to the iris plane, the mean of both eyes of the mean face."""
    joints = model.joints(model.identity())
    iris = model.embed(model.mean, model.landmarks478)[[LEFT_IRIS, RIGHT_IRIS]]
    return float(np.linalg.norm(iris - joints[2:4], axis=1).mean())


def estimate_gaze(
    observed: NDArray[np.floating],
    joints: NDArray[np.floating],
    radius: float,
    rotation: Floats,
    translation: Floats,
    camera: Camera,
    expression: NDArray[np.floating],
    previous: NDArray[np.floating] | None,
    guess: NDArray[np.floating] | None,
) -> Floats:
    """Both eyes' directions.

    Args:
        observed: (478, >= 2) landmarks in pixels.
        joints: (4, 3) joints of the identity, head frame.
        radius: metres from the eye joint to the iris.
        rotation, translation: of the head.
        camera: of the picture.
        expression: (52,) channels, for the lids.
        previous: (2, 2) gaze of the frame before, which a shut eye keeps.
        guess: (2, 2) the learned gaze, None for geometry alone.

    Returns:
        (2, 2) radians, rows left and right eye, columns yaw and pitch, relative to the head. Both eyes share their
        pitch, as healthy eyes do.
    """
    gaze = np.zeros((2, 2))
    trust = np.zeros(2)
    turn = HEAD_TO_CAMERA @ rotation
    for eye, first in enumerate((LEFT_IRIS, RIGHT_IRIS)):
        trust[eye] = float(np.clip((SHUT_HIGH - expression[_BLINK[eye]]) / (SHUT_HIGH - SHUT_LOW), 0, 1))
        centre = turn @ joints[2 + eye] + translation
        pixel = (observed[first : first + 5, :2].mean(axis=0) - np.asarray(camera.centre)) / camera.focal
        if camera.projection == "weak":
            ray, start = np.array([0.0, 0.0, 1.0]), np.array([*(pixel * translation[2]), 0.0])
        else:
            ray, start = np.array([*pixel, 1.0]) / np.hypot(np.linalg.norm(pixel), 1.0), np.zeros(3)
        along = float((centre - start) @ ray)
        offset = start + along * ray - centre
        inside = radius**2 - float(offset @ offset)
        hit = offset - np.sqrt(inside) * ray if inside > 0 else offset / max(np.linalg.norm(offset), 1e-9) * radius
        direction = turn.T @ (hit / radius)
        gaze[eye] = np.arctan2(direction[0], direction[2]), np.arcsin(np.clip(-direction[1], -1, 1)) - PITCH_HABIT
    if guess is not None:
        gaze += GUESS_SHARE * (guess - gaze)
    if trust.min() > 0:
        # Eyes meet in front of the face: what diverges, or crosses beyond reading distance, is the detector's error.
        middle, crossing = gaze[:, 0].mean(), gaze[1, 0] - gaze[0, 0]
        crossing = min(max(crossing, 0.0), LARGEST_CROSSING)
        gaze[:, 0] = middle - crossing / 2, middle + crossing / 2
    np.clip(gaze[:, 0], -LIMIT_YAW, LIMIT_YAW, out=gaze[:, 0])
    np.clip(gaze[:, 1], -LIMIT_PITCH, LIMIT_PITCH, out=gaze[:, 1])
    total = float(trust.sum())
    held = np.zeros((2, 2)) if previous is None else np.asarray(previous, np.float64)
    pitch = float(trust @ gaze[:, 1]) / total if total > 1e-6 else float(held[:, 1].mean())
    openness = min(total, 1.0)
    gaze[:, 1] = openness * pitch + (1 - openness) * held[:, 1]
    for eye in range(2):
        # A winking eye follows the open one; with both shut the last gaze stays.
        other = gaze[1 - eye, 0] if trust[1 - eye] > trust[eye] else held[eye, 0]
        gaze[eye, 0] = trust[eye] * gaze[eye, 0] + (1 - trust[eye]) * other
    return gaze
