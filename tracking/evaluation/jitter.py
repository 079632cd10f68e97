"""Jitter against lag: how much a still head trembles, and how late a moving one is, for each way of smoothing.

Jitter is the second difference from frame to frame, which motion at a steady speed does not add to, over the quietest
third of the frames. Lag is the shift in time at which a smoothed series follows the unsmoothed one best, over the
liveliest third.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel
from tracking.points import project_embedding
from tracking.smoothing import Smoother, SmoothingSettings
from tracking.types import Frame, TrackedFace

__all__ = ["JitterRow", "Series", "jitter_rows", "track_series"]

Floats = NDArray[np.float64]
FACE_POINTS = 468
OUTER_EYES = (33, 263)
LONGEST_LAG = 8
"""Frames within which the lag is looked for."""
SUBSTEPS = 10


@dataclass(frozen=True, slots=True)
class Series:
    """What one method says, frame after frame.

    Attributes:
        name: of the method.
        landmarks: (T, 468, 2) shares of the outer-eye distance.
        channels: (T, 52), None for a method that has none.
    """

    name: str
    landmarks: Floats
    channels: Floats | None


@dataclass(frozen=True, slots=True)
class JitterRow:
    """One method's figures.

    Attributes:
        name: of the method.
        landmark_jitter: root mean square second difference of a landmark, percent of the outer-eye distance.
        channel_jitter: the same of a channel, in hundredths; None without channels.
        landmark_lag_ms, channel_lag_ms: behind the unsmoothed series of the same tracker.
    """

    name: str
    landmark_jitter: float
    channel_jitter: float | None
    landmark_lag_ms: float
    channel_lag_ms: float | None


def track_series(
    frames: Iterable[Frame],
    process: Callable[[Frame], TrackedFace],
    model: FaceModel,
    presets: Sequence[str],
    step: Callable[[], None],
) -> list[Series]:
    """MediaPipe's own landmarks and scores, our unsmoothed result, and each preset's, of one pass over a clip.

    Args:
        frames: of the clip.
        process: a tracker that neither calibrates nor smooths.
        model: of the tracker.
        presets: names of smoothing presets; `off` is the unsmoothed result.
        step: called after each frame.

    Raises:
        ValueError: fewer than 30 frames show a face.
    """
    smoothers = {name: Smoother(SmoothingSettings.model_validate({"preset": name})) for name in presets}
    points: dict[str, list[Floats]] = {name: [] for name in ("MediaPipe", *presets)}
    channels: dict[str, list[NDArray[np.floating]]] = {name: [] for name in points}
    for frame in frames:
        face = process(frame)
        step()
        if face.observation is None or face.raw is None:
            continue
        detected = face.observation.landmarks[:, :2].astype(np.float64)
        eyes = float(np.linalg.norm(detected[OUTER_EYES[0]] - detected[OUTER_EYES[1]]))
        points["MediaPipe"].append(detected[:FACE_POINTS] / eyes)
        channels["MediaPipe"].append(face.observation.scores)
        for name, smoother in smoothers.items():
            shown = smoother.apply(face.raw, frame.time_s)
            posed = model.pose(shown.identity, shown.expression, shown.gaze)
            own = project_embedding(model, shown, posed.vertices, model.landmarks478)
            points[name].append(own[:FACE_POINTS].astype(np.float64) / eyes)
            channels[name].append(shown.expression)
    if len(points["MediaPipe"]) < 30:
        raise ValueError("fewer than 30 frames show a face")
    return [Series(name, np.stack(points[name]), np.stack(channels[name]).astype(np.float64)) for name in points]


def jitter_rows(series: Sequence[Series], fps: float) -> list[JitterRow]:
    """The figures of each series; lag against the series `off`, of MediaPipe's none (it is what came first).

    Args:
        series: of `track_series`; one is named `off`.
        fps: frames a second.
    """
    reference = next(s for s in series if s.name == "off")
    motion = np.linalg.norm(np.diff(reference.landmarks, axis=0), axis=2).mean(axis=1)
    calm = np.convolve(motion, np.ones(9) / 9, mode="same")
    still = np.flatnonzero(calm[1:] <= np.quantile(calm, 1 / 3)) + 1
    lively = np.flatnonzero(calm[1:] >= np.quantile(calm, 2 / 3)) + 1
    rows = []
    for one in series:
        own = one.name == "MediaPipe"
        rows.append(
            JitterRow(
                one.name,
                100 * _jitter(one.landmarks, still),
                None if one.channels is None else 100 * _jitter(one.channels, still),
                0.0 if own else 1e3 / fps * lag(reference.landmarks, one.landmarks, lively),
                None
                if own or one.channels is None or reference.channels is None
                else 1e3 / fps * lag(reference.channels, one.channels, lively),
            )
        )
    return rows


def _jitter(values: Floats, still: NDArray[np.int64]) -> float:
    second = values[2:] - 2 * values[1:-1] + values[:-2]
    chosen = second[still[still < len(second)]]
    size = np.linalg.norm(chosen, axis=2) if chosen.ndim == 3 else np.abs(chosen)
    # A second difference of white noise of spread s has the spread sqrt(6) s.
    return float(np.sqrt(np.mean(size**2) / 6))


def lag(reference: Floats, delayed: Floats, lively: NDArray[np.int64]) -> float:
    """Frames by which `delayed` (T, ...) is behind `reference`: the shift that leaves the least squared difference."""
    flat, late = reference.reshape(len(reference), -1), delayed.reshape(len(delayed), -1)
    frames = lively[(lively > LONGEST_LAG) & (lively < len(flat) - 1)]
    best, least = 0.0, np.inf
    for shift in np.arange(0, LONGEST_LAG * SUBSTEPS + 1) / SUBSTEPS:
        low = int(shift)
        part = shift - low
        earlier = flat[frames - low] * (1 - part) + flat[frames - low - 1] * part
        error = float(np.mean((late[frames] - earlier) ** 2))
        if error < least:
            best, least = float(shift), error
    return best
