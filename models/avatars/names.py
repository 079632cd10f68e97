"""What avatars call their expressions: one table from the many habits of naming to the program's own names.

The program's own names ("canonical" names) are:

- the 52 ARKit channels (`jawOpen`, `mouthSmileLeft`);
- both sides at once, the channel's name without its side (`mouthSmile`, `eyeWide`);
- VRM 1.0's presets (`aa`, `blinkLeft`, `happy`, `lookUp`);
- Oculus visemes (`viseme_PP`).

Names are matched without regard to case, spaces, dots, dashes and underscores, and to what exporters put in front.
"""

from __future__ import annotations

import re
from functools import lru_cache

from models.channels import ARKIT_CHANNELS

__all__ = ["BOTH_SIDES", "VISEMES", "VRM_PRESETS", "canonical_name"]

VRM_PRESETS = (
    *("aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight"),
    *("happy", "angry", "sad", "relaxed", "surprised", "neutral"),
    *("lookUp", "lookDown", "lookLeft", "lookRight"),
)
VISEMES = tuple(
    f"viseme_{sound}"
    for sound in ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U")
)
BOTH_SIDES = tuple(dict.fromkeys(name[:-4] for name in ARKIT_CHANNELS if name.endswith("Left")))
"""Channels without their side; `mouth` and `jaw`, which mean movement to a side, are not among them."""
BOTH_SIDES = tuple(name for name in BOTH_SIDES if name not in ("mouth", "jaw"))

_PREFIXES = re.compile(
    r"^(?:(?:blendshapes?\d*|arkit|morph|shape|bs|key|exp|ctrl|face|head|[am]\d{2})[_\- ]+)+",
    re.IGNORECASE,
)
_FCL = re.compile(r"(?:^|[_. ])(fcl_(?:all|brw|eye|mth|ha)_.*)$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s_.\-]+")


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name).lower()


def _table() -> dict[str, str]:
    table: dict[str, str] = {}

    def add(canonical: str, *aliases: str) -> None:
        for alias in (canonical, *aliases):
            table.setdefault(_plain(alias), canonical)

    for channel in ARKIT_CHANNELS:
        stem, side = _split(channel)
        if side:
            word, letter = side.lower(), side[0].lower()
            add(channel, f"{stem}_{letter}", f"{word}{stem}", f"{stem}{side}")
        else:
            add(channel)
    for stem in BOTH_SIDES:
        add(stem, f"{stem}Both")
    for preset in VRM_PRESETS:
        add(preset)
    for viseme in VISEMES:
        add(viseme)
    for canonical, aliases in _HABITS.items():
        add(canonical, *aliases.split())
    return table


def _split(channel: str) -> tuple[str, str]:
    for side in ("Left", "Right"):
        if channel.endswith(side):
            return channel[: -len(side)], side
    return channel, ""


_HABITS = {
    # VRM 0.x's presets, VRoid Studio's shapes, MikuMikuDance's names, and what single programs write.
    "aa": "a Fcl_MTH_A mth_a mouth_a vowel_a あ ワ",
    "ih": "i Fcl_MTH_I mth_i mouth_i vowel_i い",
    "ou": "u Fcl_MTH_U mth_u mouth_u vowel_u う",
    "ee": "e Fcl_MTH_E mth_e mouth_e vowel_e え",
    "oh": "o Fcl_MTH_O mth_o mouth_o vowel_o お",
    "blink": "Fcl_EYE_Close eye_close eyesClosed eyeClosed eyesClose eyeBlink eyeBlinkBoth blinkBoth まばたき",
    "blinkLeft": "blink_l winkLeft wink_l Fcl_EYE_Close_L eyeClosedLeft eyeClosed_l eyeCloseLeft ウィンク ウィンク左",
    "blinkRight": "blink_r winkRight wink_r Fcl_EYE_Close_R eyeClosedRight eyeClosed_r eyeCloseRight ウィンク右",
    "happy": "joy Fcl_ALL_Joy all_joy にっこり",
    "angry": "Fcl_ALL_Angry all_angry anger 怒り",
    "sad": "sorrow Fcl_ALL_Sorrow all_sorrow 困る",
    "relaxed": "fun Fcl_ALL_Fun all_fun なごみ",
    "surprised": "surprise Fcl_ALL_Surprised all_surprised びっくり",
    "neutral": "Fcl_ALL_Neutral all_neutral",
    "eyeWide": "Fcl_EYE_Spread Fcl_EYE_Surprised eyesWide",
    "browDown": "Fcl_BRW_Angry browsDown",
    "browOuterUp": "Fcl_BRW_Surprised browsUp",
    "browInnerUp": "Fcl_BRW_Sorrow browInnerUpLeft browInnerUpRight browInnerUp_l browInnerUp_r browsInnerUp",
    "mouthSmile": "Fcl_MTH_Fun",
    "mouthFrown": "Fcl_MTH_Down",
    "mouthPucker": "Fcl_MTH_Small",
    "cheekPuff": "cheekPuffLeft cheekPuffRight cheekPuff_l cheekPuff_r",
    "jawOpen": "mouthOpen openMouth jaw_drop",
    "tongueOut": "tongue_out tongue",
    "eyeLookUp": "eyesLookUp",
    "eyeLookDown": "eyesLookDown",
    "noseSneer": "sneer",
    "lookUp": "eyes_up",
    "lookDown": "eyes_down",
    "viseme_I": "viseme_ih",
    "viseme_E": "viseme_e",
    "viseme_O": "viseme_oh",
    "viseme_U": "viseme_ou",
    "viseme_kk": "viseme_k",
}

_TABLE = _table()


@lru_cache(maxsize=4096)
def canonical_name(name: str) -> str | None:
    """The program's own name for an expression or morph target, None for one it does not know.

    >>> canonical_name("Face.M_F00_000_00_Fcl_MTH_A"), canonical_name("EyeBlink_L"), canonical_name("vrc.v_pp")
    ('aa', 'eyeBlinkLeft', 'viseme_PP')
    """
    fcl = _FCL.search(name)
    if fcl:
        return _TABLE.get(_plain(fcl.group(1)))
    last = re.split(r"[.:|/]", name)[-1].strip() or name
    for text in (name, last):
        known = _TABLE.get(_plain(text))
        if known:
            return known
    bare = _PREFIXES.sub("", last)
    if re.match(r"^v[_ ]", last, re.IGNORECASE):
        return _TABLE.get("viseme" + _plain(last[2:]))
    return _TABLE.get(_plain(bare)) if bare else None
