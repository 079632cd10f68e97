"""How far each of two observers of a person is believed: as far as one shape explains what it saw.

A person has one shape. What an observer reports beyond what that shape, its expressions and its poses explain is the
observer's own error, whatever the truth is. Reconstruction, no published source.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.face_model import FaceModel
from tracking.person_fit import Observed, calmest, fit_person, fit_steps
from tracking.second_look import SHARE

__all__ = ["Unexplained", "network_share", "share_steps", "unexplained"]

ENOUGH = 40
"""Pictures that tell it, evenly over the capture."""
FEWEST = 10
"""Below, it is not told."""
LEAST, MOST = 0.1, 0.9
"""The residual holds no error that every picture shares, so neither observer is left out."""


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What the best shape of each observer by itself leaves unexplained, as shares of the outer eye distance.

    Attributes:
        detector, network: of held-out pictures.
    """

    detector: float
    network: float

    @property
    def share(self) -> float:
        """Of the network in what both see together. Weights are inverse variances, so squares of these."""
        share = self.detector**2 / max(self.detector**2 + self.network**2, 1e-12)
        return float(np.clip(share, LEAST, MOST))


def unexplained(
    model: FaceModel, seen: Sequence[Observed], step: Callable[[], None] = lambda: None
) -> Unexplained | None:
    """Compares the observers; None where too few pictures show both.

    Args:
        model: the face model.
        seen: pictures of one person.
        step: called after every fitted picture.
    """
    some = _chosen(seen)
    if not some:
        return None
    by_detector = _residual(model, [replace(one, look=None) for one in some], step)
    return Unexplained(by_detector, _residual(model, [replace(one, share=1.0) for one in some], step))


def network_share(model: FaceModel, seen: Sequence[Observed], step: Callable[[], None] = lambda: None) -> float:
    """Share of the coarse network in what both observers see together, half where they cannot be compared.

    Args: see `unexplained`.
    """
    found = unexplained(model, seen, step)
    return SHARE if found is None else found.share


def share_steps(seen: Sequence[Observed]) -> int:
    """How many steps `network_share` takes at most."""
    some = _chosen(seen)
    return 2 * fit_steps(some) if some else 0


def _chosen(seen: Sequence[Observed]) -> list[Observed]:
    looked = [one for one in seen if one.look is not None]
    if len(looked) < FEWEST:
        return []
    return [looked[int(n)] for n in np.linspace(0, len(looked) - 1, min(ENOUGH, len(looked)))]


def _residual(model: FaceModel, seen: list[Observed], step: Callable[[], None]) -> float:
    """Of held-out pictures, share of the outer eye distance."""
    return fit_person(model, seen, [calmest(seen)], step).error
