"""The model fit: its arithmetic against finite differences and other solvers, and faces found from their landmarks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import lsq_linear
from threadpoolctl import threadpool_limits

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX, GAZE_CHANNELS
from models.face_model import Embedding, FaceModel, load_face_model
from models.geometry.camera import Camera
from models.geometry.rotations import HEAD_TO_CAMERA, angle_between, from_euler, from_rotvec
from tests.helpers.perfect_detector import EXACT, HEIGHT, PLACE, WIDTH, expression, seen, state
from tracking.fit import FitSession, FitSettings
from tracking.fit.problem import FITTED_CHANNELS, LandmarkModel, State, bounded_step, solve_positive, stepped
from tracking.fit.regressor import Guess
from tracking.sources.synthetic import SyntheticSettings, SyntheticSource
from tracking.types import FaceObservation, FaceParameters

Floats = NDArray[np.float64]
CHANNELS = len(FITTED_CHANNELS)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Matrices this small are slower on several threads, many times so beside other work."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def head() -> FaceModel:
    return load_face_model()


@pytest.fixture(scope="module")
def somebody(head: FaceModel) -> NDArray[np.float32]:
    return head.identity(np.random.default_rng(3).normal(0, 0.7, 20))


def moving(head: FaceModel, identity: NDArray[np.floating], count: int, still: int = 30) -> list[FaceParameters]:
    """A person who is at rest for a second and then moves head and face."""
    frames = []
    for k in range(count):
        go = float(k >= still)
        channels = expression(
            jawOpen=go * 0.35 * (1 - np.cos(k / 9)), mouthSmileLeft=go * 0.4 * (1 - np.cos(k / 7)),
            browInnerUp=go * 0.3 * (1 - np.cos(k / 11)), eyeBlinkRight=go * 0.3 * (1 - np.cos(k / 5)),
        )  # fmt: skip
        turn = from_euler(0.4 * np.sin(k / 20), 0.2 * np.sin(k / 13), 0.1 * np.sin(k / 17))
        place = np.array([0.03 * np.sin(k / 15), 0.02, 0.6 + 0.05 * np.sin(k / 23)])
        frames.append(state(head, identity, channels, turn, place))
    return frames


# Arithmetic.


@pytest.mark.parametrize("projection", ["perspective", "weak"])
def test_jacobians_agree_with_finite_differences(head: FaceModel, projection: str) -> None:
    rng = np.random.default_rng(1)
    chosen = np.arange(0, 468, 13)
    embedding = Embedding(head.landmarks478.triangles[chosen], head.landmarks478.barycentrics[chosen])
    landmarks = LandmarkModel(head, embedding, 12)
    landmarks.offsets = rng.normal(0, 0.001, (len(chosen), 3))
    camera = Camera.from_fov(WIDTH, HEIGHT, 1.0, "weak" if projection == "weak" else "perspective")
    at = State(
        rng.normal(0, 1, 12), rng.uniform(0.3, 0.7, CHANNEL_COUNT), from_euler(0.4, -0.2, 0.15),
        np.array([0.05, -0.03, 0.5]), camera,
    )  # fmt: skip
    observed = landmarks.project(at) + rng.normal(0, 2, (len(chosen), 2))
    line = landmarks.linearise(at, observed, shared=True)
    np.testing.assert_allclose(line.residual, (landmarks.project(at) - observed).ravel(), atol=1e-9)
    assert line.shared is not None
    jacobian = np.concatenate([line.local, line.shared], axis=1)
    step = 1e-6

    def moved(index: int, amount: float) -> Floats:
        local, shared = np.zeros(CHANNELS + 6), np.zeros(13)
        (local if index < len(local) else shared)[index if index < len(local) else index - len(local)] = amount
        after = stepped(at, local, shared)
        if index < len(local):
            # A step of the local part leaves identity and camera alone.
            alone = stepped(at, local, None)
            np.testing.assert_array_equal(landmarks.project(alone), landmarks.project(after))
        return landmarks.project(after).ravel()

    for index in range(jacobian.shape[1]):
        numeric = (moved(index, step) - moved(index, -step)) / (2 * step)
        np.testing.assert_allclose(jacobian[:, index], numeric, rtol=1e-5, atol=1e-4 * max(1, np.abs(numeric).max()))


def test_offsets_and_identity_are_noticed_by_the_cached_neutral(head: FaceModel) -> None:
    landmarks = LandmarkModel(head, head.landmarks68, 10)
    rest = landmarks.points(np.zeros(10), np.zeros(CHANNEL_COUNT)).copy()
    landmarks.offsets = np.full((68, 3), 0.01)
    np.testing.assert_allclose(landmarks.points(np.zeros(10), np.zeros(CHANNEL_COUNT)) - rest, 0.01)
    assert np.abs(landmarks.points(np.ones(10), np.zeros(CHANNEL_COUNT)) - rest - 0.01).max() > 1e-4
    np.testing.assert_allclose(landmarks.mean, head.embed(head.mean, head.landmarks68), atol=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_the_bounded_step_is_the_optimum_of_the_box(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bounded, free = 8 + seed, 3 + seed % 4
    rows = rng.normal(size=(60, bounded + free)) * rng.uniform(0.3, 3, bounded + free)
    # Two channels that nearly do the same are where active sets cycle.
    rows[:, 1] = rows[:, 0] + 0.05 * rng.normal(size=60)
    target = rng.normal(size=60) * 3
    low, high = -rng.uniform(0, 0.5, bounded), rng.uniform(0, 0.5, bounded)
    low[2], high[3] = 0.0, 0.0
    found = bounded_step(rows.T @ rows, -rows.T @ target, low, high)
    infinite = np.full(free, np.inf)
    best = lsq_linear(rows, target, (np.r_[low - 1e-12, -infinite], np.r_[high + 1e-12, infinite]), tol=1e-12)
    assert (found[:bounded] >= low).all()
    assert (found[:bounded] <= high).all()
    np.testing.assert_allclose(found, best.x, atol=2e-3)
    cost = float(np.sum((rows @ found - target) ** 2)) / 2
    assert cost <= best.cost * (1 + 1e-6) + 1e-9


def test_a_bounded_step_within_its_bounds_is_newtons() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 9))
    hessian, gradient = rows.T @ rows, rng.normal(size=9)
    wide = np.full(5, 100.0)
    np.testing.assert_allclose(
        bounded_step(hessian, gradient, -wide, wide), -np.linalg.solve(hessian, gradient), atol=1e-4
    )


def test_indefinite_systems_still_get_an_answer() -> None:
    answer = solve_positive(np.diag([1.0, 0.0]), np.array([2.0, 0.0]))
    assert np.isfinite(answer).all()
    assert answer[0] == pytest.approx(2.0, rel=1e-3)


def test_a_step_keeps_channels_in_range_and_the_face_before_the_camera() -> None:
    at = State(np.zeros(2), np.full(CHANNEL_COUNT, 0.5), np.eye(3), PLACE, Camera.from_fov(WIDTH, HEIGHT))
    step = np.zeros(CHANNELS + 6)
    step[:CHANNELS] = np.where(np.arange(CHANNELS) % 2, 3.0, -3.0)
    step[CHANNELS : CHANNELS + 3] = 0.0, 0.2, 0.0
    step[-1] = -5.0
    after = stepped(at, step, None)
    fitted = after.expression[list(FITTED_CHANNELS)]
    assert set(fitted.tolist()) == {0.0, 1.0}
    assert (np.delete(after.expression, FITTED_CHANNELS) == 0.5).all()
    assert after.translation[2] == pytest.approx(0.3)
    np.testing.assert_allclose(HEAD_TO_CAMERA @ after.rotation, from_rotvec([0.0, 0.2, 0.0]) @ HEAD_TO_CAMERA)
    assert (at.expression == 0.5).all()


def test_what_landmarks_cannot_tell_is_not_fitted() -> None:
    assert not set(FITTED_CHANNELS) & set(GAZE_CHANNELS)
    assert CHANNEL_INDEX["tongueOut"] not in FITTED_CHANNELS
    assert CHANNELS == 52 - 8 - 1


# Faces found from their landmarks.

Session = tuple[FitSession, list[FaceParameters], list[FaceParameters]]


@pytest.mark.parametrize("projection", ["perspective", "weak"])
def test_a_single_face_is_found_whatever_its_pose(
    head: FaceModel, somebody: NDArray[np.float32], projection: str
) -> None:
    session = FitSession(head, EXACT.model_copy(update={"projection": projection}))
    for angles, place in (
        ((0.0, 0.0, 0.0), PLACE),
        ((0.6, 0.1, 0.0), np.array([0.08, -0.05, 0.5])),
        ((-0.6, -0.3, 0.2), np.array([-0.1, 0.05, 0.7])),
        ((0.1, 0.4, -0.5), np.array([0.0, 0.1, 1.5])),
        ((0.0, 0.0, 1.5), PLACE),
    ):
        truth = state(head, somebody, None, from_euler(*angles), place, projection=projection)
        session.reset()
        found = session.fit(seen(head, truth), WIDTH, HEIGHT)
        assert found.error < 0.004
        # One picture leaves nose length and nodding partly to taste.
        assert np.degrees(angle_between(found.parameters.rotation, truth.rotation)) < 1.6
        np.testing.assert_allclose(found.parameters.translation[:2], place[:2], atol=0.004 * place[2] / 0.6)
        assert found.parameters.translation[2] == pytest.approx(place[2], rel=0.06)
        assert found.parameters.camera.projection == projection


@pytest.fixture(scope="module")
def session_of(head: FaceModel, somebody: NDArray[np.float32]) -> Session:
    """A session after 130 frames of a person, the truth and what was found."""
    session = FitSession(head, EXACT)
    truths = moving(head, somebody, 130)
    return session, truths, [session.fit(seen(head, t), WIDTH, HEIGHT).parameters for t in truths]


def test_a_session_recovers_pose_and_expression(session_of: Session) -> None:
    _, truths, found = session_of
    turns, shifts, errors = [], [], []
    names = ("jawOpen", "mouthSmileLeft", "browInnerUp", "eyeBlinkRight")
    index = [CHANNEL_INDEX[name] for name in names]
    for truth, got in zip(truths[80:], found[80:], strict=True):
        turns.append(np.degrees(angle_between(truth.rotation, got.rotation)))
        shifts.append(np.abs(truth.translation - got.translation).max())
        errors.append(np.abs(truth.expression - got.expression)[index])
    assert max(turns) < 0.7
    assert max(shifts) < 0.006
    assert np.max(errors) < 0.12
    assert np.mean(errors) < 0.05


def test_a_session_finds_out_who_it_is(head: FaceModel, somebody: NDArray[np.float32], session_of: Session) -> None:
    face = head.regions["face"] > 0.5

    def gap_mm(identity: NDArray[np.floating]) -> float:
        return float(np.linalg.norm(head.neutral(identity) - head.neutral(somebody), axis=1)[face].mean() * 1e3)

    assert gap_mm(session_of[2][-1].identity) < 0.6 < 2.0 < gap_mm(np.zeros(1))


def test_channels_stay_in_range_and_uncertainties_are_finite(session_of: Session) -> None:
    for got in session_of[2]:
        assert 0.0 <= got.expression.min() <= got.expression.max() <= 1.0
        np.testing.assert_allclose(got.rotation @ got.rotation.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(got.rotation) > 0
        told = got.uncertainty
        assert told is not None
        fitted = told.expression[[*FITTED_CHANNELS, CHANNEL_INDEX["tongueOut"]]]
        for values in (fitted, told.rotation, told.translation, told.gaze):
            assert np.isfinite(values).all()
            assert (values > 0).all()
        assert told.rotation.shape == told.translation.shape == (3,)
        assert told.gaze.shape == (2, 2)
        # Depth is what one camera tells least.
        assert told.translation[2] > told.translation[:2].max()


def test_losing_track_keeps_the_person_and_a_reset_does_not(head: FaceModel, somebody: NDArray[np.float32]) -> None:
    session = FitSession(head, EXACT)
    truths = moving(head, somebody, 40)
    for truth in truths:
        known = session.fit(seen(head, truth), WIDTH, HEIGHT).parameters
    session.lose_track()
    back = session.fit(seen(head, truths[0]), WIDTH, HEIGHT).parameters
    face = head.regions["face"] > 0.5
    moved = np.linalg.norm(head.neutral(back.identity) - head.neutral(known.identity), axis=1)[face].mean()
    assert moved < 0.0005
    assert np.degrees(angle_between(back.rotation, truths[0].rotation)) < 1.0
    session.reset()
    fresh = session.fit(seen(head, truths[0]), WIDTH, HEIGHT).parameters
    never = FitSession(head, EXACT).fit(seen(head, truths[0]), WIDTH, HEIGHT).parameters
    np.testing.assert_array_equal(fresh.identity, never.identity)
    np.testing.assert_array_equal(fresh.expression, never.expression)
    assert session.field_of_view is not None


def test_identity_is_held_after_enough_frames_and_then_stays(head: FaceModel, somebody: NDArray[np.float32]) -> None:
    session = FitSession(head, FitSettings(identity_frames=8))
    truths = moving(head, somebody, 24, still=2)
    results = [session.fit(seen(head, truth), WIDTH, HEIGHT) for truth in truths]
    assert [r.identity_held for r in results] == [False] * 7 + [True] * 17
    held = [r.parameters for r in results[8:]]
    for parameters in held:
        np.testing.assert_array_equal(parameters.identity, held[0].identity)
        assert parameters.camera == held[0].camera
    assert np.abs(results[0].parameters.identity - held[0].identity).max() > 1e-4
    session.lose_track()
    again = session.fit(seen(head, truths[3]), WIDTH, HEIGHT)
    assert again.identity_held
    np.testing.assert_array_equal(again.parameters.identity, held[0].identity)
    session.reset()
    assert not session.identity_held


def test_only_as_many_coefficients_as_asked_for(head: FaceModel, somebody: NDArray[np.float32]) -> None:
    for count in (0, 5):
        session = FitSession(head, FitSettings(identity_coefficients=count))
        identity = session.fit(seen(head, state(head, somebody)), WIDTH, HEIGHT).parameters.identity
        assert identity.shape == (head.identity_count,)
        assert (identity[count:] == 0).all()
        assert count == 0 or np.abs(identity[:count]).max() > 0


def test_a_field_of_view_that_was_set_is_respected_and_else_it_is_estimated(
    head: FaceModel, somebody: NDArray[np.float32]
) -> None:
    truths = moving(head, somebody, 45, still=0)
    wide = Camera.from_fov(WIDTH, HEIGHT, float(np.radians(75)))
    observations = [seen(head, replace(t, camera=wide, translation=t.translation * (1, 1, 0.7))) for t in truths]
    known, free = FitSession(head, FitSettings(fov_degrees=75)), FitSession(head)
    for observation in observations:
        fixed = known.fit(observation, WIDTH, HEIGHT).parameters
        assert np.degrees(fixed.camera.fov) == pytest.approx(75, abs=1e-3)
        free.fit(observation, WIDTH, HEIGHT)
    assert free.field_of_view is not None
    assert np.degrees(free.field_of_view) > 60


def test_the_weak_camera_keeps_its_scale(head: FaceModel, somebody: NDArray[np.float32]) -> None:
    session = FitSession(head, FitSettings(projection="weak"))
    truth = state(head, somebody, projection="weak")
    for _ in range(5):
        got = session.fit(seen(head, truth), WIDTH, HEIGHT).parameters
    assert got.camera.projection == "weak"
    assert got.camera.focal == pytest.approx(Camera.from_fov(WIDTH, HEIGHT).focal, rel=1e-6)


def test_another_picture_size_starts_the_frame_anew_but_keeps_the_person(
    head: FaceModel, somebody: NDArray[np.float32]
) -> None:
    session = FitSession(head, EXACT)
    truth = state(head, somebody, rotation=from_euler(0.2, 0.1, 0))
    for _ in range(6):
        before = session.fit(seen(head, truth), WIDTH, HEIGHT).parameters
    observation = seen(head, truth)
    corner = np.array([0.5, 0.5, 0.0], np.float32)
    half = replace(observation, landmarks=(observation.landmarks + corner) / np.float32(2) - corner)
    after = session.fit(half, WIDTH // 2, HEIGHT // 2).parameters
    assert (after.camera.width, after.camera.height) == (WIDTH // 2, HEIGHT // 2)
    assert after.camera.fov == pytest.approx(before.camera.fov)
    np.testing.assert_allclose(after.translation, before.translation, atol=0.005)


def test_landmarks_that_are_no_numbers_are_refused_and_do_no_harm(
    head: FaceModel, somebody: NDArray[np.float32]
) -> None:
    session = FitSession(head, EXACT)
    good = seen(head, state(head, somebody))
    first = session.fit(good, WIDTH, HEIGHT)
    for row in (0, 1, 2, 3, 33, 467, 468, 477):
        for value in (np.nan, np.inf):
            for column in (0, 2):
                landmarks = good.landmarks.copy()
                landmarks[row, column] = value
                with pytest.raises(ValueError, match="not numbers"):
                    session.fit(replace(good, landmarks=landmarks), WIDTH, HEIGHT)
    with pytest.raises(ValueError, match="not numbers"):
        session.fit(replace(good, scores=np.full(CHANNEL_COUNT, np.nan, np.float32)), WIDTH, HEIGHT)
    assert session.fit(good, WIDTH, HEIGHT).error <= first.error + 1e-3


def test_landmarks_without_extent_give_finite_values_and_no_trust(head: FaceModel) -> None:
    session = FitSession(head)
    flat = np.full((478, 3), 100, np.float32)
    observation = FaceObservation(flat, np.zeros(52, np.float32), np.full(4, 100, np.float32), 1.0)
    found = session.fit(observation, WIDTH, HEIGHT)
    assert found.error > 0.06
    for values in (found.parameters.expression, found.parameters.rotation, found.parameters.translation):
        assert np.isfinite(values).all()


def test_settings_say_what_they_refuse() -> None:
    for wrong in ({"fov_degrees": 0}, {"fov_degrees": 170}, {"landmark_sigma": 0}, {"iterations": 0}, {"colour": 1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            FitSettings(**wrong)


def test_a_nonsense_first_frame_leaves_no_trace() -> None:
    model = load_face_model()
    rng = np.random.default_rng(0)
    source = SyntheticSource(SyntheticSettings(seed=4, frames=40), model)
    truth = source.truth(10)
    posed = model.pose(truth.identity, truth.expression, truth.gaze)
    pixels = truth.camera.project_head(
        model.embed(posed.vertices, model.landmarks478), truth.rotation, truth.translation
    )
    good = np.concatenate([pixels, np.zeros((478, 1))], axis=1).astype(np.float32)
    box = np.array([*pixels.min(axis=0), *pixels.max(axis=0)], np.float32)
    session = FitSession(model, FitSettings(guess_strength=0, rotation_strength=0))
    scores = np.zeros(52, np.float32)
    shuffled = good[rng.permutation(478)]
    assert session.fit(FaceObservation(shuffled, scores, box, 1.0), 640, 480).error > 0.15
    errors = [session.fit(FaceObservation(good, scores, box, 1.0), 640, 480).error for _ in range(8)]
    assert errors[-1] < 0.02
    assert np.abs(session.fit(FaceObservation(good, scores, box, 1.0), 640, 480).parameters.identity).max() < 6


def test_another_observers_landmarks_teach_nothing_of_the_person(
    head: FaceModel, somebody: NDArray[np.float32]
) -> None:
    frames = moving(head, somebody, 12)
    session = FitSession(head, FitSettings(fov_degrees=56.0))
    for truth in frames[:8]:
        session.fit(seen(head, truth), WIDTH, HEIGHT)
    before = session.fit(seen(head, frames[8]), WIDTH, HEIGHT).parameters.identity
    opinion = Guess(frames[9].expression.astype(float), np.full(52, 0.2), np.zeros((2, 2)), frames[9].rotation, 0.1)
    held = session.fit(seen(head, frames[9]), WIDTH, HEIGHT, opinion, alone=True, hold=True).parameters.identity
    again = session.fit(seen(head, frames[10]), WIDTH, HEIGHT, opinion, alone=True, hold=True).parameters.identity
    assert not np.array_equal(before, held)  # what the frame before has taught is shown
    assert np.array_equal(held, again)
    with pytest.raises(ValueError, match="without an opinion"):
        session.fit(seen(head, frames[9]), WIDTH, HEIGHT, alone=True)
