"""The 68 points of the iBUG convention in terms of MediaPipe's 478 and of the mesh's surface.

From the convention's markup scheme: brows are five points from the outer to the inner end, evenly spaced as seen from
the front, along the upper edge of the hair; the bridge is four evenly spaced points from the nasion to the tip; the
outer points under the nose lie under the wings; the eyes' inner corners leave out the caruncle; the lips' second points
lie half-way between neighbours of the finer mesh.

The 17 contour points have no fixed place on a face that turns; theirs serve as names for frontal views and are replaced
by silhouette vertices where it matters. Left and right of the comments are the subject's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CONTOUR = (127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356)
BROW_UPPER = {"right": (70, 63, 105, 66, 107), "left": (336, 296, 334, 293, 300)}
BROW_LOWER = {"right": (46, 53, 52, 65, 55), "left": (285, 295, 282, 283, 276)}
BRIDGE = (168, 6, 197, 195, 5, 4)
SINGLE_AFTER_BRIDGE: tuple[tuple[int, ...], ...] = (
    *((97, 98, 98), (97,), (2,), (326,), (326, 327, 327)),  # under the nose
    *((33,), (160,), (158,), (133, 133, 155, 173), (153,), (144,)),  # right eye
    *((362, 362, 382, 398), (385,), (387,), (263,), (373,), (380,)),  # left eye
    *((61,), (39, 40), (37,), (0,), (267,), (269, 270), (291,)),  # upper lip, outer
    *((405, 321), (314,), (17,), (84,), (181, 91)),  # lower lip, outer
    *((78,), (82,), (13,), (312,), (308,)),  # upper lip, inner
    *((317,), (14,), (87,)),  # lower lip, inner
)
"""MediaPipe points of which each point is the mean."""


def points_68(points: Floats) -> Floats:
    """The 68 points, (68, D), out of (478, D) points of MediaPipe's order; D is 2 or 3."""
    brows = [evenly_spaced(_brow_line(points, side), 5, 2) for side in ("right", "left")]
    singles = np.stack([points[list(members)].mean(axis=0) for members in SINGLE_AFTER_BRIDGE])
    return np.concatenate([points[list(CONTOUR)], *brows, evenly_spaced(points[list(BRIDGE)], 4, 3), singles])


def _brow_line(points: Floats, side: str) -> Floats:
    """The line along which a brow's points run: the hair's upper edge, ending in the middle of both ends."""
    upper, lower = points[list(BROW_UPPER[side])], points[list(BROW_LOWER[side])]
    share = np.array([0.5, 1.0, 1.0, 1.0, 0.5])[:, None]
    return np.asarray(share * upper + (1 - share) * lower)


def evenly_spaced(line: Floats, count: int, axes: int) -> Floats:
    """(count, D) points along a polyline (N, D) with both ends, evenly spaced by the length over its first axes."""
    steps = np.linalg.norm(np.diff(line[:, :axes], axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0, along[-1], count)
    return np.stack([np.interp(wanted, along, line[:, d]) for d in range(line.shape[1])], axis=1)
