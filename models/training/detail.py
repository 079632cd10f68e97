"""Training stage of the detail MAE.

It learns from synthetic faces, whose displacement is known in two expressions, and later from pairs of pictures of real
people too, of which a frozen teacher says what relief it sees: D(I, T) must look like the teacher's answer to I, and,
the animation rule, D(I, T') like its answer to the other picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (everyone's name for it)

from models.losses.detail import (
    animation_rule,
    change_of_truth,
    cosine_to_truth,
    displacement_regularisation,
    masked_mean,
    slope_of_truth,
    smoothness,
    soft_symmetry,
    teacher_student,
    weighted_truth,
)
from models.networks.mae import DetailMAE
from models.networks.unet import TeacherUNet
from models.training.data.people import RealPeople
from models.training.data.shards import Shards
from models.training.detail_data import RealBatch, TruthBatch, real_batches, truth_batch, truth_batches
from models.training.detail_figures import amplitude, border_ratio, correlation
from models.training.detail_sheet import relief_rows

__all__ = ["DetailStage", "DetailWeights", "RealLessons", "folding"]

Floats = NDArray[np.float32]
MOVED = 0.03
"""Mean tension, either way, from which a face no longer counts as at rest: a slight smile's."""
FOLDS_FROM = 0.008
"""Mean compression around a texel from which skin is taken to fold: a fifth of what a smile does to the cheeks."""
AROUND = 9
"""Texels a side of these surroundings."""
IMITATION_UNIT = 0.1
"""Millimetres: imitation losses are in the unit of the losses against truth."""


class DetailWeights(BaseModel):
    """Weights of the student's losses. Those against truth are ours; the supplement's names are given at the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    truth: float = Field(default=1.0, ge=0)
    slope: float = Field(default=0.5, ge=0)
    cosine: float = Field(default=0.5, ge=0)
    change: float = Field(default=1.0, ge=0)
    """Of the change between two tensions."""
    teacher: float = Field(default=1.0, ge=0)
    """L_TchT on real pictures; the supplement's 4 is beside losses of another size."""
    animation: float = Field(default=1.0, ge=0)
    """The teacher's part of L_dc."""
    symmetry: float = Field(default=0.01, ge=0)
    """L_sym, the supplement's 1e-2."""
    rest: float = Field(default=0.5, ge=0)
    """L_regD again, on real faces whose tension says that they are at rest."""
    smoothness: float = Field(default=0.02, ge=0)
    """L_smo; the supplement's 1e6 belongs to other units."""
    regularisation: float = Field(default=0.01, ge=0)
    """L_regD; the supplement's 1e2 belongs to other units."""


@dataclass(frozen=True, slots=True)
class RealLessons:
    """What real people teach.

    Attributes:
        people: with two pictures each.
        teacher: frozen.
        begin: share of the run after which they are mixed in.
        share: of the batches from then on.
    """

    people: RealPeople
    teacher: TeacherUNet
    begin: float = 0.5
    share: float = 0.3


