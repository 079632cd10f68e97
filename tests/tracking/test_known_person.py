"""Somebody with an avatar is known to the tracker from the first picture on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.avatar_store import LIBRARY
from models.avatars.errors import AvatarFileError
from models.avatars.person_file import PersonAvatar, read_person, write_person
from models.face_model import FaceModel, load_face_model
from models.geometry.camera import Camera
from models.geometry.rotations import from_euler
from tests.helpers.perfect_detector import HEIGHT, WIDTH, expression, seen, state
from tracking import FaceTracker, StillTracker, TrackerSettings
from tracking.fit import FitSession
from tracking.fit.regressor import ExpressionRegressor
from tracking.known_person import POINTS, KnownPerson, with_rest
from tracking.sources.synthetic import SyntheticSettings, SyntheticSource
from tracking.types import FaceObservation, FaceParameters

CLOSE = np.array([0.0, 0.0, 0.35])
"""Metres: near enough that the lens shows."""
WIDE = 1.3
"""Radians: another field of view than the one that is assumed."""
Seen = list[tuple[FaceObservation, FaceParameters]]


@pytest.fixture(scope="module")
def head() -> FaceModel:
    return load_face_model()


@pytest.fixture(scope="module")
def source(head: FaceModel) -> SyntheticSource:
    return SyntheticSource(SyntheticSettings(seed=12, frames=120), head)


@pytest.fixture(scope="module")
def at_rest(head: FaceModel, source: SyntheticSource) -> Seen:
    """The neutral second with which the clip begins."""
    with FaceTracker(model=head) as tracker, source:
        faces = [tracker.process(frame) for frame, _ in zip(source, range(20), strict=False)]
    return [(f.observation, f.raw) for f in faces if f.observation is not None and f.raw is not None]


@pytest.fixture(scope="module")
def avatar(head: FaceModel, source: SyntheticSource, at_rest: Seen) -> PersonAvatar:
    """Of the person in the clip."""
    plain = read_person(next(LIBRARY.glob("*.mien")))
    return with_rest(replace(plain, identity=source.truth(0).identity), at_rest)


def acting(source: SyntheticSource, tracker: FaceTracker) -> list[tuple[FaceParameters, FaceParameters]]:
    """Found and true of frames in the middle of the clip, where nobody is at rest."""
    source.open()
    frames = [frame for frame in iter(source.read, None) if frame is not None and frame.index >= 60]
    source.close()
    found = [tracker.process(frame).raw for frame in frames]
    return [(p, source.truth(f.index)) for p, f in zip(found, frames, strict=True) if p is not None]


def test_shape_and_expression_are_nearer_from_the_first_picture(
    head: FaceModel, source: SyntheticSource, avatar: PersonAvatar, tmp_path: Path
) -> None:
    path = tmp_path / "sam.mien"
    write_person(avatar, path)
    errors = []
    for person in (None, path):
        with FaceTracker(TrackerSettings(person=person), head) as tracker:
            pairs = acting(source, tracker)
        channels = np.mean([np.abs(p.expression - t.expression).mean() for p, t in pairs])
        first = pairs[0][0].identity[:100]
        errors.append((channels, np.abs(first - avatar.identity[:100]).mean()))
    (unknown, away), (known, none) = errors
    assert none < 1e-4 < 0.1 < away
    assert known < 0.95 * unknown


def test_the_person_stays_through_a_new_source_and_goes_with_the_setting(
    head: FaceModel, source: SyntheticSource, avatar: PersonAvatar, tmp_path: Path
) -> None:
    path = tmp_path / "sam.mien"
    write_person(avatar, path)
    image = source.render(70)
    source.open()
    frame = source.read()
    source.close()
    assert frame is not None
    frame = replace(frame, image=image)

    def identity(tracker: FaceTracker) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        raw = tracker.process(frame).raw
        assert raw is not None
        return raw.identity[:100]

    with FaceTracker(TrackerSettings(), head) as tracker:
        assert np.abs(identity(tracker) - avatar.identity[:100]).mean() > 0.1
        tracker.configure(TrackerSettings(person=path))
        np.testing.assert_allclose(identity(tracker), avatar.identity[:100], atol=1e-4)
        tracker.reset()
        np.testing.assert_allclose(identity(tracker), avatar.identity[:100], atol=1e-4)
        broken = tmp_path / "broken.mien"
        broken.write_bytes(path.read_bytes()[:500])
        with pytest.raises(AvatarFileError, match=r"broken\.mien"):
            tracker.configure(TrackerSettings(person=broken))
        # What was in force is still there.
        np.testing.assert_allclose(identity(tracker), avatar.identity[:100], atol=1e-4)
        tracker.configure(TrackerSettings())
        assert np.abs(identity(tracker) - avatar.identity[:100]).mean() > 0.1


def test_the_camera_is_learned_all_the_same(head: FaceModel) -> None:
    """Who it is, is known; through which lens, is not."""
    identity = np.random.default_rng(3).normal(0, 0.7, 100).astype(np.float32)
    session = FitSession(head)
    session.know(identity, learn_camera=True)
    before = session.camera(WIDTH, HEIGHT).fov
    for k in range(40):
        turned = from_euler(0.6 * np.sin(k / 4), 0.0, 0.0)
        plain = state(head, head.identity(identity), expression(jawOpen=0.02 * k), turned, CLOSE)
        truth = replace(plain, camera=Camera.from_fov(WIDTH, HEIGHT, WIDE))
        found = session.fit(seen(head, truth), WIDTH, HEIGHT).parameters
        np.testing.assert_allclose(found.identity[:100], identity, atol=1e-4)
    assert abs(session.camera(WIDTH, HEIGHT).fov - WIDE) < 0.6 * abs(before - WIDE)


def test_a_remembered_rest_is_that_of_the_first_frames(head: FaceModel, at_rest: Seen) -> None:
    learned, remembering = ExpressionRegressor(), ExpressionRegressor()
    for observation, _ in at_rest:
        learned(observation)
    remembering.remember(learned.resting_look([observation for observation, _ in at_rest]))
    observation = at_rest[0][0]
    np.testing.assert_allclose(remembering(observation).expression, learned(observation).expression, atol=0.03)
    with pytest.raises(ValueError, match="at least one"):
        learned.resting_look([])


def test_still_pictures_of_somebody_known(head: FaceModel, source: SyntheticSource, avatar: PersonAvatar) -> None:
    with StillTracker(model=head, person=KnownPerson.of(avatar, head)) as tracker:
        image = source.render(80)
        (face, *_) = tracker.detect(image)
        found = tracker.fit(face, image.shape[1], image.shape[0]).parameters
        np.testing.assert_allclose(found.identity[:100], avatar.identity[:100], atol=1e-4)
        again = tracker.estimate(image, face)
        np.testing.assert_allclose(again.identity[:100], avatar.identity[:100], atol=1e-4)


def test_others_and_damaged_ones_are_refused(head: FaceModel, avatar: PersonAvatar) -> None:
    other = replace(avatar, manifest=avatar.manifest.model_copy(update={"face_model": "another"}))
    with pytest.raises(AvatarFileError, match="another"):
        KnownPerson.of(other, head)
    assert avatar.adapters is not None
    points = avatar.adapters[POINTS]
    for wrong in (points[:5], points.astype(np.int32), np.full_like(points, np.nan), points * 1e6):
        with pytest.raises(AvatarFileError, match="damaged"):
            KnownPerson.of(replace(avatar, adapters={**avatar.adapters, POINTS: wrong}), head)
    with pytest.raises(AvatarFileError, match="damaged"):
        KnownPerson.of(replace(avatar, adapters={POINTS: points}), head)
    # Those that were made before, and those that ship, know no face at rest.
    assert KnownPerson.of(replace(avatar, adapters=None), head).rest is None
