"""The channel vocabulary and its two-way relation with gaze."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.channels import (
    ARKIT_CHANNELS,
    CHANNEL_COUNT,
    CHANNEL_INDEX,
    GAZE_CHANNELS,
    GAZE_FULL_PITCH,
    GAZE_FULL_YAW,
    MIRROR_PERMUTATION,
    channels_to_gaze,
    gaze_to_channels,
    mirrored_name,
)


def test_52_different_names_in_live_link_order() -> None:
    assert CHANNEL_COUNT == 52 == len(set(ARKIT_CHANNELS))
    assert ARKIT_CHANNELS[0] == "eyeBlinkLeft"
    assert ARKIT_CHANNELS[7] == "eyeBlinkRight"
    assert ARKIT_CHANNELS[14:19] == ("jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose")
    assert ARKIT_CHANNELS[-1] == "tongueOut"
    assert [CHANNEL_INDEX[name] for name in ARKIT_CHANNELS] == list(range(52))


def test_mirroring_swaps_sides_and_twice_is_nothing() -> None:
    assert mirrored_name("mouthLeft") == "mouthRight"
    assert mirrored_name("browDownRight") == "browDownLeft"
    assert mirrored_name("jawOpen") == "jawOpen"
    np.testing.assert_array_equal(MIRROR_PERMUTATION[MIRROR_PERMUTATION], np.arange(CHANNEL_COUNT))
    values = np.zeros(CHANNEL_COUNT)
    values[CHANNEL_INDEX["eyeBlinkLeft"]] = 1
    assert values[MIRROR_PERMUTATION][CHANNEL_INDEX["eyeBlinkRight"]] == 1
    unsided = [n for i, n in enumerate(ARKIT_CHANNELS) if MIRROR_PERMUTATION[i] == i]
    assert "jawOpen" in unsided
    assert not any(n.endswith(("Left", "Right")) for n in unsided)


def test_gaze_channels_are_the_eight_looks() -> None:
    names = {ARKIT_CHANNELS[i] for i in GAZE_CHANNELS}
    assert names == {f"eyeLook{d}{s}" for d in ("Up", "Down", "In", "Out") for s in ("Left", "Right")}


@pytest.mark.parametrize(
    ("yaw", "pitch", "expected"),
    [
        (GAZE_FULL_YAW, 0.0, {"eyeLookOutLeft", "eyeLookInRight"}),
        (-GAZE_FULL_YAW, 0.0, {"eyeLookInLeft", "eyeLookOutRight"}),
        (0.0, GAZE_FULL_PITCH, {"eyeLookDownLeft", "eyeLookDownRight"}),
        (0.0, -GAZE_FULL_PITCH, {"eyeLookUpLeft", "eyeLookUpRight"}),
    ],
)
def test_looking_left_is_out_for_the_left_eye(yaw: float, pitch: float, expected: set[str]) -> None:
    values = gaze_to_channels(np.array([[yaw, pitch], [yaw, pitch]]))
    assert {ARKIT_CHANNELS[i] for i in np.flatnonzero(values)} == expected
    np.testing.assert_allclose(values[values > 0], 1.0)


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4))
def test_gaze_within_the_limits_survives_the_round_trip(shares: list[float]) -> None:
    gaze = np.array(shares).reshape(2, 2) * (GAZE_FULL_YAW, GAZE_FULL_PITCH)
    values = gaze_to_channels(gaze)
    assert values.dtype == np.float32
    np.testing.assert_allclose(channels_to_gaze(values), gaze, atol=1e-6)


def test_gaze_beyond_the_limits_reads_one() -> None:
    values = gaze_to_channels(np.full((2, 2), 9.0))
    assert values.max() == 1.0
    assert np.delete(values, GAZE_CHANNELS).max() == 0.0


def test_mirrored_channels_are_a_mirrored_gaze() -> None:
    gaze = np.array([[0.3, 0.1], [0.2, 0.1]])
    mirrored = channels_to_gaze(gaze_to_channels(gaze)[MIRROR_PERMUTATION])
    np.testing.assert_allclose(mirrored, gaze[::-1] * (-1, 1), atol=1e-6)
