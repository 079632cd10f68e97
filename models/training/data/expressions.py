"""Random expressions that crease faces: the usual ones, one-sided ones, extreme ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS, CHANNEL_COUNT, CHANNEL_INDEX

__all__ = ["FAMILIES", "named_expression", "random_expression"]

Floats = NDArray[np.float32]

FAMILIES: dict[str, tuple[float, dict[str, float]]] = {
    "neutral": (0.10, {}),
    "smile": (0.15, {"mouthSmile": 0.9, "cheekSquint": 0.6, "eyeSquint": 0.5, "mouthUpperUp": 0.3, "mouthDimple": 0.3}),
    "laugh": (0.09, {"mouthSmile": 1.0, "cheekSquint": 0.9, "eyeSquint": 0.9, "jawOpen": 0.35, "mouthUpperUp": 0.6}),
    "brow raise": (0.13, {"browInnerUp": 0.9, "browOuterUp": 0.9, "eyeWide": 0.4}),
    "worry": (0.06, {"browInnerUp": 1.0, "browDown": 0.3, "mouthFrown": 0.4}),
    "frown": (0.11, {"browDown": 0.95, "eyeSquint": 0.3, "mouthPress": 0.3}),
    "sneer": (0.10, {"noseSneer": 0.95, "mouthUpperUp": 0.6, "browDown": 0.5, "cheekSquint": 0.4}),
    "squint": (0.06, {"eyeSquint": 1.0, "cheekSquint": 0.6, "eyeBlink": 0.3, "browDown": 0.3}),
    "pucker": (0.05, {"mouthPucker": 0.9, "mouthFunnel": 0.4}),
    "pout": (0.05, {"mouthShrugLower": 0.9, "mouthFrown": 0.6, "mouthRollLower": 0.3}),
    "random": (0.10, {}),
}
"""Name -> how often, and the channels' typical values; names without a side stand for both."""


def named_expression(name: str, amount: float = 1.0) -> Floats:
    """(52,) the family's typical expression times `amount`.

    Raises:
        KeyError: there is no such family.
    """
    values = np.zeros(CHANNEL_COUNT, np.float32)
    for channel, value in FAMILIES[name][1].items():
        for side in ("", "Left", "Right"):
            if channel + side in CHANNEL_INDEX:
                values[CHANNEL_INDEX[channel + side]] = value
    return np.asarray(np.clip(values * amount, 0, 1), np.float32)


def random_expression(rng: np.random.Generator, family: str | None = None) -> Floats:
    """(52,) channels in 0..1 of a random expression, of one family if named; eyeLook* and tongueOut stay zero."""
    if family is None:
        chances = np.array([chance for chance, _ in FAMILIES.values()])
        family = str(rng.choice(list(FAMILIES), p=chances / chances.sum()))
    if family == "random":
        values = np.zeros(CHANNEL_COUNT, np.float32)
        chosen = rng.choice(CHANNEL_COUNT, rng.integers(3, 9), replace=False)
        values[chosen] = rng.uniform(0, 1, len(chosen))
    else:
        # Some are slight, many middling, a few as strong as a face can.
        low, high = ((0.15, 0.5), (0.5, 1.0), (1.0, 1.4))[int(rng.choice(3, p=[0.35, 0.5, 0.15]))]
        strength = float(rng.uniform(low, high))
        values = named_expression(family) * strength * rng.uniform(0.5, 1.3, CHANNEL_COUNT).astype(np.float32)
    if rng.random() < 0.3:
        weak, share = rng.choice(["Left", "Right"]), rng.uniform(0, 0.7)
        for name, index in CHANNEL_INDEX.items():
            if name.endswith(weak):
                values[index] *= share
    stray = rng.random(CHANNEL_COUNT) < 0.08
    values = values + (stray * rng.uniform(0, 0.2, CHANNEL_COUNT)).astype(np.float32)
    for index, name in enumerate(ARKIT_CHANNELS):
        if name.startswith("eyeLook") or name == "tongueOut":
            values[index] = 0
    return np.asarray(np.clip(values, 0, 1), np.float32)
