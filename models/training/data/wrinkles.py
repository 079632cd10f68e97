"""Random people's wrinkles, which open where the skin is compressed across them and vanish where it is stretched.

A layout is one person's: lines at the places where faces crease (with random number, course, depth and width, and
quite different between people), lines anywhere, fields of fine creases of every orientation, and broad folds. The
displacement of an expression follows from the layout and the compression of the skin across each crease.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.face_model.detail_map import DETAIL_SIZE
from models.training.data.noise import smooth_noise
from models.training.data.strain import SurfaceMaps

__all__ = ["ORIENTATIONS", "Crease", "WrinkleLayout", "displacement", "field_opening", "random_layout"]

Floats = NDArray[np.float32]

LIMIT = 10.0
"""Millimetres: |D| never exceeds it."""
ORIENTATIONS = 8
BANDS = ((4.0, 6.5), (6.5, 11.0), (12.0, 20.0), (22.0, 40.0))
"""Wavelengths in texels of the fields of creases: fine lines, lines, folds, broad folds."""
FIELD = 512


@dataclass(frozen=True, slots=True)
class Crease:
    """One line.

    Attributes:
        points: (N, 2) texels, column and row.
        depth: (N,) millimetres at each point when fully open.
        sigma: half width in texels.
        start, span: compression at which it begins to open, and over which it opens fully.
        static: share of the depth that is there at rest.
        bulge: height of the skin beside it as a share of its depth.
        below: texels further down whose compression opens it.
    """

    points: Floats
    depth: Floats
    sigma: float
    start: float
    span: float
    static: float
    bulge: float
    below: int = 0


@dataclass(frozen=True, slots=True)
class WrinkleLayout:
    """One person's wrinkles.

    Attributes:
        creases: lines.
        amounts: (bands,) millimetres of the crease fields at a compression of 0.2.
        offsets: (bands, orientations, 2) where each field is cut from.
        static: share of the fields that is there at rest, of what habit folds (see `habit.habitual_opening`).
        regional: (256, 256) in 0..1.5, how much this person's skin creases where.
    """

    creases: tuple[Crease, ...]
    amounts: Floats
    offsets: NDArray[np.int64]
    static: float
    regional: Floats


@cache
def _fields() -> Floats:
    """(bands, orientations, 512, 512) tileable fields of creases: mean 0, spread 1, narrow valleys and broad ridges.
    Orientation k creases across the direction pi k / 8."""
    rng = np.random.default_rng(7)
    frequency = np.fft.fftfreq(FIELD)
    fy, fx = np.meshgrid(frequency, frequency, indexing="ij")
    radius, angle = np.hypot(fx, fy) + 1e-9, np.arctan2(fy, fx)
    out = np.empty((len(BANDS), ORIENTATIONS, FIELD, FIELD), np.float32)
    for b, (short, long) in enumerate(BANDS):
        centre, spread = 2 / (short + long), 0.25
        ring = np.exp(-(np.log(radius / centre) ** 2) / (2 * spread**2))
        for k in range(ORIENTATIONS):
            apart = np.abs((angle - np.pi * k / ORIENTATIONS + np.pi / 2) % np.pi - np.pi / 2)
            wedge = np.exp(-(apart**2) / (2 * 0.28**2))
            noise = np.fft.fft2(rng.standard_normal((FIELD, FIELD)))
            field = np.fft.ifft2(noise * ring * wedge).real
            field /= field.std()
            # Softened on the positive side: skin folds into narrow valleys between broad ridges.
            field = np.where(field > 0, np.tanh(0.8 * field) * 0.7, field)
            field -= field.mean()
            out[b, k] = field / field.std()
    return out


def random_layout(rng: np.random.Generator, lines: tuple[Crease, ...], age: float) -> WrinkleLayout:
    """One person's layout.

    Args:
        rng: source of all randomness.
        lines: see `anatomy.random_lines`.
        age: 0 (smooth) .. 1 (deeply lined).
    """
    fine = np.array([0.11, 0.16, 0.13, 0.08], np.float32)
    amounts = fine * rng.uniform(0.15, 1.0, len(BANDS)).astype(np.float32) * (0.35 + 1.15 * age)
    regional = np.clip(0.75 + 0.45 * smooth_noise(rng, DETAIL_SIZE, 6), 0.05, 1.5).astype(np.float32)
    return WrinkleLayout(
        lines,
        amounts.astype(np.float32),
        rng.integers(0, FIELD - DETAIL_SIZE, (len(BANDS), ORIENTATIONS, 2)),
        float(rng.uniform(0.03, 0.3) * (0.2 + 0.8 * age)),
        regional,
    )


@njit(cache=True, nogil=True, fastmath=True)
def _carve(
    out: Floats,
    points: Floats,
    depth: Floats,
    sigma: float,
    start: float,
    span: float,
    static: float,
    bulge: float,
    metric: Floats,
    neutral: Floats,
    below: int,
    touched: Floats,
    nearest: Floats,
) -> None:
    # `touched` holds this line's value alone, of its nearest segment, so that joints of segments do not add up.
    size = out.shape[0]
    reach = sigma * (4.8 if bulge > 0 else 3.2)
    low_x, low_y, high_x, high_y = size, size, -1, -1
    for i in range(points.shape[0] - 1):
        ax, ay, bx, by = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
        dx, dy = bx - ax, by - ay
        length2 = dx * dx + dy * dy
        if length2 < 1e-6:
            continue
        length = np.sqrt(length2)
        nx, ny = -dy / length, dx / length
        x0, x1 = max(int(min(ax, bx) - reach), 0), min(int(max(ax, bx) + reach) + 1, size - 1)
        y0, y1 = max(int(min(ay, by) - reach), 0), min(int(max(ay, by) + reach) + 1, size - 1)
        low_x, low_y, high_x, high_y = min(low_x, x0), min(low_y, y0), max(high_x, x1), max(high_y, y1)
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                t = ((x - ax) * dx + (y - ay) * dy) / length2
                t = min(max(t, 0.0), 1.0)
                gx, gy = x - ax - t * dx, y - ay - t * dy
                d2 = gx * gx + gy * gy
                if d2 > reach * reach:
                    continue
                r = min(y + below, size - 1)
                g1 = nx * nx * metric[r, x, 0] + 2 * nx * ny * metric[r, x, 1] + ny * ny * metric[r, x, 2]
                g0 = nx * nx * neutral[r, x, 0] + 2 * nx * ny * neutral[r, x, 1] + ny * ny * neutral[r, x, 2]
                squeeze = 1 - np.sqrt(min(max((g1 + 1e-3) / (g0 + 1e-3), 0.09), 2.9))
                opened = min(max((squeeze - start) / span, 0.0), 1.0)
                opened = opened * opened * (3 - 2 * opened)
                # A stretched crease is pulled flat.
                rest = static * min(max(1 + squeeze / 0.12, 0.0), 1.0)
                share = rest + (1 - rest) * opened
                deep = (depth[i] + t * (depth[i + 1] - depth[i])) * share
                value = -deep * (np.exp(-d2 / (2 * sigma * sigma)))
                if bulge > 0:
                    value += bulge * deep * np.exp(-d2 / (2 * (2.2 * sigma) ** 2))
                if d2 < nearest[y, x]:
                    nearest[y, x] = d2
                    touched[y, x] = value
    for y in range(low_y, high_y + 1):
        for x in range(low_x, high_x + 1):
            out[y, x] += touched[y, x]
            touched[y, x] = 0
            nearest[y, x] = 1e9


@njit(cache=True, nogil=True, fastmath=True)
def _crease_fields(
    fields: Floats,
    offsets: NDArray[np.int64],
    amounts: Floats,
    static: float,
    habit: Floats,
    regional: Floats,
    metric: Floats,
    neutral: Floats,
    mask: Floats,
    out: Floats,
) -> None:
    size = out.shape[0]
    bands, orientations = offsets.shape[0], offsets.shape[1]
    for k in range(orientations):
        angle = np.pi * k / orientations
        cc, cs, ss = np.cos(angle) ** 2, 2 * np.cos(angle) * np.sin(angle), np.sin(angle) ** 2
        cc, cs, ss = np.float32(cc), np.float32(cs), np.float32(ss)
        for y in range(size):
            for x in range(size):
                if mask[y, x] < 0.01:
                    continue
                g1 = cc * metric[y, x, 0] + cs * metric[y, x, 1] + ss * metric[y, x, 2]
                g0 = cc * neutral[y, x, 0] + cs * neutral[y, x, 1] + ss * neutral[y, x, 2]
                squeeze = 1 - np.sqrt(min(max((g1 + np.float32(1e-3)) / (g0 + np.float32(1e-3)), 0.09), 2.9))
                opened = min(max((squeeze - 0.01) / 0.2, 0.0), 1.6)
                opened = max(opened, static * habit[k, y, x] * min(max(1 + squeeze / 0.12, 0.0), 1.0))
                if opened > 0:
                    total = np.float32(0)
                    for b in range(bands):
                        total += amounts[b] * fields[b, k, offsets[b, k, 0] + y, offsets[b, k, 1] + x]
                    out[y, x] += opened * regional[y, x] * total


def field_opening(squeeze: Floats) -> Floats:
    """How far fields of creases open under a compression across them: 0 shut .. 1.6."""
    return np.asarray(np.clip((squeeze - 0.01) / 0.2, 0.0, 1.6), np.float32)


def displacement(layout: WrinkleLayout, maps: SurfaceMaps, mask: Floats, habit: Floats) -> Floats:
    """(256, 256) millimetres along the outward normal of a person's skin in an expression.

    Args:
        layout: the person's.
        maps: of the posed face.
        mask: (256, 256) where displacement may be.
        habit: (8, 256, 256), see `habit.habitual_opening`.
    """
    out = np.zeros((DETAIL_SIZE, DETAIL_SIZE), np.float32)
    _crease_fields(
        _fields(), layout.offsets, layout.amounts, layout.static, habit, layout.regional, maps.metric,
        maps.neutral_metric, mask, out,
    )  # fmt: skip
    touched, nearest = np.zeros_like(out), np.full_like(out, 1e9)
    for crease in layout.creases:
        _carve(
            out, crease.points, crease.depth, crease.sigma, crease.start, crease.span, crease.static, crease.bulge,
            maps.metric, maps.neutral_metric, crease.below, touched, nearest,
        )  # fmt: skip
    return np.asarray(np.clip(out * mask, -LIMIT, LIMIT), np.float32)
