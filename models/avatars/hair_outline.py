"""How far a person's hair stands out, read from the outlines that the kept pictures show.

In each picture the head with its hair is cut out. The outline of the drawn head with a hair cap is compared with the
cut's; what is amiss is a measurement of the hair that draws the outline there. All pictures' measurements are brought
onto one grid of directions by weighted medians, and the cap is drawn anew, a few times over. All of it is our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.avatars.hair_cutout import HeadCrop, cut_out
from models.avatars.person_texture import SkinView
from models.face_model.hair_cap import cap_directions, cap_height
from models.face_model.hair_grid import RELIEF_COUNT, relief_at, relief_directions
from models.face_model.model import FaceModel

__all__ = ["HairOutline", "hair_outline"]

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

LARGEST = 0.07
"""Metres: what stands out further is taken for the background."""
MOST_VIEWS = 16
USUAL = 0.011
"""Metres with which the search begins."""
REDRAWN = 4
FLAT = 0.004
"""Metres: a cut that stands out no further has taken the skin's edge for the hair's, or there is no hair."""
FRINGE, LEAST_SHARE = 0.08, 0.35
"""Of the cap's full height: from where on the bare head's outline is looked at, for a cap bulges over its hairline, and
from where on the hair's thickness can be told."""
CONTRAST = 16.0
"""Distance of colours, 0..255 each, between hair and background below which where one ends is a guess."""
JAGGED = 0.012
"""Metres from its neighbours' median at which a ray is no measurement."""
LEAST_RAYS, LEAST_GOOD = 35, 0.6
"""Rays that a picture has at least, and the share of them that is good."""
LEAST_SAMPLES = 40
SPREAD, WIDE = np.radians(15.0), np.radians(40.0)
"""Standard deviations, over which measurements are brought together, and from how far what nobody saw is guessed."""
MIRRORED = 0.08
"""What a measurement counts about the other side of the head."""
ENOUGH = 4.0
"""Measurements around a place that count as much as the guess."""


@dataclass(frozen=True, slots=True)
class _Samples:
    """Measurements: directions (N, 3), metres (N,), weights (N,)."""

    directions: Floats
    metres: Floats
    weights: Floats


@dataclass(frozen=True, slots=True)
class HairOutline:
    """What the outlines of the kept pictures say about the hair.

    Attributes:
        relief: RELIEF_COUNT values in metres, 0..0.07, in the order of `models.face_model.hair_grid`.
        colours: (N, 3) uint8 sRGB, hair between the bare head's outline and the hair's.
        normals: (N, 3) unit, camera frame, which way that hair faces, more or less.
    """

    relief: tuple[float, ...]
    colours: NDArray[np.uint8]
    normals: Floats


def hair_outline(model: FaceModel, views: Sequence[SkinView]) -> HairOutline | None:
    """How far the hair stands out by direction; None where too little of its outline could be told from the background,
    or hardly anything stands out.

    Args:
        model: the face model; one without a scalp region has no hair.
        views: pictures of the person; of many only some are looked at.
    """
    height, directions = cap_height(model), cap_directions(model)
    if not height.any():
        return None
    outlines = [found for view in _chosen(views) if (found := _outline(model, height, view)) is not None]
    relief = np.full(RELIEF_COUNT, USUAL)
    for _ in range(REDRAWN):
        metres = height * relief_at(relief.tolist(), directions)
        compared = [outline.compared(model, height, directions, metres) for outline in outlines]
        if sum(len(samples.metres) for samples in compared) < LEAST_SAMPLES:
            return None
        relief = _gathered(_joined(compared))
    colours, normals = zip(*(outline.crop.between(outline.good, outline.end) for outline in outlines), strict=True)
    rounded = tuple(round(float(v), 4) for v in relief)
    return HairOutline(rounded, np.concatenate(colours), np.concatenate(normals))


