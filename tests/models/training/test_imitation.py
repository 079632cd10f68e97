"""A network learns what a trained one makes of pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from models.networks.presets import LITE, PAPER, ViTSettings
from models.networks.stored import WeightsError
from models.networks.transformer import PatchEmbedding
from models.training.checkpoint import TrainingError
from models.training.coarse import CoarseSettings, CoarseStage
from models.training.data.coarse_shards import render_shards
from models.training.imitation import OWN, ImitationSettings, ImitationStage, whiten
from models.training.loop import LoopSettings, run_training

SMALL = ViTSettings(dim=64, heads=4, depth=1, readout=192, points=96, glimpses=48)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    render_shards(folder, range(620, 624), people=4)
    return folder


def _stage(pictures: Path, vit: ViTSettings = SMALL, start: Path | None = None) -> ImitationStage:
    return ImitationStage(ImitationSettings(), vit, 256, 0.0, pictures, pictures, start=start)


def test_features_come_nearer_and_what_reads_them_stays_the_teachers(pictures: Path, tmp_path: Path) -> None:
    stage = _stage(pictures)
    teacher = load_file(ImitationSettings().teacher)
    behind = {k: v.clone() for k, v in stage.vit.state_dict().items() if not k.startswith(OWN)}
    assert all(torch.equal(v, teacher[k].float()) for k, v in behind.items())
    with torch.no_grad():
        before = stage.evaluate()
    settings = LoopSettings(steps=60, batch=4, rate=2e-3, warmup=5, average=0.8)
    after = run_training(stage, settings, tmp_path)
    assert after["unexplained_share"] < 0.9 * before["unexplained_share"]
    assert after["unexplained_share_whole"] < before["unexplained_share_whole"]
    state = stage.vit.state_dict()
    assert all(torch.equal(state[k], v) for k, v in behind.items())
    again = _stage(pictures, start=tmp_path / "best.safetensors")
    with torch.no_grad():
        assert again.evaluate()["unexplained_share"] == pytest.approx(after["unexplained_share"], rel=1e-3)


def test_labels_teach_the_same_network_afterwards(pictures: Path, tmp_path: Path) -> None:
    stage = ImitationStage(ImitationSettings(), PAPER.vit, 256, 0.0, pictures, pictures)
    run_training(stage, LoopSettings(steps=1, batch=1), tmp_path)
    then = CoarseStage(CoarseSettings(preset="paper"), pictures, pictures, start=tmp_path / "best.safetensors")
    batch = next(then.batches(2, 0, torch.device("cpu")))
    torch.stack(list(then.losses(batch, 0.0).values())).sum().backward()  # type: ignore[no-untyped-call]
    untouched = [n for n, p in then.vit.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not untouched


@pytest.mark.parametrize(
    ("vit", "message"),
    [
        (LITE.vit, "cannot imitate"),
        (SMALL.model_copy(update={"readout": 128}), "cannot imitate"),
        (SMALL.model_copy(update={"reduce": 2}), "cannot imitate"),
        (ViTSettings(), "where points are read"),
    ],
)
def test_networks_that_see_other_places_are_refused(pictures: Path, vit: ViTSettings, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        _stage(pictures, vit)


def test_a_teacher_must_be_a_coarse_network(pictures: Path) -> None:
    detail = ImitationSettings(teacher=ImitationSettings().teacher.with_name("detail_lite.safetensors"))
    with pytest.raises(WeightsError, match="not a coarse-vit"):
        ImitationStage(detail, SMALL, 256, 0.0, pictures, pictures)


def test_a_whitened_embedding_tells_patches_apart() -> None:
    torch.manual_seed(0)
    # Smooth, as pictures are: sums of noise at three sizes.
    images = sum(
        torch.nn.functional.interpolate(torch.randn(64, 3, side, side), size=64, mode="bilinear") * weight
        for side, weight in ((4, 1.0), (16, 0.3), (64, 0.02))
    )
    assert isinstance(images, torch.Tensor)
    embed = PatchEmbedding(3, 16, 128)

    def alike() -> float:
        tokens = embed(images).detach().flatten(0, 1)
        correlation = torch.corrcoef(tokens.T)
        return float((correlation - torch.eye(128)).abs().mean())

    before = alike()
    whiten(embed, images)
    tokens = embed(images).detach().flatten(0, 1)
    assert alike() < 0.5 * before
    assert tokens.mean(0).abs().max() < 1e-2
    assert 0.2 < tokens.std(0).mean() < 2
