"""What a face's values become on their way to an avatar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS, CHANNEL_COUNT, CHANNEL_INDEX, mirrored_name
from models.geometry.camera import Camera
from models.geometry.rotations import from_euler, to_euler
from tracking.retarget import (
    ChannelCurve,
    Driven,
    GazeSettings,
    HeadSettings,
    IdleSettings,
    Retargeter,
    RetargetSettings,
)
from tracking.types import FaceParameters


def face(
    channels: dict[str, float] | None = None,
    angles: tuple[float, float, float] = (0.0, 0.0, 0.0),
    place: tuple[float, float, float] = (0.0, 0.0, 0.6),
    gaze: tuple[float, float] = (0.0, 0.0),
) -> FaceParameters:
    values = np.zeros(CHANNEL_COUNT, np.float32)
    for name, value in (channels or {}).items():
        values[CHANNEL_INDEX[name]] = value
    look = np.array([gaze, gaze], np.float32)
    camera = Camera.from_fov(64, 48)
    return FaceParameters(np.zeros(1, np.float32), values, from_euler(*angles), np.array(place), look, camera)


def of(driven: Driven, name: str) -> float:
    return float(driven.values[CHANNEL_INDEX[name]])


def once(settings: RetargetSettings, parameters: FaceParameters) -> Driven:
    return Retargeter(settings).apply(parameters, 0.0)


def test_without_settings_everything_passes() -> None:
    parameters = face({"jawOpen": 0.4, "browInnerUp": 1.0}, (0.3, -0.2, 0.1), gaze=(0.2, -0.1))
    driven = once(RetargetSettings(), parameters)
    assert of(driven, "jawOpen") == pytest.approx(0.4) and of(driven, "browInnerUp") == 1.0
    np.testing.assert_allclose(driven.rotation, parameters.rotation, atol=1e-9)
    np.testing.assert_allclose(driven.gaze, parameters.gaze)
    assert of(driven, "eyeLookOutLeft") == pytest.approx(0.2 / 0.61, abs=1e-5)
    assert driven.tracked == 1.0 and driven.breath == 0.0


@pytest.mark.parametrize(
    ("curve", "given", "wanted"),
    [
        (ChannelCurve(gain=2.0), 0.3, 0.6),
        (ChannelCurve(gain=2.0), 0.8, 1.0),
        (ChannelCurve(gain=-1.0, offset=1.0), 0.3, 0.7),
        (ChannelCurve(offset=0.25), 0.5, 0.75),
        (ChannelCurve(dead_zone=0.2), 0.2, 0.0),
        (ChannelCurve(dead_zone=0.2), 0.6, 0.5),
        (ChannelCurve(dead_zone=0.2), 1.0, 1.0),
        (ChannelCurve(points=((0.0, 0.0), (0.5, 0.9), (1.0, 1.0))), 0.25, 0.45),
        (ChannelCurve(points=((0.2, 0.1), (0.8, 0.6))), 0.0, 0.1),
        (ChannelCurve(dead_zone=0.5, points=((0.0, 0.0), (1.0, 0.5)), gain=1.5, offset=0.1), 0.75, 0.475),
        (ChannelCurve(mute=True, offset=0.5), 0.9, 0.0),
    ],
)
def test_curve_of_a_channel(curve: ChannelCurve, given: float, wanted: float) -> None:
    driven = once(RetargetSettings(channels={"jawOpen": curve}), face({"jawOpen": given, "tongueOut": 0.3}))
    assert of(driven, "jawOpen") == pytest.approx(wanted, abs=1e-6)
    assert of(driven, "tongueOut") == pytest.approx(0.3)


def test_solo_silences_all_others() -> None:
    settings = RetargetSettings(channels={"jawOpen": ChannelCurve(solo=True), "tongueOut": ChannelCurve(gain=2)})
    driven = once(settings, face({"jawOpen": 0.5, "tongueOut": 0.5, "eyeBlinkLeft": 1.0}))
    assert of(driven, "jawOpen") == 0.5
    assert np.count_nonzero(driven.values) == 1


def test_mirror_is_a_looking_glass() -> None:
    parameters = face({"eyeBlinkLeft": 0.8, "mouthRight": 0.5}, (0.3, 0.2, 0.1), gaze=(0.2, -0.1))
    settings = RetargetSettings(mirror=True, head=HeadSettings(translation_gain=1.0))
    retargeter = Retargeter(settings)
    retargeter.apply(parameters, 0.0)
    driven = retargeter.apply(replace(parameters, translation=np.array([0.05, 0.02, 0.6])), 0.04)
    assert of(driven, "eyeBlinkRight") == pytest.approx(0.8) and of(driven, "eyeBlinkLeft") == 0.0
    assert of(driven, "mouthLeft") == pytest.approx(0.5)
    np.testing.assert_allclose(to_euler(driven.rotation), (-0.3, 0.2, -0.1), atol=1e-9)
    np.testing.assert_allclose(driven.gaze, [(-0.2, -0.1)] * 2, atol=1e-6)
    np.testing.assert_allclose(driven.translation, (-0.05, -0.02, 0.0), atol=1e-9)
    plain = once(RetargetSettings(), parameters)
    for name in ARKIT_CHANNELS:
        assert of(driven, mirrored_name(name)) == pytest.approx(of(plain, name)), name


def test_head_gain_offset_and_limits() -> None:
    head = HeadSettings(
        rotation_gain=(2.0, 1.0, 0.0), rotation_offset_deg=(0.0, -10.0, 0.0), rotation_limit_deg=(40.0, 20.0, 20.0)
    )
    driven = once(RetargetSettings(head=head), face(angles=(0.5, 0.3, 0.4)))
    wanted = np.radians((40.0, np.degrees(0.3) - 10.0, 0.0))
    np.testing.assert_allclose(to_euler(driven.rotation), wanted, atol=1e-9)


def test_translation_is_from_the_resting_place_and_limited() -> None:
    head = HeadSettings(translation_gain=0.5, translation_limit_m=0.1)
    retargeter = Retargeter(RetargetSettings(head=head))
    assert not retargeter.apply(face(place=(0.1, 0.1, 0.8)), 0.0).translation.any()
    moved = retargeter.apply(face(place=(0.14, 0.0, 0.7)), 0.1).translation
    # Right in the picture is the subject's left, up is up, and nearer is towards the viewer.
    np.testing.assert_allclose(moved, (0.02, 0.05, 0.05), atol=1e-9)
    far = retargeter.apply(face(place=(3.0, 0.1, 0.8)), 0.2).translation
    assert np.linalg.norm(far) == pytest.approx(0.1)
    retargeter.recentre()
    assert not retargeter.apply(face(place=(3.0, 0.1, 0.8)), 0.3).translation.any()


def test_gaze_gain_limit_and_eyes_together() -> None:
    parameters = replace(face(), gaze=np.array([(0.3, 0.1), (0.1, 0.1)], np.float32))
    driven = once(RetargetSettings(gaze=GazeSettings(gain=2.0, limit_deg=20.0)), parameters)
    np.testing.assert_allclose(driven.gaze, [(np.radians(20), 0.2), (0.2, 0.2)], atol=1e-6)
    driven = once(RetargetSettings(gaze=GazeSettings(together=True)), parameters)
    np.testing.assert_allclose(driven.gaze, [(0.2, 0.1)] * 2, atol=1e-6)
    # Muted looks hold the eye bones still, too.
    mute = {name: ChannelCurve(mute=True) for name in ARKIT_CHANNELS if name.startswith("eyeLook")}
    assert not once(RetargetSettings(channels=mute), parameters).gaze.any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_do_no_harm(bad: float) -> None:
    parameters = replace(
        face(),
        expression=np.full(CHANNEL_COUNT, bad, np.float32),
        rotation=np.full((3, 3), bad),
        translation=np.full(3, bad),
        gaze=np.full((2, 2), bad, np.float32),
    )
    driven = once(RetargetSettings(head=HeadSettings(translation_gain=1.0)), parameters)
    for field in (driven.values, driven.rotation, driven.translation, driven.gaze):
        assert np.isfinite(field).all()


def run(retargeter: Retargeter, parameters: FaceParameters | None, start: float, seconds: float) -> list[Driven]:
    return [retargeter.apply(parameters, start + i * 0.02) for i in range(round(seconds / 0.02))]


def test_idle_blinks_and_breathes() -> None:
    shown = run(Retargeter(), None, 0.0, 30.0)
    lids = np.array([of(d, "eyeBlinkLeft") for d in shown])
    blinks = np.flatnonzero((lids[1:] > 0.5) & (lids[:-1] <= 0.5))
    assert 4 <= len(blinks) <= 13 and lids.max() > 0.9 and np.median(lids) == 0.0
    assert [of(d, "eyeBlinkRight") for d in shown] == lids.tolist()
    assert max(d.breath for d in shown) > 0.95 and min(d.breath for d in shown) < -0.95
    still = Retargeter(RetargetSettings(idle=IdleSettings(blink=False, breathing=False)))
    for driven in run(still, None, 0.0, 20.0):
        assert not driven.values.any() and driven.breath == 0.0
        np.testing.assert_array_equal(driven.rotation, np.eye(3))


def biggest_step(shown: list[Driven]) -> float:
    values = np.array([d.values for d in shown])
    turns: NDArray[np.float64] = np.array([to_euler(d.rotation) for d in shown])
    return float(max(np.abs(np.diff(values, axis=0)).max(), np.abs(np.diff(turns, axis=0)).max()))


def test_losing_and_finding_the_face_never_jumps() -> None:
    settings = RetargetSettings(idle=IdleSettings(blink=False, fade_s=0.6))
    retargeter = Retargeter(settings)
    parameters = face({"jawOpen": 0.8}, (0.6, 0.0, 0.0), gaze=(0.3, 0.0))
    shown = run(retargeter, parameters, 0.0, 1.0)
    assert shown[0].tracked == 1.0
    lost = run(retargeter, None, 1.0, 1.0)
    assert lost[-1].tracked == 0.0 and of(lost[-1], "jawOpen") == 0.0
    found = run(retargeter, parameters, 2.0, 1.0)
    assert found[-1].tracked == 1.0 and of(found[-1], "jawOpen") == pytest.approx(0.8)
    # 0.8 in 0.6 s is 0.027 a step; smooth starting and ending make the middle half as fast again.
    assert biggest_step(shown + lost + found) < 0.05
    # In the middle it is half of each.
    assert 0.2 < of(lost[15], "jawOpen") < 0.6


def test_a_face_gone_for_a_moment_hardly_shows() -> None:
    retargeter = Retargeter()
    run(retargeter, face({"jawOpen": 0.8}), 0.0, 1.0)
    gone = run(retargeter, None, 1.0, 0.06)
    assert of(gone[-1], "jawOpen") > 0.75
    assert of(retargeter.apply(face({"jawOpen": 0.8}), 1.08), "jawOpen") > 0.75


def test_a_clock_that_runs_backwards_or_leaps_does_no_harm() -> None:
    retargeter = Retargeter()
    for time_s in (100.0, 5.0, 5.02, 1e6, 0.0, -10.0):
        for parameters in (face({"jawOpen": 1.0}), None):
            driven = retargeter.apply(parameters, time_s)
            assert np.isfinite(driven.values).all() and 0.0 <= driven.tracked <= 1.0
    retargeter.reset()
    assert retargeter.apply(None, 0.0).tracked == 0.0


def test_same_seed_same_life() -> None:
    first, second = (run(Retargeter(seed=3), None, 0.0, 10.0) for _ in range(2))
    np.testing.assert_array_equal([d.values for d in first], [d.values for d in second])
