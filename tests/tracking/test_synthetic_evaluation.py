"""The report on rendered faces: its arithmetic on made-up values, and a short real run."""

from __future__ import annotations

import numpy as np
import pytest

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX
from models.face_model import load_face_model
from tracking import TrackerSettings
from tracking.evaluation.synthetic import (
    SyntheticRun,
    correlations,
    run_synthetic,
    synthetic_report,
    visible_channels,
)  # fmt: skip


def _run(tracked: np.ndarray, truth: np.ndarray) -> SyntheticRun:
    return SyntheticRun(
        truth, tracked, np.zeros_like(truth), np.radians([1.0, 3.0]), np.zeros((2, 2, 2)), np.array([0.001]), 0
    )


def test_perfect_answers_score_zero_error_and_full_correlation() -> None:
    truth = np.random.default_rng(0).uniform(0, 1, (50, CHANNEL_COUNT))
    report = synthetic_report(_run(truth.copy(), truth), np.ones(CHANNEL_COUNT, bool))
    assert report["mae_over_zero"] == 0
    assert report["median_correlation_visible"] == pytest.approx(1.0)
    assert report["mediapipe_mae_over_zero"] == pytest.approx(1.0)
    assert report["rotation_error_degrees"] == {
        "mean": pytest.approx(2.0),
        "p50": pytest.approx(2.0),
        "p95": pytest.approx(2.9),
    }


def test_a_channel_that_never_moves_has_no_correlation_and_a_constant_answer_none_worth() -> None:
    truth = np.random.default_rng(1).uniform(0, 1, (50, CHANNEL_COUNT))
    truth[:, 3] = 0.0
    found = truth.copy()
    found[:, 4] = 0.5
    values = correlations(found, truth)
    assert np.isnan(values[3])
    assert values[4] == 0.0


def test_what_landmarks_cannot_show_does_not_count_as_visible() -> None:
    visible = visible_channels(load_face_model())
    assert not visible[CHANNEL_INDEX["tongueOut"]]
    assert visible[CHANNEL_INDEX["jawOpen"]]
    assert visible[CHANNEL_INDEX["mouthSmileLeft"]]


@pytest.mark.slow
def test_tracking_rendered_faces_beats_mediapipes_scores() -> None:
    steps: list[None] = []
    run = run_synthetic(load_face_model(), TrackerSettings(), (3,), 150, lambda: steps.append(None))
    assert len(steps) == 150
    assert len(run.truth) == 120
    assert run.missed == 0
    report = synthetic_report(run, visible_channels(load_face_model()))
    assert report["mae_over_zero"] < 0.85 * report["mediapipe_mae_over_zero"]  # type: ignore[operator]
    assert report["rotation_error_degrees"]["mean"] < 4.0  # type: ignore[index]
