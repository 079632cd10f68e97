"""Training stage of the UNet teacher: the picture alone against known displacement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from models.losses.detail import cosine_to_truth, slope_of_truth, smoothness, weighted_truth
from models.networks.unet import TeacherUNet
from models.training.data.shards import Shards
from models.training.detail_data import TruthBatch, truth_batch, truth_batches
from models.training.detail_figures import amplitude, correlation
from models.training.detail_sheet import relief_rows

__all__ = ["TeacherStage", "TeacherWeights"]

Floats = NDArray[np.float32]


class TeacherWeights(BaseModel):
    """Weights of the teacher's losses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    truth: float = Field(default=1.0, ge=0)
    slope: float = Field(default=0.5, ge=0)
    cosine: float = Field(default=0.5, ge=0)
    smoothness: float = Field(default=0.02, ge=0)
    """Of L_smo. The supplement's 1e6 belongs to other units; against truth, little is needed."""


class TeacherStage:
    """Learns displacement from synthetic pictures; implements `Stage`.

    Args:
        network: the teacher.
        shards: to learn from.
        held_out: to measure on.
        mask: (S, S), see `DetailMap.mask`.
        weights: of the losses.
        crop: side of the crops that it learns from, which cost less than whole maps.
        evaluated: held-out samples to measure on.
    """

    name = "teacher"
    score = "correlation"
    higher_is_better = True

    def __init__(
        self,
        network: TeacherUNet,
        shards: Shards,
        held_out: Shards,
        mask: Floats,
        weights: TeacherWeights | None = None,
        crop: int = 128,
        evaluated: int = 48,
    ) -> None:
        self.network = network
        self.networks: Mapping[str, nn.Module] = {"teacher": network}
        self._shards, self._mask, self._crop = shards, mask, crop
        self._weights = weights or TeacherWeights()
        self._held_out = [held_out[i] for i in range(min(evaluated, len(held_out)))]

    def batches(self, size: int, seed: int, device: torch.device) -> Iterator[TruthBatch]:
        """See `Stage`."""
        return truth_batches(self._shards, self._mask, size, seed, device, self._crop)

    def losses(self, batch: TruthBatch, progress: float) -> dict[str, Tensor]:
        """See `Stage`."""
        w = self._weights
        found = self.network(batch.image)
        return {
            "truth": w.truth * weighted_truth(found, batch.truth, batch.weight),
            "slope": w.slope * slope_of_truth(found, batch.truth, batch.weight),
            "cosine": w.cosine * cosine_to_truth(found, batch.truth, batch.weight),
            "smoothness": w.smoothness * smoothness(found),
        }

    def evaluate(self) -> dict[str, float]:
        """See `Stage`."""
        found = np.stack([self._answer(i) for i in range(len(self._held_out))])
        truth = np.stack([sample.truth for sample in self._held_out])
        return {
            "correlation": correlation(found, truth, self._mask),
            "amplitude": amplitude(found, truth, self._mask),
        }

    def sheet(self) -> NDArray[np.uint8]:
        """See `Stage`."""
        shown = range(min(6, len(self._held_out)))
        return relief_rows([(self._held_out[i].image[:3], [self._held_out[i].truth, self._answer(i)]) for i in shown])

    def _answer(self, index: int) -> Floats:
        device = next(self.network.parameters()).device
        batch = truth_batch([self._held_out[index]], self._mask, device)
        with torch.no_grad():
            return np.asarray(self.network(batch.image)[0, 0].float().cpu().numpy() * self._mask)
