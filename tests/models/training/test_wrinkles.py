"""The generator: wrinkles open where skin is compressed across them, pictures show them, marks are no relief."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.face_model import load_face_model
from models.face_model.detail_map import DETAIL_SIZE, FULL_SIZE, DetailMap
from models.synthesis.light import directional_light, sh_basis
from models.training.data.detail_shading import detail_normals, occlusion, shading
from models.training.data.expressions import FAMILIES, named_expression, random_expression
from models.training.data.shards import Shards, write_shard
from models.training.data.skin_marks import CHANCES, draw_mark
from models.training.data.strain import compression
from models.training.data.wrinkle_faces import Skins, View, WrinkleFaces
from models.training.data.wrinkles import LIMIT
from models.training.detail_figures import spectrum
from models.training.evaluation.regions import face_regions, strength


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    cv2.setNumThreads(1)


@pytest.fixture(scope="module")
def window() -> DetailMap:
    return DetailMap(load_face_model())


@pytest.fixture(scope="module")
def faces(window: DetailMap) -> WrinkleFaces:
    return WrinkleFaces(window, Skins([], window, painted=3, seed=5))


STRENGTHS: dict[str, dict[str, float]] = {}


def mean_strengths(faces: WrinkleFaces, expression: str, people: int = 3) -> dict[str, float]:
    if expression in STRENGTHS:
        return STRENGTHS[expression]
    regions = face_regions(faces.window)
    sums = dict.fromkeys(regions, 0.0)
    for seed in range(people):
        person = faces.person(np.random.default_rng(seed), age=0.7)
        relief = faces.relief(person, faces.maps(person, named_expression(expression)))
        for name, region in regions.items():
            sums[name] += strength(relief, region) / people
    STRENGTHS[expression] = sums
    return sums


def test_the_window_is_mirror_symmetric_and_leaves_out_what_has_no_wrinkles(window: DetailMap) -> None:
    np.testing.assert_allclose(window.mask, window.mask[:, ::-1], atol=1e-6)
    assert 0.3 < float((window.mask > 0.5).mean()) < 0.8
    for region in ("lips", "hidden", "scalp", "neck", "ears"):
        assert float((window.mask * window.region(region)).max()) < 0.3, region
    whole = DetailMap.whole(window.mask)
    assert whole.shape == (FULL_SIZE, FULL_SIZE) and float(whole.sum()) == pytest.approx(float(window.mask.sum()))


@pytest.mark.parametrize(
    ("expression", "region", "factor"),
    [
        ("brow raise", "forehead", 2.0),
        ("frown", "glabella", 2.0),
        ("smile", "nasolabial", 1.4),  # many people have this fold at rest, too
        ("smile", "crows_feet", 2.0),
        ("sneer", "nose", 2.0),
    ],
)
def test_an_expression_creases_the_skin_where_it_should(
    faces: WrinkleFaces, expression: str, region: str, factor: float
) -> None:
    assert mean_strengths(faces, expression)[region] > factor * mean_strengths(faces, "neutral")[region]


def test_stretched_skin_loses_its_wrinkles(faces: WrinkleFaces) -> None:
    smile, neutral = mean_strengths(faces, "smile"), mean_strengths(faces, "neutral")
    assert smile["chin"] < neutral["chin"]


def test_two_people_of_one_expression_crease_differently(faces: WrinkleFaces) -> None:
    maps = []
    for seed in (1, 2):
        person = faces.person(np.random.default_rng(seed), age=0.8)
        maps.append(faces.relief(person, faces.maps(person, named_expression("smile"))))
    assert abs(float(np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1])) < 0.7


def test_displacement_is_limited_masked_and_repeatable(faces: WrinkleFaces) -> None:
    first, again = faces.sample(20_123), faces.sample(20_123)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.truth, again.truth)
    assert float(np.abs(first.truth).max()) <= LIMIT
    assert float(np.abs(first.truth[faces.window.mask < 1e-3]).max()) < 0.05
    assert first.image.shape == (4, DETAIL_SIZE, DETAIL_SIZE)
    assert float(first.image.min()) >= 0 and float(first.image.max()) <= 1
    assert np.isfinite(first.tension).all() and float(np.abs(first.tension).max()) <= 0.5


def test_static_relief_does_not_dominate_and_the_spectrum_is_not_smooth(faces: WrinkleFaces) -> None:
    samples = [faces.sample(seed) for seed in range(20_000, 20_014)]
    truth, other = (np.stack([getattr(s, name) for s in samples]) for name in ("truth", "other_truth"))
    assert 0.5 < float((other - truth).std() / truth.std()) < 1.2
    shares = spectrum(truth)
    assert shares["16-32"] + shares["32-64"] > 0.35, shares
    assert shares["64-128"] < 0.3


def test_the_light_shows_relief_and_occlusion_darkens_its_bottom(faces: WrinkleFaces) -> None:
    person = faces.person(np.random.default_rng(3), age=0.9)
    maps = faces.maps(person, named_expression("smile"))
    relief = faces.relief(person, maps)
    normals, coarse = detail_normals(relief, maps), detail_normals(np.zeros_like(relief), maps)
    inside = faces.window.mask > 0.9
    np.testing.assert_allclose(np.linalg.norm(normals[inside], axis=1), 1, atol=1e-3)
    along = np.einsum("nk,nk->n", coarse[inside], maps.normals[inside]) / np.linalg.norm(maps.normals[inside], axis=1)
    assert float(along.min()) > 0.999
    assert float(np.abs(normals - coarse)[inside].max()) > 0.1
    deep = relief < np.percentile(relief[inside], 1)
    assert float(occlusion(relief, 1.0)[deep].mean()) < -0.03
    assert float(occlusion(relief, 1.0).max()) <= 0


def test_shading_is_that_of_the_renderer() -> None:
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(8, 8, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    light = directional_light(np.array([0.4, 0.5, 1.0]))
    wanted = np.maximum(sh_basis(normals) @ light, 0.06)
    np.testing.assert_allclose(shading(normals, light), wanted, atol=1e-4)


def test_compression_of_a_squeeze_is_what_it_says(window: DetailMap, faces: WrinkleFaces) -> None:
    person = faces.person(np.random.default_rng(0))
    maps = faces.maps(person, np.zeros(52, np.float32))
    assert float(np.abs(compression(maps, 0.7)[window.mask > 0.5]).max()) < 1e-3
    raised = compression(faces.maps(person, named_expression("brow raise"), maps), np.pi / 2)
    regions = face_regions(window)
    assert float(raised[regions["forehead"]].max()) > 0.1, "the forehead is pushed together from below"


def test_marks_colour_the_skin_and_nothing_else(faces: WrinkleFaces) -> None:
    for mark in CHANCES:
        logs = np.zeros((DETAIL_SIZE, DETAIL_SIZE, 3), np.float32)
        cover = draw_mark(logs, mark, np.random.default_rng(1), faces.skins.beard, strength=0.5)
        assert float(cover.min()) >= 0 and float(cover.max()) <= 1.001
        assert float(logs.max()) <= 0 and float(logs.min()) < -0.05, mark


def test_expressions_stay_in_range_and_leave_gaze_alone() -> None:
    rng = np.random.default_rng(0)
    drawn: NDArray[np.float32] = np.stack([random_expression(rng) for _ in range(200)])
    assert float(drawn.min()) >= 0 and float(drawn.max()) <= 1
    assert len(FAMILIES) > 8
    left, right = drawn[:, 19], drawn[:, 20]
    assert float(np.abs(left - right).max()) > 0.3, "some are one-sided"


def test_a_shard_gives_back_its_samples(faces: WrinkleFaces, tmp_path: Path) -> None:
    seeds = (20_001, 20_002)
    write_shard(tmp_path / "00000.npy", faces.sample, seeds)
    shards = Shards(tmp_path)
    assert len(shards) == 2
    wanted = faces.sample(seeds[1])
    np.testing.assert_allclose(shards[1].truth, wanted.truth, atol=6e-4)
    np.testing.assert_allclose(shards[1].image, wanted.image, atol=3e-3)
    np.testing.assert_allclose(shards[1].other_tension, wanted.other_tension, atol=3e-3)
    np.save(tmp_path / "00001.npy", np.zeros(3))
    with pytest.raises(ValueError, match="another layout"):
        shards.refresh()
    with pytest.raises(ValueError, match="no shards"):
        Shards(tmp_path / "nowhere")


def test_views_differ_and_are_sharp_half_of_the_time() -> None:
    rng = np.random.default_rng(0)
    views = [View.random(rng) for _ in range(100)]
    assert 20 < sum(view.blur < 0.5 for view in views) < 90
    assert min(float(view.towards[2]) for view in views) < 0.85
