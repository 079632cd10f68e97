"""Which expressions of an avatar a face drives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.avatars import load_avatar
from models.channels import ARKIT_CHANNELS, CHANNEL_COUNT, CHANNEL_INDEX
from tests.helpers.avatar_files import as_vrm1, person
from tracking.retarget import ExpressionMap, automatic_settings

VOWELS = ["aa", "ih", "ou", "ee", "oh"]


def weights(names: list[str], channels: dict[str, float], gains: dict[str, float] | None = None) -> dict[str, float]:
    values = np.zeros(CHANNEL_COUNT, np.float32)
    for name, value in channels.items():
        values[CHANNEL_INDEX[name]] = value
    driven = ExpressionMap(names, gains)
    return dict(zip(driven.names, driven.weights(values).tolist(), strict=True))


def test_arkit_avatar_takes_the_channels_and_leaves_visemes_and_moods_alone() -> None:
    names = [*ARKIT_CHANNELS, "viseme_aa", "viseme_PP", *VOWELS, "happy", "blink", "custom thing"]
    driven = ExpressionMap(names)
    assert driven.names == ARKIT_CHANNELS
    assert set(driven.undriven) == set(names) - set(ARKIT_CHANNELS)
    values = np.random.default_rng(0).random(CHANNEL_COUNT).astype(np.float32)
    np.testing.assert_array_equal(driven.weights(values), values)


@pytest.mark.parametrize(
    ("channels", "vowel"),
    [
        ({"jawOpen": 0.7}, "aa"),
        ({"mouthStretchLeft": 1.0, "mouthStretchRight": 1.0}, "ih"),
        ({"mouthPucker": 1.0}, "ou"),
        ({"jawOpen": 0.7, "mouthStretchLeft": 1.0, "mouthStretchRight": 1.0}, "ee"),
        ({"jawOpen": 0.7, "mouthFunnel": 1.0}, "oh"),
    ],
)
def test_each_vowel_of_a_vrm(channels: dict[str, float], vowel: str) -> None:
    found = weights([*VOWELS, "blinkLeft"], channels)
    assert found[vowel] == pytest.approx(1.0)
    assert sum(found.values()) == pytest.approx(1.0)


def test_lids_take_the_finest_that_there_is() -> None:
    wink = {"eyeBlinkLeft": 1.0}
    assert weights(["blink", "blinkLeft", "blinkRight"], wink) == {"blinkLeft": 1.0, "blinkRight": 0.0}
    assert weights(["blink"], wink) == {"blink": 0.5}
    assert weights(["blink", "eyeBlinkLeft"], wink) == {"eyeBlinkLeft": 1.0}


def test_smile_makes_a_vrm_happy() -> None:
    found = weights(["aa", "happy", "angry"], {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0})
    assert found["happy"] == pytest.approx(0.8) and found["angry"] == 0.0


def test_visemes_stand_in_for_vowels() -> None:
    found = weights(["viseme_aa", "viseme_O", "viseme_PP"], {"jawOpen": 0.7, "mouthFunnel": 1.0})
    assert found["viseme_O"] == pytest.approx(1.0) and found["viseme_aa"] == 0.0


def test_one_shape_for_both_sides_takes_the_mean() -> None:
    assert weights(["mouthSmile", "jawOpen"], {"mouthSmileLeft": 1.0, "jawOpen": 0.3}) == {
        "mouthSmile": 0.5,
        "jawOpen": pytest.approx(0.3),
    }


def test_gaze_of_an_avatar_that_only_has_looks() -> None:
    left = {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}
    found = weights(["lookUp", "lookDown", "lookLeft", "lookRight"], left)
    assert found == {"lookUp": 0.0, "lookDown": 0.0, "lookLeft": 1.0, "lookRight": 0.0}


def test_gain_of_a_single_expression() -> None:
    assert weights(["jawOpen", "tongueOut"], {"jawOpen": 1.0, "tongueOut": 1.0}, {"jawOpen": 0.25}) == {
        "jawOpen": 0.25,
        "tongueOut": 1.0,
    }


def test_an_avatar_without_expressions_is_no_error() -> None:
    assert weights([], {"jawOpen": 1.0}) == {}


def test_automatic_settings(tmp_path: Path) -> None:
    move = (0.0, 0.01, 0.0)
    plain = load_avatar(person({"jawOpen": move, "eyeBlinkLeft": move}, rows=4).save(tmp_path / "a.glb"))
    assert not automatic_settings(plain).channels
    drawn = load_avatar(as_vrm1(person({"Fcl_MTH_A": move}, rows=4), {}).save(tmp_path / "b.vrm"))
    settings = automatic_settings(drawn)
    assert settings.gaze.together and settings.channels["eyeBlinkLeft"].gain > 1
