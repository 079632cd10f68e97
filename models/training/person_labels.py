"""Labels of one person's pictures on which two observers agree: detector with fit, and the coarse network itself.

Both err by about as much and mostly each in its own way, so their middle lies nearer to the truth than either, on most
people; a network that learned the fit's answers alone would learn its mistakes. Reconstruction, no published source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.differentiable.face import FacePoints
from models.differentiable.projection import head_place, to_camera, to_crop
from models.face_model import FaceModel
from models.geometry.crop import TYPICAL_SCALE
from models.networks.vit import CoarseViT
from models.training.data.coarse_photos import LabelledFace, plain_batch
from models.training.data.labels import FaceLabel

__all__ = ["agreed_labels"]

AT_ONCE = 32


def agreed_labels(
    network: CoarseViT, model: FaceModel, faces: Sequence[LabelledFace], size: int, share: float = 0.5
) -> list[LabelledFace]:
    """The faces with labels between their own and what the network says of them.

    Landmarks are those of the fitted mesh and of the network's, in pixels, not the detector's: what a detector means
    by a point is the fit's to say.

    Args:
        network: the base network, as it ships.
        model: the face model.
        faces: with the fit's labels.
        size: pixels a side of the network's crops.
        share: of the network's answer, 0..1.
    """
    network.eval()
    points = FacePoints.of_embedding(model, model.landmarks478, network.layout.identity)
    agreed = []
    with torch.no_grad():
        for start in range(0, len(faces), AT_ONCE):
            part = faces[start : start + AT_ONCE]
            batch = plain_batch(part, size)
            found = network.read(network(batch.image))
            places = head_place(found.scale, found.place, batch.camera)
            mesh = to_camera(points(found.identity, found.expression), found.rotation, places)
            crops = to_crop(mesh, places, batch.camera).numpy().astype(np.float64)
            channels = found.expression.clamp(0, 1).numpy()
            for n, face in enumerate(part):
                label, crop = face.label, face.base.scaled(TYPICAL_SCALE)
                landmarks = label.landmarks.copy()
                landmarks[:, :2] = _between(_fitted(model, label), crop.to_pixels(crops[n]), share)
                agreed.append(replace(face, label=replace(
                    label,
                    landmarks=landmarks,
                    expression=_between(label.expression, channels[n], share),
                    gaze=_between(label.gaze, found.gaze[n].numpy(), share),
                    translation=_between(label.translation, places[n].numpy().astype(np.float64), share),
                )))  # fmt: skip
    return agreed


def _between(mine: NDArray[Any], theirs: NDArray[Any], share: float) -> NDArray[Any]:
    return np.asarray((1 - share) * mine + share * theirs, mine.dtype)


def _fitted(model: FaceModel, label: FaceLabel) -> NDArray[np.float64]:
    """(478, 2) pixels of the fitted mesh's landmarks."""
    posed = model.pose(label.identity, label.expression, label.gaze)
    mesh = model.embed(posed.vertices, model.landmarks478)
    there = label.camera.to_camera(mesh, label.rotation, label.translation)
    return np.asarray(label.camera.project(there, float(label.translation[2])), np.float64)
