"""The measures of `evaluate detail`, on answers whose quality is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.face_model import load_face_model
from models.face_model.detail_map import DetailMap
from models.networks.detail_weights import load_detail, shipped_detail
from models.networks.mae import DetailMAE
from models.networks.presets import MAESettings
from models.training.data.textures import FaceTexture
from models.training.data.wrinkle_faces import Skins, WrinkleFaces, network_image
from models.training.evaluation import driven_detail
from models.training.evaluation.answers import DetailAnswers
from models.training.evaluation.people_detail import drawn_line_figures, people_figures
from models.training.evaluation.regions import face_regions, strength
from models.training.evaluation.synthetic_detail import mark_figures, truth_figures

Floats = NDArray[np.float32]
TINY = MAESettings(encoder_dim=16, encoder_heads=2, encoder_depth=1, decoder_dim=16, decoder_heads=2, decoder_depth=1)


@pytest.fixture(scope="module")
def window() -> DetailMap:
    cv2.setNumThreads(1)
    return DetailMap(load_face_model())


class DarkIsDeep(DetailAnswers):
    """Answers with the contrast of the picture, opened by the tension: right in sign, wrong about marks."""

    def __init__(self, mask: Floats) -> None:
        torch.manual_seed(0)
        super().__init__(DetailMAE(TINY), mask)

    def driven(self, image: Floats, tensions: list[Floats], own: Floats) -> list[Floats]:
        logs = np.log(image[:3].mean(axis=0) + 0.02)
        dark = np.minimum(logs - cv2.GaussianBlur(logs, (0, 0), 4.0), 0)
        return [np.asarray(dark * (1 + 4 * np.clip(t, 0, 1)) * self.mask, np.float32) for t in tensions]


def face(window: DetailMap, fold: float, tension: float, seed: int) -> FaceTexture:
    regions = face_regions(window)
    rgb = np.full((256, 256, 3), 150, np.uint8)
    rows = np.indices((256, 256)).sum(axis=0) % 12 < 3
    rgb[regions["nasolabial"] & rows] = int(150 * (1 - fold))
    rng = np.random.default_rng(seed)
    return FaceTexture(
        rgb, np.ones((256, 256), np.float32), np.full((256, 256), tension, np.float32) * rng.uniform(0.5, 1.5),
        np.zeros((256, 256, 3), np.float32), window.model.identity(), np.zeros(52, np.float32), str(seed),
    )  # fmt: skip


def test_regions_are_apart_and_symmetric(window: DetailMap) -> None:
    regions = face_regions(window)
    for name, region in regions.items():
        assert 60 < int(region.sum()) < 6000, name
        assert float((region == region[:, ::-1]).mean()) > 0.99, name
    assert not (regions["nose"] & regions["nasolabial"]).sum() > 0.3 * regions["nose"].sum()
    relief = np.zeros((256, 256), np.float32)
    relief[regions["chin"]] = 0.2
    relief[::2] *= -1
    assert strength(relief, regions["chin"]) > 10 * strength(relief, regions["forehead"])


def test_stronger_folds_in_the_smile_are_counted(window: DetailMap) -> None:
    answers = DarkIsDeep(window.mask)
    pairs = [(face(window, 0.02, 0.0, i), face(window, 0.2, 0.1, i + 10)) for i in range(3)]
    figures = people_figures(answers, window, pairs)
    nasolabial = figures["nasolabial"]
    assert isinstance(nasolabial, dict)
    assert nasolabial["share_stronger"] == 1 and nasolabial["median_ratio"] > 3
    tension = figures["tension"]
    assert isinstance(tension, dict) and tension["own_tension"] > 0.5
    leakage = figures["leakage_over_smile_fold"]
    assert isinstance(leakage, dict) and leakage["chin"] < 0.5
    compressed = figures["compression_by_smile"]
    assert isinstance(compressed, dict) and 0.04 < compressed["chin"] < 0.16


def test_a_network_that_takes_lines_for_wrinkles_is_found_out(window: DetailMap) -> None:
    answers = DarkIsDeep(window.mask)
    skins = Skins([], window, painted=2, seed=1)
    faces = WrinkleFaces(window, skins)
    marks = mark_figures(answers, faces, skins, range(2))
    assert marks["lines"] > 0.5 and marks["wrinkles_mm_per_log_contrast"] > 0
    drawn = drawn_line_figures(answers, [face(window, 0.0, 0.0, 0)], skins.beard)
    assert drawn["line_mm"] > 0.02


def test_truth_figures_tell_a_good_answer_from_none(window: DetailMap) -> None:
    faces = WrinkleFaces(window, Skins([], window, painted=2, seed=1))
    sample = faces.sample(0)
    mean = network_image(np.full((256, 256, 3), 128, np.uint8), np.ones((256, 256), np.float32))

    class Oracle(DarkIsDeep):
        def driven(self, image: Floats, tensions: list[Floats], own: Floats) -> list[Floats]:
            known = image is not mean and np.array_equal(image, sample.image)
            other = sample.other_truth
            return [
                (sample.truth if t is own or np.array_equal(t, sample.tension) else other) * float(known)
                for t in tensions
            ]

    figures = truth_figures(Oracle(window.mask), faces, range(1), mean)
    assert figures["correlation"] == pytest.approx(1) and figures["delta_correlation"] == pytest.approx(1)
    assert figures["correlation_tension_only"] == 0

    class Camera(Oracle):
        """Knows nothing of what the camera did not see."""

        def driven(self, image: Floats, tensions: list[Floats], own: Floats) -> list[Floats]:
            return [answer * (image[3] > 0.5) for answer in super().driven(image, tensions, own)]

    seen = truth_figures(Camera(window.mask), faces, range(1), mean)
    for name in ("correlation", "delta_correlation"):
        assert seen[f"{name}_where_seen"] == pytest.approx(1) and seen[name] != pytest.approx(1, abs=1e-3)


def test_several_pictures_drive_a_person_better_than_one(window: DetailMap, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the shipped network: an avatar's pictures beat the calmest alone, and stay behind the judged one itself."""
    monkeypatch.setattr(driven_detail, "CAPTURED", 16)
    monkeypatch.setattr(driven_detail, "JUDGED", 3)
    network, _ = load_detail(shipped_detail("lite"))
    faces = WrinkleFaces(window, Skins([], window, painted=4))
    seen: list[None] = []
    figures = driven_detail.driven_figures(
        DetailAnswers(network, window.mask), faces, range(10, 12), lambda: seen.append(None)
    )
    assert figures["people"] == len(seen) == 2
    assert figures["one_picture"] < figures["sources"] < figures["own_picture"]
    assert figures["gain"] == pytest.approx(figures["sources"] - figures["one_picture"])
