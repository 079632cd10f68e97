"""Cleaning up curves: gaps, spikes, smoothing that delays nothing."""

from __future__ import annotations

import numpy as np
import pytest

from models.channels import CHANNEL_INDEX
from models.geometry.rotations import from_euler, from_quaternion, to_euler, to_quaternion
from recordings.cleanup import CleanUp, clean
from recordings.track import Track

FPS = 30
JAW, BLINK = CHANNEL_INDEX["jawOpen"], CHANNEL_INDEX["eyeBlinkLeft"]


def make_track(count: int = 120, blind: tuple[int, ...] = ()) -> Track:
    times = np.arange(count) / FPS
    valid = np.ones(count, bool)
    valid[list(blind)] = False
    expression = np.zeros((count, 52), np.float32)
    expression[:, JAW] = 0.4 + 0.3 * np.sin(2 * times)
    quaternion = np.stack([to_quaternion(from_euler(0.4 * np.sin(t), 0.1, 0.0)) for t in times])
    translation = np.stack([0.1 * times, 0 * times, 0.6 + 0 * times], axis=1)
    gaze = np.zeros((count, 2, 2), np.float32)
    for values in (expression, quaternion, translation, gaze):
        values[~valid] = np.nan
    return Track(
        np.arange(count), times, valid, valid.astype(np.float32), expression, quaternion, translation, gaze,
        np.zeros(0, np.float32),
    )  # fmt: skip


def test_nothing_wanted_changes_nothing() -> None:
    track = make_track(blind=(5,))
    assert clean(track, CleanUp()) is track and not CleanUp().any


def test_short_gaps_are_bridged_and_long_ones_left() -> None:
    truth, track = make_track(), make_track(blind=(10, 11, *range(40, 60)))
    cleaned = clean(track, CleanUp(fill_gaps_s=0.2))
    assert cleaned.valid[10:12].all() and not cleaned.valid[40:60].any()
    assert cleaned.expression[10, JAW] == pytest.approx(truth.expression[10, JAW], abs=0.01)
    assert np.allclose(
        to_euler(from_quaternion(cleaned.quaternion[11])), to_euler(from_quaternion(truth.quaternion[11])), atol=0.01
    )
    assert cleaned.translation[10, 0] == pytest.approx(truth.translation[10, 0], abs=1e-6)
    assert (cleaned.confidence[10:12] == 0).all() and np.isnan(cleaned.expression[45]).all()
    assert np.isnan(track.expression[10]).all(), "the recording itself is never changed"


def test_gaps_at_the_ends_stay() -> None:
    track = make_track(blind=(0, 1, 118, 119))
    assert not clean(track, CleanUp(fill_gaps_s=5)).valid[[0, 1, 118, 119]].any()


def test_a_spike_goes_and_a_real_move_stays() -> None:
    track = make_track()
    track.expression[30, JAW] = 1.0
    track.quaternion[50] = to_quaternion(from_euler(1.2, 0.5, 0.0))
    track.expression[60:75, BLINK] = 0.9
    cleaned = clean(track, CleanUp(spikes=True))
    truth = make_track()
    assert cleaned.expression[30, JAW] == pytest.approx(truth.expression[30, JAW], abs=0.03)
    assert np.abs(cleaned.quaternion[50] - truth.quaternion[50]).max() < 0.02
    assert cleaned.expression[62:73, BLINK].min() == pytest.approx(0.9)
    untouched = np.r_[0:25, 80:120]
    assert np.allclose(cleaned.expression[untouched], truth.expression[untouched], atol=1e-6)


def test_smoothing_takes_noise_without_delay_and_leaves_blinks() -> None:
    truth, track = make_track(), make_track()
    rng = np.random.default_rng(0)
    track.expression[:, JAW] += rng.normal(0, 0.03, len(track)).astype(np.float32)
    for row in range(len(track)):
        yaw, pitch, roll = to_euler(from_quaternion(track.quaternion[row])) + rng.normal(0, 0.01, 3)
        track.quaternion[row] = to_quaternion(from_euler(yaw, pitch, roll))
    track.expression[60:64, BLINK] = (0.5, 1.0, 1.0, 0.5)
    cleaned = clean(track, CleanUp(smooth_s=0.1, smooth_head_s=0.1))
    inner = slice(10, 110)
    before = np.abs(track.expression[inner, JAW] - truth.expression[inner, JAW]).mean()
    after = np.abs(cleaned.expression[inner, JAW] - truth.expression[inner, JAW]).mean()
    assert after < 0.5 * before
    shifts = [
        np.corrcoef(cleaned.expression[10:110, JAW], truth.expression[10 + k : 110 + k, JAW])[0, 1]
        for k in range(-4, 5)
    ]
    assert int(np.argmax(shifts)) == 4, "the smoothed curve lies where the true one does"
    assert cleaned.expression[61:63, BLINK].min() > 0.75
    assert np.allclose(np.linalg.norm(cleaned.quaternion, axis=1), 1)
    turn = [np.linalg.norm(to_euler(from_quaternion(c.quaternion[n])) - to_euler(from_quaternion(truth.quaternion[n])))
            for c in (track, cleaned) for n in range(10, 110)]  # fmt: skip
    assert np.mean(turn[100:]) < 0.6 * np.mean(turn[:100])


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="less than or equal to 5"):
        CleanUp(fill_gaps_s=50)
