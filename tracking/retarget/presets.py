"""Which of an avatar's expressions the channels drive, and settings that suit it: found from the names it has.

Each region of the face is driven by one vocabulary alone, the finest that the avatar has, because two would add up:

| region | first choice | then | then |
|---|---|---|---|
| mouth | ARKit's channels | VRM's vowels | Oculus visemes |
| lids | eyeBlinkLeft, eyeBlinkRight | blinkLeft, blinkRight | blink |
| brows, cheeks, mood | ARKit's channels | VRM's happy, angry, sad, relaxed, surprised | |
| gaze | eye bones, eyeLook* | VRM's lookUp, lookDown, lookLeft, lookRight | |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from models.avatars import Avatar
from models.channels import ARKIT_CHANNELS, CHANNEL_COUNT, CHANNEL_INDEX
from tracking.retarget.settings import ChannelCurve, GazeSettings, Hotkey, HotkeySettings, RetargetSettings
from tracking.streams.vrm import VRM1_PRESETS, to_presets

__all__ = ["ExpressionMap", "automatic_settings", "usual_hotkeys"]

Floats = NDArray[np.float32]


def _sides(**values: float) -> dict[str, float]:
    """The same value for the left and the right channel of each name."""
    return {f"{stem}{side}": value for stem, value in values.items() for side in ("Left", "Right")}


_VOWELS = ("aa", "ih", "ou", "ee", "oh")
_VISEME_VOWELS = {"viseme_aa": "aa", "viseme_E": "ee", "viseme_I": "ih", "viseme_O": "oh", "viseme_U": "ou"}
_MOODS = ("happy", "angry", "sad", "relaxed")
_MOOD_SHARE = 0.8
"""Of a mood: it moves the mouth too, and the vowels need room beside it."""
_LOOKS = {
    "lookUp": ("eyeLookUpLeft", "eyeLookUpRight"),
    "lookDown": ("eyeLookDownLeft", "eyeLookDownRight"),
    "lookLeft": ("eyeLookOutLeft", "eyeLookInRight"),
    "lookRight": ("eyeLookInLeft", "eyeLookOutRight"),
}
_SURPRISE = ("eyeWideLeft", "eyeWideRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight")
_LIPS_SHUT = {"mouthPressLeft": 0.5, "mouthPressRight": 0.5, "mouthRollLower": 0.5, "mouthRollUpper": 0.5}
_USUAL = {
    "happy": _sides(mouthSmile=0.8, cheekSquint=0.5, eyeSquint=0.3),
    "angry": _sides(browDown=1.0, noseSneer=0.5, mouthPress=0.4),
    "sad": _sides(mouthFrown=0.8) | {"browInnerUp": 0.9, "mouthShrugLower": 0.3},
    "relaxed": _sides(mouthSmile=0.3, eyeBlink=0.3),
    "surprised": _sides(eyeWide=0.9, browOuterUp=0.8) | {"browInnerUp": 0.8, "jawOpen": 0.3},
}
"""Moods that VRM names, of ARKit's channels."""

_PRESETS = CHANNEL_COUNT
"""Column of the first VRM preset among the features: the 52 channels, then `to_presets`."""
_FEATURES = CHANNEL_COUNT + len(VRM1_PRESETS)


class ExpressionMap:
    """Weights of an avatar's expressions from the 52 channels.

    Args:
        names: the avatar's expressions (`Avatar.expressions`).
        gains: by name (`RetargetSettings.expressions`); 1 where nothing is said.

    Attributes:
        names: those that are driven, in the order of `weights`.
        undriven: those that are not: names that are not known, or that a finer vocabulary stands in for.
    """

    def __init__(self, names: Iterable[str], gains: Mapping[str, float] | None = None) -> None:
        available = tuple(names)
        rows = _rows(set(available))
        self.names = tuple(name for name in available if name in rows)
        self.undriven = tuple(name for name in available if name not in rows)
        self._matrix = np.zeros((len(self.names), _FEATURES), np.float32)
        for i, name in enumerate(self.names):
            gain = (gains or {}).get(name, 1.0)
            for column, share in rows[name].items():
                self._matrix[i, column] = share * gain
        self._needs_presets = bool(self._matrix[:, _PRESETS:].any())

    def weights(self, values: Floats) -> Floats:
        """(E,) float32 in 0..1 for `names`, of (52,) channels."""
        if not self._needs_presets:
            return np.asarray(np.clip(self._matrix[:, :_PRESETS] @ values, 0.0, 1.0), np.float32)
        features = np.concatenate([values, np.array(to_presets(values), np.float32)])
        return np.asarray(np.clip(self._matrix @ features, 0.0, 1.0), np.float32)


