"""The coarse network really learns: a few seconds of training improve a held-out number."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.networks.presets import LITE
from models.networks.vit import CoarseViT
from models.training.checkpoint import TrainingError
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
    stage = CoarseStage(CoarseSettings(image_size=128), *pictures)
    batch = next(stage.batches(4, 0, torch.device("cpu")))
    terms = stage.losses(batch, 0.0)
    assert set(terms) == {
        "landmarks", "points", "mesh", "pairs", "channels", "rotation", "gaze", "camera", "shape", "identity", "light",
        "lean",
    }  # fmt: skip
    torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    untouched = [n for n, p in stage.vit.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # Nothing rendered tells the albedo's coefficients, but their rows share the head's weight.
    assert not untouched


def test_seconds_of_training_improve_held_out_people(pictures: tuple[Path, Path], tmp_path: Path) -> None:
    stage = CoarseStage(CoarseSettings(image_size=128), *pictures)
    with torch.no_grad():
        before = stage.evaluate()
    settings = LoopSettings(steps=40, batch=8, rate=1e-3, warmup=5, average=0.9)
    after = run_training(stage, settings, tmp_path)
    assert after["inner51_percent"] < 0.8 * before["inner51_percent"]
    assert (tmp_path / "best.safetensors").exists()


def test_close_looks_learn_on_an_earlier_network(pictures: tuple[Path, Path], tmp_path: Path) -> None:
    first = CoarseStage(CoarseSettings(image_size=128), *pictures)
    run_training(first, LoopSettings(steps=20, batch=8, rate=1e-3, warmup=5, average=0.5), tmp_path / "first")
    best = tmp_path / "first" / "best.safetensors"
    stage = CoarseStage(CoarseSettings(image_size=128, learn="glimpses"), *pictures, start=best)
    before = {k: v.clone() for k, v in stage.vit.state_dict().items()}
    with torch.no_grad():
        figures = stage.evaluate()
    after = run_training(stage, LoopSettings(steps=30, batch=8, rate=1e-3, warmup=5, average=0.9), tmp_path / "then")
    changed = {k for k, v in stage.vit.state_dict().items() if not torch.equal(v, before[k])}
    assert changed
    assert all(k.startswith("glimpses.") for k in changed)
    assert after["inner51_percent"] < figures["inner51_percent"]


def test_where_to_start_from(pictures: tuple[Path, Path], tmp_path: Path) -> None:
    old = CoarseViT(LITE.vit.model_copy(update={"glimpses": 0}))
    save_file({f"vit.{k}": v for k, v in old.state_dict().items()}, tmp_path / "old.safetensors")
    stage = CoarseStage(CoarseSettings(image_size=128), *pictures, start=tmp_path / "old.safetensors")
    assert torch.equal(stage.vit.head.weight, old.head.weight)
    with pytest.raises(TrainingError, match=r"no .*missing.safetensors to start from"):
        CoarseStage(CoarseSettings(), *pictures, start=tmp_path / "missing.safetensors")
    (tmp_path / "damaged.safetensors").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match="damaged or belongs to another"):
        CoarseStage(CoarseSettings(), *pictures, start=tmp_path / "damaged.safetensors")
    save_file({"vit.other": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(TrainingError, match="another network"):
        CoarseStage(CoarseSettings(), *pictures, start=tmp_path / "other.safetensors")


@pytest.mark.slow
def test_a_minute_or_two_of_training(pictures: tuple[Path, Path], tmp_path: Path) -> None:
    stage = CoarseStage(CoarseSettings(image_size=256), *pictures)
    with torch.no_grad():
        before = stage.evaluate()
    after = run_training(stage, LoopSettings(steps=80, batch=16, warmup=20, average=0.95), tmp_path)
    assert after["inner51_percent"] < 0.7 * before["inner51_percent"]
    assert after["rotation_degrees"] < before["rotation_degrees"]
