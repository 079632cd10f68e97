"""Random faces with exact labels: who, which expression, from where, under which light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX, gaze_to_channels
from models.geometry.rotations import HEAD_TO_CAMERA, facing, from_euler
from models.synthesis.light import directional_light

Floats = NDArray[np.float32]

# What one region of the face does at a time; "*" stands for Left and Right, which may also act alone.
ACTIONS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (
        ("browDown*",), ("browOuterUp*",), ("browInnerUp",), ("browInnerUp", "browOuterUp*"),
        ("browDown*", "browInnerUp"),
    ),
    (("eyeSquint*",), ("eyeWide*",), ("eyeBlink*",), ("eyeBlink*",), ("cheekSquint*", "eyeSquint*")),
    (
        ("noseSneer*",), ("noseSneer*",), ("cheekPuff",), ("cheekPuff",), ("cheekSquint*",),
        ("mouthUpperUp*", "noseSneer*"),
    ),
    (
        ("mouthSmile*",), ("mouthSmile*", "cheekSquint*"), ("mouthSmile*", "mouthDimple*"), ("mouthFrown*",),
        ("mouthDimple*",), ("mouthStretch*",), ("mouthPress*",), ("mouthLeft",), ("mouthRight",), ("mouthFunnel",),
        ("mouthPucker",), ("mouthRollLower",), ("mouthRollUpper",), ("mouthRollLower", "mouthRollUpper"),
        ("mouthShrugLower",), ("mouthShrugUpper",), ("mouthShrugLower", "mouthShrugUpper"), ("mouthLowerDown*",),
        ("mouthUpperUp*",), ("mouthLowerDown*", "mouthUpperUp*"),
    ),
    (
        ("jawOpen",), ("jawOpen",), ("jawForward",), ("jawLeft",), ("jawRight",), ("jawOpen", "tongueOut"),
        ("tongueOut",), ("jawOpen", "mouthClose"),
    ),
)  # fmt: skip
ACTING = 0.6
"""How often a region does something."""
NEUTRAL = 0.06
"""How often the whole face rests."""
SCATTERED = 0.12
"""How often any channels come together, whatever a face would do."""
ONE_SIDED = 0.3
PARTED = 0.2
"""Of jawOpen: lips so far apart let the tongue through."""
FLAT_LIGHT = 0.25
CLOSEST, FARTHEST = 0.25, 2.5
"""Metres from the camera."""


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a head is.

    Attributes:
        seen: (3, 3) rotation of the head as seen along the ray to it.
        rotation: (3, 3) head rotation.
        translation: (3,) metres, camera frame.
    """

    seen: NDArray[np.float64]
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]


def random_expression(rng: np.random.Generator) -> Floats:
    """(52,) channels without gaze: each region of the face may act, alone or on one side, up to extremes."""
    values = np.zeros(CHANNEL_COUNT, np.float32)
    if rng.random() < NEUTRAL:
        return values
    for region in ACTIONS:
        if rng.random() < ACTING:
            _act(values, region[int(rng.integers(len(region)))], rng)
    if rng.random() < SCATTERED:
        chosen = rng.random(CHANNEL_COUNT) < 0.12
        values = np.maximum(values, chosen * rng.beta(1.0, 2.0, CHANNEL_COUNT)).astype(np.float32)
    # No tongue behind or through shut lips, and lips cannot close further than the jaw is open.
    close, jaw, tongue = (CHANNEL_INDEX[name] for name in ("mouthClose", "jawOpen", "tongueOut"))
    parted = PARTED * min(1.0, float(values[tongue]) / PARTED)
    values[jaw] = max(values[jaw], parted)
    values[close] = min(values[close], values[jaw] - parted)
    for name in ("eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp"):
        for side in ("Left", "Right"):
            values[CHANNEL_INDEX[name + side]] = 0.0
    return values


def _act(values: Floats, names: tuple[str, ...], rng: np.random.Generator) -> None:
    amount = float(rng.uniform(0.05, 1.0))
    sides = ["Left", "Right"]
    if rng.random() < ONE_SIDED:
        sides.pop(int(rng.integers(2)))
    for name in names:
        for side in sides if "*" in name else [""]:
            index = CHANNEL_INDEX[name.replace("*", side)]
            values[index] = max(values[index], amount * float(rng.uniform(0.8, 1.0)))


def random_gaze(rng: np.random.Generator) -> Floats:
    """(2, 2) radians: mostly both eyes together, slightly converging."""
    yaw, pitch = rng.normal(0, 0.2), rng.normal(0, 0.13)
    if rng.random() < 0.2:
        yaw, pitch = rng.uniform(-0.6, 0.6), rng.uniform(-0.4, 0.45)
    converging = abs(rng.normal(0, 0.03))
    return np.array([[yaw - converging, pitch], [yaw + converging, pitch]], np.float32)


def with_gaze(expression: Floats, gaze: Floats) -> Floats:
    """(52,) channels with the eyeLook* ones that belong to the gaze."""
    return np.maximum(expression, gaze_to_channels(gaze)).astype(np.float32)


def random_placing(rng: np.random.Generator) -> Placing:
    """Mostly towards the camera, up to 80 degrees to the side; from a hand's breadth away to across the room."""
    kind = rng.random()
    if kind < 0.55:
        yaw = rng.normal(0, 18)
    elif kind < 0.85:
        yaw = rng.uniform(-50, 50)
    else:
        yaw = rng.uniform(-80, 80)
    pitch = rng.normal(0, 11) if rng.random() < 0.8 else rng.uniform(-40, 40)
    roll = rng.normal(0, 8) if rng.random() < 0.85 else rng.uniform(-40, 40)
    seen = from_euler(*np.radians([yaw, pitch, roll]))
    distance = float(np.exp(rng.uniform(np.log(CLOSEST), np.log(FARTHEST))))
    angle, around = abs(rng.normal(0, np.radians(11))), rng.uniform(0, 2 * np.pi)
    angle = min(angle, np.radians(35))
    ray = np.array([np.sin(angle) * np.cos(around), np.sin(angle) * np.sin(around), np.cos(angle)])
    translation = ray * distance
    rotation = HEAD_TO_CAMERA @ facing(translation) @ HEAD_TO_CAMERA @ seen
    return Placing(seen, rotation, translation)


def random_light(rng: np.random.Generator) -> tuple[Floats, tuple[float, float, float]]:
    """(9, 3) light of one to three lamps with a tint each, and the direction of the strongest, camera frame."""
    light = np.zeros((9, 3), np.float32)
    main = (0.0, -0.5, -0.866)
    exposure = float(np.exp(rng.normal(0.35, 0.45)))
    ambient = rng.uniform(0.15, 0.7) if rng.random() > FLAT_LIGHT else rng.uniform(0.7, 1.1)
    count = int(rng.integers(1, 4))
    for index in range(count):
        direction = np.array([rng.normal(0, 0.9), rng.normal(-0.35, 0.6), -abs(rng.normal(0.8, 0.5)) + 0.15])
        direction /= max(float(np.linalg.norm(direction)), 1e-6)
        tint = np.exp(rng.normal(0, 0.12, 3))
        strength = rng.uniform(0.2, 0.9) * (1.0 if index == 0 else 0.4) * (1.2 - ambient)
        light += directional_light(direction, strength, ambient if index == 0 else 0.0, tuple(tint))
        if index == 0:
            main = (float(direction[0]), float(direction[1]), float(direction[2]))
    balance = np.exp(rng.normal(0, 0.08, 3))
    return (light * exposure * balance).astype(np.float32), main
