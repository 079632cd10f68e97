"""The coarse network really learns: a few seconds of training improve a held-out number."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.training.coarse import CoarseSettings, CoarseStage
from models.training.data.coarse_shards import render_shards
from models.training.loop import LoopSettings, run_training


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    train, held_out = tmp_path_factory.mktemp("train"), tmp_path_factory.mktemp("held_out")
    render_shards(train, range(600, 606), people=3)
    render_shards(held_out, range(700, 703), people=3)
    return train, held_out


def test_a_step_touches_every_term(pictures: tuple[Path, Path]) -> None:
    stage = CoarseStage(CoarseSettings(image_size=64), *pictures)
    batch = next(stage.batches(4, 0, torch.device("cpu")))
    terms = stage.losses(batch, 0.0)
    assert set(terms) == {
        "landmarks", "points", "pairs", "channels", "rotation", "gaze", "camera", "shape", "identity", "light",
    }  # fmt: skip
    torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    untouched = [n for n, p in stage.vit.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # Nothing rendered tells the albedo's coefficients, but their rows share the head's weight.
    assert not untouched


def test_seconds_of_training_improve_held_out_people(pictures: tuple[Path, Path], tmp_path: Path) -> None:
    stage = CoarseStage(CoarseSettings(image_size=64), *pictures)
    with torch.no_grad():
        before = stage.evaluate()
    settings = LoopSettings(steps=40, batch=8, rate=1e-3, warmup=5, average=0.9)
    after = run_training(stage, settings, tmp_path)
    assert after["inner51_percent"] < 0.8 * before["inner51_percent"]
    assert (tmp_path / "best.safetensors").exists()


@pytest.mark.slow
def test_a_minute_of_training(pictures: tuple[Path, Path], tmp_path: Path) -> None:
    stage = CoarseStage(CoarseSettings(image_size=128), *pictures)
    with torch.no_grad():
        before = stage.evaluate()
    after = run_training(stage, LoopSettings(minutes=1, batch=16, average=0.95), tmp_path)
    assert after["inner51_percent"] < 0.6 * before["inner51_percent"]
    assert after["rotation_degrees"] < before["rotation_degrees"]
