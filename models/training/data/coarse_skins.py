"""Skins of photographed people for the rendered faces of the coarse network."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model import load_face_model
from models.face_model.detail_map import DetailMap
from models.training.data.coarse_faces import TEXTURE
from models.training.data.people import load_people
from models.training.splits import load_splits


def photographed_skins(labels: Path, cache: Path) -> NDArray[np.uint8]:
    """(T, TEXTURE, TEXTURE, 3) uint8 sRGB over the whole face UV, of the training people at rest.

    Args:
        labels: folder of label files, see `load_people`.
        cache: folder of unwrapped textures.

    Raises:
        LabelFileError: there are none.
    """
    people = load_people(labels, cache, DetailMap(load_face_model()), "train", load_splits())
    whole = [np.asarray(DetailMap.whole(face.rgb), np.uint8) for face in people.neutral]
    size = (TEXTURE, TEXTURE)
    return np.stack([np.asarray(cv2.resize(t, size, interpolation=cv2.INTER_AREA), np.uint8) for t in whole])
