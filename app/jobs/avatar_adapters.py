"""Makes the coarse network an avatar's person's: trains adapters on the pictures that the avatar was made from."""

from __future__ import annotations

import numpy as np

from app.avatar_work import AvatarWork
from app.jobs.track import Progress
from models.avatars.person_file import PersonAvatar
from models.face_model import FaceModel
from models.geometry.crop import Crop
from tracking.person_capture import CapturedFrame
from tracking.person_fit import PersonFit

__all__ = ["train_on"]


def train_on(
    avatar: PersonAvatar, work: AvatarWork, fit: PersonFit, model: FaceModel, progress: Progress
) -> tuple[PersonAvatar, str]:
    """Trains adapters of the shipped coarse network.

    Args:
        avatar: finished but for the adapters.
        work, fit: what it was made from.
        model: the face model.
        progress: told of each step of training.

    Returns:
        The avatar, with adapters where they make something better; and a sentence that says what they do.

    Raises:
        WeightsError: the shipped weights cannot be used.
    """
    from models.networks.stored import read_header, weights_hash
    from models.training.data.coarse_photos import LabelledFace, labelled_face
    from models.training.data.labels import FaceLabel
    from models.training.person_adapters import FEWEST, AdapterSettings, train_adapters
    from models.training.person_labels import agreed_labels
    from tracking.coarse import coarse_network, coarse_weights
    from tracking.coarse_person import with_adapters

    def labelled(frame: CapturedFrame) -> LabelledFace:
        seen, p = frame.observation, frame.parameters
        label = FaceLabel(
            0, p.identity, p.expression, p.rotation, p.translation, p.gaze, p.camera, seen.landmarks, seen.scores, 1.0
        )
        return labelled_face(frame.image, label, lambda square: _within(frame, square))

    # Evenly over the capture: the best of each view are too few, and too many of them are turned far.
    faces = [labelled(frame) for frame in work.spread or work.frames]
    if len(faces) < FEWEST:
        return avatar, f"There are too few pictures for adapters: {FEWEST} different ones are needed."
    path = coarse_weights()
    header = read_header(path)
    settings = AdapterSettings()
    progress.start("teaching the network this face", settings.steps)
    size = int(header.extra["crop_pixels"])
    network = coarse_network(path, header)
    agreed = agreed_labels(network, model, faces, size)
    found = train_adapters(network, model, agreed, fit.identity, size, settings, progress.step)
    if found.state is None:
        return avatar, "The coarse network sees this face as well without adapters: none were kept."
    return with_adapters(avatar, found.state, weights_hash(path)), (
        "Adapters were trained: on pictures kept back, the coarse network differs from what it and the fit agree on by"
        f" {100 * found.after:.1f} % of the distance between the eyes with them, by {100 * found.before:.1f} % without."
    )


def _within(frame: CapturedFrame, square: Crop) -> Crop:
    """A square of the whole picture in the part of it that was kept."""
    x, y = frame.to_image(np.array([[square.x, square.y]]))[0]
    return Crop(float(x), float(y), square.half * frame.scale)
