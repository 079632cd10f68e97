"""Cleaning up tracked curves after the fact, when the future of every frame is known too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.channels import ARKIT_CHANNELS
from recordings.reader import runs_of
from recordings.resample import interpolate_quaternions
from recordings.track import Track

__all__ = ["CleanUp", "clean"]

BLINKS = [k for k, name in enumerate(ARKIT_CHANNELS) if name.startswith("eyeBlink")]
BLINK_SHARE = 0.3
"""Of the smoothing that blinks get: a tenth of a second of it would swallow them."""
SPIKE_WINDOW = 5
SPIKE_LIMIT = 6.0
"""Median absolute deviations of its neighbourhood that a value may lie off before it counts as a spike."""
SPIKE_FLOOR = 0.04


class CleanUp(BaseModel):
    """What to do to the curves. All of it off leaves every value as it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fill_gaps_s: float = Field(default=0.0, ge=0.0, le=5.0)
    """Gaps without a face up to this long are bridged by interpolation, in seconds."""
    spikes: bool = False
    """Take out single frames that lie far off both neighbours."""
    smooth_s: float = Field(default=0.0, ge=0.0, le=1.0)
    """Standard deviation of the smoothing of channels and gaze in seconds; it delays nothing. Blinks get a third."""
    smooth_head_s: float = Field(default=0.0, ge=0.0, le=1.0)
    """Likewise of the head's rotation and place."""

    @property
    def any(self) -> bool:
        """Whether it changes anything."""
        return self.fill_gaps_s > 0 or self.spikes or self.smooth_s > 0 or self.smooth_head_s > 0


def clean(track: Track, settings: CleanUp) -> Track:
    """A cleaned copy; frames and times stay. Bridged rows become valid, with confidence 0."""
    if settings.fill_gaps_s > 0:
        track = _bridged(track, settings.fill_gaps_s)
    if not (settings.spikes or settings.smooth_s > 0 or settings.smooth_head_s > 0):
        return track
    from scipy.ndimage import gaussian_filter1d  # late: the window loads this file when it starts

    expression, gaze = track.expression.copy(), track.gaze.copy()
    quaternion, translation = track.quaternion.copy(), track.translation.copy()
    for start, end in runs_of(track.valid):
        rows = slice(start, end)
        if end - start < 3:
            continue
        step = float(np.median(np.diff(track.time_s[rows])))
        curves = expression[rows].astype(np.float64)
        looks = gaze[rows].reshape(end - start, 4).astype(np.float64)
        turns, places = _continuous(quaternion[rows]), translation[rows]
        if settings.spikes:
            curves, looks, turns, places = (_without_spikes(v) for v in (curves, looks, turns, places))
        frames, head = (s / step if step > 0 else 0.0 for s in (settings.smooth_s, settings.smooth_head_s))
        if frames > 0.05:
            blinks = gaussian_filter1d(curves[:, BLINKS], frames * BLINK_SHARE, axis=0, mode="nearest")
            curves = gaussian_filter1d(curves, frames, axis=0, mode="nearest")
            curves[:, BLINKS] = blinks
            looks = gaussian_filter1d(looks, frames, axis=0, mode="nearest")
        if head > 0.05:
            turns = gaussian_filter1d(turns, head, axis=0, mode="nearest")
            places = gaussian_filter1d(places, head, axis=0, mode="nearest")
        turns = turns / np.linalg.norm(turns, axis=1, keepdims=True)
        expression[rows] = np.clip(curves, 0, 1)
        gaze[rows] = looks.reshape(-1, 2, 2)
        quaternion[rows] = np.where(turns[:, :1] < 0, -turns, turns)
        translation[rows] = places
    return replace(track, expression=expression, gaze=gaze, quaternion=quaternion, translation=translation)


def _bridged(track: Track, longest_s: float) -> Track:
    valid = track.valid.copy()
    expression, gaze = track.expression.copy(), track.gaze.copy()
    quaternion, translation = track.quaternion.copy(), track.translation.copy()
    for start, end in runs_of(~track.valid):
        before, after = start - 1, end
        if before < 0 or after >= len(track) or track.time_s[after] - track.time_s[before] > longest_s:
            continue
        span = track.time_s[after] - track.time_s[before]
        share = (track.time_s[start:end] - track.time_s[before]) / span if span > 0 else np.zeros(end - start)
        count = end - start
        rows = slice(start, end)
        weight = share[:, None]
        expression[rows] = expression[before] * (1 - weight) + expression[after] * weight
        gaze[rows] = gaze[before] * (1 - weight[:, None]) + gaze[after] * weight[:, None]
        translation[rows] = translation[before] * (1 - weight) + translation[after] * weight
        a, b = (np.repeat(quaternion[row][None], count, axis=0) for row in (before, after))
        quaternion[rows] = interpolate_quaternions(a, b, share)
        valid[rows] = True
    return replace(track, valid=valid, expression=expression, gaze=gaze, quaternion=quaternion, translation=translation)


def _without_spikes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, C) with outliers replaced by the median of their neighbourhood (Hampel, 1974)."""
    from scipy.ndimage import median_filter

    middle = median_filter(values, size=(SPIKE_WINDOW, 1), mode="nearest")
    off = np.abs(values - middle)
    spread = median_filter(off, size=(2 * SPIKE_WINDOW + 1, 1), mode="nearest")
    # A quiet curve has no spread; what no one sees is no spike.
    return np.where(off > np.maximum(SPIKE_LIMIT * spread, SPIKE_FLOOR), middle, values)


def _continuous(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 4) with signs so that neighbours lie on the same side."""
    flips = np.cumprod(np.where((quaternions[1:] * quaternions[:-1]).sum(1) < 0, -1.0, 1.0))
    return np.asarray(quaternions * np.concatenate([[1.0], flips])[:, None])
