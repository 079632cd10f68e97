"""The training loop: it learns, resumes, keeps the best, and stops where it must."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.training.checkpoint import Average, TrainingError
from models.training.export import load_best
from models.training.loop import LoopSettings, run_training

QUICK = LoopSettings(steps=60, batch=16, rate=0.15, warmup=5, decay=0.0, average=0.9)


class Line:
    """Learns y = 2 x + 1."""

    name = "line"
    score = "error"
    higher_is_better = False

    def __init__(self, poison_at: int | None = None) -> None:
        torch.manual_seed(0)
        self.network = nn.Linear(1, 1)
        self.networks: Mapping[str, nn.Module] = {"line": self.network}
        self.seen = 0
        self._poison_at = poison_at

    def batches(self, size: int, seed: int, device: torch.device) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(seed)
        while True:
            yield torch.rand(size, 1, generator=generator)

    def losses(self, batch: Tensor, progress: float) -> dict[str, Tensor]:
        self.seen += 1
        error = (self.network(batch) - (2 * batch + 1)).square().mean()
        if self._poison_at is not None and self.seen >= self._poison_at:
            return {"fine": error, "poisoned": error * float("nan")}
        return {"fine": error}

    def evaluate(self) -> dict[str, float]:
        x = torch.linspace(0, 1, 20)[:, None]
        return {"error": float((self.network(x) - (2 * x + 1)).abs().mean())}

    def sheet(self) -> NDArray[np.uint8] | None:
        return np.zeros((8, 8, 3), np.uint8)


def test_it_learns_and_leaves_curves_sheets_and_weights(tmp_path: Path) -> None:
    stage = Line()
    before = stage.evaluate()["error"]
    figures = run_training(stage, QUICK, tmp_path)
    assert figures["error"] < 0.1 * before
    with (tmp_path / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[-1]["step"] == "60"
    assert float(rows[-1]["error"]) == pytest.approx(figures["error"], rel=1e-3)
    assert list(tmp_path.glob("sheet_*.png"))
    other = Line().network
    assert load_best(tmp_path, "line", other) == pytest.approx(figures, rel=1e-3)


def test_a_run_goes_on_where_it_was_left(tmp_path: Path) -> None:
    stage = Line()
    run_training(stage, QUICK, tmp_path, should_stop=lambda: stage.seen >= 20)
    assert stage.seen == 20
    again = Line()
    run_training(again, QUICK, tmp_path)
    assert again.seen == 40


def test_a_finished_run_does_not_learn_more(tmp_path: Path) -> None:
    run_training(Line(), QUICK, tmp_path)
    again = Line()
    run_training(again, QUICK, tmp_path)
    assert again.seen == 0


def test_a_loss_that_is_no_number_is_named_and_the_checkpoint_stays(tmp_path: Path) -> None:
    stage = Line()
    run_training(stage, QUICK, tmp_path, should_stop=lambda: stage.seen >= 20)
    good = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(TrainingError, match=r"'poisoned' of line .* step 2[0-9]"):
        run_training(Line(poison_at=3), QUICK, tmp_path)
    assert (tmp_path / "checkpoint.pt").read_bytes() == good


def test_a_damaged_checkpoint_is_said(tmp_path: Path) -> None:
    run_training(Line(), QUICK, tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(TrainingError, match="Move it away to start anew"):
        run_training(Line(), QUICK, tmp_path)


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Line()
    run_training(stage, QUICK, tmp_path, should_stop=lambda: stage.seen >= 20)
    good = (tmp_path / "checkpoint.pt").read_bytes()

    def full(content: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError, match="free some space"):
        run_training(Line(), QUICK, tmp_path)
    assert (tmp_path / "checkpoint.pt").read_bytes() == good
    assert not list(tmp_path.glob("*.unfinished"))


def test_an_end_is_needed(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="how long"):
        run_training(Line(), LoopSettings(), tmp_path)


def test_the_average_lends_its_values_and_takes_them_back() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    average = Average(network, 0.5)
    nn.init.ones_(network.weight)
    average.update(network)
    with average.in_place(network):
        inside = float(network.weight)
    assert 0 < inside < 1.01
    assert float(network.weight) == 1.0
