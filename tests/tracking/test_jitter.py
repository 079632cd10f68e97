"""Jitter and lag are what they are called."""

from __future__ import annotations

import numpy as np
import pytest

from tracking.evaluation.jitter import Series, jitter_rows, lag


def moving(frames: int = 300) -> np.ndarray:
    """(T, 468, 2): rests in the first half, waves in the second."""
    t = np.arange(frames) / 30
    wave = np.where(t > t[-1] / 2, np.sin(2 * np.pi * 1.3 * t) * 0.2, 0.0)
    return np.repeat(wave[:, None, None], 468, axis=1).repeat(2, axis=2)


def test_noise_is_found_at_its_size_and_motion_is_not_noise() -> None:
    rng = np.random.default_rng(0)
    calm = moving()
    noisy = calm + rng.normal(0, 0.01, calm.shape)
    rows = {r.name: r for r in jitter_rows([Series("off", calm, None), Series("noisy", noisy, None)], 30)}
    assert rows["off"].landmark_jitter == pytest.approx(0.0, abs=1e-6)
    # Two coordinates of spread 0.01.
    assert rows["noisy"].landmark_jitter == pytest.approx(100 * 0.01 * np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("frames", [0.0, 1.0, 2.5])
def test_lag_is_the_delay(frames: float) -> None:
    series = moving()
    low, part = int(frames), frames - int(frames)
    delayed = np.roll(series, low, axis=0) * (1 - part) + np.roll(series, low + 1, axis=0) * part
    assert lag(series, delayed, np.arange(160, 290)) == pytest.approx(frames, abs=0.15)
    rows = jitter_rows([Series("off", series, None), Series("late", delayed, None)], 25)
    assert rows[1].landmark_lag_ms == pytest.approx(frames * 40, abs=6)
