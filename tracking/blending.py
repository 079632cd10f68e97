"""Between two states of a face: rotations on the shortest way, everything else in a straight line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.channels import GAZE_CHANNELS, gaze_to_channels
from models.geometry.rotations import from_quaternion, to_quaternion
from tracking.types import FaceParameters

Floats = NDArray[np.float64]

_GAZE = list(GAZE_CHANNELS)
_NEARLY_EQUAL = 1.0 - 1e-9


def slerp(start: Floats, end: Floats, amount: float) -> Floats:
    """(4,) unit quaternion `amount` of the way from `start` to `end`, the shorter way round.

    Args:
        start, end: (4,) unit quaternions w, x, y, z of either sign.
        amount: 0 gives `start`, 1 gives `end` (or its negative, which is the same rotation).
    """
    cosine = float(start @ end)
    if cosine < 0.0:
        end, cosine = -end, -cosine
    if cosine > _NEARLY_EQUAL:
        mixed = start + amount * (end - start)
    else:
        angle = float(np.arccos(cosine))
        mixed = (np.sin((1.0 - amount) * angle) * start + np.sin(amount * angle) * end) / np.sin(angle)
    return np.asarray(mixed / np.linalg.norm(mixed), np.float64)


def with_gaze(
    parameters: FaceParameters, expression: NDArray[np.floating], gaze: NDArray[np.floating]
) -> FaceParameters:
    """The parameters with another expression (52,) and gaze (2, 2); the eyeLook* channels follow from the gaze."""
    values = np.clip(expression, 0.0, 1.0).astype(np.float32)
    directions = np.asarray(gaze, np.float32)
    values[_GAZE] = gaze_to_channels(directions)[_GAZE]
    return replace(parameters, expression=values, gaze=directions)


def blend(start: FaceParameters, end: FaceParameters, amount: float) -> FaceParameters:
    """The face `amount` (0..1) of the way from `start` to `end`; identity, camera, uncertainty are those of `end`."""
    turned = slerp(to_quaternion(start.rotation), to_quaternion(end.rotation), amount)
    moved = replace(
        end,
        rotation=from_quaternion(turned),
        translation=start.translation + amount * (end.translation - start.translation),
    )
    return with_gaze(
        moved,
        start.expression + amount * (end.expression - start.expression),
        start.gaze + amount * (end.gaze - start.gaze),
    )


def toward_neutral(parameters: FaceParameters, amount: float) -> FaceParameters:
    """The face with its expression and gaze faded to neutral by `amount` (0..1); the head stays where it is."""
    keep = 1.0 - amount
    return with_gaze(parameters, parameters.expression * keep, parameters.gaze * keep)
