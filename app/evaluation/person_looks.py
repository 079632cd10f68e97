"""Real people to render: who they are and their skin, for people that no network learned from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel
from models.face_model.detail_map import DetailMap
from models.synthesis.light import to_linear
from models.training.data.people import load_people
from models.training.data.textures import FaceTexture
from models.training.splits import load_splits

__all__ = ["PersonLook", "london_looks"]

Floats = NDArray[np.float32]

SOFT = 6.0
"""Texels over which the photographed skin gives way to a painted one at its border."""


@dataclass(frozen=True, slots=True)
class PersonLook:
    """A real person as a rendered clip shows them.

    Attributes:
        name: of the picture.
        identity: (K,) as fitted to it.
        skin: (S, S, 3) linear light over the face map, where it is known.
        known: (S, S) in 0..1.
    """

    name: str
    identity: Floats
    skin: Floats
    known: Floats

    def over(self, painted: Floats) -> Floats:
        """A whole skin (S', S', 3): this person's, and around it a painted one in its colour."""
        side = painted.shape[0]
        skin, known = (np.asarray(cv2.resize(m, (side, side)), np.float32) for m in (self.skin, self.known))
        weight = known[:, :, None]
        own = (skin * weight).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        other = (painted * weight).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        tinted = painted * (own / np.maximum(other, 1e-3))
        return np.asarray(np.clip(skin * weight + tinted * (1 - weight), 0.002, 1), np.float32)


def london_looks(model: FaceModel, labels: Path, cache: Path, count: int) -> list[PersonLook]:
    """Test people of the London Set, at rest, whom no coarse network learned from.

    Args:
        model: the face model.
        labels: folder of label files, see `load_people`.
        cache: folder of unwrapped textures.
        count: how many, at most.

    Raises:
        LabelFileError: they are not labelled.
    """
    window = DetailMap(model)
    people = load_people(labels, cache, window, "test", load_splits())
    border = cv2.erode((window.region("face") > 0.5).astype(np.uint8), np.ones((9, 9), np.uint8)).astype(np.float32)
    known = np.asarray(cv2.GaussianBlur(border, (0, 0), SOFT), np.float32)
    return [_look(face, known) for face in people.neutral[:count]]


def _look(face: FaceTexture, known: Floats) -> PersonLook:
    skin = to_linear(np.asarray(DetailMap.whole(face.rgb), np.uint8))
    return PersonLook(
        face.person, np.asarray(face.identity, np.float32), np.asarray(skin, np.float32),
        np.asarray(DetailMap.whole(known), np.float32),
    )  # fmt: skip
