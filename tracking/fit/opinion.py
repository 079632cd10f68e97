"""Two guesses of one frame made into one, each counted by how sure it is."""

from __future__ import annotations

import numpy as np

from models.geometry.rotations import from_rotvec, to_rotvec
from tracking.fit.regressor import Guess


def combined(a: Guess, b: Guess, shared: float = 0.3) -> Guess:
    """The mean of two guesses, weighted by their inverse variances, channel by channel.

    Args:
        a, b: of the same frame. The gaze counts by the rotations' variances, since neither tells its own.
        shared: correlation of their errors, for both look at the same face; makes the result less sure than two
            independent witnesses would.
    """
    precise_a, precise_b = 1 / a.sigma**2, 1 / b.sigma**2
    share = precise_b / (precise_a + precise_b)
    expression = a.expression + share * (b.expression - a.expression)
    variance = (
        (1 - share) ** 2 * a.sigma**2 + share**2 * b.sigma**2 + 2 * shared * share * (1 - share) * a.sigma * b.sigma
    )
    turn_a, turn_b = 1 / a.rotation_sigma**2, 1 / b.rotation_sigma**2
    turn = turn_b / (turn_a + turn_b)
    rotation = from_rotvec(turn * to_rotvec(b.rotation @ a.rotation.T)) @ a.rotation
    sigma = np.hypot((1 - turn) * a.rotation_sigma, turn * b.rotation_sigma)
    return Guess(
        expression, np.sqrt(np.minimum(variance, np.minimum(a.sigma, b.sigma) ** 2)),
        a.gaze + turn * (b.gaze - a.gaze), rotation, float(sigma),
    )  # fmt: skip
