"""`evaluate coarse`: the network's channels beside MediaPipe's, on rendered people."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.cli.evaluate_coarse import table_of
from app.evaluation.coarse import _channels
from models.channels import ARKIT_CHANNELS, GAZE_CHANNELS
from tests.app.conftest import Run


def test_channels_of_known_answers() -> None:
    truth = np.zeros((4, 52))
    truth[:, 0] = [0, 1, 0, 1]
    found = truth * 0.5
    scores = 1 - truth
    score = _channels(found, truth, scores, np.array([True, True, True, False]))[0]
    assert score.correlation == pytest.approx(1.0)
    assert score.error_share == pytest.approx(0.5)
    assert score.detector_correlation == pytest.approx(-1.0)
    assert score.detector_error_share == pytest.approx(3.0)


def test_the_command_measures_every_channel(run: Run, tmp_path: Path) -> None:
    told = run("evaluate", "coarse", "--people", "3", "--out", str(tmp_path))
    assert told.status == 0 and "12 pictures" in told.out
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["channels"]) == len(ARKIT_CHANNELS) - len(GAZE_CHANNELS)
    assert 0 < report["detector_found"] <= report["pictures"]
    # Much better than chance: the shipped network finds faces.
    assert 0.5 < report["figures"]["inner51_percent"] < 10
    assert "| jawOpen |" in (tmp_path / "table.md").read_text() == table_of(report)


def test_foreign_weights_are_refused_in_a_sentence(run: Run, tmp_path: Path) -> None:
    foreign = "models/weights/detail_lite.safetensors"
    told = run("evaluate", "coarse", "--people", "1", "--out", str(tmp_path), "--weights", foreign)
    assert told.status != 0 and "Traceback" not in told.err and told.err.strip()
