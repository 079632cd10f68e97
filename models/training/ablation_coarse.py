"""What the silhouette loss is good for: the coarse network trained with it and without it.

Both trainings begin with the same weights and see the same pictures in the same order. Measured is the boundary error
on held-out people: the distance of the true contour to the answered face's exact outline, beside the inner landmarks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.face_model import FaceModel, load_face_model
from models.networks.vit import CoarseOutput
from models.training.ablation import Report, fresh_run, run_length
from models.training.coarse import OUTER_EYES_68, CoarseSettings, CoarseStage
from models.training.coarse_outline import OutlineTerm
from models.training.data.coarse_batches import CoarseBatch, RenderedCrops
from models.training.export import load_best
from models.training.loop import LoopSettings, run_training

__all__ = ["COARSE_LOOP", "SILHOUETTE_WEIGHT", "OutlinedStage", "train_coarse"]

COARSE_LOOP = LoopSettings(batch=24, rate=8e-4, warmup=200)
SILHOUETTE_WEIGHT = 6.0
"""As much as the landmarks', as in the supplement."""
FACES = 8
"""Of a batch that the term looks at: it costs some 20 ms a face."""
MEASURED = 192
"""Held-out pictures."""


class OutlinedStage(CoarseStage):
    """The coarse stage with L_sil; arguments as CoarseStage.

    Args:
        weight: of L_sil, 0 for none.
    """

    def __init__(
        self, settings: CoarseSettings, pictures: Path, held_out: Path, weight: float, model: FaceModel | None = None
    ) -> None:
        super().__init__(settings, pictures, held_out, wait_s=0.0, model=model)
        model = model or load_face_model()
        self.weight = weight
        self.outline = OutlineTerm(model, self.vit.layout.identity, limit=FACES)
        self._shown = RenderedCrops(held_out)

    def _terms(self, found: CoarseOutput, batch: CoarseBatch) -> dict[str, Tensor]:
        terms = super()._terms(found, batch)
        if self.weight:
            terms["silhouette"] = self.weight * self.outline(found, batch)
        return terms

    def evaluate(self, limit: int = 960) -> dict[str, float]:
        """See CoarseStage; and the boundary error in percent of the outer-eye distance."""
        errors: list[float] = []
        for batch in self._shown.fixed(self.settings.image_size, MEASURED):
            batch = batch.to(self._device)
            found = self.vit.read(self.vit(batch.image))
            truth = self._truth(self._face68, batch, batch.identity[:, : self.vit.layout.identity]).posed
            eyes = (truth[:, OUTER_EYES_68[0]] - truth[:, OUTER_EYES_68[1]]).norm(dim=1) * batch.scale
            for row, distance in self.outline.boundary_errors(found, batch).items():
                errors.append(distance / float(eyes[row]))
        return super().evaluate(limit) | {"boundary_percent": 100 * float(np.mean(errors)) if errors else float("nan")}


def train_coarse(
    stage: OutlinedStage, loop: LoopSettings, folder: Path, report: Report = lambda progress: None
) -> dict[str, float]:
    """One training, which begins anew in its folder; its held-out figures, steps and minutes.

    Raises:
        TrainingError: as `run_training`.
    """
    fresh_run(folder)
    torch.manual_seed(loop.seed)
    figures = run_training(stage, loop, folder, report)
    load_best(folder, "vit", stage.vit)
    steps, minutes = run_length(folder)
    return figures | {"steps": float(steps), "minutes": minutes}
