"""The One-Euro filter: calm at rest, quick in motion, right for rotations, and starting anew when it must."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.channels import ARKIT_CHANNELS, GAZE_CHANNELS, gaze_to_channels
from models.geometry.rotations import angle_between, from_euler, from_rotvec, to_euler, to_quaternion
from tests.helpers.faces import face_state, value
from tracking.blending import slerp
from tracking.smoothing import (
    PRESETS,
    OneEuro,
    OneEuroSettings,
    RotationOneEuro,
    Smoother,
    SmoothingSettings,
    _rotation_vector,
    channel_group,
)

FPS = 30.0


class ScalarOneEuro:
    """The published pseudo-code, one number at a time."""

    def __init__(self, min_cutoff: float, beta: float) -> None:
        self.min_cutoff, self.beta = min_cutoff, beta
        self.last: tuple[float, float, float, float] | None = None

    def __call__(self, x: float, t: float) -> float:
        def alpha(cutoff: float, dt: float) -> float:
            tau = 1.0 / (2.0 * math.pi * cutoff)
            return 1.0 / (1.0 + tau / dt)

        if self.last is None:
            self.last = (x, 0.0, x, t)
            return x
        raw, speed, smooth, then = self.last
        dt = t - then
        a = alpha(1.0, dt)
        speed = a * (x - raw) / dt + (1 - a) * speed
        a = alpha(self.min_cutoff + self.beta * abs(speed), dt)
        smooth = a * x + (1 - a) * smooth
        self.last = (x, speed, smooth, t)
        return smooth


@given(
    st.lists(st.tuples(st.floats(-10, 10), st.floats(0.001, 0.5)), min_size=1, max_size=20),
    st.floats(0.1, 10.0),
    st.floats(0.0, 10.0),
)
def test_equals_the_published_filter(steps: list[tuple[float, float]], min_cutoff: float, beta: float) -> None:
    scalar, vector = ScalarOneEuro(min_cutoff, beta), OneEuro(min_cutoff, beta)
    time_s = 0.0
    for x, dt in steps:
        time_s += dt
        expected = scalar(x, time_s)
        np.testing.assert_allclose(vector(np.array([x, x]), time_s), [expected, expected], atol=1e-9)


def test_each_value_has_its_own_speed_and_cutoff() -> None:
    steady = OneEuro([1.0, 100.0], [0.0, 0.0])
    steady(np.zeros(2), 0.0)
    slow, fast = steady(np.ones(2), 1 / FPS)
    assert slow < 0.2
    assert fast > 0.9


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_stays_within_what_it_was_given(values: list[float]) -> None:
    euro = OneEuro(1.0, 2.0)
    results = [float(euro(np.array([x]), n / FPS)[0]) for n, x in enumerate(values)]
    assert min(values) - 1e-9 <= min(results)
    assert max(results) <= max(values) + 1e-9


def test_rest_is_calm_and_motion_hardly_lags() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0.0, 0.01, 300)
    settings = PRESETS["medium"].mouth
    resting = OneEuro(settings.min_cutoff, settings.beta)
    still = [float(resting(np.array([x]), n / FPS)[0]) for n, x in enumerate(0.5 + noise)]
    # The standard deviation of the noise goes down to less than two thirds.
    assert np.std(still[30:]) < 0.65 * np.std(noise)
    moving = OneEuro(settings.min_cutoff, settings.beta)
    ramp = np.arange(60) / 10.0
    followed = np.array([float(moving(np.array([x]), n / FPS)[0]) for n, x in enumerate(ramp)])
    # At three full openings a second the delay is under one picture.
    assert (ramp - followed)[30:].max() / (3.0 / FPS) < 1.0


def test_time_that_stands_still_repeats_the_last_result() -> None:
    euro, turn = OneEuro(1.0, 0.0), RotationOneEuro(1.0, 0.0)
    euro(np.zeros(1), 0.0)
    before = euro(np.ones(1), 0.1)
    assert euro(np.full(1, 5.0), 0.1) == before
    identity = np.array([1.0, 0.0, 0.0, 0.0])
    turn(identity, 0.0)
    np.testing.assert_array_equal(turn(np.array([0.0, 1.0, 0.0, 0.0]), 0.0), identity)


angles = st.floats(-3.0, 3.0)


@given(angles, angles, angles, angles, st.floats(0.0, 1.0))
def test_slerp_goes_straight_and_at_an_even_pace(y0: float, p0: float, y1: float, p1: float, amount: float) -> None:
    start, end = from_euler(y0, p0 / 2, 0.3), from_euler(y1, p1 / 2, -0.2)
    from models.geometry.rotations import from_quaternion

    mixed = from_quaternion(slerp(to_quaternion(start), to_quaternion(end), amount))
    whole = angle_between(start, end)
    assert angle_between(start, mixed) == pytest.approx(amount * whole, abs=1e-5)
    assert angle_between(mixed, end) == pytest.approx((1 - amount) * whole, abs=1e-5)


@given(angles, angles, angles, angles, st.sampled_from([1.0, -1.0]))
def test_the_turn_between_two_quaternions(y0: float, p0: float, y1: float, p1: float, sign: float) -> None:
    start, end = from_euler(y0, p0 / 2, 0.3), from_euler(y1, p1 / 2, -0.2)
    vector = _rotation_vector(to_quaternion(start), sign * to_quaternion(end))
    np.testing.assert_allclose(start @ from_rotvec(vector), end, atol=1e-7)
    assert np.linalg.norm(vector) <= np.pi + 1e-9


def test_rotations_are_filtered_across_the_change_of_sign() -> None:
    """Near half a turn w changes its sign: the filtered head must not swing round the other way."""
    turn = RotationOneEuro(1.0, 1.0)
    truth = [from_euler(yaw, 0.0, 0.0) for yaw in np.linspace(2.8, 3.5, 40)]
    signs = np.random.default_rng(0).choice([-1.0, 1.0], 40)
    from models.geometry.rotations import from_quaternion

    for n, rotation in enumerate(truth):
        result = turn(to_quaternion(rotation) * signs[n], n / FPS)
        assert np.linalg.norm(result) == pytest.approx(1.0)
        assert angle_between(from_quaternion(result), rotation) < 0.2


def test_the_angular_speed_drives_the_cutoff() -> None:
    def lag(beta: float) -> float:
        turn = RotationOneEuro(0.5, beta)
        for n in range(60):
            result = turn(to_quaternion(from_euler(n / FPS, 0.0, 0.0)), n / FPS)
        return 59 / FPS - 2.0 * math.atan2(result[2], result[0])

    assert lag(20.0) < 0.1 * lag(0.0)
    # At one radian a second the cut-off is min_cutoff + beta, and the lag of a ramp close to tau.
    assert lag(5.0) == pytest.approx(1.0 / (2.0 * math.pi * 5.5), abs=0.01)


def test_every_channel_belongs_to_a_group_of_the_settings() -> None:
    groups = {name: channel_group(name) for name in ARKIT_CHANNELS}
    assert {name for name, group in groups.items() if group is None} == {ARKIT_CHANNELS[i] for i in GAZE_CHANNELS}
    assert {group for group in groups.values() if group} == {"blinks", "mouth", "brows", "other"}
    assert groups["eyeBlinkLeft"] == groups["eyeWideRight"] == "blinks"
    assert groups["jawOpen"] == groups["mouthClose"] == groups["tongueOut"] == "mouth"
    assert groups["browInnerUp"] == "brows"
    assert groups["cheekPuff"] == groups["noseSneerLeft"] == "other"


def test_off_changes_nothing() -> None:
    smoother = Smoother(SmoothingSettings(preset="off"))
    for n in range(3):
        state = face_state({"jawOpen": n / 3}, yaw=n)
        assert smoother.apply(state, n / FPS) is state


@pytest.mark.parametrize("preset", ["light", "medium", "strong"])
def test_presets_calm_every_part_of_the_face(preset: str) -> None:
    rng = np.random.default_rng(1)
    smoother = Smoother(SmoothingSettings(preset=preset))
    raw: list[list[float]] = []
    smooth: list[list[float]] = []
    for n in range(200):
        wobble = rng.normal(0.0, 0.004, 9)
        state = face_state(
            {"jawOpen": 0.5 + wobble[0], "browInnerUp": 0.5 + wobble[1], "eyeBlinkLeft": 0.5 + wobble[2]},
            yaw=wobble[3] * 0.5,
            translation=(wobble[4] * 0.1, 0.0, 0.6),
            gaze=((wobble[5], wobble[6]), (wobble[7], wobble[8])),
        )
        out = smoother.apply(state, n / FPS)
        for states, store in ((state, raw), (out, smooth)):
            store.append(
                [
                    *(value(states, name) for name in ("jawOpen", "browInnerUp", "eyeBlinkLeft")),
                    float(to_euler(states.rotation)[0]),
                    float(states.translation[0]),
                    *states.gaze.ravel(),
                ]
            )
    ratio = np.std(np.array(smooth)[30:], axis=0) / np.std(np.array(raw)[30:], axis=0)
    assert ratio.max() < 0.9


def test_stronger_presets_are_calmer_and_blinks_are_quicker_than_brows() -> None:
    def after_one_step(preset: str, name: str) -> float:
        smoother = Smoother(SmoothingSettings(preset=preset))
        smoother.apply(face_state(), 0.0)
        return value(smoother.apply(face_state({name: 1.0}), 1 / FPS), name)

    for name in ("eyeBlinkLeft", "jawOpen", "browInnerUp", "cheekPuff"):
        steps = [after_one_step(preset, name) for preset in ("off", "light", "medium", "strong")]
        assert steps == sorted(steps, reverse=True)
        assert steps[0] == 1.0
    for preset in ("light", "medium", "strong"):
        assert after_one_step(preset, "eyeBlinkLeft") > after_one_step(preset, "browInnerUp")


def test_look_channels_follow_from_the_smoothed_gaze() -> None:
    smoother = Smoother(SmoothingSettings(preset="strong"))
    smoother.apply(face_state(), 0.0)
    out = smoother.apply(face_state(gaze=((0.4, -0.2), (0.4, -0.2))), 1 / FPS)
    assert 0.0 < out.gaze[0, 0] < 0.4
    expected = gaze_to_channels(out.gaze)
    np.testing.assert_array_equal(out.expression[list(GAZE_CHANNELS)], expected[list(GAZE_CHANNELS)])
    assert value(out, "eyeLookOutLeft") > 0.0


@pytest.mark.parametrize("pause", [0.51, 10.0, -0.1])
def test_a_gap_and_time_going_back_start_anew(pause: float) -> None:
    smoother = Smoother(SmoothingSettings(preset="strong"))
    smoother.apply(face_state(), 5.0)
    state = face_state({"jawOpen": 1.0}, yaw=0.5)
    out = smoother.apply(state, 5.0 + pause)
    np.testing.assert_allclose(out.expression, state.expression, atol=1e-6)
    np.testing.assert_allclose(out.rotation, state.rotation, atol=1e-9)


def test_reset_starts_anew_and_short_gaps_do_not() -> None:
    smoother = Smoother(SmoothingSettings(preset="strong"))
    smoother.apply(face_state(), 0.0)
    assert value(smoother.apply(face_state({"jawOpen": 1.0}), 0.1), "jawOpen") < 0.95
    smoother.reset()
    assert value(smoother.apply(face_state({"jawOpen": 1.0}), 0.2), "jawOpen") == 1.0


def test_the_input_is_left_alone_and_the_rest_passes() -> None:
    smoother = Smoother()
    state = face_state({"jawOpen": 0.3})
    before = state.expression.copy()
    smoother.apply(state, 0.0)
    out = smoother.apply(state, 0.1)
    np.testing.assert_array_equal(state.expression, before)
    assert out.camera is state.camera
    assert out.identity is state.identity
    assert out.expression.dtype == np.float32
    assert out.gaze.dtype == np.float32


def test_custom_values_apply() -> None:
    slow = OneEuroSettings(min_cutoff=0.01, beta=0.0)
    custom = PRESETS["light"].model_copy(update={"mouth": slow})
    smoother = Smoother(SmoothingSettings(preset="custom", custom=custom))
    smoother.apply(face_state(), 0.0)
    out = smoother.apply(face_state({"jawOpen": 1.0, "browInnerUp": 1.0}), 1 / FPS)
    assert value(out, "jawOpen") < 0.01
    assert value(out, "browInnerUp") > 0.3


def test_settings_survive_json_and_refuse_nonsense() -> None:
    settings = SmoothingSettings(preset="custom", custom=PRESETS["strong"])
    assert SmoothingSettings.model_validate_json(settings.model_dump_json()) == settings
    mistakes: list[dict[str, object]] = [{"preset": "heavy"}, {"custom": {}}, {"min_cutoff": 1.0}]
    for wrong in mistakes:
        with pytest.raises(ValidationError):
            SmoothingSettings.model_validate(wrong)
    with pytest.raises(ValidationError):
        OneEuroSettings(min_cutoff=0.0, beta=1.0)