def folding(tension: Tensor) -> Tensor:
    """(B, 1, S, S) in 0..1: how far skin under a tension (B, 1, S, S) folds at all.

    What a teacher that knows no tension sees where nothing is compressed is pores, shine and shadows, not folds: the
    bridge of the nose and the chin in a smile. Our own; the supplement trusts its teacher everywhere.
    """
    compressed = F.avg_pool2d(tension.clamp(min=0.0), AROUND, stride=1, padding=AROUND // 2)
    return (compressed / FOLDS_FROM).clamp(max=1.0)


class DetailStage:
    """Learns displacement from picture and tension; implements `Stage`.

    Args:
        network: the student.
        shards: synthetic faces to learn from.
        held_out: to measure on.
        mask: (S, S), see `DetailMap.mask`.
        weights: of the losses.
        real: real people, None learns from synthetic ones alone.
        evaluated: held-out samples to measure on.
        crop: side of the crops that it begins with: a step costs less, and what relief looks like is a local matter.
        crop_until: share of the run after which it sees whole maps.
    """

    name = "detail"
    score = "score"
    higher_is_better = True

    def __init__(
        self,
        network: DetailMAE,
        shards: Shards,
        held_out: Shards,
        mask: Floats,
        weights: DetailWeights | None = None,
        real: RealLessons | None = None,
        evaluated: int = 48,
        crop: int | None = 128,
        crop_until: float = 0.6,
    ) -> None:
        # The order of numbers in which processors convolve fastest.
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.networks: Mapping[str, nn.Module] = {"detail": network}
        self._shards, self._mask, self._real = shards, mask, real
        self._weights = weights or DetailWeights()
        self._held_out = [held_out[i] for i in range(min(evaluated, len(held_out)))]
        self._progress = 0.0
        self._crop, self._crop_until = crop, crop_until
        self._teacher = None if real is None else real.teacher.eval().requires_grad_(False)

    def batches(self, size: int, seed: int, device: torch.device) -> Iterator[TruthBatch | RealBatch]:
        """See `Stage`."""
        whole = truth_batches(self._shards, self._mask, size, seed, device)
        # Crops are small: twice as many of them make a batch.
        crops = truth_batches(self._shards, self._mask, 2 * size, seed + 3, device, self._crop)
        real: Iterator[RealBatch] | None = None
        if self._real is not None and self._teacher is not None:
            self._teacher.to(device)
            real = real_batches(self._real.people, self._mask, max(1, size // 2), seed + 1, device)
        rng = np.random.default_rng(seed + 2)
        while True:
            begun = self._real is not None and self._progress >= self._real.begin
            if real is not None and self._real is not None and begun and rng.random() < self._real.share:
                yield next(real)
            else:
                yield next(crops if self._crop and self._progress < self._crop_until else whole)

    def losses(self, batch: TruthBatch | RealBatch, progress: float) -> dict[str, Tensor]:
        """See `Stage`."""
        self._progress = progress
        return self._from_truth(batch) if isinstance(batch, TruthBatch) else self._from_real(batch)

    def _from_truth(self, batch: TruthBatch) -> dict[str, Tensor]:
        w = self._weights
        own, other = self._both(batch.image, batch.tension, batch.other_tension, batch.origin)
        found, truth = torch.cat([own, other]), torch.cat([batch.truth, batch.other_truth])
        weight = torch.cat([batch.weight, batch.weight])
        return {
            "truth": w.truth * weighted_truth(found, truth, weight),
            "slope": w.slope * slope_of_truth(found, truth, weight),
            "cosine": w.cosine * cosine_to_truth(found, truth, weight),
            "change": w.change * change_of_truth(other, own, batch.other_truth, batch.truth, batch.weight),
            "symmetry": w.symmetry / IMITATION_UNIT * self._symmetry(own, batch.image),
        }

    def _symmetry(self, own: Tensor, image: Tensor) -> Tensor:
        """L_sym on whole maps; a crop has no mirror side."""
        whole = own.shape[-1] == self._mask.shape[-1]
        return soft_symmetry(own, image[:, 3:]) if whole else own.sum() * 0

    def _from_real(self, batch: RealBatch) -> dict[str, Tensor]:
        assert self._teacher is not None
        w, scale = self._weights, 1 / IMITATION_UNIT
        with torch.no_grad():
            seen, seen_other = (
                self._teacher(image).float() * batch.weight * folding(tension)
                for image, tension in ((batch.image, batch.tension), (batch.other_image, batch.other_tension))
            )
        own, driven = self._both(batch.image, batch.tension, batch.other_tension)
        # Relief under a beard or at a nostril is the teacher's mistake in both pictures: what changes is trusted more.
        change = teacher_student(driven - own, seen_other - seen, batch.weight)
        return {
            "rest": w.rest * scale * self._at_rest(own, batch),
            "imitation": w.teacher * scale * teacher_student(own, seen, batch.weight),
            "animation": w.animation * scale * (0.5 * animation_rule(driven, seen_other, batch.weight) + change),
            "symmetry": w.symmetry * scale * soft_symmetry(own, batch.image[:, 3:]),
            "smoothness": w.smoothness * scale * smoothness(own),
            "regularisation": w.regularisation * scale * displacement_regularisation(own),
        }

    def _at_rest(self, own: Tensor, batch: RealBatch) -> Tensor:
        """mean |D| of the pictures, each weighted by how little its skin is compressed or stretched."""
        moved = (batch.tension.abs() * batch.weight).sum((1, 2, 3)) / batch.weight.sum((1, 2, 3)).clamp_min(1e-6)
        calm = (1 - moved / MOVED).clamp(min=0.0)
        return masked_mean(own.abs() * calm[:, None, None, None], batch.weight)

    def _both(
        self, image: Tensor, tension: Tensor, other: Tensor, origin: tuple[int, int] = (0, 0)
    ) -> tuple[Tensor, Tensor]:
        """The relief under two tensions; with fusion before the decoder the picture is encoded once."""
        network = self.network
        if network.settings.masking_ratio and network.training:
            return network(image, tension).float(), network(image, other).float()
        known = network.encode(image, tension, origin)
        # With early fusion the encoder knows the tension, and the other one needs an encoding of its own.
        early = network.settings.fusion == "early"
        other_known = network.encode(image, other, origin) if early else known
        return network.decode(known, tension, origin).float(), network.decode(other_known, other, origin).float()

    def evaluate(self) -> dict[str, float]:
        """See `Stage`."""
        answers = [self._answers(i) for i in range(len(self._held_out))]
        own, other = (np.stack([pair[k] for pair in answers]) for k in range(2))
        truth = np.stack([sample.truth for sample in self._held_out])
        other_truth = np.stack([sample.other_truth for sample in self._held_out])
        figures = {
            "correlation": correlation(own, truth, self._mask),
            "amplitude": amplitude(own, truth, self._mask),
            "delta_correlation": correlation(other - own, other_truth - truth, self._mask),
            "delta_amplitude": amplitude(other - own, other_truth - truth, self._mask),
            "border_ratio": border_ratio(own),
        }
        return figures | {"score": (figures["correlation"] + figures["delta_correlation"]) / 2}

    def sheet(self) -> NDArray[np.uint8]:
        """See `Stage`: picture, truth, answer, the other expression's truth and answer; then real people."""
        rows = []
        for index in range(min(5, len(self._held_out))):
            sample, (own, other) = self._held_out[index], self._answers(index)
            rows.append((sample.image[:3], [sample.truth, own, sample.other_truth, other]))
        return relief_rows(rows)

    def _answers(self, index: int) -> tuple[Floats, Floats]:
        batch = truth_batch([self._held_out[index]], self._mask, next(self.network.parameters()).device)
        with torch.no_grad():
            both = self._both(batch.image, batch.tension, batch.other_tension)
        first, second = (np.asarray(d[0, 0].cpu().numpy() * self._mask) for d in both)
        return first, second
