"""The training loop: one for every stage, on a processor or a graphics card.

A run is a folder: `checkpoint.pt` (resumed by itself), `best.safetensors` (averaged weights with the best held-out
score), `curves.csv` (losses and held-out figures), `sheet_STEP.png`, `settings.json`.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from models.training.checkpoint import Average, Checkpoints, TrainingError
from models.training.curves import Curves

__all__ = ["LoopSettings", "Progress", "Stage", "TrainingError", "run_training", "works_in_bf16"]

_log = logging.getLogger(__name__)


class LoopSettings(BaseModel):
    """How long and how fast a stage learns. It ends at `steps` or after `minutes`, whichever comes first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int | None = Field(default=None, ge=1)
    """Optimiser steps."""
    minutes: float | None = Field(default=None, gt=0)
    """Minutes of training, interruptions and evaluations not counted."""
    batch: int = Field(default=32, ge=1)
    """Pictures a step."""
    rate: float = Field(default=1e-3, gt=0)
    """Learning rate after the warm-up."""
    final_rate: float = Field(default=1e-5, ge=0)
    """Learning rate at the end; between the two it falls as half a cosine."""
    warmup: int = Field(default=200, ge=0)
    """Steps in which the learning rate rises from zero."""
    decay: float = Field(default=0.05, ge=0)
    """AdamW's weight decay, for matrices alone."""
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of a gradient."""
    average: float = Field(default=0.999, ge=0, lt=1)
    """Share of the old value in the running average of the weights, which is what ships."""
    bf16: Literal["auto", "on", "off"] = "auto"
    """Half precision where the processor computes in it."""
    seed: int = 0
    """Decides the initial weights and the order of the data."""
    checkpoint_minutes: float = Field(default=3.0, gt=0)
    """Minutes between checkpoints."""
    evaluate_minutes: float = Field(default=6.0, gt=0)
    """Minutes between held-out evaluations."""
    device: str = "cpu"
    """cpu, cuda, cuda:1 ..."""


class Stage(Protocol):
    """What is learned, from what, and how one knows."""

    name: str
    networks: Mapping[str, nn.Module]
    """The networks that learn, by name."""
    score: str
    """The figure of `evaluate` by which the best weights are chosen."""
    higher_is_better: bool

    def batches(self, size: int, seed: int, device: torch.device) -> Iterator[Any]:
        """Endless batches of `size` on the device."""
        ...

    def losses(self, batch: Any, progress: float) -> dict[str, Tensor]:
        """Weighted scalar terms, which are summed; `progress` in 0..1 of the run."""
        ...

    def evaluate(self) -> dict[str, float]:
        """Held-out figures. The networks hold the averaged weights and are in evaluation mode meanwhile."""
        ...

    def sheet(self) -> NDArray[np.uint8] | None:
        """A picture (H, W, 3) RGB of what the networks do with held-out samples, or None."""
        ...


class Progress(BaseModel):
    """Where a run stands."""

    model_config = ConfigDict(frozen=True)

    step: int
    share: float
    """0..1 of the run."""
    seconds_left: float | None
    images_per_second: float
    loss: float
    figures: dict[str, float] = {}
    """Of the last evaluation."""


def works_in_bf16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 by itself; elsewhere it would be slower than single precision."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def run_training(
    stage: Stage,
    settings: LoopSettings,
    folder: Path,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, float]:
    """Trains until the end, or goes on from the folder's checkpoint.

    Args:
        stage: what is learned.
        settings: see LoopSettings.
        folder: the run; made if it is not there.
        on_progress: called about every five seconds.
        should_stop: asked at each step; True ends the run with a checkpoint.

    Returns:
        The held-out figures of the last evaluation.

    Raises:
        TrainingError: no end was given, a loss is not a number, the checkpoint belongs to another network, or it cannot
            be written. The last good checkpoint stays.
    """
    if settings.steps is None and settings.minutes is None:
        raise TrainingError("Say how long to train: steps, minutes, or both.")
    device = torch.device(settings.device)
    random.seed(settings.seed)
    np.random.seed(settings.seed)
    torch.manual_seed(settings.seed)
    networks = nn.ModuleDict(dict(stage.networks)).to(device)
    run = _Run(stage, networks, settings, folder, device)
    return run.train(on_progress, should_stop)


class _Run:
    def __init__(
        self, stage: Stage, networks: nn.ModuleDict, settings: LoopSettings, folder: Path, device: torch.device
    ) -> None:
        self._stage, self._networks, self._settings, self._device = stage, networks, settings, device
        self._optimiser = _optimiser(networks, settings)
        self._average = Average(networks, settings.average)
        self._checkpoints = Checkpoints(folder, networks, self._optimiser, self._average)
        self._curves = Curves(folder / "curves.csv")
        self._folder = folder
        self._bf16 = settings.bf16 == "on" or (settings.bf16 == "auto" and works_in_bf16(device))
        state = self._checkpoints.resume()
        self._step, self._elapsed, self._best = state.step, state.elapsed_s, state.best
        self._figures: dict[str, float] = {}
        (folder / "settings.json").write_text(settings.model_dump_json(indent=1) + "\n", encoding="utf-8")
        if self._step:
            _log.info("%s: going on from step %d", stage.name, self._step)

    def train(self, on_progress: Callable[[Progress], None], should_stop: Callable[[], bool]) -> dict[str, float]:
        settings = self._settings
        # Another seed after each resumption, so that a resumed run does not see its first batches twice.
        batches = self._stage.batches(settings.batch, settings.seed + self._step, self._device)
        self._networks.train()
        saved = evaluated = reported = time.monotonic()
        while (share := self._share()) < 1 and not should_stop():
            started = time.monotonic()
            terms = self._one_step(next(batches), share)
            self._step += 1
            self._elapsed += time.monotonic() - started
            self._curves.add(terms)
            now = time.monotonic()
            if now - reported > 5:
                on_progress(self._progress(now - reported))
                reported = now
            if now - evaluated > 60 * settings.evaluate_minutes:
                self._evaluate()
                evaluated = time.monotonic()
            if now - saved > 60 * settings.checkpoint_minutes:
                self._save()
                saved = time.monotonic()
        self._evaluate()
        self._save()
        return self._figures

    def _share(self) -> float:
        shares = [0.0]
        if self._settings.steps is not None:
            shares.append(self._step / self._settings.steps)
        if self._settings.minutes is not None:
            shares.append(self._elapsed / (60 * self._settings.minutes))
        return max(shares)

    def _one_step(self, batch: Any, share: float) -> dict[str, float]:
        settings = self._settings
        warm = min(1.0, (self._step + 1) / max(settings.warmup, 1))
        falling = 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
        for group in self._optimiser.param_groups:
            group["lr"] = warm * (settings.final_rate + (settings.rate - settings.final_rate) * falling)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            terms = self._stage.losses(batch, share)
        for name, term in terms.items():
            if not bool(torch.isfinite(term)):
                raise TrainingError(
                    f"The loss {name!r} of {self._stage.name} is no longer a number at step {self._step}; "
                    f"the last good checkpoint stays in {self._folder}. Try a lower rate."
                )
        total = torch.stack(list(terms.values())).sum()
        self._optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._networks.parameters(), settings.clip)
        if bool(torch.isfinite(norm)):
            self._optimiser.step()
            self._average.update(self._networks)
        return {name: float(term.detach()) for name, term in terms.items()} | {"gradient": float(norm)}

    def _evaluate(self) -> None:
        with self._average.in_place(self._networks), torch.no_grad():
            self._networks.eval()
            self._figures = self._stage.evaluate()
            sheet = self._stage.sheet()
            value = self._figures[self._stage.score]
            rank = value if self._stage.higher_is_better else -value
            if self._best is None or rank > self._best:
                self._best = rank
                self._checkpoints.save_best(self._figures)
        self._networks.train()
        if sheet is not None:
            _write_png(self._folder / f"sheet_{self._step:07d}.png", sheet)
        self._curves.write(self._step, self._elapsed, self._settings.batch, self._figures)
        _log.info(
            "%s: step %d, %.1f min: %s", self._stage.name, self._step, self._elapsed / 60,
            ", ".join(f"{k} {v:.4g}" for k, v in self._figures.items()),
        )  # fmt: skip

    def _save(self) -> None:
        self._checkpoints.save(self._step, self._elapsed, self._best)

    def _progress(self, since: float) -> Progress:
        share = self._share()
        left = self._elapsed * (1 - share) / share if share > 0 else None
        rate = self._step * self._settings.batch / max(self._elapsed, 1e-6)
        return Progress(
            step=self._step, share=share, seconds_left=left, images_per_second=rate, loss=self._curves.loss,
            figures=self._figures,
        )  # fmt: skip


def _optimiser(networks: nn.Module, settings: LoopSettings) -> torch.optim.AdamW:
    learning = [p for p in networks.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learning if p.ndim > 1], "weight_decay": settings.decay},
        {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=settings.rate, betas=(0.9, 0.98), fused=True)


def _write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    import cv2  # late: only runs that draw need it

    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
