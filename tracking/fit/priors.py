"""What the fit believes before it sees a frame: how far landmarks err and which expressions are likely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.face_model import Embedding, FaceModel
from tracking.fit.problem import FITTED_CHANNELS
from tracking.fit.regressor import Guess
from tracking.fit.settings import FitSettings

Floats = NDArray[np.float64]

EYE_REACH = 0.021
"""Metres around an eyeball's centre within which landmarks are the lids'."""
SIGMA_OUTLINE, SIGMA_LIPS, SIGMA_EYES, SIGMA_BROWS, SIGMA_REST = 2.5, 0.8, 0.65, 1.0, 1.3
"""Relative spread of landmarks: the contour slides over the cheek as the head turns, lids and lips hold best."""

REST_STRIDE = 3


def landmark_sigmas(model: FaceModel, embedding: Embedding) -> Floats:
    """(N,) relative spread of each landmark of an embedding, from where it lies on the mean face."""
    points = model.embed(model.mean, embedding).astype(np.float64)
    joints = model.joints(model.identity())

    def region(name: str) -> NDArray[np.bool_]:
        values = model.regions[name][model.faces[embedding.triangles]]
        return np.asarray(np.einsum("nk,nk->n", embedding.barycentrics, values) > 0.5)

    sigmas = np.full(len(points), SIGMA_REST)
    sigmas[region("outline") | region("scalp") | region("neck") | region("ears")] = SIGMA_OUTLINE
    sigmas[region("brows")] = SIGMA_BROWS
    sigmas[region("lips")] = SIGMA_LIPS
    near_eye = np.minimum(*(np.linalg.norm(points - joints[j], axis=1) for j in (2, 3))) < EYE_REACH
    sigmas[near_eye] = SIGMA_EYES
    return sigmas


def chosen_landmarks(sigmas: Floats) -> NDArray[np.int64]:
    """Indices of the landmarks that are fitted: all of lids, lips and brows, every third of the dense rest.

    The dense rest of cheeks and forehead moves as one; leaving most of it out halves the time of a fit.

    Args:
        sigmas: (N,) of `landmark_sigmas`.
    """
    telling = sigmas <= SIGMA_BROWS
    rest = np.flatnonzero(~telling)
    return np.sort(np.concatenate([np.flatnonzero(telling), rest[::REST_STRIDE]]))


class ExpressionPrior:
    """Sparse, small, near the learned guess, near the frame before: all as one quadratic per channel.

    Args:
        settings: the weights.
    """

    def __init__(self, settings: FitSettings) -> None:
        self._index = list(FITTED_CHANNELS)
        self._settings = settings

    def terms(
        self, values: Floats, guess: Guess, previous: Floats | None, caution: float = 1.0
    ) -> tuple[Floats, Floats]:
        """Curvature (E,) and slope (E,) of the prior's cost at the fitted channels' `values` (E,).

        Args:
            values: current.
            guess: the regressor's answer for this frame.
            previous: (52,) of the frame before, or None.
            caution: factor on the sparsity.
        """
        strength = self._settings.expression_strength
        trust = self._settings.guess_strength / guess.sigma[self._index] ** 2
        curvature = strength + trust
        slope = strength * values + trust * (values - guess.expression[self._index])
        slope = slope + caution * self._settings.sparsity
        if previous is not None:
            curvature = curvature + self._settings.temporal_strength
            slope = slope + self._settings.temporal_strength * (values - previous[self._index])
        return curvature, slope
