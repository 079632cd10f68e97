"""What a guided capture has seen so far: directions of the head, expressions, light; as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from tracking.capture_steps import EXPRESSION_STEPS, Relative, amount_of
from tracking.person_capture import BRIGHTEST, DARKEST, GOOD_FACE, SMALLEST_FACE
from tracking.selection import box_size
from tracking.types import FaceObservation, Image

__all__ = ["COLUMNS", "ROWS", "Coverage", "CoverageMeter", "Light", "LightLevel", "measure_light"]

YAW_EDGES = (-0.36, -0.12, 0.12, 0.36)
PITCH_EDGES = (-0.13, 0.13)
"""Radians from the neutral head between the cells of the grid of directions."""
ROWS, COLUMNS = len(PITCH_EDGES) + 1, len(YAW_EDGES) + 1
CELL_FRAMES = 8
"""Pictures that fill a cell."""
SHOWN_FRAMES = 5
"""Pictures at the full amount that fill an expression: one alone may be a slip, or a blink."""

DARK, BRIGHT = 45.0, 225.0
"""Mean grey of a face beyond which a lamp or a blind would help."""
UNEVEN = 0.28
"""Difference of the two sides over their sum: one is 1.8 times as bright as the other."""
OVEREXPOSED, GONE = 0.06, 250
"""Share of a face at or above this grey from which on colours are lost."""
SMOOTH = 0.15
"""Weight of a new picture in the running mean of the light."""
STRAIGHT = 0.25
"""Radians of yaw within which left and right can be told apart in the picture."""


class LightLevel(Enum):
    """What the light is good for."""

    GOOD = "good"
    POOR = "poor"
    UNUSABLE = "unusable"
    """Nothing is kept of such pictures."""


@dataclass(frozen=True, slots=True)
class Light:
    """The light on the face.

    Attributes:
        grey: mean, 0..255.
        imbalance: -1..1, > 0 where the subject's left side is brighter.
        overexposed: share of the face, 0..1, that is white.
    """

    grey: float
    imbalance: float
    overexposed: float

    @property
    def level(self) -> LightLevel:
        """What it is good for."""
        if not DARKEST <= self.grey <= BRIGHTEST:
            return LightLevel.UNUSABLE
        return LightLevel.POOR if self.advice else LightLevel.GOOD

    @property
    def advice(self) -> str:
        """What to do about it, one sentence; empty where it is good."""
        if self.grey < DARK:
            return "It is dark: turn on a light in front of you."
        if self.grey > BRIGHT or self.overexposed > OVEREXPOSED:
            return "A part of your face is overexposed: less light from there, or lower the camera's exposure."
        if abs(self.imbalance) > UNEVEN:
            side = "right" if self.imbalance > 0 else "left"
            return f"Your {side} side is in the shade: turn to the light, or bring some to your {side}."
        return ""


def measure_light(image: Image, face: FaceObservation) -> Light:
    """The light on a face in a picture (H, W, 3); looks at some 4,000 pixels.

    A face outside the picture gives black.
    """
    height, width = image.shape[:2]
    left, top, right, bottom = (float(v) for v in face.box)
    x0, x1 = max(int(left), 0), min(int(right) + 1, width)
    y0, y1 = max(int(top), 0), min(int(bottom) + 1, height)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return Light(0.0, 0.0, 0.0)
    step = max(1, round(box_size(face.box) / 64))
    grey = cv2.cvtColor(np.ascontiguousarray(image[y0:y1:step, x0:x1:step]), cv2.COLOR_RGB2GRAY)
    middle = round((0.5 * (left + right) - x0) / step)
    # The subject's left is on the picture's right.
    sides = [float(side.mean()) if side.size else 0.0 for side in (grey[:, middle:], grey[:, :middle])]
    imbalance = (sides[0] - sides[1]) / max(sides[0] + sides[1], 1.0)
    return Light(float(grey.mean()), imbalance, float((grey >= GONE).mean()))


@dataclass(frozen=True, slots=True)
class Coverage:
    """What has been seen.

    Attributes:
        directions: ROWS x COLUMNS, 0..1, how well each direction of the head was seen; rows from up to down, columns
            from the subject's right to their left.
        here: row and column of the head just now; None without a face.
        expressions: name of the step and 0..1, how well it was seen.
        light: on the face lately; None before the first.
        side: pixels a side of the face lately.
    """

    directions: tuple[tuple[float, ...], ...] = ((0.0,) * COLUMNS,) * ROWS
    here: tuple[int, int] | None = None
    expressions: tuple[tuple[str, float], ...] = tuple((step.name, 0.0) for step in EXPRESSION_STEPS)
    light: Light | None = None
    side: float = 0.0

    @property
    def problem(self) -> str:
        """Why pictures like these are not kept, one sentence; empty where they are."""
        if self.light is None:
            return ""
        if self.side < SMALLEST_FACE:
            return f"Your face is only {self.side:.0f} pixels wide: come nearer."
        if self.light.level is LightLevel.UNUSABLE:
            dark = self.light.grey < DARKEST
            return "It is too dark: turn on a light in front of you." if dark else "It is too bright: less light."
        return ""

    @property
    def advice(self) -> str:
        """What would make it better, one sentence; empty where it is good."""
        if self.light is not None and self.light.advice:
            return self.light.advice
        if 0 < self.side < GOOD_FACE:
            return f"Your face is {self.side:.0f} pixels wide: from {GOOD_FACE} on fine skin shows, so come nearer."
        return ""


class CoverageMeter:
    """Counts what has been seen, picture by picture."""

    def __init__(self) -> None:
        self._directions: NDArray[np.int64] = np.zeros((ROWS, COLUMNS), np.int64)
        self._shown = {step.name: 0 for step in EXPRESSION_STEPS}
        self._most = {step.name: 0.0 for step in EXPRESSION_STEPS}
        self._light: Light | None = None
        self._imbalance = 0.0
        self._side = 0.0
        self._here: tuple[int, int] | None = None

    def see(self, image: Image, face: FaceObservation, relative: Relative) -> None:
        """One more picture and the face in it; `count` it as well where it is good enough."""
        self._here = (
            int(np.searchsorted(PITCH_EDGES, relative.pitch)),
            int(np.searchsorted(YAW_EDGES, relative.yaw)),
        )
        seen, before = measure_light(image, face), self._light
        share = 1.0 if before is None else SMOOTH
        grey, white = (0.0, 0.0) if before is None else (before.grey, before.overexposed)
        if abs(relative.yaw) < STRAIGHT:
            self._imbalance += share * (seen.imbalance - self._imbalance)
        self._light = Light(
            grey + share * (seen.grey - grey), self._imbalance, white + share * (seen.overexposed - white)
        )
        self._side += (1.0 if before is None else SMOOTH) * (box_size(face.box) - self._side)

    def count(self, relative: Relative) -> None:
        """The picture that was seen last is kept."""
        if self._here is not None:
            self._directions[self._here] += 1
        for step in EXPRESSION_STEPS:
            amount, _ = amount_of(step, relative)
            self._most[step.name] = max(self._most[step.name], min(amount, 1.0))
            self._shown[step.name] += amount >= 1.0

    def lose(self) -> None:
        """There is no face in the picture."""
        self._here = None

    def coverage(self) -> Coverage:
        """What has been seen."""
        cells = np.minimum(self._directions / CELL_FRAMES, 1.0).tolist()
        shown = tuple(
            (name, 0.8 * most + 0.2 * min(self._shown[name] / SHOWN_FRAMES, 1.0)) for name, most in self._most.items()
        )
        return Coverage(tuple(tuple(row) for row in cells), self._here, shown, self._light, self._side)
