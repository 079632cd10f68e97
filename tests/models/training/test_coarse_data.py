"""Rendered training faces: labels that belong to the picture, shards that keep them, crops that follow."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.channels import CHANNEL_INDEX
from models.differentiable.face import FacePoints
from models.differentiable.projection import to_camera, to_crop
from models.face_model import load_face_model
from models.geometry.crop import REACH, TYPICAL_SCALE
from models.training.data.coarse_batches import RenderedCrops, collate, crop_sample
from models.training.data.coarse_faces import PICTURE, CoarseFaces, CoarseSample
from models.training.data.coarse_shards import read_shard, render_shards, shard_path
from models.training.data.faces import random_expression, random_placing
from models.training.data.photometric import degrade


@pytest.fixture(scope="module")
def samples() -> list[CoarseSample]:
    faces = CoarseFaces(500)
    return faces.person(4) + faces.person(4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shards")
    render_shards(path, range(500, 504), people=2)
    return path


def test_the_same_seed_is_the_same_person(samples: list[CoarseSample]) -> None:
    again = CoarseFaces(500).person(4)
    assert all(np.array_equal(a.image, b.image) for a, b in zip(samples, again, strict=False))
    assert np.array_equal(samples[0].identity, samples[3].identity)
    assert not np.array_equal(samples[0].identity, samples[4].identity)


def test_labels_lie_on_the_face(samples: list[CoarseSample]) -> None:
    """The eye openings that the labels project must be where the picture changes from skin to eye."""
    model = load_face_model()
    found = 0
    for sample in samples:
        posed = model.pose(sample.identity, sample.expression, sample.gaze)
        wide = sample.expression[CHANNEL_INDEX["eyeBlinkLeft"]] < 0.3
        turned = abs(float(np.arctan2(sample.seen[0, 2], sample.seen[2, 2]))) > 0.6
        if not wide or turned:
            continue
        found += 1
        half = sample.base[2] * REACH
        points = model.embed(posed.vertices, model.landmarks68)
        rotation = np.diag([1.0, -1.0, -1.0])
        from models.geometry.rotations import facing

        camera = points @ (facing(sample.translation) @ rotation @ sample.seen).T + sample.translation
        pixels = (camera[:, :2] / camera[:, 2:] * sample.focal - sample.base[:2]) / half
        assert np.abs(pixels).max() < 1
        across = (pixels[[36, 45]] + 1) * PICTURE / 2
        assert np.linalg.norm(across[0] - across[1]) > 0.15 * PICTURE
    assert found >= 1


def test_expressions_cover_what_faces_do() -> None:
    rng = np.random.default_rng(0)
    drawn = np.stack([random_expression(rng) for _ in range(3000)])
    assert drawn.min() >= 0 and drawn.max() <= 1
    moving = [n for n in CHANNEL_INDEX if not n.startswith("eyeLook")]
    for name in moving:
        assert (drawn[:, CHANNEL_INDEX[name]] > 0.5).mean() > 0.004, name
    assert (drawn[:, CHANNEL_INDEX["mouthClose"]] <= drawn[:, CHANNEL_INDEX["jawOpen"]]).all()
    opened = drawn[:, CHANNEL_INDEX["jawOpen"]] - drawn[:, CHANNEL_INDEX["mouthClose"]]
    tongue = drawn[:, CHANNEL_INDEX["tongueOut"]]
    assert (opened[tongue > 0.2] > 0.19).all()
    assert (drawn.max(axis=1) == 0).mean() == pytest.approx(0.07, abs=0.03)
    # One side alone must occur.
    left, right = drawn[:, CHANNEL_INDEX["mouthSmileLeft"]], drawn[:, CHANNEL_INDEX["mouthSmileRight"]]
    assert ((left > 0.4) & (right < 0.1)).mean() > 0.005


def test_heads_turn_to_eighty_degrees_and_mostly_look_here() -> None:
    rng = np.random.default_rng(0)
    yaws = np.degrees([np.arctan2(p.seen[0, 2], p.seen[2, 2]) for p in (random_placing(rng) for _ in range(2000))])
    assert 70 < np.abs(yaws).max() <= 95
    assert np.median(np.abs(yaws)) < 25


def test_shards_keep_everything_and_are_not_rendered_twice(folder: Path) -> None:
    path = shard_path(folder, 500)
    shard = read_shard(path)
    assert len(shard) == 8
    assert shard.labels["expression"].shape == (8, 52)
    wanted = CoarseFaces(500).person(4)
    assert np.allclose(shard.labels["identity"][0], wanted[0].identity)
    assert np.abs(shard.image(0).astype(int) - wanted[0].image).mean() < 6
    before = path.stat().st_mtime_ns
    render_shards(folder, range(500, 504), people=2)
    assert path.stat().st_mtime_ns == before


def test_a_damaged_shard_is_said(tmp_path: Path) -> None:
    path = tmp_path / "coarse_00000001.npz"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="damaged: delete it"):
        read_shard(path)


def test_no_pictures_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no training pictures"):
        RenderedCrops(tmp_path)


def test_crops_and_labels_move_together(folder: Path) -> None:
    """The same landmark shows the same patch of picture in an augmented crop as in the plain one."""
    shard = read_shard(shard_path(folder, 500))
    model = load_face_model()
    face = FacePoints.of_embedding(model, model.landmarks68, 100)
    rng = np.random.default_rng(4)
    for index in range(4):
        plain = crop_sample(shard, index, 256, None)
        moved = crop_sample(shard, index, 256, rng)
        assert plain.crop.half == pytest.approx(float(shard.labels["base"][index, 2]) * TYPICAL_SCALE)
        batch = collate([plain, moved])
        posed = face(batch.identity[:, :100], batch.expression)
        points = to_crop(to_camera(posed, batch.seen, batch.translation), batch.translation, batch.camera).numpy()
        assert np.abs(points).max() < 1.1
        stored = [c.to_pixels(p) for c, p in zip((plain.crop, moved.crop), points, strict=True)]
        assert np.allclose(stored[0], stored[1], atol=1e-2)


def test_the_true_camera_is_in_the_batch(folder: Path) -> None:
    shard = read_shard(shard_path(folder, 500))
    batch = collate([crop_sample(shard, 0, 64, None)])
    origin = shard.labels["translation"][0]
    assert float(batch.scale[0]) == pytest.approx(
        float(shard.labels["focal"][0, 0] / origin[2] / (shard.labels["base"][0, 2] * TYPICAL_SCALE)), rel=1e-5
    )
    assert batch.place.abs().max() < 1


def test_cameras_degrade_pictures_but_leave_them_pictures(samples: list[CoarseSample]) -> None:
    rng = np.random.default_rng(0)
    image = cv2.resize(samples[0].image, (128, 128))
    for _ in range(40):
        worse = degrade(np.asarray(image, np.uint8), rng)
        assert worse.shape == (128, 128, 3) and worse.dtype == np.uint8
        assert np.corrcoef(worse.ravel(), image.ravel())[0, 1] > 0.3
