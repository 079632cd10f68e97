"""What is on skin but is not relief: moles, freckles, stubble, tattoos, drawn lines, blotches.

All of it only colours the skin. It neither moves with the expression nor has a lit and a shaded side, which is how a
network can tell it from wrinkles.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model.detail_map import DETAIL_SIZE
from models.training.data.noise import smooth_noise

__all__ = ["Mark", "add_marks", "draw_mark"]

Floats = NDArray[np.float32]
Mark = Literal["moles", "tattoo", "stubble", "lines", "freckles", "blotches"]

CHANCES: dict[Mark, float] = {
    "moles": 0.5, "tattoo": 0.12, "stubble": 0.2, "lines": 0.22, "freckles": 0.15, "blotches": 0.6,
}  # fmt: skip


def add_marks(logs: Floats, rng: np.random.Generator, beard: Floats) -> None:
    """Draws a random person's marks onto the logarithm of a texture (256, 256, 3), in place.

    Args:
        logs: logarithm of the colour.
        rng: source of all randomness.
        beard: (256, 256) in 0..1, where a beard grows.
    """
    for mark, chance in CHANCES.items():
        if rng.random() < chance:
            draw_mark(logs, mark, rng, beard)


def draw_mark(
    logs: Floats, mark: Mark, rng: np.random.Generator, beard: Floats, strength: float | None = None
) -> Floats:
    """Draws one kind of mark, in place.

    Args:
        logs: (256, 256, 3) logarithm of the colour.
        mark: which.
        rng: source of all randomness.
        beard: (256, 256) in 0..1.
        strength: depth in the logarithm of a mark's darkest part; random by default.

    Returns:
        (256, 256) in 0..1, where the mark is.
    """
    tint = np.array([1.0, 1.0, 1.0], np.float32)
    if mark == "moles":
        cover, deep, tint = _spots(rng, int(rng.integers(1, 12)), (0.7, 2.6)), (0.25, 1.0), _tint(0.75, 1.0, 1.1)
    elif mark == "freckles":
        cover, deep, tint = _spots(rng, int(rng.integers(30, 160)), (0.5, 1.2)), (0.08, 0.35), _tint(0.6, 1.0, 1.2)
    elif mark == "stubble":
        grain = rng.standard_normal((DETAIL_SIZE, DETAIL_SIZE)).astype(np.float32)
        grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.5, 0.9)), np.float32)
        cover, deep = beard * np.clip(grain / grain.std() * 0.4 + 0.4, 0, 1), (0.05, 0.4)
    elif mark == "tattoo":
        cover, deep, tint = _tattoo(rng), (0.3, 1.2), _tint(1.2, rng.uniform(0.7, 1.1), rng.uniform(0.5, 1.1))
    elif mark == "lines":
        cover, deep, tint = _lines(rng), (0.15, 0.9), _tint(*rng.uniform(0.7, 1.3, 3))
    else:
        noise = sum(smooth_noise(rng, DETAIL_SIZE, cells) for cells in (7, 23))
        cover, deep, tint = np.clip(0.5 + 0.25 * np.asarray(noise), 0, 1), (0.03, 0.16), _tint(0.5, 1.2, 1.1)
    amount = float(rng.uniform(*deep)) if strength is None else strength
    logs -= cover[:, :, None] * (amount * tint)
    return np.asarray(cover, np.float32)


def _tint(red: float, green: float, blue: float) -> Floats:
    return np.array([red, green, blue], np.float32)


def _spots(rng: np.random.Generator, count: int, radius: tuple[float, float]) -> Floats:
    cover = np.zeros((DETAIL_SIZE, DETAIL_SIZE), np.float32)
    for _ in range(count):
        x, y, size = *rng.uniform(25, DETAIL_SIZE - 25, 2), rng.uniform(*radius)
        x0, y0, reach = int(x), int(y), int(3 * size) + 2
        yy, xx = np.mgrid[y0 - reach : y0 + reach + 1, x0 - reach : x0 + reach + 1].astype(np.float32)
        gap = np.hypot((xx - x) * rng.uniform(0.8, 1.2), yy - y)
        spot = np.clip((size - gap) / max(0.6, 0.4 * size) + 0.5, 0, 1) * rng.uniform(0.4, 1.0)
        part = cover[y0 - reach : y0 + reach + 1, x0 - reach : x0 + reach + 1]
        np.maximum(part, spot, out=part)
    return cover


def _tattoo(rng: np.random.Generator) -> Floats:
    """Letters, rings, stars and bars."""
    cover = np.zeros((DETAIL_SIZE, DETAIL_SIZE), np.uint8)
    for _ in range(rng.integers(1, 4)):
        x, y = (int(v) for v in rng.integers(40, DETAIL_SIZE - 60, 2))
        width = int(rng.integers(1, 4))
        kind = rng.integers(0, 4)
        if kind == 0:
            text = "".join(rng.choice(list("ABCEHKLMNORSTXZ"), rng.integers(1, 5)))
            cv2.putText(cover, text, (x, y), int(rng.integers(0, 8)), float(rng.uniform(0.4, 1.1)), 255, width)
        elif kind == 1:
            cv2.ellipse(cover, (x, y), (int(rng.integers(4, 22)), int(rng.integers(4, 22))), 0, 0, 360, 255, width)
        elif kind == 2:
            turns = np.linspace(0, 2 * np.pi, 6)[:-1] * 2 + rng.uniform(0, 6)
            star = np.stack([x + 12 * np.cos(turns), y + 12 * np.sin(turns)], 1).astype(np.int32)
            cv2.polylines(cover, [star], True, 255, width, cv2.LINE_AA)
        else:
            for step in range(rng.integers(2, 6)):
                cv2.line(cover, (x, y + 6 * step), (x + int(rng.integers(10, 40)), y + 6 * step), 255, width)
    return np.asarray(
        cv2.GaussianBlur(cover.astype(np.float32) / 255, (0, 0), float(rng.uniform(0.4, 1.0))), np.float32
    )


def _lines(rng: np.random.Generator) -> Floats:
    """Pencil lines, scratches, marks of glasses: wrinkles in shape alone."""
    cover = np.zeros((DETAIL_SIZE, DETAIL_SIZE), np.float32)
    for _ in range(rng.integers(1, 5)):
        t = np.linspace(0, 1, 14)
        first, step = rng.uniform(40, DETAIL_SIZE - 40, 2), rng.normal(0, 28, 2)
        bend = np.array([-step[1], step[0]]) * rng.normal(0, 0.3)
        course = first + t[:, None] * step + (4 * t * (1 - t))[:, None] * bend
        layer = np.zeros((DETAIL_SIZE, DETAIL_SIZE), np.uint8)
        points = [(course * 16).astype(np.int32)]
        cv2.polylines(layer, points, False, 255, int(rng.integers(1, 4)), cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(layer.astype(np.float32) / 255, (0, 0), float(rng.uniform(0.4, 2.2)))
        cover = np.maximum(cover, soft)
    return cover
