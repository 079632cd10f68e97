"""Expressions that keys show on an avatar."""

from __future__ import annotations

import numpy as np
import pytest

from models.channels import ARKIT_CHANNELS
from tests.tracking.retarget.test_apply import face, of
from tracking.retarget import Driven, Hotkey, HotkeySettings, Retargeter, RetargetSettings, usual_hotkeys
from tracking.retarget.hotkeys import pressed, released

SMILE = Hotkey(name="Smile", values={"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8})
GASP = Hotkey(name="Gasp", replace=True, values={"jawOpen": 0.6})
HEARTS = Hotkey(name="Hearts", replace=True, values={"heart eyes": 1.0})
WINK = Hotkey(name="Wink", hold=True, values={"eyeBlinkLeft": 1.0})
STARE = Hotkey(name="Stare", hold=True, replace=True, values={"eyeWideLeft": 1.0})
KEYS = HotkeySettings(fade_s=1.0, expressions=(SMILE, GASP, HEARTS, WINK, STARE))
TALKING = face({"mouthSmileLeft": 0.5, "jawOpen": 0.2}, angles=(0.3, 0.1, 0.0), gaze=(0.2, -0.1))


def shown(*names: str, until_s: float = 5.0, keys: HotkeySettings = KEYS) -> Driven:
    """A tracked face for a second, then with these so long."""
    retargeter = Retargeter(RetargetSettings(hotkeys=keys))
    retargeter.apply(TALKING, 0.0)
    retargeter.show(names)
    driven = retargeter.apply(TALKING, 0.0)
    for i in range(1, round(until_s / 0.05) + 1):
        driven = retargeter.apply(TALKING, i * 0.05)
    return driven


def test_it_is_added_to_the_tracked_face_and_clipped() -> None:
    driven = shown("Smile")
    assert of(driven, "mouthSmileLeft") == 1.0 and of(driven, "mouthSmileRight") == pytest.approx(0.8)
    assert of(driven, "jawOpen") == pytest.approx(0.2)


def test_it_stands_for_the_tracked_expression_while_head_and_eyes_go_on() -> None:
    driven, plain = shown("Gasp"), shown()
    assert of(driven, "mouthSmileLeft") == 0.0 and of(driven, "jawOpen") == pytest.approx(0.6)
    np.testing.assert_array_equal(driven.gaze, plain.gaze)
    np.testing.assert_array_equal(driven.rotation, plain.rotation)
    for name in ("eyeLookOutLeft", "eyeLookInRight", "eyeLookUpLeft"):
        assert of(driven, name) == of(plain, name) > 0


def test_the_avatars_own_expressions_are_handed_on_by_name() -> None:
    assert shown("Hearts").own == (("heart eyes", 1.0),) and shown("Smile").own == ()


def test_it_comes_and_goes_in_the_time_that_is_set_whatever_the_rate() -> None:
    half = of(shown("Smile", until_s=0.5), "mouthSmileRight")
    assert half == pytest.approx(0.4, abs=1e-5)
    slow = Retargeter(RetargetSettings(hotkeys=KEYS))
    slow.apply(TALKING, 0.0)
    slow.show(("Smile",))
    slow.apply(TALKING, 0.25)
    assert of(slow.apply(TALKING, 0.5), "mouthSmileRight") == pytest.approx(half, abs=1e-5)
    slow.show(())
    values = [of(slow.apply(TALKING, 0.5 + t), "mouthSmileRight") for t in (0.0, 0.2, 0.4, 0.6)]
    assert values == sorted(values, reverse=True) and values[0] == pytest.approx(half) and values[-1] == 0.0


def test_without_a_fade_it_is_there_at_once() -> None:
    keys = KEYS.model_copy(update={"fade_s": 0.0})
    assert of(shown("Smile", until_s=0.0, keys=keys), "mouthSmileRight") == pytest.approx(0.8)


def test_a_clock_that_stands_still_moves_nothing() -> None:
    assert of(shown("Smile", until_s=0.0), "mouthSmileRight") == 0.0


def test_one_gives_way_to_another_without_the_tracked_face_between() -> None:
    retargeter = Retargeter(RetargetSettings(hotkeys=KEYS))
    retargeter.show(("Hearts",))
    retargeter.apply(TALKING, 0.0)
    retargeter.show(("Gasp",))
    for i in range(1, 11):
        driven = retargeter.apply(TALKING, i * 0.1)
        assert of(driven, "mouthSmileLeft") == pytest.approx(0.0, abs=1e-6)
    assert of(driven, "jawOpen") == pytest.approx(0.6) and not driven.own


def test_they_show_on_an_idle_face_too() -> None:
    retargeter = Retargeter(RetargetSettings(hotkeys=KEYS))
    retargeter.show(("Smile", "Wink"))
    driven = retargeter.apply(None, 0.0)
    assert driven.tracked == 0.0
    assert of(driven, "mouthSmileLeft") == pytest.approx(0.8) and of(driven, "eyeBlinkLeft") == 1.0


def test_an_expression_that_looks_aside_turns_the_eyes() -> None:
    keys = HotkeySettings(expressions=(Hotkey(name="Roll", values={"eyeLookUpLeft": 1.0, "eyeLookUpRight": 1.0}),))
    up, before = shown("Roll", keys=keys).gaze, shown(keys=keys).gaze
    assert (up[:, 1] < before[:, 1] - 0.2).all()
    np.testing.assert_allclose(up[:, 0], before[:, 0], atol=1e-6)


def test_one_that_is_deleted_ends_and_the_others_stay() -> None:
    retargeter = Retargeter(RetargetSettings(hotkeys=KEYS))
    retargeter.show(("Smile", "Wink"))
    retargeter.apply(TALKING, 0.0)
    left = HotkeySettings(fade_s=1.0, expressions=(WINK,))
    retargeter.settings = RetargetSettings(hotkeys=left)
    driven = retargeter.apply(TALKING, 0.0)
    assert of(driven, "mouthSmileRight") == 0.0 and of(driven, "eyeBlinkLeft") == 1.0
    retargeter.reset()
    assert of(retargeter.apply(TALKING, 0.0), "eyeBlinkLeft") == 0.0


def test_keys_toggle_or_hold() -> None:
    assert pressed(KEYS, (), "Smile") == ("Smile",)
    assert released(KEYS, ("Smile",), "Smile") == ("Smile",), "a toggle stays"
    assert pressed(KEYS, ("Smile", "Gasp"), "Smile") == ("Gasp",)
    assert pressed(KEYS, ("Smile",), "Wink") == pressed(KEYS, ("Smile", "Wink"), "Wink") == ("Smile", "Wink")
    assert released(KEYS, ("Smile", "Wink"), "Wink") == ("Smile",)
    assert pressed(KEYS, ("Smile",), "unknown") == ("Smile",) == released(KEYS, ("Smile",), "unknown")


def test_of_those_that_replace_one_is_seen() -> None:
    assert pressed(KEYS, ("Smile", "Hearts"), "Gasp") == ("Smile", "Gasp"), "a toggle sends the other away"
    held = pressed(KEYS, ("Gasp",), "Stare")
    assert held == ("Gasp", "Stare") and released(KEYS, held, "Stare") == ("Gasp",)
    driven = shown(*held)
    assert of(driven, "eyeWideLeft") == 1.0 and of(driven, "jawOpen") == 0.0


def test_usual_expressions() -> None:
    drawn = usual_hotkeys(["aa", "surprised", "happy", "sad", "blink"])
    assert [(h.name, h.key, h.values) for h in drawn] == [
        ("Happy", "Ctrl+1", {"happy": 1.0}),
        ("Sad", "Ctrl+2", {"sad": 1.0}),
        ("Surprised", "Ctrl+3", {"surprised": 1.0}),
    ]
    made = usual_hotkeys(ARKIT_CHANNELS)
    assert len(made) == 5 and all(set(h.values) <= set(ARKIT_CHANNELS) for h in made)
    assert usual_hotkeys(["aa", "blink"]) == ()
