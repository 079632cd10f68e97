"""Samples of synthetic faces on disk: made once, read many times.

A shard is one NPY file of fixed-size records, mapped into memory when read: image and visibility as bytes, tension in
1/254, displacement in micrometres.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.face_model.detail_map import DETAIL_SIZE
from models.training.data.wrinkle_faces import DetailSample

__all__ = ["RECORD", "Shards", "write_shard"]

TENSION_STEPS = 254.0
MICROMETRES = 1000.0
_MAP = (DETAIL_SIZE, DETAIL_SIZE)
RECORD = np.dtype([("image", np.uint8, (4, *_MAP)), ("tension", np.int8, (2, *_MAP)), ("truth", np.int16, (2, *_MAP))])


def encode(sample: DetailSample) -> NDArray[np.void]:
    """One record (0-dimensional array of RECORD)."""
    record = np.zeros((), RECORD)
    record["image"] = np.round(np.clip(sample.image, 0, 1) * 255)
    record["tension"] = np.round(np.stack([sample.tension, sample.other_tension]) * TENSION_STEPS)
    record["truth"] = np.round(np.stack([sample.truth, sample.other_truth]) * MICROMETRES)
    return record


def write_shard(
    path: Path, draw: Callable[[int], DetailSample], seeds: Iterable[int], step: Callable[[], None] = lambda: None
) -> None:
    """Draws a sample for each seed and writes them; an unfinished shard never has the shard's name.

    Raises:
        OSError: it cannot be written.
    """
    records = []
    for seed in seeds:
        records.append(encode(draw(seed)))
        step()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        with unfinished.open("wb") as file:
            np.save(file, np.stack(records), allow_pickle=False)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


class Shards:
    """The records of a folder's shards.

    Args:
        folder: of `*.npy` shards.

    Raises:
        ValueError: there is none, or one is of another layout; the message is one sentence for the user.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.refresh()

    def refresh(self) -> None:
        """Takes in shards that have been finished since; raises as the constructor."""
        folder = self._folder
        self._parts: list[NDArray[np.void]] = []
        for path in sorted(folder.glob("*.npy")):
            part = np.load(path, mmap_mode="r", allow_pickle=False)
            if part.dtype != RECORD:
                raise ValueError(f"The shard {path} has another layout: delete the folder and make the shards again.")
            self._parts.append(part)
        if not self._parts:
            raise ValueError(f"There are no shards in {folder}: make them with `python -m app.tools.detail_shards`.")
        self._ends = np.cumsum([len(part) for part in self._parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> DetailSample:
        part = int(np.searchsorted(self._ends, index, side="right"))
        record = self._parts[part][index - (self._ends[part - 1] if part else 0)]
        tension = record["tension"].astype(np.float32) / np.float32(TENSION_STEPS)
        truth = record["truth"].astype(np.float32) / np.float32(MICROMETRES)
        image = record["image"].astype(np.float32) / np.float32(255)
        return DetailSample(image, tension[0], truth[0], tension[1], truth[1])
