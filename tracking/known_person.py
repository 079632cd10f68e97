"""A person whom tracking knows before the first picture: the shape of the face, and how the detector sees it at rest.

Without, both are learned in the first seconds, from what the detector alone says. An avatar learned them from the whole
of its capture, and from two observers. Reconstruction, no published source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.avatars.errors import AvatarFileError
from models.avatars.person_identity import identity_for
from models.channels import CHANNEL_COUNT
from models.face_model import FaceModel
from tracking.fit import FitSession
from tracking.fit.regressor import REST_FRAMES, ExpressionRegressor, RestingLook
from tracking.types import FaceObservation, FaceParameters

if TYPE_CHECKING:
    from models.avatars.person_file import PersonAvatar

__all__ = ["KnownPerson", "begin", "with_rest"]

POINTS, SCORES = "detector.rest_points", "detector.rest_scores"
"""Among an avatar file's adapters."""


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Who is in front of the camera.

    Attributes:
        name: for people.
        identity: (K,) coefficients of the face model.
        rest: the face at rest to the detector; None where the avatar does not say.
    """

    name: str
    identity: NDArray[np.float32]
    rest: RestingLook | None

    @classmethod
    def of(cls, avatar: PersonAvatar, model: FaceModel) -> KnownPerson:
        """The person of an avatar.

        Raises:
            AvatarFileError: the avatar was made for another face model, or is damaged.
        """
        identity, name = identity_for(avatar, model), avatar.manifest.name
        stored = avatar.adapters or {}
        rest = None
        if POINTS in stored:
            points, scores = np.asarray(stored[POINTS]), np.asarray(stored.get(SCORES))
            if points.shape != (478, 3) or scores.shape != (CHANNEL_COUNT,) or not _sane(points, scores):
                raise AvatarFileError(f"The avatar {name} is damaged: make it anew.")
            rest = RestingLook(points.astype(np.float64), scores.astype(np.float64))
        return cls(name, identity, rest)

    @classmethod
    def read(cls, path: Path, model: FaceModel) -> KnownPerson:
        """The person of an avatar file.

        Raises:
            AvatarFileError: it is none, damaged, or made for another face model.
        """
        from models.avatars.person_file import read_person  # late: few track a person who is known

        return cls.of(read_person(path), model)

    @classmethod
    def named(cls, path: Path | None, model: FaceModel) -> KnownPerson | None:
        """As `read`; None where no file is named."""
        return None if path is None else cls.read(path, model)


def begin(session: FitSession, person: KnownPerson | None) -> None:
    """Begins with a new source: the session forgets who it was, and knows this person; None for anybody."""
    if person is None:
        session.reset()
    else:
        session.know(person.identity, person.rest, learn_camera=True)


def with_rest(avatar: PersonAvatar, seen: Sequence[tuple[FaceObservation, FaceParameters]]) -> PersonAvatar:
    """The avatar with the face at rest as the detector sees it: the mean of the calmest pictures.

    Args:
        avatar: of the person.
        seen: what the detector saw and the tracker made of it, at least one picture.

    Raises:
        ValueError: nothing was seen.
    """
    calm = sorted(seen, key=lambda pair: float(pair[1].expression.sum()))[:REST_FRAMES]
    look = ExpressionRegressor().resting_look([observation for observation, _ in calm])
    rest = {POINTS: look.points.astype(np.float32), SCORES: look.scores.astype(np.float32)}
    return replace(avatar, adapters={**(avatar.adapters or {}), **rest})


def _sane(points: NDArray[np.generic], scores: NDArray[np.generic]) -> bool:
    """Whether these are numbers of the size that they have in a face of unit size."""
    return all(v.dtype == np.float32 and bool((np.abs(v) < 10.0).all()) for v in (points, scores))
