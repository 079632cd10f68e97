"""How well tracking finds the truth of rendered faces: channels, head rotation, gaze, identity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS, CHANNEL_COUNT, GAZE_CHANNELS
from models.face_model import FaceModel
from models.geometry.rotations import angle_between, to_euler
from tracking.fit.session import OUTER_EYES
from tracking.settings import TrackerSettings
from tracking.smoothing import SmoothingSettings
from tracking.sources.synthetic import SyntheticSettings, SyntheticSource
from tracking.tracker import FaceTracker

Floats = NDArray[np.float64]

SEEDS = tuple(range(1, 9))
"""The people that the report is made of; training uses seeds from 20000 on."""
FRAMES = 480
SETTLING_S = 1.0
"""Seconds of the neutral face at a clip's start, in which the tracker gets to know it, that do not count."""
VISIBLE = 0.03
"""A channel is visible when the ten landmarks that it moves most move by this share of the outer eye distance."""
YAW_LIMIT = np.radians(30.0)


@dataclass(frozen=True, slots=True)
class SyntheticRun:
    """All frames of all people.

    Attributes:
        truth, tracked, scores: (N, 52) channels: what was rendered, found, and MediaPipe's own scores.
        rotation_error: (M,) radians, of frames with a face and yaw within 30 degrees.
        gaze_error: (M2, 2, 2) radians, tracked minus true.
        identity_error: (P,) metres, mean over the face's neutral vertices at the end of each clip.
        missed: frames without a face.
    """

    truth: Floats
    tracked: Floats
    scores: Floats
    rotation_error: Floats
    gaze_error: Floats
    identity_error: Floats
    missed: int


def run_synthetic(
    model: FaceModel, settings: TrackerSettings, seeds: tuple[int, ...], frames: int, step: Callable[[], None]
) -> SyntheticRun:
    """Tracks rendered clips without smoothing; a missed frame counts as the neutral face.

    Args:
        model: rendered and tracked.
        settings: of the tracker; its smoothing is switched off.
        seeds: one clip each.
        frames: of each clip, at 30 a second.
        step: called after each frame.
    """
    truth: list[NDArray[np.floating]] = []
    tracked: list[NDArray[np.floating]] = []
    scores: list[NDArray[np.floating]] = []
    gaze: list[NDArray[np.floating]] = []
    rotation: list[float] = []
    identity: list[float] = []
    missed = 0
    settings = settings.model_copy(update={"smoothing": SmoothingSettings(preset="off")})
    face = model.regions["face"] > 0.5
    for seed in seeds:
        source = SyntheticSource(SyntheticSettings(seed=seed, frames=frames), model)
        with source, FaceTracker(settings, model) as tracker:
            last = None
            for frame in source:
                result = tracker.process(frame)
                step()
                if frame.time_s < SETTLING_S:
                    continue
                known, found = source.truth(frame.index), result.raw
                truth.append(known.expression)
                tracked.append(np.zeros(CHANNEL_COUNT) if found is None else found.expression)
                seen = result.observation
                scores.append(np.zeros(CHANNEL_COUNT) if seen is None else seen.scores)
                if found is None:
                    missed += 1
                    continue
                last = found
                gaze.append(found.gaze - known.gaze)
                if abs(to_euler(known.rotation)[0]) <= YAW_LIMIT:
                    rotation.append(angle_between(found.rotation, known.rotation))
            if last is not None:
                gap = model.neutral(last.identity)[face] - model.neutral(source.identity)[face]
                identity.append(float(np.linalg.norm(gap, axis=1).mean()))
    return SyntheticRun(
        truth=np.array(truth, np.float64),
        tracked=np.array(tracked, np.float64),
        scores=np.array(scores, np.float64),
        rotation_error=np.array(rotation, np.float64),
        gaze_error=np.array(gaze, np.float64).reshape(-1, 2, 2),
        identity_error=np.array(identity, np.float64),
        missed=missed,
    )


def visible_channels(model: FaceModel) -> NDArray[np.bool_]:
    """(52,) which channels move landmarks visibly, seen from the front; gaze counts, the tongue has no landmark."""
    distance = float(np.linalg.norm(np.subtract(*model.embed(model.mean, model.landmarks478)[list(OUTER_EYES)])))
    visible = np.zeros(CHANNEL_COUNT, bool)
    for index, basis in enumerate(model.expression_basis):
        moved = np.linalg.norm(model.embed(basis, model.landmarks478)[:468, :2], axis=1)
        visible[index] = np.sort(moved)[-10:].mean() >= VISIBLE * distance
    visible[list(GAZE_CHANNELS)] = True
    visible[ARKIT_CHANNELS.index("tongueOut")] = False
    return visible


def correlations(found: Floats, truth: Floats) -> Floats:
    """(52,) Pearson correlation of each channel; 0 for a constant answer, NaN where the truth never moves."""
    result = np.full(truth.shape[1], np.nan)
    for i in range(truth.shape[1]):
        if truth[:, i].std() > 1e-4:
            result[i] = np.corrcoef(found[:, i], truth[:, i])[0, 1] if found[:, i].std() > 1e-6 else 0.0
    return result


def synthetic_report(run: SyntheticRun, visible: NDArray[np.bool_]) -> dict[str, object]:
    """The report's figures: overall, and per channel for the tracker and for MediaPipe's scores.

    `mae_over_zero` is the mean absolute error divided by that of answering zero.
    """
    own, theirs = correlations(run.tracked, run.truth), correlations(run.scores, run.truth)
    zero = np.abs(run.truth).mean(axis=0)
    error, their_error = np.abs(run.tracked - run.truth).mean(axis=0), np.abs(run.scores - run.truth).mean(axis=0)
    counted = visible & np.isfinite(own)
    degrees = np.degrees(run.rotation_error)
    return {
        "frames": len(run.truth),
        "missed": run.missed,
        "mae_over_zero": float(error.sum() / zero.sum()),
        "mae_over_zero_visible": float(error[visible].sum() / zero[visible].sum()),
        "median_correlation_visible": float(np.median(own[counted])),
        "mediapipe_mae_over_zero": float(their_error.sum() / zero.sum()),
        "mediapipe_median_correlation_visible": float(np.median(theirs[counted])),
        "rotation_error_degrees": {
            "mean": float(degrees.mean()), "p50": float(np.median(degrees)), "p95": float(np.percentile(degrees, 95)),
        },
        "gaze_error_degrees": {
            "yaw": float(np.degrees(np.abs(run.gaze_error[:, :, 0]).mean())),
            "pitch": float(np.degrees(np.abs(run.gaze_error[:, :, 1]).mean())),
        },
        "identity_error_mm": float(run.identity_error.mean() * 1000),
        "channels": {
            name: {
                "visible": bool(visible[i]),
                "correlation": _number(own[i]),
                "mae_over_zero": _number(error[i] / zero[i]) if zero[i] > 1e-6 else None,
                "mediapipe_correlation": _number(theirs[i]),
                "mediapipe_mae_over_zero": _number(their_error[i] / zero[i]) if zero[i] > 1e-6 else None,
            }
            for i, name in enumerate(ARKIT_CHANNELS)
        },
    }  # fmt: skip


def _number(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
