"""`evaluate ablation`: its table, and mistakes in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.evaluate_ablation import table_of
from tests.app.conftest import Run


def test_a_table_for_each_network_with_a_column_a_training() -> None:
    table = table_of(
        {
            "detail, all": {"score": 0.5, "steps": 10},
            "detail, without tension": {"score": 0.25},
            "coarse, with silhouette": {"boundary_percent": 4.0},
        }
    )
    assert "| detail | all | without tension |" in table
    assert "| score | 0.5 | 0.25 |" in table and "| steps | 10 | - |" in table
    assert "| coarse | with silhouette |\n|---|---|\n| boundary_percent | 4 |" in table


def test_without_labels_nothing_is_trained(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_RUNS", str(tmp_path / "runs"))
    result = run("evaluate", "ablation", "--labels", tmp_path, "--out", tmp_path / "out", "--steps", "1")
    assert result.status == 2 and "There are no labels" in result.err
    assert not (tmp_path / "out").exists()
