"""Makes the coarse network an avatar's person's: trains adapters on the pictures that the avatar was made from."""

from __future__ import annotations

from app.avatar_work import AvatarWork
from app.jobs.avatar_observers import seen_by_both
from app.jobs.track import Progress
from models.avatars.person_file import PersonAvatar
from models.face_model import FaceModel
from tracking.person_capture import CapturedFrame
from tracking.person_fit import PersonFit, known_poses
from tracking.points import project_embedding
from tracking.types import FaceParameters

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
    from tracking.coarse import coarse_network, coarse_weights
    from tracking.coarse_person import with_adapters

    # Evenly over the capture: the best of each view are too few, and too many of them are turned far.
    frames = work.spread or work.frames
    if len(frames) < FEWEST:
        return avatar, f"There are too few pictures for adapters: {FEWEST} different ones are needed."
    poses = known_poses(model, fit.identity, fit.fov, seen_by_both(frames, model, progress, fit.share))

    def labelled(frame: CapturedFrame, p: FaceParameters) -> LabelledFace:
        posed = model.pose(p.identity, p.expression, p.gaze)
        landmarks = frame.observation.landmarks.copy()
        landmarks[:, :2] = project_embedding(model, p, posed.vertices, model.landmarks478)
        label = FaceLabel(
            0, p.identity, p.expression, p.rotation, p.translation, p.gaze, p.camera, landmarks,
            frame.observation.scores, 1.0,
        )  # fmt: skip
        return labelled_face(frame.image, label, frame.place)

    faces = [labelled(frame, pose) for frame, pose in zip(frames, poses, strict=True)]
    path = coarse_weights()
    header = read_header(path)
    settings = AdapterSettings()
    progress.start("teaching the network this face", settings.steps)
    size = int(header.extra["crop_pixels"])
    network = coarse_network(path, header)
    found = train_adapters(network, model, faces, fit.identity, size, settings, progress.step)
    if found.state is None:
        return avatar, "The coarse network sees this face as well without adapters: none were kept."
    return with_adapters(avatar, found.state, weights_hash(path)), (
        "Adapters were trained: on pictures kept back, the coarse network is off from what it and the detector see"
        f" together by {100 * found.after:.1f} % of the distance between the eyes with them, {100 * found.before:.1f} %"
        " without."
    )
