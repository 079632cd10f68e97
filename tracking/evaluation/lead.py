"""A leading coarse network beside detector and fit, frame by frame of the same clip."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS
from models.face_model import FaceModel
from models.face_model.symmetry import FACE_POINTS
from tracking.evaluation.jitter import OUTER_EYES
from tracking.points import project_embedding
from tracking.types import Frame, TrackedFace

__all__ = ["LeadFigures", "LedFrame", "compared", "tracked_frames"]

SETTLING = 30
"""Frames at the beginning that do not count: the person is being learned."""
MOVES = 0.03
"""Standard deviation from which a channel counts as moving in a clip."""


@dataclass(frozen=True, slots=True)
class LedFrame:
    """What tracking says of one frame.

    Attributes:
        landmarks: (468, 2) pixels of the mesh.
        channels: (52,).
        detected: whether the detector looked at it.
    """

    landmarks: NDArray[np.float64]
    channels: NDArray[np.float64]
    detected: bool


@dataclass(frozen=True, slots=True)
class LeadFigures:
    """How near a leading network comes to detector and fit.

    Attributes:
        frames: that were compared.
        led: share of them in which the network had led.
        distance_percent: mean distance of the mesh's landmarks, percent of the outer-eye distance.
        correlation: median over the channels that move in the clip.
        moving: how many channels those are.
        landmark_tremble, channel_tremble: mean absolute second difference from frame to frame over that of detector
            and fit.
    """

    frames: int
    led: float
    distance_percent: float
    correlation: float
    moving: int
    landmark_tremble: float
    channel_tremble: float


def tracked_frames(
    frames: Iterable[Frame], process: Callable[[Frame], TrackedFace], model: FaceModel, step: Callable[[], None]
) -> list[LedFrame | None]:
    """One pass over a clip; None where no face was seen.

    Args:
        frames: of the clip.
        process: a tracker that neither calibrates nor smooths.
        model: of the tracker.
        step: called after each frame.
    """
    found: list[LedFrame | None] = []
    for frame in frames:
        face = process(frame)
        step()
        p = face.raw
        if p is None:
            found.append(None)
            continue
        posed = model.pose(p.identity, p.expression, p.gaze)
        points = project_embedding(model, p, posed.vertices, model.landmarks478)[:FACE_POINTS]
        detected = any(stage.name == "landmarks" for stage in face.stages)
        found.append(LedFrame(points.astype(np.float64), p.expression.astype(np.float64), detected))
    return found


def compared(own: list[LedFrame | None], led: list[LedFrame | None]) -> LeadFigures:
    """Figures of two passes over the same clip: by detector and fit, and with the network leading.

    Raises:
        ValueError: too few frames show a face in both.
    """
    pairs = [(a, b) for a, b in zip(own[SETTLING:], led[SETTLING:], strict=True) if a is not None and b is not None]
    if len(pairs) < SETTLING:
        raise ValueError(f"fewer than {2 * SETTLING} frames show a face")
    marks_a, marks_b = (np.stack([pair[k].landmarks for pair in pairs]) for k in (0, 1))
    channels_a, channels_b = (np.stack([pair[k].channels for pair in pairs]) for k in (0, 1))
    eyes = np.linalg.norm(marks_a[:, OUTER_EYES[0]] - marks_a[:, OUTER_EYES[1]], axis=1)
    spread_a, spread_b = channels_a.std(axis=0), channels_b.std(axis=0)
    moving = [k for k in range(len(ARKIT_CHANNELS)) if spread_a[k] > MOVES]
    # A channel that does not move at all although it should follows nothing.
    follows = [float(np.corrcoef(channels_a[:, k], channels_b[:, k])[0, 1]) if spread_b[k] > 0 else 0.0 for k in moving]
    return LeadFigures(
        frames=len(pairs),
        led=float(np.mean([not b.detected for _, b in pairs])),
        distance_percent=100 * float((np.linalg.norm(marks_b - marks_a, axis=2).mean(axis=1) / eyes).mean()),
        correlation=float(np.median(follows)) if follows else 1.0,
        moving=len(moving),
        landmark_tremble=_tremble(marks_b) / max(_tremble(marks_a), 1e-9),
        channel_tremble=_tremble(channels_b) / max(_tremble(channels_a), 1e-9),
    )


def _tremble(values: NDArray[np.float64]) -> float:
    return float(np.abs(values[2:] - 2 * values[1:-1] + values[:-2]).mean())
