"""Who saw the pictures that an avatar is made from: the detector, and the coarse network beside it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.avatar_work import AvatarWork
from app.jobs.track import Progress
from models.engines.base import EngineError
from models.face_model import FaceModel
from models.networks.stored import WeightsError
from tracking.observer_trust import network_share, share_steps
from tracking.person_capture import CapturedFrame
from tracking.person_fit import Observed

if TYPE_CHECKING:
    from tracking.coarse import CoarsePredictor

__all__ = ["observed", "observers", "seen_by_both"]

_log = logging.getLogger(__name__)


def observers(work: AvatarWork, model: FaceModel, progress: Progress) -> tuple[Sequence[Observed], Sequence[Observed]]:
    """What the person is learned from, and the kept pictures, whose poses are wanted.

    Both observers look at the pictures that were kept evenly over the capture, and these are what the person is
    learned from, each observer as far as one shape explains what it saw. Without a network, as for a face model that
    none was trained for, it is everything that the detector saw.

    Args:
        work: of the avatar.
        model: the face model.
        progress: told of each picture.
    """
    network = _network(model)
    if network is None:
        return [Observed(o, p) for o, p in work.seen], observed(work.frames)
    frames = work.spread or work.frames
    progress.start("looking again", len(frames) + len(work.frames))
    learned, shown = _looked(network, frames, progress), _looked(network, work.frames, progress)
    progress.start("comparing what was seen", share_steps(learned))
    share = network_share(model, learned, progress.step)
    return [replace(one, share=share) for one in learned], [replace(one, share=share) for one in shown]


def seen_by_both(frames: Sequence[CapturedFrame], model: FaceModel, progress: Progress, share: float) -> list[Observed]:
    """Pictures as both observers see them, the network with its share, or the detector alone where there is no
    network."""
    network = _network(model)
    if network is None:
        return observed(frames)
    progress.start("looking again", len(frames))
    return [replace(one, share=share) for one in _looked(network, frames, progress)]


def observed(frames: Sequence[CapturedFrame]) -> list[Observed]:
    """Pictures as the detector alone sees them."""
    return [Observed(frame.observation, frame.parameters) for frame in frames]


def _network(model: FaceModel) -> CoarsePredictor | None:
    from tracking.coarse import CoarsePredictor  # late: it loads an engine

    try:
        return CoarsePredictor(model)
    except (WeightsError, EngineError) as error:
        _log.warning("The person is learned from the detector's landmarks alone: %s", error)
        return None


def _looked(network: CoarsePredictor, frames: Sequence[CapturedFrame], progress: Progress) -> list[Observed]:
    from tracking.second_look import second_look

    found = []
    try:
        for frame in frames:
            found.append(Observed(frame.observation, frame.parameters, second_look(network, frame)))
            progress.step()
    except EngineError as error:
        _log.warning("The coarse network failed, and the detector's landmarks count alone: %s", error)
        return observed(frames)
    return found
