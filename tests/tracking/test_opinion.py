"""Two guesses made into one."""

from __future__ import annotations

import numpy as np
import pytest

from models.geometry.rotations import angle_between, from_euler
from tracking.fit.opinion import combined
from tracking.fit.regressor import Guess


def guess(value: float, sigma: float, yaw: float, turn: float) -> Guess:
    return Guess(np.full(52, value), np.full(52, sigma), np.full((2, 2), yaw), from_euler(yaw, 0, 0), turn)


def test_the_surer_one_counts_more() -> None:
    both = combined(guess(0.2, 0.1, 0.0, 0.05), guess(0.8, 0.3, 0.1, 0.05))
    assert both.expression[0] == pytest.approx(0.26)
    # Equally sure of the rotation: half way.
    assert angle_between(both.rotation, from_euler(0.05, 0, 0)) == pytest.approx(0.0, abs=1e-6)
    assert both.gaze[0, 0] == pytest.approx(0.05)


def test_two_are_surer_than_one_but_not_as_sure_as_strangers() -> None:
    both = combined(guess(0.2, 0.1, 0.0, 0.05), guess(0.2, 0.1, 0.0, 0.05))
    assert 0.1 / np.sqrt(2) < both.sigma[0] < 0.1
    alone = combined(guess(0.2, 0.1, 0.0, 0.05), guess(0.9, 5.0, 1.0, 9.0))
    assert alone.sigma[0] <= 0.1
    assert alone.expression[0] == pytest.approx(0.2, abs=0.01)
