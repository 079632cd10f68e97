"""Where faces crease: random lines near the places that anatomy gives, drawn from the 68 landmarks' places in UV."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.face_model.detail_map import DETAIL_SIZE, DetailMap
from models.training.data.wrinkles import Crease

__all__ = ["landmark_texels", "random_lines"]

Floats = NDArray[np.float32]
Points = NDArray[np.float64]


def landmark_texels(window: DetailMap) -> Points:
    """(68, 2) column and row of the 68 landmarks in the detail window, made mirror-symmetric by their order."""
    model = window.model
    corners = model.uv[model.uv_faces[model.landmarks68.triangles]].astype(np.float64)
    uv = np.einsum("nk,nkd->nd", model.landmarks68.barycentrics, corners)
    return np.asarray(window.texels(uv), np.float64)


class _Pen:
    """Draws one person's lines on the subject's left half (the window's right), mirrored with changes to the other."""

    def __init__(self, rng: np.random.Generator, age: float) -> None:
        self.rng, self.age = rng, age
        self.lines: list[Crease] = []

    def line(
        self, course: Points, depth: float, sigma: tuple[float, float], span: tuple[float, float] = (0.06, 0.2),
        static: float = 0.2, bulge: float = 0.4, below: float = 0.0,
    ) -> None:  # fmt: skip
        rng = self.rng
        width = float(rng.uniform(*sigma))
        count = max(5, int(np.linalg.norm(np.diff(course, axis=0), axis=1).sum() / max(3.0, 1.6 * width)))
        points = _spline(course, count)
        # A wandering course rather than a ruled one.
        wander = np.cumsum(rng.normal(0, 0.25, (count, 2)), axis=0)
        points = points + wander - np.linspace(0, 1, count)[:, None] * wander[-1]
        taper = np.sin(np.pi * np.linspace(0.06, 0.94, count)) ** rng.uniform(0.4, 1.0)
        along = taper * np.clip(1 + 0.25 * rng.standard_normal(count), 0.3, 1.6)
        self.lines.append(
            Crease(
                points.astype(np.float32),
                (depth * rng.uniform(0.6, 1.9) * (0.4 + 1.1 * self.age) * along).astype(np.float32),
                width,
                float(rng.uniform(0.0, 0.03)),
                float(rng.uniform(*span)),
                float(np.clip(static * rng.uniform(0.0, 2.2) * (0.5 + self.age), 0, 0.75)),
                float(bulge * rng.uniform(0.5, 1.5)),
                round(below),
            )
        )

    def both(self, draw: Callable[[float], None], chance: float) -> None:
        """Draws on the left (+1) and on the right (-1); one side may miss it."""
        if self.rng.random() < chance:
            for side in (1.0, -1.0):
                if self.rng.random() > 0.06:
                    draw(side)


def _spline(course: Points, count: int) -> Points:
    """(count, 2) points on a smooth course through the given ones (Catmull and Rom, 1974)."""
    padded = np.concatenate([2 * course[:1] - course[1:2], course, 2 * course[-1:] - course[-2:-1]])
    at = np.linspace(0, len(course) - 1 - 1e-9, count)
    i, t = at.astype(int), (at % 1)[:, None]
    p0, p1, p2, p3 = (padded[i + k] for k in range(4))
    return np.asarray(
        0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    )


def random_lines(rng: np.random.Generator, landmarks: Points, age: float) -> tuple[Crease, ...]:
    """One person's lines.

    Args:
        rng: source of all randomness.
        landmarks: (68, 2), see `landmark_texels`.
        age: 0 (few and shallow) .. 1 (many and deep).
    """
    pen = _Pen(rng, age)
    centre = DETAIL_SIZE / 2 - 0.5

    def place(index: int, side: float, outward: float = 0.0, down: float = 0.0, spread: float = 1.5) -> Points:
        """A landmark of the subject's left half and its mirror image, moved outward and down, jittered."""
        x, y = landmarks[index]
        gap = abs(x - centre) + outward
        return np.array([centre + side * gap, y + down]) + rng.normal(0, spread, 2)

    _mouth(pen, place)
    _eyes(pen, place)
    _brow(pen, place, centre)
    _anywhere(pen)
    return tuple(pen.lines)


Place = Callable[..., Points]


def _mouth(pen: _Pen, place: Place) -> None:
    rng, age = pen.rng, pen.age

    def nasolabial(side: float) -> None:
        start = place(35, side, rng.uniform(3, 9), rng.uniform(-14, -3))
        middle = place(54, side, rng.uniform(5, 13), rng.uniform(-34, -20))
        corner = place(54, side, rng.uniform(6, 15), rng.uniform(-8, 4))
        course = [start, middle, corner]
        if rng.random() < 0.6:
            course.append(place(54, side, rng.uniform(3, 15), rng.uniform(10, 26)))
        pen.line(np.array(course), 0.9, (1.4, 4.5), (0.05, 0.16), 0.3, 0.5)

    pen.both(nasolabial, 0.95)
    pen.both(nasolabial, 0.2)

    def cheek(side: float) -> None:
        out = rng.uniform(16, 42)
        top = place(54, side, out + rng.uniform(-4, 8), rng.uniform(-44, -18))
        course = [top, place(54, side, out + 4, rng.uniform(-16, 0)), place(54, side, out - 4, rng.uniform(8, 26))]
        pen.line(np.array(course), 0.5, (1.2, 4.0))

    for chance in (0.45, 0.3 * age + 0.1, 0.3 * age):
        pen.both(cheek, chance)

    def marionette(side: float) -> None:
        course = [place(54, side, rng.uniform(1, 6), rng.uniform(2, 7)), place(54, side, rng.uniform(2, 9), 16)]
        pen.line(np.array([*course, place(54, side, rng.uniform(-2, 10), rng.uniform(22, 38))]), 0.6, (1.2, 3.5))

    pen.both(marionette, 0.25 + 0.4 * age)

    def perioral(side: float) -> None:
        for _ in range(rng.integers(1, 5)):
            upper = rng.random() < 0.6
            lip = int(rng.choice([52, 53] if upper else [55, 56]))
            first = place(lip, side, rng.uniform(-3, 3), -5 if upper else 5)
            away = np.array([rng.normal(0, 2) + side * 2, rng.uniform(7, 16) * (-1 if upper else 1)])
            pen.line(np.array([first, first + away]), 0.28, (0.8, 1.8), bulge=0.3)

    pen.both(perioral, 0.15 + 0.5 * age)
    if rng.random() < 0.55:
        down, arch = rng.uniform(7, 15), rng.uniform(-5, 5)
        ends = [place(56, s, rng.uniform(-2, 8), down + arch) for s in (1.0, -1.0)]
        pen.line(np.array([ends[0], place(57, 1.0, 0, down - arch), ends[1]]), 0.6, (1.5, 4.5), (0.04, 0.15))


def _eyes(pen: _Pen, place: Place) -> None:
    rng, age = pen.rng, pen.age

    def crows_feet(side: float) -> None:
        for angle in np.linspace(-0.75, 0.85, rng.integers(2, 7)) + rng.normal(0, 0.12):
            first, length = rng.uniform(5, 11), rng.uniform(9, 30)
            bend = rng.normal(0, 0.25)
            course = []
            for share in (0.0, 0.5, 1.0):
                turn, far = angle + bend * share, first + length * share
                course.append(place(45, side, far * np.cos(turn), far * np.sin(turn), 0.7))
            pen.line(np.array(course), 0.42, (0.8, 2.2), (0.04, 0.14), 0.2)

    pen.both(crows_feet, 0.85)

    def under_eye(side: float) -> None:
        down, sag = rng.uniform(5, 17), rng.uniform(-1, 5)
        inner, outer = place(47, side, rng.uniform(-12, -5), down - 2), place(46, side, rng.uniform(0, 9), down - 3)
        pen.line(np.array([inner, place(46, side, -4, down + sag), outer]), 0.45, (0.9, 3.2), (0.04, 0.15))

    for chance in (0.8, 0.5, 0.4 * age):
        pen.both(under_eye, chance)

    def bunny(side: float) -> None:
        for _ in range(rng.integers(1, 4)):
            first = place(28, side, rng.uniform(3, 7), rng.uniform(-8, 10))
            step = np.array([side * rng.uniform(5, 12), rng.uniform(3, 12)])
            pen.line(np.array([first, first + 0.5 * step + rng.normal(0, 1, 2), first + step]), 0.4, (0.8, 2.2))

    pen.both(bunny, 0.6)


def _brow(pen: _Pen, place: Place, centre: float) -> None:
    rng, age = pen.rng, pen.age
    height = float(place(24, 1.0)[1]) - rng.uniform(7, 13)
    for _ in range(rng.integers(1, 6)):
        reach, middle = rng.uniform(14, 62), centre + rng.normal(0, 9)
        if rng.random() < 0.25:
            middle += rng.choice([-1, 1]) * rng.uniform(15, 38)
            reach *= 0.6
        wave, tilt = rng.uniform(-5, 4), rng.normal(0, 1.5)
        course = [
            (middle - reach, height + wave - tilt), (middle - reach / 2, height - wave / 2),
            (middle, height + wave * 0.8), (middle + reach / 2, height - wave / 2),
            (middle + reach, height + wave + tilt),
        ]  # fmt: skip
        # The model's forehead moves next to the brows alone, a real one all over: its lines look at the skin there.
        below = max(0.0, float(place(24, 1.0)[1]) - 6 - height)
        pen.line(np.array(course), 0.75, (0.9, 3.4), (0.05, 0.16), 0.12, below=below)
        height -= rng.uniform(6, 14)
    nasion = place(27, 1.0)
    for _ in range(rng.integers(0, 4) + (rng.random() < 0.5)):
        x, top = centre + rng.normal(0, 7), nasion[1] - rng.uniform(10, 30)
        length = rng.uniform(10, 24)
        lean = (x - centre) * rng.uniform(0, 0.5)
        course = [(x + lean, top), (x + lean * 0.3, top + length * 0.5), (x, top + length)]
        pen.line(np.array(course), 0.6, (0.9, 2.8), (0.04, 0.14), 0.2)
    for _ in range(rng.integers(0, 3)):
        y, half = nasion[1] + rng.uniform(-8, 6), rng.uniform(4, 11)
        pen.line(np.array([(centre - half, y), (centre, y + rng.normal(0, 2)), (centre + half, y)]), 0.5, (0.9, 2.5))
    if age > 0.5 and rng.random() < 0.5:
        side = rng.choice([-1.0, 1.0])
        temple = [place(25, side, rng.uniform(0, 14), -rng.uniform(12, 40)), place(25, side, rng.uniform(6, 25), -8)]
        pen.line(np.array(temple), 0.3, (0.9, 2.2))


def _anywhere(pen: _Pen) -> None:
    rng = pen.rng
    for _ in range(rng.integers(0, 12)):
        middle, angle = rng.uniform(40, DETAIL_SIZE - 40, 2), rng.uniform(0, np.pi)
        step = np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(4, 22)
        bend = rng.normal(0, 3, 2)
        pen.line(np.array([middle - step, middle + bend, middle + step]), 0.45, (0.8, 4.0), (0.04, 0.2), 0.3)
