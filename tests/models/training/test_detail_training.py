"""Training of the detail networks: the stages run, and a minute of training improves a held-out number."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.face_model import load_face_model
from models.face_model.detail_map import DETAIL_SIZE, DetailMap
from models.networks.mae import DetailMAE
from models.networks.presets import MAESettings, UNetSettings
from models.networks.unet import TeacherUNet
from models.training.data.people import RealPeople
from models.training.data.shards import Shards, write_shard
from models.training.data.textures import FaceTexture
from models.training.data.wrinkle_faces import DetailSample, Skins, WrinkleFaces
from models.training.detail import FOLDS_FROM, DetailStage, RealLessons, folding
from models.training.detail_data import real_batches, truth_batches
from models.training.detail_figures import amplitude, border_ratio, correlation, spectrum
from models.training.loop import LoopSettings, run_training
from models.training.teacher import TeacherStage

SMALL = MAESettings(
    encoder_dim=32, encoder_heads=2, encoder_depth=1, decoder_dim=16, decoder_heads=2, decoder_depth=1,
    stem="convolutional", refine=True,
)  # fmt: skip
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def window() -> DetailMap:
    cv2.setNumThreads(1)
    return DetailMap(load_face_model())


@pytest.fixture(scope="module")
def shards(window: DetailMap, tmp_path_factory: pytest.TempPathFactory) -> Shards:
    faces = WrinkleFaces(window, Skins([], window, painted=2, seed=3))
    folder = tmp_path_factory.mktemp("shards")
    write_shard(folder / "00000.npy", faces.sample, range(20_000, 20_006))
    return Shards(folder)


def someone(seed: int) -> FaceTexture:
    rng = np.random.default_rng(seed)
    size = DETAIL_SIZE
    return FaceTexture(
        rng.integers(60, 200, (size, size, 3)).astype(np.uint8),
        np.ones((size, size), np.float32),
        rng.normal(0, 0.1, (size, size)).astype(np.float32),
        np.zeros((size, size, 3), np.float32),
        np.zeros(4, np.float32),
        np.zeros(52, np.float32),
        f"person {seed}",
    )


def test_batches_keep_picture_and_truth_together(shards: Shards, window: DetailMap) -> None:
    whole = next(truth_batches(shards, window.mask, 2, 0, CPU))
    assert whole.image.shape == (2, 4, 256, 256) and whole.truth.shape == (2, 1, 256, 256)
    crop = next(truth_batches(shards, window.mask, 3, 0, CPU, crop=96))
    assert crop.image.shape == (3, 4, 96, 96) and crop.weight.shape == (3, 1, 96, 96)
    # Where relief is deep the picture is darker than around it, in crops and mirrored samples alike.
    logs = torch.log(whole.image[:, :3].mean(1, keepdim=True) + 0.02)
    contrast = logs - torch.nn.functional.avg_pool2d(logs, 15, 1, 7)
    deep = (whole.truth < -0.15) & (whole.weight > 0.5)
    if int(deep.sum()) > 50:
        assert float(contrast[deep].mean()) < float(contrast[whole.weight > 0.5].mean())


def test_real_batches_need_pairs(window: DetailMap) -> None:
    people = RealPeople((someone(0),), ((someone(0), someone(1)),))
    batch = next(real_batches(people, window.mask, 2, 0, CPU))
    assert batch.image.shape == (2, 4, 256, 256)
    assert float(batch.weight.max()) <= 1
    with pytest.raises(ValueError, match="two pictures"):
        next(real_batches(RealPeople((someone(0),), ()), window.mask, 2, 0, CPU))


def test_the_student_learns_from_truth_and_from_real_people(shards: Shards, window: DetailMap) -> None:
    people = RealPeople((someone(0),), ((someone(0), someone(1)),))
    teacher = TeacherUNet(UNetSettings(width=4))
    lessons = RealLessons(people, teacher, begin=0.5, share=1.0)
    stage = DetailStage(DetailMAE(SMALL), shards, shards, window.mask, real=lessons, evaluated=1)
    batches = stage.batches(2, 0, CPU)
    early = stage.losses(next(batches), 0.2)
    assert {"truth", "slope", "cosine", "change"} <= set(early)
    stage.losses(next(batches), 0.9)
    late = stage.losses(next(batches), 0.9)
    assert {"imitation", "animation", "symmetry"} <= set(late)
    torch.stack(list(late.values())).sum().backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is None for p in teacher.parameters())
    sheet = stage.sheet()
    assert sheet.shape[1] == 5 * DETAIL_SIZE and sheet.dtype == np.uint8


def test_the_teacher_is_believed_where_skin_is_compressed() -> None:
    tension = torch.zeros(1, 1, 64, 64)
    tension[..., :32] = -0.2
    tension[..., 32:48] = FOLDS_FROM / 2
    tension[..., 48:] = 0.2
    believed = folding(tension)[0, 0, 32]
    assert float(believed[:24].max()) == 0 and float(believed[60]) == 1
    assert float(believed[40]) == pytest.approx(0.5)
    assert bool((believed.diff() >= 0).all())


@pytest.mark.parametrize("fusion", ["early", "decoder"])
def test_both_fusions_train(shards: Shards, window: DetailMap, fusion: str) -> None:
    settings = SMALL.model_copy(update={"fusion": fusion})
    stage = DetailStage(DetailMAE(settings), shards, shards, window.mask, evaluated=1)
    terms = stage.losses(next(stage.batches(1, 0, CPU)), 0.0)
    torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    assert set(stage.evaluate()) >= {"correlation", "delta_correlation", "border_ratio", "score"}


def test_a_few_steps_of_the_teacher_fit_what_it_is_shown(shards: Shards, window: DetailMap, tmp_path: Path) -> None:
    torch.manual_seed(0)
    stage = TeacherStage(TeacherUNet(UNetSettings(width=8)), shards, shards, window.mask, crop=64, evaluated=3)
    before = stage.evaluate()["correlation"]
    settings = LoopSettings(steps=50, batch=3, rate=8e-3, warmup=5, average=0.5)
    after = run_training(stage, settings, tmp_path)
    assert after["correlation"] > max(before, 0.0) + 0.02
    assert (tmp_path / "best.safetensors").is_file() and (tmp_path / "curves.csv").is_file()


@pytest.mark.slow
def test_a_minute_of_training_improves_unseen_people(window: DetailMap, tmp_path: Path) -> None:
    faces = WrinkleFaces(window, Skins([], window, painted=4, seed=3))
    write_shard(tmp_path / "train" / "00000.npy", faces.sample, range(20_000, 20_060))
    write_shard(tmp_path / "held" / "00000.npy", faces.sample, range(10_000, 10_008))
    torch.manual_seed(0)
    stage = DetailStage(
        DetailMAE(SMALL), Shards(tmp_path / "train"), Shards(tmp_path / "held"), window.mask, evaluated=8, crop_until=2
    )
    before = stage.evaluate()
    settings = LoopSettings(minutes=1, batch=2, rate=3e-3, warmup=10, average=0.9)
    after = run_training(stage, settings, tmp_path / "run")
    assert after["correlation"] > before["correlation"] + 0.1
    assert after["delta_correlation"] > before["delta_correlation"] + 0.03


def test_figures_of_known_maps() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(2, 64, 64))
    mask = np.ones((64, 64))
    assert correlation(truth, truth, mask) == pytest.approx(1)
    assert correlation(-truth, truth, mask) == pytest.approx(-1)
    assert correlation(np.zeros_like(truth), truth, mask) == 0
    assert amplitude(0.4 * truth, truth, mask) == pytest.approx(0.4)
    assert border_ratio(truth) == pytest.approx(1, abs=0.1)
    blocks = np.kron(rng.normal(size=(4, 4)), np.ones((16, 16)))[None]
    assert border_ratio(blocks) > 5
    waves = np.sin(np.arange(256) / 256 * 2 * np.pi * 24)[None, None] * np.ones((1, 256, 1))
    assert spectrum(waves)["16-32"] > 0.95


def test_samples_have_the_same_shapes(shards: Shards) -> None:
    sample: DetailSample = shards[0]
    assert sample.image.shape == (4, 256, 256)
    assert {m.shape for m in (sample.tension, sample.truth, sample.other_tension, sample.other_truth)} == {(256, 256)}
