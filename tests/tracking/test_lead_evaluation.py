"""Two passes over a clip are compared as they are called."""

from __future__ import annotations

import numpy as np
import pytest

from tracking.evaluation.lead import SETTLING, LedFrame, compared

FRAMES = 120


def passes(shift: float, noise: float, gain: float) -> tuple[list[LedFrame | None], list[LedFrame | None]]:
    """A face whose eyes are 100 pixels apart and whose first channel waves, and the same moved and shaken."""
    rng = np.random.default_rng(0)
    face = rng.uniform(0, 200, (468, 2))
    face[33], face[263] = (50.0, 80.0), (150.0, 80.0)
    own: list[LedFrame | None] = []
    led: list[LedFrame | None] = []
    for k in range(FRAMES):
        channels = np.zeros(52)
        channels[0] = 0.5 + 0.5 * np.sin(k / 5)
        own.append(LedFrame(face + k * 0.1, channels, True))
        moved = channels * gain + rng.normal(0, noise, 52)
        led.append(LedFrame(face + k * 0.1 + (shift, 0.0), moved, k % 8 == 0))
    return own, led


def test_figures_of_known_differences() -> None:
    own, led = passes(shift=2.0, noise=0.0, gain=0.5)
    own[50] = led[60] = None
    figures = compared(own, led)
    assert figures.frames == FRAMES - SETTLING - 2
    assert figures.distance_percent == pytest.approx(2.0)
    assert figures.correlation == pytest.approx(1.0) and figures.moving == 1
    assert figures.channel_tremble == pytest.approx(0.5, rel=1e-6)
    assert figures.led == pytest.approx(7 / 8, abs=0.02)


def test_noise_is_tremble_and_loses_correlation() -> None:
    calm = compared(*passes(0.0, 0.0, 1.0))
    noisy = compared(*passes(0.0, 0.3, 1.0))
    assert calm.correlation == pytest.approx(1.0) and calm.channel_tremble == pytest.approx(1.0)
    assert noisy.correlation < 0.9 and noisy.channel_tremble > 3


def test_a_mesh_that_trembles_twice_as_much() -> None:
    rng = np.random.default_rng(1)
    own, led = passes(0.0, 0.0, 1.0)
    shaken: list[list[LedFrame | None]] = [[], []]
    for frames, kept, size in ((own, shaken[0], 0.5), (led, shaken[1], 1.0)):
        for frame in frames:
            assert frame is not None
            kept.append(LedFrame(frame.landmarks + rng.normal(0, size, (468, 2)), frame.channels, frame.detected))
    assert compared(*shaken).landmark_tremble == pytest.approx(2.0, rel=0.05)


def test_a_clip_without_faces_is_refused() -> None:
    own, _ = passes(0.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="fewer than 60 frames"):
        compared(own, [None] * FRAMES)