def _rows(names: set[str]) -> dict[str, dict[int, float]]:
    """Name -> features and their shares."""
    rows = {name: {CHANNEL_INDEX[name]: 1.0} for name in names if name in CHANNEL_INDEX}
    sided = {name[:-4] for name in ARKIT_CHANNELS if name.endswith("Left")} - {"mouth", "jaw"}
    for stem in sided & names:
        pair = (f"{stem}Left", f"{stem}Right")
        if not any(name in names for name in pair):
            rows[stem] = {CHANNEL_INDEX[name]: 0.5 for name in pair}
    _lids(names, rows)
    _mouth(names, rows)
    _moods(names, rows)
    if not any(name.startswith("eyeLook") for name in names):
        for look, pair in _LOOKS.items():
            if look in names:
                rows[look] = {CHANNEL_INDEX[name]: 0.5 for name in pair}
    return rows


def _preset(name: str) -> int:
    return _PRESETS + VRM1_PRESETS.index(name)


def _lids(names: set[str], rows: dict[str, dict[int, float]]) -> None:
    if {"eyeBlinkLeft", "eyeBlinkRight"} & names:
        return
    sides = {"blinkLeft", "blinkRight"} & names
    for name in sides:
        rows[name] = {CHANNEL_INDEX["eyeBlink" + name[5:]]: 1.0}
    if "blink" in names and not sides:
        rows["blink"] = {CHANNEL_INDEX["eyeBlinkLeft"]: 0.5, CHANNEL_INDEX["eyeBlinkRight"]: 0.5}


def _mouth(names: set[str], rows: dict[str, dict[int, float]]) -> None:
    if "jawOpen" in names and ({"mouthFunnel", "mouthPucker"} & names or not set(_VOWELS) & names):
        return
    if "aa" in names:
        rows.pop("jawOpen", None)
        rows.pop("mouthPucker", None)
        rows.pop("mouthFunnel", None)
        rows.update({name: {_preset(name): 1.0} for name in _VOWELS if name in names})
        return
    if "viseme_aa" in names:
        rows.update({name: {_preset(vowel): 1.0} for name, vowel in _VISEME_VOWELS.items() if name in names})
        if "viseme_PP" in names:
            rows["viseme_PP"] = {CHANNEL_INDEX[name]: share for name, share in _LIPS_SHUT.items()}


def _moods(names: set[str], rows: dict[str, dict[int, float]]) -> None:
    if {"mouthSmileLeft", "mouthSmileRight", "browDownLeft"} & names:
        return
    for mood in _MOODS:
        if mood in names and not (mood == "happy" and "mouthSmile" in rows):
            rows[mood] = {_preset(mood): _MOOD_SHARE}
    if "surprised" in names and not {"eyeWideLeft", "eyeWide", "browInnerUp"} & names:
        rows["surprised"] = {CHANNEL_INDEX[name]: 0.25 for name in _SURPRISE}


def automatic_settings(avatar: Avatar) -> RetargetSettings:
    """Settings to start from.

    A drawn face (VRM, or one without ARKit's channels) closes its eyes only where its blink reaches 1, opens them fully
    only at 0, and looks cross-eyed where its eyes turn each for itself: so its lids get a dead zone and a gain, and its
    eyes look together. A face with ARKit's channels takes the values as they are.
    """
    hotkeys = HotkeySettings(expressions=usual_hotkeys(avatar.expressions))
    drawn = avatar.kind != "glTF" or not {"eyeBlinkLeft", "jawOpen"} <= set(avatar.expressions)
    if not drawn:
        return RetargetSettings(hotkeys=hotkeys)
    lids = ChannelCurve(dead_zone=0.12, gain=1.35)
    squint = ChannelCurve(dead_zone=0.15)
    return RetargetSettings(
        channels={
            "eyeBlinkLeft": lids,
            "eyeBlinkRight": lids,
            "cheekSquintLeft": squint,
            "cheekSquintRight": squint,
            "browDownLeft": squint,
            "browDownRight": squint,
        },
        gaze=GazeSettings(together=True),
        hotkeys=hotkeys,
    )


def usual_hotkeys(names: Iterable[str]) -> tuple[Hotkey, ...]:
    """Expressions to start from: VRM's moods where the avatar has them as its own, else made of ARKit's channels.

    Args:
        names: `Avatar.expressions`, or ARKIT_CHANNELS for a person.

    Returns:
        Those that the avatar can show, each with a key; none for one that has neither.
    """
    there = set(names)
    moods = [(mood, {mood: 1.0}) for mood in _USUAL if mood in there]
    if not moods:
        moods = [(mood, values) for mood, values in _USUAL.items() if set(values) <= there]
    return tuple(
        Hotkey(name=mood.capitalize(), key=f"Ctrl+{number}", values=values)
        for number, (mood, values) in enumerate(moods, 1)
    )
