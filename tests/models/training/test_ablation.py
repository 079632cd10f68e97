"""Every switch of the ablation really changes the training, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.face_model import load_face_model
from models.face_model.detail_map import DetailMap
from models.networks.mae import DetailMAE
from models.networks.presets import MAESettings, UNetSettings
from models.networks.unet import TeacherUNet
from models.training import ablation
from models.training.ablation import DETAIL_LOOP, DetailParts, Switch, TensionBlind, Trained, timed, train_detail
from models.training.ablation_coarse import COARSE_LOOP, OutlinedStage, train_coarse
from models.training.coarse import CoarseSettings
from models.training.coarse_outline import CONTOUR, OutlineTerm, spread_evenly
from models.training.data.coarse_shards import render_shards
from models.training.data.people import RealPeople
from models.training.data.shards import Shards, write_shard
from models.training.data.wrinkle_faces import Skins, WrinkleFaces
from models.training.detail import DetailWeights, RealLessons
from tests.models.training.test_detail_training import someone

SMALL = MAESettings(
    encoder_dim=16, encoder_heads=2, encoder_depth=1, decoder_dim=16, decoder_heads=2, decoder_depth=1,
    stem="convolutional", refine=True,
)  # fmt: skip
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> DetailParts:
    cv2.setNumThreads(1)
    window = DetailMap(load_face_model())
    folder = tmp_path_factory.mktemp("shards")
    faces = WrinkleFaces(window, Skins([], window, painted=2, seed=3))
    write_shard(folder / "00000.npy", faces.sample, range(20_000, 20_003))
    people = RealPeople((someone(0),), ((someone(0), someone(1)),))
    torch.manual_seed(5)
    lessons = RealLessons(people, TeacherUNet(UNetSettings(width=4)), begin=0.0, share=0.5)
    return DetailParts(Shards(folder), Shards(folder), window.mask, lessons, SMALL, DetailWeights(), evaluated=1)


def trained(switch: Switch | None, parts: DetailParts, folder: Path) -> Trained:
    loop = timed(DETAIL_LOOP, None, 3).model_copy(update={"batch": 2, "warmup": 1, "average": 0.0})
    return train_detail(switch, parts, loop, folder)


def weights(run: Trained) -> torch.Tensor:
    return torch.cat([value.flatten() for value in run.network.state_dict().values()])


def test_each_switch_changes_the_training_and_a_repetition_does_not(
    parts: DetailParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ablation, "CROP_UNTIL", 0.0)
    everything = trained(None, parts, tmp_path / "all")
    assert torch.equal(weights(everything), weights(trained(None, parts, tmp_path / "all")))
    for switch in ablation.DETAIL_SWITCHES:
        other = trained(switch, parts, tmp_path / switch)
        assert not torch.allclose(weights(everything), weights(other), atol=1e-7), switch
        assert other.steps == 3
        assert {"score", "bumps_mm", "hidden_asymmetry_mm"} <= other.figures.keys()


def test_without_tension_the_answer_does_not_depend_on_it() -> None:
    torch.manual_seed(0)
    blind, seeing = TensionBlind(SMALL).eval(), DetailMAE(SMALL).eval()
    seeing.load_state_dict(blind.state_dict())
    image, tension = torch.rand(1, 4, 256, 256), torch.rand(1, 1, 256, 256) * 0.3
    with torch.no_grad():
        assert torch.equal(blind(image, tension), blind(image, tension * 0))
        assert torch.equal(blind(image, tension), seeing(image, tension * 0))
        assert not torch.equal(seeing(image, tension), seeing(image, tension * 0))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coarse")
    render_shards(folder, range(600, 602), people=2)
    return folder


def test_the_silhouette_loss_is_near_zero_at_the_truth_and_leads_there(pictures: Path) -> None:
    stage = OutlinedStage(CoarseSettings(image_size=128), pictures, pictures, 1.0)
    batch = next(stage.batches(3, 0, CPU)).rendered
    found = stage.vit.read(stage.vit(batch.image))
    model = load_face_model()
    term = OutlineTerm(model, stage.vit.layout.identity)
    values = {name: getattr(found, name) for name in ("gaze", "albedo", "light")}
    true = type(found)(
        identity=batch.identity[:, :100], expression=batch.expression, rotation=batch.seen, scale=batch.scale,
        place=batch.place, **values,
    )  # fmt: skip
    away = (batch.place + 0.15).requires_grad_()
    moved = type(found)(
        identity=true.identity, expression=true.expression, rotation=true.rotation, scale=true.scale, place=away,
        **values,
    )  # fmt: skip
    right, wrong = term(true, batch), term(moved, batch)
    assert right.item() < 0.03 < 0.06 < wrong.item()
    wrong.backward()  # type: ignore[no-untyped-call]
    assert away.grad is not None and bool((away.grad.sum(dim=1) > 0).all())
    exact = term.boundary_errors(true, batch)
    assert len(exact) == 3 and max(exact.values()) < 0.03


def test_the_silhouette_switch_changes_the_coarse_training(pictures: Path, tmp_path: Path) -> None:
    loop = timed(COARSE_LOOP, None, 3).model_copy(update={"batch": 3, "average": 0.0, "warmup": 1})
    ends = []
    for weight in (6.0, 0.0):
        stage = OutlinedStage(CoarseSettings(image_size=128), pictures, pictures, weight)
        figures = train_coarse(stage, loop, tmp_path / str(weight))
        assert figures["boundary_percent"] > 0 and figures["steps"] == 3
        ends.append(stage.vit.head.weight.detach().clone())
    assert not torch.allclose(ends[0], ends[1], atol=1e-7)


def test_contour_points_are_spread_along_the_outline() -> None:
    turn = np.linspace(0, 2 * np.pi, 500)
    outline = np.column_stack([np.sin(turn), 1.3 * np.cos(turn)])
    points = spread_evenly(outline, CONTOUR)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert points.shape == (CONTOUR, 2) and steps.max() < 2.5 * steps.min()
