"""The coarse network while tracking: what it answers, how it is put right, and when it is not believed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.channels import CHANNEL_INDEX
from models.face_model import load_face_model
from models.geometry.camera import Camera
from models.geometry.crop import Crop
from models.geometry.rotations import HEAD_TO_CAMERA, angle_between, facing, from_euler, from_rotvec
from models.networks.presets import PresetName, ViTSettings
from models.networks.stored import WeightsError, WeightsHeader, write_weights
from models.networks.vit import CoarseViT
from tracking import FaceTracker, StillTracker, TrackerSettings
from tracking.coarse import (
    NETWORK,
    CoarseAnswer,
    CoarsePredictor,
    chosen_weights,
    coarse_weights,
    crop_of_landmarks,
    paying_threads,
)
from tracking.coarse_lead import CoarseLead, seen
from tracking.coarse_settings import CoarseSettings
from tracking.fit import FitSession, FitSettings
from tracking.fit.regressor import Guess
from tracking.sources import VideoSource
from tracking.types import FaceObservation, FaceParameters, Frame

SMALL = ViTSettings(image_size=64, dim=64, heads=4, depth=1, stem="convolutional", points=70)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    header = WeightsHeader(
        network=NETWORK, preset="lite", face_model=load_face_model().name, settings=SMALL.model_dump(),
        extra={
            "crop_pixels": 64, "layout": {"identity": 100, "albedo": 16},
            "channel_sigma": [0.2] * 52, "rotation_sigma": 0.1,
        },
    )  # fmt: skip
    path = tmp_path_factory.mktemp("weights") / "coarse.safetensors"
    write_weights(path, CoarseViT(SMALL), header)
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_CACHE", str(tmp_path_factory.getbasetemp() / "engines"))


def test_an_untrained_network_answers_with_a_face_in_the_crop(weights: Path) -> None:
    predictor = CoarsePredictor(load_face_model(), weights)
    camera = Camera.from_fov(640, 480)
    crop = Crop(400.0, 200.0, 80.0)
    answer = predictor.predict(np.zeros((480, 640, 3), np.uint8), crop, camera)
    origin = camera.project(answer.parameters.translation[None], answer.parameters.translation[2])[0]
    assert np.abs(crop.to_crop(origin[None])).max() < 0.3
    assert 0.2 < answer.parameters.translation[2] < 3
    assert np.allclose(seen(answer.parameters), answer.seen, atol=1e-5)
    guess = predictor.opinion(answer)
    assert guess.sigma.shape == (52,) and guess.rotation_sigma == pytest.approx(0.1)


def test_weights_of_another_face_model_are_refused(weights: Path) -> None:
    model = load_face_model()

    class Other:
        name = "another head"

    with pytest.raises(WeightsError, match="use its own face model"):
        CoarsePredictor(Other(), weights)  # type: ignore[arg-type]
    assert model.name


class Biased:
    """Knows the truth and always errs in the same way; with `looks` it also finds landmarks, all of them beside their
    places by as much as that."""

    finds_landmarks = True

    def __init__(self, truth: FaceParameters, looks: tuple[float, float] | None = None) -> None:
        self.truth = truth
        self.looks = looks
        self.jump = np.zeros(3)
        self.muted = 0.0
        self.crops: list[Crop] = []

    def predict(self, image: np.ndarray, crop: Crop, camera: Camera) -> CoarseAnswer:
        true = self.truth
        self.crops.append(crop)
        turn = from_rotvec(np.array([0.02, -0.05, 0.03])) @ seen(true)
        translation = (true.translation + self.jump) * np.array([1.0, 1.0, 1.0]) * 1.08
        rotation = HEAD_TO_CAMERA @ facing(translation) @ HEAD_TO_CAMERA @ turn
        expression = np.clip(true.expression + 0.1 - self.muted, 0, 1).astype(np.float32)
        parameters = replace(
            true, translation=translation, rotation=rotation, expression=expression, gaze=true.gaze + 0.05
        )  # fmt: skip
        landmarks = None
        if self.looks is not None:
            landmarks = observed(true).landmarks[:, :2] + np.asarray(self.looks, np.float32)
        return CoarseAnswer(parameters, turn, np.zeros((9, 3), np.float32), np.zeros(16, np.float32), landmarks)

    def opinion(self, answer: CoarseAnswer) -> Guess:
        assert self.looks is not None, "not asked for"
        p = answer.parameters
        return Guess(p.expression.astype(float), np.full(52, 0.3), p.gaze.astype(float), answer.seen, 0.1)


def truth_at(yaw: float, smile: float, x: float) -> FaceParameters:
    expression = np.zeros(52, np.float32)
    expression[[CHANNEL_INDEX["mouthSmileLeft"], CHANNEL_INDEX["jawOpen"]]] = smile
    return FaceParameters(
        load_face_model().identity(), expression, from_euler(yaw, 0.1, 0.0), np.array([x, 0.02, 0.6]),
        np.full((2, 2), 0.1, np.float32), Camera.from_fov(640, 480),
    )  # fmt: skip


def observed(parameters: FaceParameters) -> FaceObservation:
    model = load_face_model()
    posed = model.pose(parameters.identity, parameters.expression, parameters.gaze)
    points = model.embed(posed.vertices, model.landmarks478)
    pixels = parameters.camera.project_head(points, parameters.rotation, parameters.translation)
    landmarks = np.column_stack([pixels, np.zeros(len(pixels))]).astype(np.float32)
    box = np.concatenate([pixels.min(axis=0), pixels.max(axis=0)]).astype(np.float32)
    return FaceObservation(landmarks, np.zeros(52, np.float32), box, 0.9)


def test_a_steady_error_is_taken_out() -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    start = truth_at(0.1, 0.3, 0.0)
    network = Biased(start)
    lead = CoarseLead(load_face_model(), network)  # type: ignore[arg-type]
    assert not lead.ready
    lead.learn(lead.look(picture, observed(start), start.camera), start, observed(start))
    for step in range(1, 5):
        truth = truth_at(0.1 + 0.03 * step, 0.3 + 0.1 * step, 0.005 * step)
        network.truth = truth
        found = lead.follow(picture)
        assert found is not None
        parameters, observation = found
        assert np.degrees(angle_between(parameters.rotation, truth.rotation)) < 0.7
        assert np.abs(parameters.translation - truth.translation).max() < 0.004
        moving = [CHANNEL_INDEX["mouthSmileLeft"], CHANNEL_INDEX["jawOpen"]]
        assert np.allclose(parameters.expression[moving], truth.expression[moving], atol=1e-5)
        assert np.allclose(parameters.gaze, truth.gaze, atol=1e-5)
        assert np.abs(observation.landmarks[:, :2] - observed(truth).landmarks[:, :2]).max() < 4


def test_the_fit_follows_the_landmarks_that_the_network_finds() -> None:
    """An answer that is wrong by more in each frame does little harm where its landmarks are right but for a shift."""
    model, picture = load_face_model(), np.zeros((480, 640, 3), np.uint8)
    start = truth_at(0.1, 0.3, 0.0)
    network = Biased(start, looks=(4.0, -3.0))
    lead, session = CoarseLead(model, network), FitSession(model, FitSettings(correlation=1.0))  # type: ignore[arg-type]
    fitted = session.fit(observed(start), 640, 480).parameters
    lead.learn(lead.look(picture, observed(start), start.camera), fitted, observed(start))
    missing = []
    for step in range(1, 6):
        truth = truth_at(0.1 + 0.03 * step, 0.3 + 0.1 * step, 0.005 * step)
        network.truth, network.muted = truth, 0.06 * step
        followed = lead.follow(picture, session)
        assert followed is not None
        jaw = CHANNEL_INDEX["jawOpen"]
        missing.append(float(truth.expression[jaw] - followed[0].expression[jaw]))
        away = followed[1].landmarks[:, :2] - observed(truth).landmarks[:, :2]
        assert np.linalg.norm(away, axis=1).mean() < 2.5
    # From the first frame to the last the answer loses another 0.24.
    assert missing[-1] - missing[0] < 0.05
    assert not session.identity_held
    lead.close()


def test_still_pictures_by_the_networks_own_landmarks() -> None:
    """Where the answer is off and the landmarks are not, the fit to these puts the mesh where the face is."""
    picture = np.zeros((480, 640, 3), np.uint8)
    truth = truth_at(0.1, 0.5, 0.0)
    network = Biased(truth, looks=(0.0, 0.0))
    away = {}
    for way in ("coarse", "coarse-fit"):
        with StillTracker(coarse=network, way=way) as tracker:  # type: ignore[arg-type]
            found = tracker.estimate(picture, observed(truth))
        away[way] = np.linalg.norm(observed(found).landmarks - observed(truth).landmarks, axis=1).mean()
    assert away["coarse-fit"] < 0.5 * away["coarse"]
    assert away["coarse-fit"] < 1.5


def test_the_network_looks_beside_the_detector_where_there_is_a_face_to_follow() -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    start = truth_at(0.1, 0.3, 0.0)
    network = Biased(start)
    lead = CoarseLead(load_face_model(), network)  # type: ignore[arg-type]
    assert lead.look_beside(picture) is None
    lead.learn(lead.look(picture, observed(start), start.camera), start, observed(start))
    network.truth = truth_at(0.15, 0.4, 0.005)
    pending = lead.look_beside(picture)
    assert pending is not None and np.allclose(pending.result().answer.parameters.gaze, network.truth.gaze + 0.05)
    # The same crop as where it follows alone, so that what is learned from the one holds for the other.
    assert lead.follow(picture) is not None
    assert network.crops[-1] == network.crops[-2]
    assert lead.saw(pending.result(), observed(network.truth))
    assert not lead.saw(pending.result(), observed(truth_at(0.15, 0.4, 0.12)))
    assert not lead.saw(pending.result(), observed(replace(start, translation=start.translation * 0.7)))
    assert lead.look_beside(np.zeros((100, 100, 3), np.uint8)) is None
    lead.close()


def test_a_jump_is_not_believed() -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    start = truth_at(0.0, 0.0, 0.0)
    network = Biased(start)
    lead = CoarseLead(load_face_model(), network)  # type: ignore[arg-type]
    lead.learn(lead.look(picture, observed(start), start.camera), start, observed(start))
    network.jump = np.array([0.2, 0.0, 0.0])
    assert lead.follow(picture) is None
    network.jump = np.zeros(3)
    network.truth = truth_at(1.2, 0.0, 0.0)
    assert lead.follow(picture) is None
    assert lead.follow(np.zeros((100, 100, 3), np.uint8)) is None
    lead.lose_track()
    assert lead.follow(picture) is None


@pytest.mark.parametrize("mode", ["opinion", "lead"])
def test_the_tracker_works_with_the_network(weights: Path, demo_clip: Path, mode: str) -> None:
    settings = TrackerSettings(coarse=CoarseSettings(mode=mode, weights=weights, every=3))
    with VideoSource(demo_clip) as source, FaceTracker(settings) as tracker:
        results = [tracker.process(frame) for frame, _ in zip(source, range(9), strict=False)]
        stages = [[s.name for s in r.stages] for r in results]
        black = Frame(99, 9.0, 0, np.zeros_like(results[0].frame.image))
        gone = [tracker.process(replace(black, index=99 + i, time_s=9.0 + i)) for i in range(4)]
    assert all(r.valid for r in results)
    assert all("coarse" in names for names in stages)
    detected = ["landmarks" in names for names in stages]
    assert all(detected) if mode == "opinion" else detected.count(True) < 9 and detected[0]
    # A face that is gone is noticed at the latest when the detector looks again.
    assert not gone[-1].valid


def test_still_pictures_by_the_network_alone(weights: Path, demo_clip: Path) -> None:
    with VideoSource(demo_clip) as source:
        image = next(iter(source)).image
    predictor = CoarsePredictor(load_face_model(), weights)
    with StillTracker(coarse=predictor, way="coarse") as alone, StillTracker(coarse=predictor) as both:
        face = alone.detect(image)[0]
        raw, refined = alone.estimate(image, face), both.estimate(image, face)
    answer = predictor.predict(image, crop_of_landmarks(face.landmarks), raw.camera)
    assert np.allclose(raw.expression, answer.parameters.expression)
    assert angle_between(refined.rotation, raw.rotation) > 1e-3
    with pytest.raises(ValueError, match="nothing but the fit"):
        StillTracker(way="coarse")
    with pytest.raises(ValueError, match="finds no landmarks"):
        StillTracker(coarse=predictor, way="coarse-fit")


def test_which_weights_are_taken(weights: Path) -> None:
    assert chosen_weights(CoarseSettings()) == coarse_weights("lite")
    assert chosen_weights(CoarseSettings(preset="paper")) == coarse_weights("paper")
    assert chosen_weights(CoarseSettings(preset="paper", weights=weights)) == weights


@pytest.mark.parametrize("preset", ["lite", "paper"])
def test_the_shipped_networks_see_a_face(preset: PresetName, demo_clip: Path) -> None:
    with VideoSource(demo_clip) as source:
        image = next(iter(source)).image
    predictor = CoarsePredictor(load_face_model(), coarse_weights(preset))
    assert predictor.header.preset == preset
    with StillTracker(coarse=predictor, way="coarse") as tracker:
        face = tracker.detect(image)[0]
        found = tracker.estimate(image, face)
    answer = predictor.predict(image, crop_of_landmarks(face.landmarks), found.camera)
    assert answer.landmarks is not None
    detected = face.landmarks[:, :2]
    eyes = np.linalg.norm(detected[33] - detected[263])
    assert np.linalg.norm(answer.landmarks - detected, axis=1).mean() < 0.08 * eyes


def test_threads_leave_the_cores_that_others_keep_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, taken, threads in ((2, 0, 2), (2, 1, 1), (1, 1, 1), (16, 1, 4), (None, 0, 1)):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        assert paying_threads(taken) == threads


def test_engines_are_tested_on_a_face(weights: Path) -> None:
    """On noise the windows of the close looks lie anywhere, and half precision answers what it likes."""
    predictor = CoarsePredictor(load_face_model(), weights)
    (example,) = predictor.spec.example()
    assert example.shape == (1, 3, 64, 64) and example.dtype == np.float32
    assert example.min() >= 0 and example.max() <= 1
    (again,) = predictor.spec.example()
    assert np.array_equal(example, again)
    # A face in front of a wall: smooth almost everywhere, which noise is not.
    assert np.abs(np.diff(example, axis=3)).mean() < 0.25 * example.std()
    shipped = CoarsePredictor(load_face_model())
    assert shipped.chosen.report.difference is not None and shipped.chosen.report.difference < 0.05
