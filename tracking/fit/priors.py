"""What the fit believes before it sees a frame: how far landmarks err and which expressions are likely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS
from models.face_model import Embedding, FaceModel
from tracking.fit.problem import FITTED_CHANNELS
from tracking.fit.settings import FitSettings

Floats = NDArray[np.float64]

EYE_REACH = 0.021
"""Metres around an eyeball's centre within which landmarks are the lids'."""
SIGMA_OUTLINE, SIGMA_LIPS, SIGMA_EYES, SIGMA_BROWS, SIGMA_REST = 2.5, 0.8, 0.65, 1.0, 1.3
"""Relative spread of landmarks: the contour slides over the cheek as the head turns, lids and lips hold best."""

# How far MediaPipe's score of a channel is to be trusted, relative to the rest (1). Those at 0 stay near zero on real
# faces whatever the face does; browDown and eyeSquint carry an offset that depends on the person.
_TRUST = {
    "cheekPuff": 0.0,
    "noseSneer": 0.0,
    "eyeWide": 0.0,
    "cheekSquint": 0.0,
    "tongueOut": 0.0,
    "jawForward": 0.0,
    "mouthDimple": 0.3,
    "mouthPress": 0.5,
    "browDown": 0.4,
    "eyeSquint": 0.4,
    "mouthShrug": 0.5,
}


def landmark_sigmas(model: FaceModel, embedding: Embedding) -> Floats:
    """(N,) relative spread of each landmark of an embedding, from where it lies on the mean face."""
    points = model.embed(model.mean, embedding).astype(np.float64)
    joints = model.joints(model.identity())

    def region(name: str) -> NDArray[np.bool_]:
        values = model.regions[name][model.faces[embedding.triangles]]
        return np.einsum("nk,nk->n", embedding.barycentrics, values) > 0.5

    sigmas = np.full(len(points), SIGMA_REST)
    sigmas[region("outline") | region("scalp") | region("neck") | region("ears")] = SIGMA_OUTLINE
    sigmas[region("brows")] = SIGMA_BROWS
    sigmas[region("lips")] = SIGMA_LIPS
    near_eye = np.minimum(*(np.linalg.norm(points - joints[j], axis=1) for j in (2, 3))) < EYE_REACH
    sigmas[near_eye] = SIGMA_EYES
    return sigmas


def score_trust(names: tuple[str, ...]) -> Floats:
    """Relative trust in MediaPipe's score of each named channel."""

    def trust(name: str) -> float:
        return next((value for start, value in _TRUST.items() if name.startswith(start)), 1.0)

    return np.array([trust(name) for name in names])


class ExpressionPrior:
    """Sparse, small, near MediaPipe's scores, near the frame before: all as one quadratic per channel.

    Args:
        settings: the weights.
    """

    def __init__(self, settings: FitSettings) -> None:
        self._index = list(FITTED_CHANNELS)
        self._settings = settings
        self._trust = score_trust(tuple(ARKIT_CHANNELS[i] for i in self._index)) * settings.score_strength

    def terms(
        self, values: Floats, scores: Floats, previous: Floats | None, caution: float = 1.0
    ) -> tuple[Floats, Floats]:
        """Curvature (E,) and slope (E,) of the prior's cost at the fitted channels' `values` (E,).

        Args:
            values: current.
            scores: (52,) MediaPipe's.
            previous: (52,) of the frame before, or None.
            caution: factor on the sparsity.
        """
        strength = self._settings.expression_strength
        curvature = strength + self._trust
        slope = strength * values + self._trust * (values - scores[self._index]) + caution * self._settings.sparsity
        if previous is not None:
            curvature = curvature + self._settings.temporal_strength
            slope = slope + self._settings.temporal_strength * (values - previous[self._index])
        return curvature, slope
