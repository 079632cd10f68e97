"""Cuts, re-times and fills tracks: what most formats need before they can be written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recordings.track import Track

__all__ = ["cut", "held", "interpolate_quaternions", "resample"]

LONGEST_GAP_S = 0.25
"""Between two seen faces that a resampled frame may lie between and still count as seen."""


def cut(track: Track, start_s: float | None = None, end_s: float | None = None) -> Track:
    """The rows with start_s <= time < end_s; None is the track's own start or end."""
    first = 0 if start_s is None else int(np.searchsorted(track.time_s, start_s))
    last = len(track) if end_s is None else int(np.searchsorted(track.time_s, end_s))
    return _rows(track, np.arange(first, max(first, last)))


def resample(track: Track, fps: float) -> Track:
    """The track at an even rate from its first time on.

    Channels, places and gaze are interpolated linearly, rotations along the great arc. A frame is valid where the rows
    to both sides are and lie no more than LONGEST_GAP_S apart. Stage times are left out: they belong to the old rows.

    Args:
        track: at least one row.
        fps: frames a second.
    """
    first, last = float(track.time_s[0]), float(track.time_s[-1])
    times = first + np.arange(int((last - first) * fps + 1e-6) + 1) / fps
    right = np.clip(np.searchsorted(track.time_s, times, side="left"), 1, max(1, len(track) - 1))
    right = np.minimum(right, len(track) - 1)
    left = np.maximum(right - 1, 0)
    span = track.time_s[right] - track.time_s[left]
    share = np.clip(np.divide(times - track.time_s[left], span, out=np.zeros_like(times), where=span > 0), 0, 1)
    on_left, on_right = share < 1e-6, share > 1 - 1e-6
    both = track.valid[left] & track.valid[right] & (span <= LONGEST_GAP_S)
    valid = np.where(on_left, track.valid[left], np.where(on_right, track.valid[right], both))

    def mix(values: NDArray[np.floating]) -> NDArray[np.float64]:
        weight = share.reshape(-1, *(1,) * (values.ndim - 1))
        a, b = values[left].astype(np.float64), values[right].astype(np.float64)
        # Exact at the rows themselves, where the other side may be NaN.
        mixed = np.where(weight < 1e-6, a, np.where(weight > 1 - 1e-6, b, a * (1 - weight) + b * weight))
        mixed[~valid] = np.nan
        return mixed

    quaternion = interpolate_quaternions(track.quaternion[left], track.quaternion[right], share)
    quaternion = np.where(on_left[:, None], track.quaternion[left], quaternion)
    quaternion = np.where(on_right[:, None], track.quaternion[right], quaternion)
    quaternion[~valid] = np.nan
    nearest = np.where(share < 0.5, left, right)
    return replace(
        track,
        index=np.arange(len(times), dtype=np.int64),
        time_s=times,
        valid=valid,
        confidence=np.where(valid, track.confidence[nearest], 0).astype(np.float32),
        expression=mix(track.expression).astype(np.float32),
        quaternion=quaternion,
        translation=mix(track.translation),
        gaze=mix(track.gaze).astype(np.float32),
        stage_ms={},
    )


def held(track: Track) -> Track:
    """Rows without a face get the values of the last one before them (of the first one after, at the beginning).

    `valid` stays as it is. For formats that cannot say "no face".

    Raises:
        ValueError: no row has a face.
    """
    if not track.valid.any():
        raise ValueError("there is no row with a face")
    seen = np.flatnonzero(track.valid)
    before = np.searchsorted(seen, np.arange(len(track)), side="right") - 1
    rows = seen[np.maximum(before, 0)]
    return replace(
        track,
        expression=track.expression[rows],
        quaternion=track.quaternion[rows],
        translation=track.translation[rows],
        gaze=track.gaze[rows],
    )


def interpolate_quaternions(
    a: NDArray[np.float64], b: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N, 4) w x y z on the great arc from (N, 4) `a` to `b` at (N,) shares 0..1, w >= 0 (Shoemake, 1985)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = (a * b).sum(1)
        b = np.where(cosine[:, None] < 0, -b, b)
        angle = np.arccos(np.clip(np.abs(cosine), 0, 1))
        sine = np.sin(angle)
        near = sine < 1e-6
        wa = np.where(near, 1 - share, np.sin((1 - share) * angle) / np.where(near, 1, sine))
        wb = np.where(near, share, np.sin(share * angle) / np.where(near, 1, sine))
        mixed = a * wa[:, None] + b * wb[:, None]
        mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    return np.where(mixed[:, :1] < 0, -mixed, mixed)


def _rows(track: Track, rows: NDArray[np.integer]) -> Track:
    return replace(
        track,
        index=track.index[rows],
        time_s=track.time_s[rows],
        valid=track.valid[rows],
        confidence=track.confidence[rows],
        expression=track.expression[rows],
        quaternion=track.quaternion[rows],
        translation=track.translation[rows],
        gaze=track.gaze[rows],
        stage_ms={name: values[rows] for name, values in track.stage_ms.items()},
    )
