"""Neutral calibration: what is captured, what is refused, what it does, and how it is kept."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.channels import ARKIT_CHANNELS, CHANNEL_COUNT, GAZE_CHANNELS
from models.geometry.rotations import angle_between, from_euler
from tests.helpers.faces import face_state, value
from tracking import calibration_store
from tracking.calibration import Calibration, CalibrationError, Calibrator, CaptureSettings, NeutralCapture
from tracking.calibration_store import CalibrationFileError, CalibrationStore
from tracking.types import FaceParameters, Uncertainty

REST = {"browDownLeft": 0.3, "mouthFrownLeft": 0.1, "jawOpen": 0.02}
POSE: dict[str, Any] = {
    "yaw": 0.1,
    "pitch": -0.2,
    "translation": (0.05, -0.1, 0.7),
    "gaze": ((0.05, 0.1), (0.03, 0.12)),
}


def capture(states: list[FaceParameters | None], fps: float = 30.0) -> Calibration:
    collector = NeutralCapture()
    for n, state in enumerate(states):
        collector.add(state, n / fps)
    return collector.finish("Ada", datetime(2026, 1, 2, tzinfo=UTC))


def resting(count: int = 31, noise: float = 0.01) -> list[FaceParameters | None]:
    rng = np.random.default_rng(0)
    states: list[FaceParameters | None] = []
    for _ in range(count):
        channels = {name: max(0.0, level + rng.normal(0.0, noise)) for name, level in REST.items()}
        states.append(face_state(channels, **POSE))
    return states


def test_the_median_of_a_resting_face_is_taken() -> None:
    made = capture(resting())
    assert made.person == "Ada"
    assert made.frames == 31
    for name, level in REST.items():
        assert made.expression[name] == pytest.approx(level, abs=0.01)
    assert made.expression["cheekPuff"] == 0.0
    assert not any(name.startswith("eyeLook") for name in made.expression)
    np.testing.assert_allclose(made.gaze, ((0.05, 0.1), (0.03, 0.12)))
    assert made.head_position_m == pytest.approx((0.05, -0.1, 0.7))


def test_blinks_and_single_wild_frames_do_not_matter() -> None:
    states = resting()
    for n in (5, 6, 7, 20, 21):
        states[n] = face_state({**REST, "eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}, **POSE)
    states[12] = face_state({"jawOpen": 1.0}, yaw=1.0, translation=(1.0, 1.0, 3.0))
    made = capture(states)
    assert made.expression["eyeBlinkLeft"] == 0.0
    assert made.expression["browDownLeft"] == pytest.approx(0.3, abs=0.01)
    assert made.head_position_m == pytest.approx((0.05, -0.1, 0.7))


def test_progress_tells_when_it_is_done() -> None:
    collector = NeutralCapture(CaptureSettings(duration_s=2.0))
    assert collector.add(face_state(), 10.0).fraction == 0.0
    assert collector.add(face_state(), 11.0).fraction == 0.5
    assert not collector.add(face_state(), 11.9).done
    assert collector.add(None, 12.0).done
    assert collector.add(face_state(), 3.0).fraction == 0.0


def test_a_face_that_is_lost_is_refused() -> None:
    states = resting()
    states[10:20] = [None] * 10
    with pytest.raises(CalibrationError, match="out of sight"):
        capture(states)
    states[10:16] = resting(6)
    assert capture(states).frames == 27


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(CalibrationError, match="Only 7 pictures"):
        capture(resting(7))
    with pytest.raises(CalibrationError, match="Only 0 pictures"):
        capture([])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"yaw": 0.5}, "head moved"),
        ({"translation": (0.05, -0.1, 0.8)}, "head moved"),
        ({"channels": {"jawOpen": 0.9}}, r"face moved too much \(jawOpen\)"),
    ],
)
def test_motion_is_refused(changed: dict[str, Any], expected: str) -> None:
    channels = {**REST, **changed.get("channels", {})}
    pose = {**POSE, **{name: v for name, v in changed.items() if name != "channels"}}
    states = resting()
    for n in range(0, 12):
        states[n] = face_state(channels, **pose)
    with pytest.raises(CalibrationError, match=expected) as caught:
        capture(states)
    assert str(caught.value).endswith("try again.")


def test_looking_to_the_side_is_refused() -> None:
    with pytest.raises(CalibrationError, match="looked to the side"):
        capture([face_state(yaw=0.6)] * 31)


def test_the_resting_face_reads_zero_afterwards() -> None:
    made = capture(resting(noise=0.0))
    out = Calibrator(made).apply(face_state(REST, **POSE))
    np.testing.assert_allclose(out.expression, 0.0, atol=1e-5)
    np.testing.assert_allclose(out.gaze, 0.0, atol=1e-6)
    np.testing.assert_array_equal(out.rotation, from_euler(0.1, -0.2, 0.0))


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_one_stays_one_and_order_is_kept(neutral: float, other: float) -> None:
    made = capture([face_state({"mouthPucker": neutral})] * 31)
    apply = Calibrator(made).apply
    assert value(apply(face_state({"mouthPucker": 1.0})), "mouthPucker") == pytest.approx(1.0, abs=1e-5)
    at_rest = value(apply(face_state({"mouthPucker": neutral})), "mouthPucker")
    # Up to the limit of what counts as rest, rest reads zero.
    assert at_rest == pytest.approx(max(0.0, (neutral - 0.7) / 0.3), abs=1e-4)
    moved = value(apply(face_state({"mouthPucker": other})), "mouthPucker")
    assert 0.0 <= moved <= 1.0
    assert (moved >= at_rest - 1e-6) if other >= neutral else (moved <= at_rest + 1e-6)


def test_look_channels_follow_from_the_calibrated_gaze() -> None:
    made = capture(resting())
    out = Calibrator(made).apply(face_state(gaze=((0.35, 0.1), (0.33, 0.12))))
    np.testing.assert_allclose(out.gaze, [[0.3, 0.0], [0.3, 0.0]], atol=1e-6)
    assert value(out, "eyeLookOutLeft") == pytest.approx(0.3 / 0.61, abs=1e-5)
    assert value(out, "eyeLookInRight") == pytest.approx(0.3 / 0.61, abs=1e-5)
    assert value(out, "eyeLookDownLeft") == pytest.approx(0.0, abs=1e-6)


def test_without_a_calibration_nothing_changes() -> None:
    state = face_state(REST)
    assert Calibrator().apply(state) is state


def test_uncertainty_grows_with_the_rescaling() -> None:
    made = capture([face_state({"jawOpen": 0.5})] * 31)
    nothing = np.zeros(3, np.float32)
    unsure = Uncertainty(np.full(CHANNEL_COUNT, 0.1, np.float32), nothing, nothing, np.zeros((2, 2), np.float32))
    out = Calibrator(made).apply(replace(face_state({"jawOpen": 0.5}), uncertainty=unsure))
    assert out.uncertainty is not None
    assert out.uncertainty.expression[ARKIT_CHANNELS.index("jawOpen")] == pytest.approx(0.2)
    assert out.uncertainty.expression[ARKIT_CHANNELS.index("cheekPuff")] == pytest.approx(0.1)


def test_recentring_puts_the_resting_head_before_the_camera() -> None:
    made = capture(resting(noise=0.0))
    apply = Calibrator(made, recentre_head=True).apply
    rest = apply(face_state(REST, **POSE))
    assert angle_between(rest.rotation, np.eye(3)) < 1e-6
    np.testing.assert_allclose(rest.translation, [0.0, 0.0, 0.7], atol=1e-9)
    # A turn of the head in its own frame stays the same turn.
    turned = replace(face_state(REST, **POSE), rotation=from_euler(0.1, -0.2, 0.0) @ from_euler(0.3, 0.0, 0.0))
    assert angle_between(apply(turned).rotation, from_euler(0.3, 0.0, 0.0)) < 1e-6
    # Towards the resting face's own front is towards the camera.
    front = np.diag([1.0, -1.0, -1.0]) @ from_euler(0.1, -0.2, 0.0) @ np.array([0.0, 0.0, 0.1])
    nearer = replace(face_state(REST, **POSE), translation=np.array(POSE["translation"]) + front)
    np.testing.assert_allclose(apply(nearer).translation, [0.0, 0.0, 0.6], atol=1e-9)


@pytest.fixture
def store(tmp_path: Path) -> CalibrationStore:
    return CalibrationStore(tmp_path / "calibrations")


def test_is_kept_for_each_person(store: CalibrationStore) -> None:
    ada = capture(resting())
    grace = ada.model_copy(update={"person": "Grace"})
    assert store.load("Ada") is None
    assert store.people() == []
    store.save(grace)
    store.save(ada)
    assert store.load("Ada") == ada
    assert store.load("Grace") == grace
    assert store.people() == ["Ada", "Grace"]
    store.delete("Ada")
    store.delete("Ada")
    assert store.people() == ["Grace"]


@given(name=st.text(min_size=1, max_size=200))
def test_any_name_has_a_safe_file_of_its_own(name: str) -> None:
    name = name.encode("utf-8", "ignore").decode() or "x"
    store = CalibrationStore(Path("calibrations"))
    path = store.path(name)
    assert path.parent == Path("calibrations")
    assert len(path.name) < 160
    assert path.name.isascii()
    assert not set(path.name) & set('\\/:*?"<>|')
    assert store.path(name + "x") != path


def test_saving_replaces_in_one_piece(store: CalibrationStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = capture(resting())
    store.save(first)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CalibrationFileError, match=r"cannot be saved .*No space left"):
        store.save(first.model_copy(update={"frames": 99}))
    assert store.load("Ada") == first
    assert [path.suffix for path in store.folder.iterdir()] == [".json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b'{"schema_version": "one"}',
        b'{"schema_version": 0}',
        b'{"schema_version": 1, "person": "Ada"}',
        b"[" * 100_000,
        None,
    ],
)
def test_damaged_files_are_reported_once_and_kept_aside(store: CalibrationStore, content: bytes | None) -> None:
    path = store.save(capture(resting()))
    path.write_bytes(path.read_bytes()[:-30] if content is None else content)
    assert store.people() == []
    with pytest.raises(CalibrationFileError, match=r"^The calibration of Ada was damaged .*again\.$") as caught:
        store.load("Ada")
    assert "\n" not in str(caught.value)
    assert store.load("Ada") is None
    (aside,) = store.folder.iterdir()
    assert str(aside) in str(caught.value)
    store.save(capture(resting())).write_bytes(b"")
    with pytest.raises(CalibrationFileError):
        store.load("Ada")
    assert len(list(store.folder.iterdir())) == 2


@pytest.mark.parametrize(
    "change",
    [{"expression": {"noSuchChannel": 0.1}}, {"expression": {"jawOpen": 7.0}}, {"head_quaternion": [0, 0, 0, 0]}],
)
def test_impossible_values_count_as_damage(store: CalibrationStore, change: dict[str, object]) -> None:
    path = store.save(capture(resting()))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CalibrationFileError, match="damaged"):
        store.load("Ada")


def test_a_newer_version_is_left_alone(store: CalibrationStore) -> None:
    path = store.save(capture(resting()))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 99}))
    with pytest.raises(CalibrationFileError, match="newer version"):
        store.load("Ada")
    assert path.exists()


def test_older_versions_are_migrated(store: CalibrationStore, monkeypatch: pytest.MonkeyPatch) -> None:
    made = capture(resting())
    path = store.save(made)
    old = json.loads(path.read_text()) | {"schema_version": 0}
    old["name"] = old.pop("person")
    path.write_text(json.dumps(old))
    monkeypatch.setitem(
        calibration_store.MIGRATIONS,
        0,
        lambda data: {**{k: v for k, v in data.items() if k != "name"}, "person": data["name"]},
    )
    assert store.load("Ada") == made


def test_every_channel_but_the_look_channels_is_stored() -> None:
    assert set(capture(resting()).expression) == {n for i, n in enumerate(ARKIT_CHANNELS) if i not in GAZE_CHANNELS}
