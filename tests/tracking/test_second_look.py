"""Two observers of one person: their middle, a person taken as known, and avatars learned from both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tracking.coarse
from app.avatar_work import AvatarWork
from app.jobs.avatar_observers import observers
from app.jobs.track import Progress
from models.engines.base import EngineError
from models.face_model import FaceModel, load_face_model
from models.networks.stored import WeightsError
from tests.helpers.perfect_detector import FOV, HEIGHT, WIDTH, expression, seen, state
from tracking import FaceTracker
from tracking.coarse import CoarsePredictor
from tracking.fit import FitSession, FitSettings
from tracking.observer_trust import network_share, share_steps
from tracking.person_capture import CapturedFrame, PersonCapture
from tracking.person_fit import Observed, known_poses
from tracking.second_look import SHARE, SecondLook, between, second_look
from tracking.sources.synthetic import SyntheticSettings, SyntheticSource
from tracking.types import FaceObservation


@pytest.fixture(scope="module")
def head() -> FaceModel:
    return load_face_model()


@pytest.fixture(scope="module")
def work(head: FaceModel) -> AvatarWork:
    capture = PersonCapture()
    with SyntheticSource(SyntheticSettings(seed=3, frames=60), head) as source, FaceTracker(model=head) as tracker:
        for frame in source:
            capture.add(tracker.process(frame))
    return AvatarWork(
        "clip", capture.check(), tuple(capture.seen), tuple(capture.frames()), spread=tuple(capture.spread)
    )


def test_the_middle_of_both_lies_nearer_to_the_truth(head: FaceModel, work: AvatarWork) -> None:
    source = SyntheticSource(SyntheticSettings(seed=3, frames=60), head)
    predictor = CoarsePredictor(head)
    errors = []
    for frame in work.spread[::6]:
        look = second_look(predictor, frame)
        assert look is not None and look.landmarks.shape == (478, 2)
        truth = seen(head, source.truth(round(frame.time_s * 30))).landmarks[:468, :2]
        both = (frame.observation.landmarks, between(frame.observation, look, SHARE))
        errors.append([np.linalg.norm(found[:468, :2] - truth, axis=1).mean() for found in both])
    by_detector, by_both = np.mean(errors, axis=0)
    assert by_both < 0.95 * by_detector


def test_a_part_of_the_picture_shows_the_network_the_same(head: FaceModel, work: AvatarWork) -> None:
    """Kept pictures are the part around the face, some of them reduced."""
    predictor = CoarsePredictor(head)
    frame = work.frames[0]
    whole = SyntheticSource(SyntheticSettings(seed=3, frames=60), head).render(round(frame.time_s * 30))
    complete = replace(frame, image=whole, offset=(0, 0), scale=1.0)
    part, full = (second_look(predictor, f) for f in (frame, complete))
    assert part is not None and full is not None
    eyes = np.linalg.norm(full.landmarks[33] - full.landmarks[263])
    assert np.linalg.norm(part.landmarks - full.landmarks, axis=1).mean() < 0.01 * eyes


def test_a_known_person_stays_who_they_are(head: FaceModel) -> None:
    identity = np.random.default_rng(2).normal(0, 0.7, 100).astype(np.float32)
    session = FitSession(head, FitSettings.for_stills())
    session.know(identity)
    assert session.identity_held
    truth = state(head, head.identity(identity), expression(jawOpen=0.4))
    wrong = state(head, head.identity(-identity), expression(jawOpen=0.4))
    for _ in range(3):
        found = session.fit(seen(head, wrong), WIDTH, HEIGHT).parameters
        np.testing.assert_allclose(found.identity[:100], identity, atol=1e-6)
    landmarks = seen(head, truth).landmarks[:, :2]
    # What is followed and what the detector says may differ.
    session.lose_track()
    followed = session.fit(seen(head, wrong), WIDTH, HEIGHT, landmarks=landmarks).parameters
    session.lose_track()
    plain = session.fit(seen(head, truth), WIDTH, HEIGHT).parameters
    assert np.linalg.norm(followed.translation - plain.translation) < 0.01


def test_known_poses_lie_on_the_landmarks(head: FaceModel) -> None:
    identity = np.random.default_rng(4).normal(0, 0.7, 100).astype(np.float32)
    truths = [state(head, head.identity(identity), expression(jawOpen=0.1 * k)) for k in range(4)]
    pictures = [Observed(seen(head, truth), truth) for truth in truths]
    poses = known_poses(head, identity, float(np.radians(FOV)), pictures)
    for truth, pose in zip(truths, poses, strict=True):
        away = seen(head, pose).landmarks - seen(head, truth).landmarks
        assert np.linalg.norm(away[:468, :2], axis=1).mean() < 2.0
        np.testing.assert_allclose(pose.identity[:100], identity, atol=1e-6)


def test_an_avatar_is_learned_from_both_where_there_is_a_network(
    head: FaceModel, work: AvatarWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    both, shown = observers(work, head, Progress(lambda name, _: told.append(name), lambda: told.append("")))
    looks = [""] * (len(both) + len(shown))
    assert told[: len(looks) + 2] == ["looking again", *looks, "comparing what was seen"]
    assert 0 < len(told) - len(looks) - 2 <= share_steps(both)
    assert {one.share for one in (*both, *shown)} == {both[0].share}
    assert len(both) == len(work.spread) and len(shown) == len(work.frames)
    assert all(one.look is not None for one in (*both, *shown))

    def missing(*_: object) -> Path:
        raise WeightsError("There is no network.")

    monkeypatch.setattr(tracking.coarse, "CoarsePredictor", missing)
    alone, shown = observers(work, head, Progress())
    assert len(alone) == len(work.seen) and len(shown) == len(work.frames)
    assert all(one.look is None for one in (*alone, *shown))


def test_a_device_that_fails_leaves_the_detector(
    head: FaceModel, work: AvatarWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def fails(*_: object) -> None:
        asked.append(1)
        raise EngineError("The device is gone.")

    monkeypatch.setattr("tracking.second_look.second_look", fails)
    both, shown = observers(work, head, Progress())
    assert len(both) == len(work.spread) and len(shown) == len(work.frames) and len(asked) == 2
    assert all(one.look is None for one in (*both, *shown))


def test_who_agrees_with_one_shape_is_believed(head: FaceModel) -> None:
    """One observer sees the truth, the other something else in every picture."""
    rng = np.random.default_rng(6)
    identity = head.identity(rng.normal(0, 0.7, 100).astype(np.float32))
    exact: list[Observed] = []
    shaky: list[Observed] = []
    for k in range(16):
        truth = state(head, identity, expression(jawOpen=0.05 * (k % 8), mouthSmileLeft=0.1 * (k % 5)))
        observation = seen(head, truth)
        eyes = np.linalg.norm(observation.landmarks[33, :2] - observation.landmarks[263, :2])
        landmarks = observation.landmarks.copy()
        landmarks[:, :2] += rng.normal(0, 0.03 * eyes, (len(landmarks), 2))
        disturbed = replace(observation, landmarks=landmarks.astype(np.float32))
        session = FitSession(head, FitSettings.for_stills())
        opinion = session._regressor(observation)
        for list_, one, other in ((exact, disturbed, observation), (shaky, observation, disturbed)):
            look = SecondLook(other.landmarks[:, :2].astype(np.float32), opinion)
            list_.append(Observed(one, truth, look))
    assert network_share(head, exact) > 0.65
    assert network_share(head, shaky) < 0.35
    # Too few pictures, or pictures that the network did not look at, tell nothing.
    assert network_share(head, exact[:4]) == SHARE and share_steps(exact[:4]) == 0
    assert network_share(head, [replace(one, look=None) for one in exact]) == SHARE


def test_a_network_without_landmarks_is_no_second_observer(work: AvatarWork) -> None:
    class Silent:
        def predict(self, *_: object) -> object:
            return type("Answer", (), {"landmarks": None})

    frame: CapturedFrame = work.frames[0]
    assert isinstance(frame.observation, FaceObservation)
    assert second_look(Silent(), frame) is None  # type: ignore[arg-type]
