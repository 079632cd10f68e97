"""The many names of one expression."""

from __future__ import annotations

import pytest

from models.avatars.names import VISEMES, VRM_PRESETS, canonical_name
from models.channels import ARKIT_CHANNELS


@pytest.mark.parametrize("channel", ARKIT_CHANNELS)
def test_arkit_names_in_their_usual_spellings(channel: str) -> None:
    pascal = channel[0].upper() + channel[1:]
    spellings = [channel, pascal, channel.upper(), f"blendShape1.{channel}", f"ARKit_{channel}", f"A01_{pascal}"]
    for side in ("Left", "Right"):
        if channel.endswith(side):
            spellings += [f"{channel[: -len(side)]}_{side[0]}", f"{channel[: -len(side)]}_{side}"]
    for spelling in spellings:
        assert canonical_name(spelling) == channel, spelling


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("A", "aa"),
        ("aa", "aa"),
        ("Blink_L", "blinkLeft"),
        ("blinkRight", "blinkRight"),
        ("Joy", "happy"),
        ("Sorrow", "sad"),
        ("Fun", "relaxed"),
        ("LOOKUP", "lookUp"),
        ("Face.M_F00_000_00_Fcl_MTH_A", "aa"),
        ("Fcl_EYE_Close_R", "blinkRight"),
        ("Fcl_ALL_Surprised", "surprised"),
        ("Fcl_MTH_O", "oh"),
        ("vrc.v_aa", "viseme_aa"),
        ("vrc.v_pp", "viseme_PP"),
        ("viseme_kk", "viseme_kk"),
        ("mouthSmile", "mouthSmile"),
        ("eyesClosed", "blink"),
        ("mouthOpen", "jawOpen"),
        ("あ", "aa"),
        ("まばたき", "blink"),
    ],
)
def test_other_habits(name: str, canonical: str) -> None:
    assert canonical_name(name) == canonical


@pytest.mark.parametrize("name", ["", "breast_size", "Fcl_HA_Fung1", "target_12", "left", "_", "ear_A_twist"])
def test_unknown_names_stay_unknown(name: str) -> None:
    assert canonical_name(name) is None


def test_own_names_mean_themselves() -> None:
    for name in (*ARKIT_CHANNELS, *VRM_PRESETS, *VISEMES):
        assert canonical_name(name) == name
