"""Errors of 68 landmarks and of the outline, as shares of the distance between the outer corners of the eyes.

Points 0..16 are the contour, 17..67 the 51 inner landmarks, 36 and 45 the outer corners of the right and left eye.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["MISS", "LandmarkErrors", "LandmarkSummary", "adapted_errors", "boundary_error", "inner_error", "summarise"]

Points = NDArray[np.floating]

MISS = 0.10
"""What a picture counts whose face was not found, and the cap on each picture's error in the capped means."""
CONTOUR = slice(0, 17)
INNER = slice(17, 68)
OUTER_EYES = (36, 45)


@dataclass(frozen=True, slots=True)
class LandmarkErrors:
    """One picture.

    Attributes:
        name: of the picture.
        inner: mean error of the 51 inner landmarks; None where no face was found.
        boundary: see `boundary_error`; None where no face was found or the outline is not in sight.
        residual: (51, 2) see `aligned_residual`; None where no face was found.
    """

    name: str
    inner: float | None = None
    boundary: float | None = None
    residual: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class LandmarkSummary:
    """A set of pictures; every mean counts a missed face as MISS.

    Attributes:
        nme_inner51: mean over the pictures of the inner error, each at most MISS.
        nme_inner51_uncapped: the same without the cap on faces that were found.
        nme_inner51_adapted: the same after a constant offset of each landmark is taken out (see `adapted_errors`),
            capped.
        boundary: mean over the pictures of the boundary error, without a cap.
        overall: (boundary + 3 nme_inner51) / 4.
        failures: names of the pictures whose face was missed, or whose inner error is above MISS: another face, or no
            face, was fitted.
    """

    nme_inner51: float
    nme_inner51_uncapped: float
    nme_inner51_adapted: float
    boundary: float
    overall: float
    failures: tuple[str, ...]


def eye_distance(truth: Points) -> float:
    """Distance in pixels between the outer corners of the eyes of (68, 2) annotated points."""
    return float(np.linalg.norm(truth[OUTER_EYES[1]] - truth[OUTER_EYES[0]]))


def inner_error(found: Points, truth: Points) -> float:
    """Mean Euclidean distance of the 51 inner of (68, 2) points to the annotated ones."""
    return float(np.linalg.norm(found[INNER] - truth[INNER], axis=1).mean() / eye_distance(truth))


def boundary_error(outline: Points, truth: Points) -> float | None:
    """Mean distance of the 17 annotated contour points to the nearest of (N, 2) outline points; None without any."""
    if not len(outline):
        return None
    distances, _ = cKDTree(outline).query(truth[CONTOUR])
    return float(np.mean(distances) / eye_distance(truth))


def aligned_residual(found: Points, truth: Points) -> NDArray[np.float64]:
    """(51, 2) found minus annotated inner points in the frame of the annotated eyes: x along the line from the outer
    corner of the right eye to that of the left, in units of their distance."""
    along = (truth[OUTER_EYES[1]] - truth[OUTER_EYES[0]]) / eye_distance(truth)
    axes = np.array([[along[0], -along[1]], [along[1], along[0]]])
    return np.asarray((found[INNER] - truth[INNER]) @ axes / eye_distance(truth), np.float64)


def adapted_errors(residuals: Sequence[NDArray[np.float64]]) -> list[float]:
    """Inner errors once the labelling convention is taken out.

    Where exactly a corner of the mouth lies is a convention of whoever placed the points. A constant offset for each
    of the 51 points tells it from error: the median over one half of the pictures (the even ones) is taken out of the
    other half, and the other way round, so that no picture adapts to itself.

    Args:
        residuals: (51, 2) each, see `aligned_residual`.

    Returns:
        One error for each picture, in their order. With fewer than two pictures nothing is taken out.
    """
    stack = np.array(residuals, np.float64).reshape(-1, 51, 2)
    adapted = stack.copy()
    if len(stack) >= 2:
        for fold in (0, 1):
            adapted[fold::2] -= np.median(stack[1 - fold :: 2], axis=0)
    return [float(value) for value in np.linalg.norm(adapted, axis=2).mean(axis=1)]


def summarise(errors: Sequence[LandmarkErrors]) -> LandmarkSummary:
    """The means over a set of pictures.

    Raises:
        ValueError: there are none.
    """
    if not errors:
        raise ValueError("no pictures to summarise")
    inner = np.array([MISS if e.inner is None else e.inner for e in errors])
    boundary = np.array([MISS if e.boundary is None else e.boundary for e in errors])
    adapted = np.full(len(errors), MISS)
    found = [i for i, e in enumerate(errors) if e.residual is not None]
    adapted[found] = adapted_errors([e.residual for e in errors if e.residual is not None])
    capped = float(np.minimum(inner, MISS).mean())
    edge = float(boundary.mean())
    return LandmarkSummary(
        nme_inner51=capped,
        nme_inner51_uncapped=float(inner.mean()),
        nme_inner51_adapted=float(np.minimum(adapted, MISS).mean()),
        boundary=edge,
        overall=(edge + 3.0 * capped) / 4.0,
        failures=tuple(e.name for e in errors if e.inner is None or e.inner > MISS),
    )


def error_distribution(
    errors: Sequence[float | None], *, limit: float = MISS, steps: int = 200
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cumulative error distribution (CED).

    Args:
        errors: one for each picture, None for a missed face.
        limit: largest error of the curve.
        steps: of the curve.

    Returns:
        thresholds (steps + 1,) from 0 to `limit`, and (steps + 1,) share of all pictures whose error is at most that.
    """
    thresholds = np.linspace(0.0, limit, steps + 1)
    values = np.sort([e for e in errors if e is not None])
    return thresholds, np.searchsorted(values, thresholds, side="right") / max(1, len(errors))
