"""Rendered samples for the coarse network in files: written by one process while another one learns from them."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training.data.coarse_faces import CoarseFaces, CoarseSample, decode, encode

Floats = NDArray[np.float32]
_log = logging.getLogger(__name__)

FIELDS = ("identity", "expression", "gaze", "seen", "translation", "light", "base", "focal")
PICTURES_A_PERSON = 4
SHARD_PEOPLE = 250


@dataclass(frozen=True, slots=True)
class Shard:
    """Samples in memory: JPEG bytes and labels.

    Attributes:
        data: (N bytes,) all pictures one after another.
        ends: (S,) where each ends.
        labels: field of `CoarseSample` -> (S, ...) float32.
    """

    data: NDArray[np.uint8]
    ends: NDArray[np.int64]
    labels: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.ends)

    def image(self, index: int) -> NDArray[np.uint8]:
        """The picture of a sample, RGB."""
        start = int(self.ends[index - 1]) if index else 0
        return decode(self.data[start : int(self.ends[index])])


def write_shard(path: Path, samples: list[CoarseSample]) -> None:
    """Stores samples; the file appears under its name only once it is complete."""
    pictures = [encode(s.image) for s in samples]
    labels = {name: np.array([np.ravel(getattr(s, name)) for s in samples], np.float32) for name in FIELDS}
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("wb") as file:
        np.savez(file, data=np.concatenate(pictures), ends=np.cumsum([len(p) for p in pictures]), **labels)  # type: ignore[arg-type]
    unfinished.replace(path)


def read_shard(path: Path) -> Shard:
    """A stored shard.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            labels = {name: stored[name] for name in FIELDS}
            return Shard(stored["data"], stored["ends"].astype(np.int64), labels)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is no shard of training pictures or is damaged: delete it and start again."
        ) from error


def shard_path(folder: Path, seed: int) -> Path:
    """Where the shard lies whose first person has this seed."""
    return folder / f"coarse_{seed:08d}.npz"


def render_shards(
    folder: Path,
    seeds: range,
    textures: NDArray[np.uint8] | None = None,
    people: int = SHARD_PEOPLE,
    on_shard: Callable[[Path], None] = lambda path: None,
) -> None:
    """Renders people into shards that are not there yet.

    Args:
        folder: made if it is not there.
        seeds: of the people; one shard holds `people` of them.
        textures: photographed skins, see `CoarseFaces`.
        people: in a shard.
        on_shard: called after each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    faces: CoarseFaces | None = None
    for first in range(seeds.start, seeds.stop, people):
        path = shard_path(folder, first)
        if path.exists():
            continue
        if faces is None or faces.next_seed != first:
            faces = CoarseFaces(first, textures=textures)
        count = min(people, seeds.stop - first)
        write_shard(path, [sample for _ in range(count) for sample in faces.person(PICTURES_A_PERSON)])
        _log.info("rendered %s", path.name)
        on_shard(path)


class ShardFolder:
    """All shards of a folder, with those that appear while it is read.

    Args:
        folder: see `render_shards`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shards: dict[Path, Shard] = {}

    def refresh(self) -> int:
        """Reads new shards; returns how many samples there are."""
        for path in sorted(self._folder.glob("coarse_*.npz")):
            if path not in self._shards:
                self._shards[path] = read_shard(path)
        return sum(len(s) for s in self._shards.values())

    def draw(self, rng: np.random.Generator) -> tuple[Shard, int]:
        """A random sample."""
        shards = list(self._shards.values())
        shard = shards[int(rng.integers(len(shards)))]
        return shard, int(rng.integers(len(shard)))

    def all(self) -> list[Shard]:
        """Every shard, in the order of their names."""
        return [self._shards[path] for path in sorted(self._shards)]
