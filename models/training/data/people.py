"""The real people to train on: their textures, neutral and smiling, from label files.

Layout of the folder of labels, as `python main.py label` leaves it: `london/neutral`, `london/smiling` (labelled
together with `--people`), `canada_set`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model.detail_map import DetailMap
from models.training.data.labels import LabelFileError, label_path, read_labels
from models.training.data.textures import FaceTexture, TextureCache
from models.training.splits import DetailSplits, Part, Splits, load_splits

__all__ = ["RealPeople", "load_people"]

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class RealPeople:
    """One part's people.

    Attributes:
        neutral: faces at rest.
        pairs: (at rest, smiling) of one person each; those at rest are in `neutral`, too.
    """

    neutral: tuple[FaceTexture, ...]
    pairs: tuple[tuple[FaceTexture, FaceTexture], ...]


def load_people(
    labels: Path, cache: Path, window: DetailMap, part: Part, splits: Splits | DetailSplits | None = None
) -> RealPeople:
    """The people of a part of the splits.

    Args:
        labels: folder of label files, see above.
        cache: folder of unwrapped textures, filled as needed.
        window: the detail window.
        part: train, validation or test.
        splits: by default those of the detail networks.

    Raises:
        LabelFileError: there are no labels of these people at all, or the pictures have moved.
    """
    chosen = splits or load_splits().detail
    textures = TextureCache(cache, window)
    pairs = []
    neutral = []
    for name in chosen.london_set.part(part):
        rest = _texture(labels / "london" / "neutral", name, textures)
        smile = _texture(labels / "london" / "smiling", name, textures)
        if rest is not None:
            neutral.append(rest)
        if rest is not None and smile is not None:
            pairs.append((rest, smile))
    for name in chosen.canada_set.part(part):
        rest = _texture(labels / "canada_set", name, textures)
        if rest is not None:
            neutral.append(rest)
    if not neutral:
        raise LabelFileError(
            f"There are no labels of the {part} people in {labels}: write them with `python main.py label`."
        )
    return RealPeople(tuple(neutral), tuple(pairs))


def _texture(folder: Path, name: str, textures: TextureCache) -> FaceTexture | None:
    path = label_path(folder, Path(name))
    if not path.is_file():
        return None
    labels = read_labels(path)
    return textures.get(labels, 0, lambda: read_picture(Path(labels.source)))


def read_picture(path: Path) -> Image:
    """A labelled picture (H, W, 3) uint8 RGB.

    Raises:
        LabelFileError: it is no longer there.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise LabelFileError(f"The labelled picture {path} cannot be read: label the folder again where it is now.")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
