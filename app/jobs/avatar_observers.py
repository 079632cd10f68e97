"""Who saw the pictures that an avatar is made from: the detector, and the coarse network beside it."""

from __future__ import annotations

import logging

from app.avatar_work import AvatarWork
from models.engines.base import EngineError
from models.face_model import FaceModel
from models.networks.stored import WeightsError
from tracking.person_fit import Observed

__all__ = ["observed"]

_log = logging.getLogger(__name__)


def observed(work: AvatarWork, model: FaceModel) -> tuple[list[Observed], list[Observed]]:
    """What the person is learned from, and the kept pictures, whose poses are wanted.

    Both observers saw the pictures that were kept evenly over the capture, and these are what the person is learned
    from. Without a network, as for a face model that none was trained for, it is everything that the detector saw.

    Args:
        work: of the avatar.
        model: the face model.
    """
    from tracking.coarse import CoarsePredictor  # late: it loads an engine
    from tracking.second_look import second_look

    try:
        predictor = CoarsePredictor(model)
        seen, shown = (
            [Observed(f.observation, f.parameters, second_look(predictor, f)) for f in frames]
            for frames in (work.spread or work.frames, work.frames)
        )
        return seen, shown
    except (WeightsError, EngineError) as error:
        _log.warning("The person is learned from the detector's landmarks alone: %s", error)
    return (
        [Observed(observation, parameters) for observation, parameters in work.seen],
        [Observed(frame.observation, frame.parameters) for frame in work.frames],
    )