def _joined(parts: Sequence[_Samples]) -> _Samples:
    return _Samples(
        np.concatenate([part.directions for part in parts]),
        np.concatenate([part.metres for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )


def _chosen(views: Sequence[SkinView]) -> list[SkinView]:
    """At most MOST_VIEWS, spread evenly over where the head was turned, the better of those alike."""
    left = sorted(views, key=lambda view: -view.weight)
    turns = [view.normals.astype(np.float64) for view in left]
    chosen: list[int] = []
    apart = np.full(len(left), np.inf)
    while left and len(chosen) < min(MOST_VIEWS, len(left)):
        # The best first, then always the one that is least like those chosen; of equals the better one.
        n = int(np.argmax(apart)) if chosen else 0
        chosen.append(n)
        apart = np.minimum(apart, [float(np.abs(turn - turns[n]).mean()) for turn in turns])
        apart[n] = -1
    return [left[n] for n in chosen]


@dataclass(frozen=True, slots=True)
class _Outline:
    """The hair's outline in one picture.

    Attributes:
        crop: where it was found.
        end: (RAYS,) metres along each ray from the skull's middle to where the hair ends, at least to the bare head's
            outline.
        good: (RAYS,) which of them can be believed.
        weight: of the picture.
    """

    crop: HeadCrop
    end: Floats
    good: Mask
    weight: float

    def compared(self, model: FaceModel, height: Floats32, directions: Floats32, metres: Floats32) -> _Samples:
        """What relief would bring a drawn cap's outline to the picture's.

        The outline of a cap is drawn by what stands out, seldom by the vertices above the bare head's outline: so the
        cap itself is drawn and what is amiss is put down to what drew it.

        Args:
            model, height, directions: the model and its cap.
            metres: (V,) how far the drawn cap stands out.
        """
        drawn = self.crop.drawn(model, metres)
        end, pixels = self.crop.ends(drawn.covered)
        corners = model.faces[drawn.triangle[pixels[:, 1], pixels[:, 0]]]
        share = height[corners].mean(axis=1)
        good = self.good & (end > 0) & (share > LEAST_SHARE)
        facing = directions[corners[good]].mean(axis=1).astype(np.float64)
        own = metres[corners[good]].mean(axis=1) + self.end[good] - end[good]
        return _Samples(
            facing / np.linalg.norm(facing, axis=1, keepdims=True),
            np.clip(own / share[good], 0, LARGEST),
            share[good] ** 2 * (0.3 + self.weight),
        )


def _outline(model: FaceModel, height: Floats32, view: SkinView) -> _Outline | None:
    """None where the picture shows nothing that can be believed."""
    crop = HeadCrop.around(model, height, view)
    if crop is None:
        return None
    cut = cut_out(crop)
    bare, pixels = crop.ends(crop.bare.covered)
    hair, seen = crop.contiguous(cut, bare)
    share = height[model.faces[crop.bare.triangle[pixels[:, 1], pixels[:, 0]]]].mean(axis=1)
    used = seen & (bare > 0) & (share > FRINGE)
    if used.sum() < LEAST_RAYS:
        return None
    distance = hair - bare
    good = used & (distance < LARGEST) & (crop.contrast(hair) > CONTRAST)
    good &= np.abs(distance - _running_median(distance, used)) < JAGGED
    if good.sum() < LEAST_GOOD * used.sum() or float(np.median(distance[good])) < FLAT:
        return None
    return _Outline(crop, hair, good, view.weight)


def _running_median(values: Floats, used: Mask, reach: int = 5) -> Floats:
    """(RAYS,) median of the used rays around each ray, around the circle."""
    blank = np.where(used, values, np.nan)
    stack = np.stack([np.roll(blank, k) for k in range(-reach, reach + 1)])
    stack[:, ~used] = 0
    return np.asarray(np.nanmedian(stack, axis=0))


def _gathered(samples: _Samples) -> Floats:
    """(RELIEF_COUNT,) metres over the grid."""
    grid = relief_directions().astype(np.float64)
    mirror = np.array([-1.0, 1.0, 1.0])
    directions = np.concatenate([samples.directions, samples.directions * mirror])
    metres = np.tile(samples.metres, 2)
    weights = np.concatenate([samples.weights, MIRRORED * samples.weights])
    apart = np.arccos(np.clip(grid @ directions.T, -1, 1))
    near = np.exp(-0.5 * (apart / SPREAD) ** 2) * weights
    far = np.exp(-0.5 * (apart / WIDE) ** 2) * weights
    whole = _weighted_median(metres, weights)
    # Far from all that was seen a guess leans on the whole head's median.
    seen, around = near.sum(axis=1), far.sum(axis=1)
    guess = (far @ metres + 2 * ENOUGH * whole) / (around + 2 * ENOUGH)
    local = np.array([_weighted_median(metres, row) for row in near])
    values = (seen * local + ENOUGH * guess) / (seen + ENOUGH)
    # Medians step from place to place.
    between = np.exp(-0.5 * (np.arccos(np.clip(grid @ grid.T, -1, 1)) / SPREAD) ** 2)
    # Columns crowd together towards the top of the head.
    between = between * np.maximum(np.hypot(grid[:, 0], grid[:, 2]), 0.07)
    return np.asarray(np.clip(between @ values / between.sum(axis=1), 0, LARGEST))


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    if not total[-1] > 1e-12:
        return 0.0
    return float(values[order[int(np.searchsorted(total, total[-1] / 2))]])
