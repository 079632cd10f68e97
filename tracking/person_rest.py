"""The neutral calibration of a person out of everything that was captured of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from models.channels import ARKIT_CHANNELS, GAZE_CHANNELS
from models.geometry.rotations import to_euler, to_quaternion
from tracking.calibration import Calibration
from tracking.types import FaceParameters

__all__ = ["resting_calibration"]

CALMEST = 0.2
"""Share of the frames, the calmest ones, that count as the face at rest."""
MAX_YAW = 0.35
"""Radians: what looks further aside says little about gaze at rest."""


def resting_calibration(person: str, seen: Sequence[FaceParameters], now: datetime | None = None) -> Calibration:
    """What the resting face reads: the median of the calmest frames.

    Args:
        person: whose face it is.
        seen: raw parameters over the whole capture, at least one.
        now: when; by default the present.

    Raises:
        ValueError: nothing was seen.
    """
    if not seen:
        raise ValueError("a calibration needs at least one frame")
    ahead = [p for p in seen if abs(float(to_euler(p.rotation)[0])) < MAX_YAW] or list(seen)
    still = [i for i in range(len(ARKIT_CHANNELS)) if i not in GAZE_CHANNELS]
    ahead.sort(key=lambda p: float(p.expression[still].sum()))
    calm = ahead[: max(1, round(CALMEST * len(ahead)))]
    neutral = np.median([p.expression for p in calm], axis=0)
    gaze = np.median([p.gaze for p in calm], axis=0)
    quaternions = np.array([to_quaternion(p.rotation) for p in calm])
    quaternions[quaternions @ quaternions[0] < 0.0] *= -1.0
    quaternion = np.median(quaternions, axis=0)
    quaternion /= np.linalg.norm(quaternion)
    place = np.median([p.translation for p in calm], axis=0)
    return Calibration(
        person=person,
        created=now or datetime.now(UTC),
        frames=len(calm),
        expression={ARKIT_CHANNELS[i]: round(float(np.clip(neutral[i], 0, 1)), 6) for i in still},
        gaze=((float(gaze[0, 0]), float(gaze[0, 1])), (float(gaze[1, 0]), float(gaze[1, 1]))),
        head_quaternion=tuple(float(q) for q in quaternion),
        head_position_m=tuple(float(p) for p in place),
    )
