"""Batches for the detail networks: synthetic faces with truth, and real people neutral and smiling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.training.data.people import RealPeople
from models.training.data.shards import Shards
from models.training.data.skin_marks import Mark, draw_mark
from models.training.data.textures import FaceTexture
from models.training.data.wrinkle_faces import DetailSample, network_image

__all__ = ["RealBatch", "TruthBatch", "real_batches", "truth_batch", "truth_batches"]

Floats = NDArray[np.float32]
REFRESH = 100
"""Batches after which shards are looked for that have been made meanwhile."""
PATCH = 16
MARKS: tuple[Mark, ...] = ("moles", "tattoo", "lines")
HIDDEN_WEIGHT = 0.1
"""What texels count that the camera did not see."""


@dataclass(frozen=True, slots=True)
class TruthBatch:
    """Synthetic faces.

    Attributes:
        image: (B, 4, S, S).
        tension, truth: (B, 1, S, S) of the picture's expression, truth in millimetres.
        other_tension, other_truth: of another expression of the same person.
        weight: (B, 1, S, S) in 0..1, the detail mask, lower where the camera saw nothing.
        origin: row and column of the first patch of 16 texels, where the maps are a crop.
    """

    image: Tensor
    tension: Tensor
    truth: Tensor
    other_tension: Tensor
    other_truth: Tensor
    weight: Tensor
    origin: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class RealBatch:
    """Real people, two pictures each.

    Attributes:
        image, other_image: (B, 4, S, S) of one person in two expressions.
        tension, other_tension: (B, 1, S, S).
        weight: (B, 1, S, S), the detail mask where both pictures show the skin.
    """

    image: Tensor
    other_image: Tensor
    tension: Tensor
    other_tension: Tensor
    weight: Tensor


def _stack(maps: Sequence[Floats], device: torch.device) -> Tensor:
    stacked = torch.from_numpy(np.ascontiguousarray(np.stack(maps)))
    if stacked.ndim == 3:
        stacked = stacked[:, None]
    return stacked.to(device)


def truth_batch(samples: Sequence[DetailSample], mask: Floats, device: torch.device) -> TruthBatch:
    """Samples as tensors.

    Args:
        samples: B of them.
        mask: (S, S), see `DetailMap.mask`.
        device: where to.
    """
    weight = [mask * (HIDDEN_WEIGHT + (1 - HIDDEN_WEIGHT) * s.image[3]) for s in samples]
    return TruthBatch(
        _stack([s.image for s in samples], device),
        _stack([s.tension for s in samples], device),
        _stack([s.truth for s in samples], device),
        _stack([s.other_tension for s in samples], device),
        _stack([s.other_truth for s in samples], device),
        _stack(weight, device),
    )


def truth_batches(
    shards: Shards, mask: Floats, size: int, seed: int, device: torch.device, crop: int | None = None
) -> Iterator[TruthBatch]:
    """Endless batches in random order, mirrored half of the time, with other exposure and noise each time.

    Args:
        shards: to draw from.
        mask: (S, S).
        size: B.
        seed: of order and changes.
        device: where to.
        crop: side of a random crop, a multiple of 16; None takes whole maps.
    """
    rng = np.random.default_rng(seed)
    for number in count():
        if number % REFRESH == REFRESH - 1:
            shards.refresh()
        samples = [_varied(shards[int(i)], rng) for i in rng.integers(0, len(shards), size)]
        batch = truth_batch(samples, mask, device)
        yield batch if crop is None else _cropped(batch, crop, rng)


def _varied(sample: DetailSample, rng: np.random.Generator) -> DetailSample:
    image = _marked(_exposed(sample.image, rng), rng)
    maps = [image, sample.tension, sample.truth, sample.other_tension, sample.other_truth]
    if rng.random() < 0.5:
        maps = [m[..., ::-1] for m in maps]
    if rng.random() < 0.5:
        # The pictured expression stays the first one's: the picture cannot be exchanged.
        maps[1] = maps[1] * np.float32(np.exp(rng.normal(0, 0.06)))
    return DetailSample(*maps)


def _marked(image: Floats, rng: np.random.Generator) -> Floats:
    """The picture with a mark that is no relief drawn on it, half of the time; the truth stays as it is."""
    if rng.random() < 0.5:
        return image
    logs = np.zeros((*image.shape[1:], 3), np.float32)
    mark = MARKS[int(rng.integers(len(MARKS)))]
    draw_mark(logs, mark, rng, np.ones(image.shape[1:], np.float32), strength=float(rng.uniform(0.1, 0.8)))
    image[:3] *= np.exp(logs).transpose(2, 0, 1)
    return image


def _exposed(image: Floats, rng: np.random.Generator) -> Floats:
    out = image.copy()
    gains = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.05, 3)).astype(np.float32)
    out[:3] = np.power(np.clip(out[:3] * gains[:, None, None], 1e-3, 1), np.float32(np.exp(rng.normal(0, 0.1))))
    if rng.random() < 0.3:
        out[:3] += rng.standard_normal(out[:3].shape, np.float32) * np.float32(rng.uniform(0, 0.012))
    return out


def _cropped(batch: TruthBatch, crop: int, rng: np.random.Generator) -> TruthBatch:
    # Corners on the grid of patches, and not at the rim of the map, where there is nothing to learn.
    last = (batch.image.shape[-1] - crop) // PATCH
    first = min(1, last // 2)
    row, column = (int(rng.integers(first, last - first + 1)) for _ in range(2))
    y, x = row * PATCH, column * PATCH
    rows, columns = slice(y, y + crop), slice(x, x + crop)

    def part(maps: Tensor) -> Tensor:
        return maps[..., rows, columns]

    return TruthBatch(
        part(batch.image), part(batch.tension), part(batch.truth), part(batch.other_tension), part(batch.other_truth),
        part(batch.weight), (row, column),
    )  # fmt: skip


def real_batches(people: RealPeople, mask: Floats, size: int, seed: int, device: torch.device) -> Iterator[RealBatch]:
    """Endless batches of real pairs: which of the two is the first, and mirroring, are random.

    Raises:
        ValueError: nobody has two pictures.
    """
    if not people.pairs:
        raise ValueError("There are no people with two pictures: label neutral and smiling folders with --people.")
    rng = np.random.default_rng(seed)
    while True:
        chosen = [people.pairs[int(i)] for i in rng.integers(0, len(people.pairs), size)]
        yield real_batch([_turned(pair, rng) for pair in chosen], mask, device, rng)


def _turned(pair: tuple[FaceTexture, FaceTexture], rng: np.random.Generator) -> tuple[FaceTexture, FaceTexture]:
    return pair if rng.random() < 0.5 else (pair[1], pair[0])


def real_batch(
    pairs: Sequence[tuple[FaceTexture, FaceTexture]],
    mask: Floats,
    device: torch.device,
    rng: np.random.Generator | None = None,
) -> RealBatch:
    """Real pairs as tensors, varied like the synthetic ones where `rng` is given."""
    columns: list[list[Floats]] = [[], [], [], [], []]
    for first, second in pairs:
        images = [network_image(face.rgb, face.visibility) for face in (first, second)]
        seen = np.minimum(first.visibility, second.visibility)
        maps = [*images, first.tension, second.tension, mask * seen]
        if rng is not None:
            maps[0], maps[1] = _exposed(maps[0], rng), _exposed(maps[1], rng)
            if rng.random() < 0.5:
                maps = [m[..., ::-1] for m in maps]
        for column, values in zip(columns, maps, strict=True):
            column.append(np.asarray(values, np.float32))
    return RealBatch(*(_stack(column, device) for column in columns))
