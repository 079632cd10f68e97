"""What each part of the detail network's training is good for: the same training with the part and without it.

All trainings begin with the same weights and see the same data in the same order. `teacher` takes the teacher's word on
real people away (L_TchT and its part of L_dc), `symmetry` takes L_sym, `tension` shows the network a face at rest
whatever the expression. The losses against synthetic truth stay in all of them: the supplement's network learns from
photographs alone, so that its own ablation shows more than ours.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.networks.detail_convolutions import Encoding
from models.networks.mae import DetailMAE
from models.networks.presets import MAESettings
from models.networks.unet import TeacherUNet
from models.training.checkpoint import TrainingError
from models.training.data.shards import Shards
from models.training.detail import DetailStage, DetailWeights, RealLessons
from models.training.detail_figures import correlation
from models.training.evaluation.answers import DetailAnswers
from models.training.export import load_best
from models.training.loop import LoopSettings, Progress, Stage, run_training
from models.training.teacher import TeacherStage

__all__ = [
    "DETAIL_SWITCHES", "DetailParts", "Switch", "TensionBlind", "Trained", "fresh_run", "run_length", "timed",
    "train_detail", "train_teacher",
]  # fmt: skip

Floats = NDArray[np.float32]
Report = Callable[[Progress], None]
Switch = Literal["teacher", "symmetry", "tension"]
DETAIL_SWITCHES: tuple[Switch, ...] = ("teacher", "symmetry", "tension")

DETAIL_LOOP = LoopSettings(batch=4, rate=1.2e-3, final_rate=3e-5, warmup=60, average=0.99, decay=0.03)
TEACHER_LOOP = LoopSettings(batch=12, rate=2e-3, final_rate=5e-5, warmup=80, average=0.99)
CROP_UNTIL = 0.3
"""Share of a run on crops. Less than in a full training, since L_sym needs whole maps."""
SMOOTH_MM = 0.01
"""Truth below this is smooth skin."""
UNSEEN = 0.5
"""Visibility below this is skin that the picture does not show."""


@dataclass(frozen=True, slots=True)
class DetailParts:
    """What every training of an ablation shares.

    Attributes:
        shards: synthetic faces to learn from.
        held_out: to measure on.
        mask: (S, S), see `DetailMap.mask`.
        lessons: real people and the teacher.
        settings: of the network.
        weights: of the losses, before anything is taken away.
        evaluated: held-out samples to measure on.
    """

    shards: Shards
    held_out: Shards
    mask: Floats
    lessons: RealLessons
    settings: MAESettings
    weights: DetailWeights
    evaluated: int = 48


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished training: the averaged network, its held-out figures, steps and minutes that it took."""

    network: DetailMAE
    figures: dict[str, float]
    steps: int
    minutes: float


class TensionBlind(DetailMAE):
    """The student that never sees tension; its weights are those of the one that does."""

    def encode(self, image: Tensor, tension: Tensor | None = None, origin: tuple[int, int] = (0, 0)) -> Encoding:
        """See DetailMAE."""
        return super().encode(image, None if tension is None else torch.zeros_like(tension), origin)

    def decode(self, encoding: Encoding, tension: Tensor, origin: tuple[int, int] = (0, 0)) -> Tensor:
        """See DetailMAE."""
        return super().decode(encoding, torch.zeros_like(tension), origin)


def weights_without(weights: DetailWeights, switch: Switch | None) -> DetailWeights:
    """The weights with one part taken away."""
    taken = {"teacher": {"teacher": 0.0, "animation": 0.0}, "symmetry": {"symmetry": 0.0}}
    return weights.model_copy(update=taken.get(switch or "", {}))


def train_detail(
    switch: Switch | None, parts: DetailParts, loop: LoopSettings, folder: Path, report: Report = lambda progress: None
) -> Trained:
    """One training of the student.

    Args:
        switch: what is taken away, None for nothing.
        parts: see DetailParts.
        loop: see LoopSettings; its seed decides the first weights.
        folder: of the run, which begins anew.
        report: as `on_progress` of `run_training`.

    Raises:
        TrainingError: as `run_training`.
    """
    fresh_run(folder)
    torch.manual_seed(loop.seed)
    network = (TensionBlind if switch == "tension" else DetailMAE)(parts.settings)
    weights = weights_without(parts.weights, switch)
    stage = DetailStage(
        network, parts.shards, parts.held_out, parts.mask, weights, parts.lessons, parts.evaluated,
        crop_until=CROP_UNTIL,
    )  # fmt: skip
    figures = run_training(stage, loop, folder, report)
    load_best(folder, "detail", network)
    steps, minutes = run_length(folder)
    return Trained(network.eval(), figures | unseen_figures(network, parts), steps, minutes)


def train_teacher(
    network: TeacherUNet, parts_of: tuple[Shards, Shards, Floats], loop: LoopSettings, folder: Path,
    report: Report = lambda progress: None,
) -> None:  # fmt: skip
    """Trains a teacher for an ablation that is given none; arguments as `train_detail`, raises as it."""
    fresh_run(folder)
    stage: Stage = TeacherStage(network, *parts_of)
    run_training(stage, loop, folder, report)
    load_best(folder, "teacher", network)
    network.eval()


def unseen_figures(network: DetailMAE, parts: DetailParts) -> dict[str, float]:
    """What the score does not tell, on held-out synthetic faces.

    `bumps_mm`: root mean square of the answer on smooth skin, the artefacts of the supplement's section 5;
    `hidden_correlation`, `hidden_asymmetry_mm`: on skin that the picture does not show, with the truth, and mean
    |D - flip D|.
    """
    answers = DetailAnswers(network, parts.mask)
    found, truth, hidden = [], [], []
    for index in range(min(parts.evaluated, len(parts.held_out))):
        sample = parts.held_out[index]
        found.append(answers(sample.image, sample.tension))
        truth.append(sample.truth)
        hidden.append((sample.image[3] < UNSEEN) * (parts.mask > 0.5))
    answer, wanted, unseen = np.stack(found), np.stack(truth), np.stack(hidden).astype(np.float32)
    smooth = (np.abs(wanted) < SMOOTH_MM) & (parts.mask > 0.5)
    asymmetry = np.abs(answer - answer[..., ::-1])
    return {
        "bumps_mm": float(np.sqrt(np.mean(np.square(answer[smooth])))) if smooth.any() else 0.0,
        "hidden_correlation": correlation(answer, wanted, unseen) if unseen.any() else 0.0,
        "hidden_asymmetry_mm": float((asymmetry * unseen).sum() / max(float(unseen.sum()), 1.0)),
    }


def timed(loop: LoopSettings, minutes: float | None, steps: int | None, device: str = "cpu") -> LoopSettings:
    """The loop with another length, measured once, at its end: what is compared is what it ends with."""
    changed = {"minutes": minutes, "steps": steps, "device": device, "evaluate_minutes": 1e6}
    return loop.model_copy(update=changed)


def fresh_run(folder: Path, names: Sequence[str] = ("checkpoint.pt", "best.safetensors", "curves.csv")) -> None:
    """Takes an earlier run's files away, which would be gone on from.

    Raises:
        TrainingError: they cannot be removed.
    """
    try:
        for name in names:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise TrainingError(f"The earlier run in {folder} cannot be removed ({error.strerror}).") from error


def run_length(folder: Path) -> tuple[int, float]:
    """(steps, minutes) of a finished run."""
    with (folder / "curves.csv").open(newline="", encoding="utf-8") as file:
        last = list(csv.DictReader(file))[-1]
    return int(last["step"]), float(last["minutes"])
