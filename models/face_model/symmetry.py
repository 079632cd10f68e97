"""Mirror partners of points on a mirror-symmetric face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def mirror_assignment(points: NDArray[np.floating]) -> NDArray[np.int64]:
    """(N,) partner of each of (N, 3) head-frame points under x -> -x; one to one, the least total distance."""
    # Imported late: it takes a fifth of a second that the first frame need not wait for.
    from scipy.optimize import linear_sum_assignment

    flipped = points * np.array([-1.0, 1.0, 1.0])
    cost = np.linalg.norm(points[:, None] - flipped[None], axis=2)
    return np.asarray(linear_sum_assignment(cost)[1], np.int64)
