"""The arithmetic of the landmark evaluation, on points whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tracking.evaluation.landmark_errors import (
    MISS,
    LandmarkErrors,
    adapted_errors,
    aligned_residual,
    boundary_error,
    error_distribution,
    inner_error,
    summarise,
)

Points = NDArray[np.float64]
SIZE = 100.0
"""Pixels between the outer corners of the eyes."""


@pytest.fixture
def truth() -> Points:
    points = np.random.default_rng(0).uniform(0, 300, (68, 2))
    points[36], points[45] = (50.0, 80.0), (50.0 + SIZE, 80.0)
    return points


def test_inner_error_is_a_share_of_the_eye_distance(truth: Points) -> None:
    found = truth.copy()
    found[17:] += (3.0, 4.0)
    found[:17] += 1000.0  # the contour does not count
    assert inner_error(found, truth) == pytest.approx(0.05)
    assert inner_error(found * 7, truth * 7) == pytest.approx(0.05)


def test_boundary_error_is_to_the_nearest_point_of_the_outline(truth: Points) -> None:
    outline = np.concatenate([truth[:17] + (0.0, 2.0), truth[:17] + (30.0, 0.0)])
    assert boundary_error(outline, truth) == pytest.approx(0.02, abs=0.005)
    assert boundary_error(truth, truth) == 0.0
    assert boundary_error(np.zeros((0, 2)), truth) is None


def test_residuals_lie_along_the_eyes(truth: Points) -> None:
    turn = np.radians(40)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    found = truth + (10.0, -5.0)
    residual = aligned_residual(found @ rotation.T, truth @ rotation.T)
    assert residual == pytest.approx(np.tile((0.10, -0.05), (51, 1)))


def test_adapting_takes_out_what_all_pictures_share() -> None:
    rng = np.random.default_rng(1)
    habit = rng.normal(0, 0.03, (51, 2))
    noise = rng.normal(0, 0.002, (40, 51, 2))
    before = np.linalg.norm(habit + noise, axis=2).mean()
    after = np.mean(adapted_errors(list(habit + noise)))
    assert before > 0.03 and after < 0.004


def test_no_picture_adapts_to_itself() -> None:
    """Of two pictures each is measured by the other's offset, so a difference between them stays."""
    one, other = np.zeros((51, 2)), np.full((51, 2), 0.03)
    assert adapted_errors([one, other]) == pytest.approx([0.03 * 2**0.5] * 2)
    assert adapted_errors([other]) == pytest.approx([0.03 * 2**0.5])
    assert adapted_errors([]) == []


def test_a_miss_counts_and_is_listed() -> None:
    flat = np.zeros((51, 2))
    errors = [
        LandmarkErrors("good", 0.02, 0.04, flat),
        LandmarkErrors("missed"),
        LandmarkErrors("another face", 0.90, 0.80, flat + 0.9),
        LandmarkErrors("good too", 0.04, 0.02, flat),
    ]
    summary = summarise(errors)
    assert summary.failures == ("missed", "another face")
    assert summary.nme_inner51 == pytest.approx((0.02 + MISS + MISS + 0.04) / 4)
    assert summary.nme_inner51_uncapped == pytest.approx((0.02 + MISS + 0.90 + 0.04) / 4)
    assert summary.boundary == pytest.approx((0.04 + MISS + 0.80 + 0.02) / 4)
    assert summary.overall == pytest.approx((summary.boundary + 3 * summary.nme_inner51) / 4)
    assert summary.nme_inner51_adapted <= MISS
    with pytest.raises(ValueError):
        summarise([])


def test_the_distribution_counts_misses_as_never_reached() -> None:
    thresholds, shares = error_distribution([0.01, 0.03, None, 0.5], limit=0.10, steps=10)
    assert thresholds[0] == 0.0 and thresholds[-1] == pytest.approx(0.10)
    assert shares[0] == 0.0 and shares[1] == 0.25 and shares[-1] == 0.5
