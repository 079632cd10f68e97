"""Batches for the coarse network, prepared on a thread beside the training."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.differentiable.projection import CropCamera
from models.geometry.crop import REACH, TYPICAL_SCALE, Crop, random_crop
from models.training.data.coarse_faces import PICTURE
from models.training.data.coarse_shards import Shard, ShardFolder
from models.training.data.photometric import degrade

Batch = TypeVar("Batch")

REFRESH_S = 20.0
QUEUED = 3


@dataclass(frozen=True, slots=True)
class CoarseBatch:
    """Crops and what is in them.

    Attributes:
        image: (B, 3, S, S) RGB in 0..1.
        identity: (B, K).
        expression: (B, 52).
        gaze: (B, 2, 2).
        seen: (B, 3, 3).
        translation: (B, 3) metres.
        light: (B, 9, 3).
        camera: of the crops.
    """

    image: Tensor
    identity: Tensor
    expression: Tensor
    gaze: Tensor
    seen: Tensor
    translation: Tensor
    light: Tensor
    camera: CropCamera

    @property
    def scale(self) -> Tensor:
        """(B,) true s: crop half sides a metre at the head's origin."""
        return self.camera.focal / (self.translation[:, 2] * self.camera.half)

    @property
    def place(self) -> Tensor:
        """(B, 2) true t: the head's origin in crop coordinates."""
        pixels = self.translation[:, :2] / self.translation[:, 2:] * self.camera.focal[:, None]
        return (pixels - self.camera.place) / self.camera.half[:, None]

    def to(self, device: torch.device) -> CoarseBatch:
        """On another device."""
        if device.type == "cpu":
            return self
        values = {f.name: getattr(self, f.name).to(device) for f in fields(self) if f.name != "camera"}
        camera = CropCamera(*(getattr(self.camera, f.name).to(device) for f in fields(CropCamera)))
        return CoarseBatch(**values, camera=camera)


@dataclass(frozen=True, slots=True)
class CropSample:
    """One crop: picture (S, S, 3) uint8, its place x, y, half relative to the principal point, and its shard's row."""

    image: NDArray[np.uint8]
    crop: Crop
    shard: Shard
    index: int


def crop_sample(shard: Shard, index: int, size: int, rng: np.random.Generator | None) -> CropSample:
    """Cuts one crop, augmented as the supplement says and degraded as cameras do; without `rng` neither."""
    base = Crop(*(float(v) for v in shard.labels["base"][index]))
    chosen = base.scaled(TYPICAL_SCALE) if rng is None else random_crop(base, rng)
    # The stored picture shows the square of REACH base crops.
    ratio = PICTURE / 2 / (base.half * REACH)
    middle = (PICTURE - 1) / 2
    stored = Crop(middle + (chosen.x - base.x) * ratio, middle + (chosen.y - base.y) * ratio, chosen.half * ratio)
    image = stored.sample(shard.image(index), size)
    return CropSample(image if rng is None else degrade(image, rng), chosen, shard, index)


def collate(samples: list[CropSample]) -> CoarseBatch:
    """A batch of samples."""

    def label(name: str, *shape: int) -> Tensor:
        rows = np.stack([s.shard.labels[name][s.index] for s in samples])
        return torch.from_numpy(rows.reshape(len(samples), *shape))

    images = np.stack([s.image for s in samples])
    crops = torch.tensor([[s.crop.x, s.crop.y, s.crop.half] for s in samples], dtype=torch.float32)
    return CoarseBatch(
        image=torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255,
        identity=label("identity", -1),
        expression=label("expression", -1),
        gaze=label("gaze", 2, 2),
        seen=label("seen", 3, 3),
        translation=label("translation", 3),
        light=label("light", 9, 3),
        camera=CropCamera(crops[:, :2], crops[:, 2], label("focal", 1)[:, 0]),
    )


def endless(make: Callable[[np.random.Generator], Batch], seed: int) -> Iterator[Batch]:
    """Batches made on a thread of their own, a few ahead; what the thread raises is raised here."""
    ready: queue.Queue[Batch | Exception] = queue.Queue(QUEUED)
    over = threading.Event()

    def work() -> None:
        rng = np.random.default_rng(seed)
        while not over.is_set():
            try:
                item: Batch | Exception = make(rng)
            except Exception as error:
                item = error
            while not over.is_set():
                try:
                    ready.put(item, timeout=0.5)
                    break
                except queue.Full:
                    continue
            if isinstance(item, Exception):
                return

    threading.Thread(target=work, name="mien-batches", daemon=True).start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        over.set()


class RenderedCrops:
    """Random crops out of a folder of shards, which may still be growing.

    Args:
        folder: of shards.
        wait_s: how long to wait for the first shard.

    Raises:
        ValueError: there is no shard.
    """

    def __init__(self, folder: Path, wait_s: float = 0.0) -> None:
        self._shards = ShardFolder(folder)
        self._refreshed = time.monotonic()
        deadline = time.monotonic() + wait_s
        while not self._shards.refresh():
            if time.monotonic() > deadline:
                raise ValueError(f"There are no training pictures in {folder}: render some with `train pictures`.")
            time.sleep(1.0)

    def batch(self, count: int, size: int, rng: np.random.Generator) -> CoarseBatch:
        """`count` crops of `size` pixels."""
        if time.monotonic() - self._refreshed > REFRESH_S:
            self._shards.refresh()
            self._refreshed = time.monotonic()
        drawn = [self._shards.draw(rng) for _ in range(count)]
        return collate([crop_sample(shard, index, size, rng) for shard, index in drawn])

    def fixed(self, size: int, limit: int, count: int = 64) -> Iterator[CoarseBatch]:
        """The first `limit` samples in order, neither augmented nor degraded, in batches of `count`."""
        rows = [(shard, index) for shard in self._shards.all() for index in range(len(shard))][:limit]
        for start in range(0, len(rows), count):
            yield collate([crop_sample(s, i, size, None) for s, i in rows[start : start + count]])
