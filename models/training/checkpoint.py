"""Checkpoints that survive a kill and a full disk, and the running average of the weights."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn


class TrainingError(RuntimeError):
    """Training cannot go on; the message is one sentence for the user."""


class Average:
    """A running average of a network's parameters and buffers.

    Args:
        network: whose values it starts with.
        keep: share of the old value at each update; smaller in the first steps, so that the start is forgotten.
    """

    def __init__(self, network: nn.Module, keep: float) -> None:
        self._keep = keep
        self._updates = 0
        self.values = {k: v.detach().clone() for k, v in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Moves towards the network's values."""
        self._updates += 1
        keep = min(self._keep, (1 + self._updates) / (10 + self._updates))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.values[name].lerp_(value, 1 - keep)
            else:
                self.values[name].copy_(value)

    @contextmanager
    def in_place(self, network: nn.Module) -> Iterator[None]:
        """The network holds the average inside the block and its own values again after it."""
        own = {k: v.detach().clone() for k, v in network.state_dict().items()}
        network.load_state_dict(self.values)
        try:
            yield
        finally:
            network.load_state_dict(own)

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"values": self.values, "updates": self._updates}

    def restore(self, state: Mapping[str, Any]) -> None:
        """From a checkpoint."""
        self._updates = int(state["updates"])
        for name, value in state["values"].items():
            self.values[name].copy_(value)


@dataclass(frozen=True, slots=True)
class RunState:
    """How far a run has come."""

    step: int = 0
    elapsed_s: float = 0.0
    best: float | None = None


class Checkpoints:
    """Writes and reads a run's checkpoint; each write replaces the old file only once it is complete.

    Args:
        folder: of the run; made if it is not there.
        networks, optimiser, average: what a checkpoint holds.

    Raises:
        TrainingError: the folder cannot be made.
    """

    def __init__(self, folder: Path, networks: nn.Module, optimiser: torch.optim.Optimizer, average: Average) -> None:
        self._folder, self._networks, self._optimiser, self._average = folder, networks, optimiser, average
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"The folder {folder} cannot be made ({error.strerror}): name another one.") from error

    @property
    def path(self) -> Path:
        """The checkpoint file."""
        return self._folder / "checkpoint.pt"

    def resume(self) -> RunState:
        """Loads the checkpoint where there is one.

        Raises:
            TrainingError: it is damaged or belongs to other networks.
        """
        if not self.path.exists():
            return RunState()
        try:
            stored = torch.load(self.path, map_location="cpu", weights_only=True)
            self._networks.load_state_dict(stored["networks"])
            self._optimiser.load_state_dict(stored["optimiser"])
            self._average.restore(stored["average"])
            return RunState(int(stored["step"]), float(stored["elapsed_s"]), stored["best"])
        except Exception as error:
            # torch.load raises many kinds of errors for a damaged file.
            raise TrainingError(
                f"The checkpoint {self.path} cannot be used here: it is damaged or belongs to other networks "
                f"({type(error).__name__}). Move it away to start anew."
            ) from error

    def save(self, step: int, elapsed_s: float, best: float | None) -> None:
        """Writes the checkpoint.

        Raises:
            TrainingError: the disk is full or read-only; the last good checkpoint stays.
        """
        content = {
            "networks": self._networks.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "average": self._average.state(),
            "step": step,
            "elapsed_s": elapsed_s,
            "best": best,
        }
        self._write(self.path, lambda path: torch.save(content, path))

    def save_best(self, figures: Mapping[str, float]) -> None:
        """Writes the networks as they are now to `best.safetensors`, with their held-out figures.

        Raises:
            TrainingError: as `save`.
        """
        tensors = {k: v.detach().contiguous() for k, v in self._networks.state_dict().items()}
        notes = {"figures": json.dumps({k: round(v, 5) for k, v in figures.items()})}
        self._write(self._folder / "best.safetensors", lambda path: save_file(tensors, path, metadata=notes))

    def _write(self, path: Path, write: Any) -> None:
        unfinished = path.with_name(path.name + ".unfinished")
        try:
            write(unfinished)
            unfinished.replace(path)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
            unfinished.unlink(missing_ok=True)
            raise TrainingError(
                f"{path.name} cannot be written to {self._folder} ({error}): free some space and start again; "
                "the last good checkpoint is used."
            ) from error


def network_weights(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The weights of one network out of a run's `best.safetensors`."""
    return {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
