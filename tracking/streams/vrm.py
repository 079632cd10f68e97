"""VRM's preset expressions from ARKit's channels, and back. Our own mapping; no part of either standard.

With o = jawOpen / 0.7, r = max(mouthFunnel, mouthPucker), s = the larger of the mean mouthStretch and half the mean
mouthSmile, each limited to 0..1:

| preset | value | |
|---|---|---|
| A | o (1 - r) (1 - s) | open |
| E | o (1 - r) s | open and wide |
| I | (1 - o) (1 - r) s | wide |
| O | o r | open and round |
| U | (1 - o) r | round |
| Blink_L, Blink_R | eyeBlinkLeft, eyeBlinkRight | the subject's own sides |
| Joy | mean mouthSmile | |
| Angry | mean browDown (1 - Joy) | |
| Sorrow | the larger of mean mouthFrown and half browInnerUp, times (1 - Joy) | |
| Fun | mean cheekSquint (1 - Joy) | |

The five vowels never add up to more than 1, so that they cannot overshoot an avatar's mouth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX

VRM0_PRESETS = ("A", "I", "U", "E", "O", "Blink_L", "Blink_R", "Joy", "Angry", "Sorrow", "Fun")
"""VRM 0.x's names, in the order of `to_presets`."""
VRM1_PRESETS = ("aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight", "happy", "angry", "sad", "relaxed")
"""VRM 1.0's names of the same."""
JAW_FULL = 0.7
"""jawOpen at which an avatar's A is complete: few people open the mouth wider when they speak."""

_OPEN, _FUNNEL, _PUCKER, _BROW_INNER = (
    CHANNEL_INDEX[n] for n in ("jawOpen", "mouthFunnel", "mouthPucker", "browInnerUp")
)


def _pair(stem: str) -> tuple[int, int]:
    return CHANNEL_INDEX[f"{stem}Left"], CHANNEL_INDEX[f"{stem}Right"]


_STRETCH, _SMILE, _BLINK, _BROW, _FROWN, _CHEEK = (
    _pair(n) for n in ("mouthStretch", "mouthSmile", "eyeBlink", "browDown", "mouthFrown", "cheekSquint")
)


def to_presets(expression: NDArray[np.floating]) -> list[float]:
    """Values of the presets, each 0..1, of (52,) channels."""
    e = expression.tolist()

    def mean(pair: tuple[int, int]) -> float:
        return float(e[pair[0]] + e[pair[1]]) / 2.0

    opened = min(e[_OPEN] / JAW_FULL, 1.0)
    rounded = max(e[_FUNNEL], e[_PUCKER])
    smile = mean(_SMILE)
    spread = max(mean(_STRETCH), smile / 2.0)
    flat = 1.0 - rounded
    return [
        opened * flat * (1.0 - spread),
        (1.0 - opened) * flat * spread,
        (1.0 - opened) * rounded,
        opened * flat * spread,
        opened * rounded,
        e[_BLINK[0]],
        e[_BLINK[1]],
        smile,
        mean(_BROW) * (1.0 - smile),
        max(mean(_FROWN), e[_BROW_INNER] / 2.0) * (1.0 - smile),
        mean(_CHEEK) * (1.0 - smile),
    ]


PRESET_INDEX: dict[str, int] = {
    **{name.lower(): i for i, name in enumerate(VRM0_PRESETS)},
    **{name.lower(): i for i, name in enumerate(VRM1_PRESETS)},
}
"""Place of a preset by its name of either version in lower case."""


def _back() -> NDArray[np.float32]:
    rows = {
        "A": {"jawOpen": JAW_FULL},
        "I": {"mouthStretchLeft": 1.0, "mouthStretchRight": 1.0},
        "U": {"mouthPucker": 1.0},
        "E": {"mouthStretchLeft": 1.0, "mouthStretchRight": 1.0, "jawOpen": JAW_FULL},
        "O": {"mouthFunnel": 1.0, "jawOpen": JAW_FULL},
        "Blink_L": {"eyeBlinkLeft": 1.0},
        "Blink_R": {"eyeBlinkRight": 1.0},
        "Joy": {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0},
        "Angry": {"browDownLeft": 1.0, "browDownRight": 1.0},
        "Sorrow": {"mouthFrownLeft": 1.0, "mouthFrownRight": 1.0, "browInnerUp": 0.5},
        "Fun": {"cheekSquintLeft": 1.0, "cheekSquintRight": 1.0},
    }
    table = np.zeros((len(VRM0_PRESETS), CHANNEL_COUNT), np.float32)
    for i, preset in enumerate(VRM0_PRESETS):
        for name, value in rows[preset].items():
            table[i, CHANNEL_INDEX[name]] = value
    return table


_BACK = _back()


def from_presets(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """(52,) channels for (11,) presets, for senders that know no ARKit names: coarser than what `to_presets` got."""
    return np.clip(values @ _BACK, 0.0, 1.0).astype(np.float32)
