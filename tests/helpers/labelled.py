"""Rendered pictures of one person with their exact labels."""

from __future__ import annotations

from models.face_model import FaceModel
from models.training.data.coarse_photos import LabelledFace, labelled_face
from models.training.data.labels import FaceLabel
from tracking.points import project_embedding
from tracking.sources.synthetic import SyntheticSettings, SyntheticSource


def labelled_faces(model: FaceModel, seed: int, frames: range) -> list[LabelledFace]:
    """Those frames of the person's clip."""
    source = SyntheticSource(SyntheticSettings(seed=seed, frames=frames.stop), model)
    found = []
    for index in frames:
        p = source.truth(index)
        posed = model.pose(p.identity, p.expression, p.gaze)
        landmarks = project_embedding(model, p, posed.vertices, model.landmarks478)
        label = FaceLabel(
            index, p.identity, p.expression, p.rotation, p.translation, p.gaze, p.camera, landmarks, p.expression, 1.0
        )
        found.append(labelled_face(source.render(index), label))
    return found
