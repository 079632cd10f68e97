"""A lost face is held, fades, disappears, and comes back gently."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.geometry.rotations import angle_between, from_euler
from tests.helpers.faces import face_state, value
from tracking.presence import Presence, PresenceSettings
from tracking.types import TrackingState

SMILE = face_state({"mouthSmileLeft": 0.8, "jawOpen": 0.4}, yaw=0.2, gaze=((0.3, 0.1), (0.3, 0.1)))


def test_searches_until_a_face_is_seen() -> None:
    presence = Presence()
    shown = presence.update(None, 0.0)
    assert shown.state is TrackingState.SEARCHING
    assert shown.parameters is None


def test_live_values_pass_unchanged_from_the_first_frame() -> None:
    presence = Presence()
    for n in range(3):
        shown = presence.update(SMILE, n / 30)
        assert shown.state is TrackingState.TRACKING
        assert shown.parameters is SMILE


def test_holds_then_fades_then_searches() -> None:
    presence = Presence()
    presence.update(SMILE, 1.0)
    for gone in (0.05, 0.2, 0.29):
        shown = presence.update(None, 1.0 + gone)
        assert shown.state is TrackingState.HOLDING
        assert shown.parameters is SMILE
    fading = [presence.update(None, 1.0 + gone) for gone in (0.31, 0.5, 0.65, 0.8, 0.99)]
    assert {shown.state for shown in fading} == {TrackingState.FADING}
    smiles = [value(shown.parameters, "mouthSmileLeft") for shown in fading if shown.parameters]
    assert smiles == sorted(smiles, reverse=True)
    assert smiles[0] == pytest.approx(0.8, abs=0.01)
    assert smiles[2] == pytest.approx(0.4, abs=0.01)
    assert smiles[-1] < 0.01
    middle = fading[2].parameters
    assert middle is not None
    np.testing.assert_allclose(middle.gaze, SMILE.gaze * 0.5, atol=1e-3)
    assert value(middle, "eyeLookOutLeft") == pytest.approx(value(SMILE, "eyeLookOutLeft") / 2, abs=1e-3)
    np.testing.assert_array_equal(middle.rotation, SMILE.rotation)
    for gone in (1.0, 5.0):
        shown = presence.update(None, 1.0 + gone)
        assert shown.state is TrackingState.SEARCHING
        assert shown.parameters is None


def test_returns_gently_from_holding() -> None:
    presence = Presence()
    presence.update(SMILE, 0.0)
    presence.update(None, 0.1)
    live = face_state({"mouthSmileLeft": 0.0}, yaw=0.4)
    back = [presence.update(live, 0.2 + dt) for dt in (0.0, 0.1, 0.2)]
    assert {shown.state for shown in back} == {TrackingState.TRACKING}
    smiles = [value(shown.parameters, "mouthSmileLeft") for shown in back if shown.parameters]
    assert smiles == pytest.approx([0.8, 0.4, 0.0], abs=1e-3)
    middle = back[1].parameters
    assert middle is not None
    assert angle_between(middle.rotation, from_euler(0.3, 0.0, 0.0)) < 1e-6
    assert back[2].parameters is live


def test_returns_from_where_the_fading_stood() -> None:
    presence = Presence()
    presence.update(SMILE, 0.0)
    faded = presence.update(None, 0.65).parameters
    assert faded is not None
    back = presence.update(SMILE, 0.65).parameters
    assert back is not None
    assert value(back, "mouthSmileLeft") == pytest.approx(value(faded, "mouthSmileLeft"))
    assert presence.update(SMILE, 0.9).parameters is SMILE


def test_comes_in_neutral_but_in_place_after_a_long_absence() -> None:
    presence = Presence()
    presence.update(SMILE, 0.0)
    assert presence.update(None, 5.0).state is TrackingState.SEARCHING
    live = face_state({"jawOpen": 1.0}, yaw=-0.5, translation=(0.3, 0.0, 1.0))
    first = presence.update(live, 6.0).parameters
    assert first is not None
    assert value(first, "jawOpen") == 0.0
    assert angle_between(first.rotation, live.rotation) < 1e-6
    np.testing.assert_allclose(first.translation, live.translation)
    assert presence.update(live, 6.2).parameters is live


def test_losing_the_face_again_while_it_returns_holds_what_was_shown() -> None:
    presence = Presence()
    presence.update(SMILE, 0.0)
    presence.update(None, 5.0)
    presence.update(SMILE, 6.0)
    halfway = presence.update(SMILE, 6.1).parameters
    held = presence.update(None, 6.15)
    assert held.state is TrackingState.HOLDING
    assert held.parameters is halfway


def test_zero_times_switch_everything_at_once() -> None:
    presence = Presence(PresenceSettings(hold_s=0.0, fade_s=0.0, return_s=0.0))
    presence.update(SMILE, 0.0)
    assert presence.update(None, 0.04).state is TrackingState.SEARCHING
    assert presence.update(SMILE, 0.08).parameters is SMILE


def test_time_going_back_and_reset_start_anew() -> None:
    for again in ("back", "reset"):
        presence = Presence()
        presence.update(SMILE, 10.0)
        if again == "reset":
            presence.reset()
        assert presence.update(None, 9.9 if again == "back" else 10.1).state is TrackingState.SEARCHING


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 0.8)), max_size=40))
def test_nothing_jumps_and_states_follow_in_order(steps: list[tuple[bool, float]]) -> None:
    presence = Presence()
    time_s, before = 0.0, TrackingState.SEARCHING
    follows = {
        TrackingState.SEARCHING: {TrackingState.SEARCHING, TrackingState.TRACKING},
        TrackingState.TRACKING: set(TrackingState),
        TrackingState.HOLDING: set(TrackingState),
        TrackingState.FADING: {TrackingState.FADING, TrackingState.SEARCHING, TrackingState.TRACKING},
    }
    for seen, dt in steps:
        time_s += dt
        shown = presence.update(SMILE if seen else None, time_s)
        assert (shown.state is TrackingState.TRACKING) == seen
        assert shown.state in follows[before]
        assert (shown.parameters is None) == (shown.state is TrackingState.SEARCHING)
        if shown.parameters is not None:
            assert -1e-6 <= value(shown.parameters, "mouthSmileLeft") <= 0.8 + 1e-6
        before = shown.state
