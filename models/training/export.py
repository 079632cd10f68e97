"""From a training run to a weights file that the program loads."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import nn

from models.networks.stored import WeightsHeader, write_weights
from models.training.checkpoint import TrainingError


def load_best(run: Path, name: str, network: nn.Module) -> dict[str, Any]:
    """Fills a network with a run's best weights.

    Args:
        run: folder of the run.
        name: of the network within its stage.
        network: of the same settings.

    Returns:
        The held-out figures that were written beside the weights.

    Raises:
        TrainingError: there is no such file, or it belongs to another network.
    """
    path = run / "best.safetensors"
    try:
        with safe_open(path, framework="pt") as file:
            prefix = f"{name}."
            tensors = {k.removeprefix(prefix): file.get_tensor(k) for k in file.keys() if k.startswith(prefix)}  # noqa: SIM118
            figures: dict[str, Any] = json.loads((file.metadata() or {}).get("figures", "{}"))
        network.load_state_dict(tensors)
    except FileNotFoundError as error:
        raise TrainingError(f"There is no {path}: train until the first evaluation at least.") from error
    except (OSError, SafetensorError, RuntimeError) as error:
        raise TrainingError(f"{path} is damaged or belongs to another network ({error}).") from error
    return figures


def start_from(path: Path, name: str, network: nn.Module, may_lack: str = "") -> None:
    """Fills a network with the weights of an earlier run or of a shipped file.

    Args:
        path: `best.safetensors` of a run, or a weights file.
        name: of the network within its stage.
        network: of the same settings but for what `may_lack` names.
        may_lack: beginning of the names that the file may lack; they keep what they have.

    Raises:
        TrainingError: there is no such file, or it belongs to another network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {k.removeprefix(f"{name}."): file.get_tensor(k).float() for k in file.keys()}  # noqa: SIM118
        lacking, foreign = network.load_state_dict(tensors, strict=False)
    except FileNotFoundError as error:
        raise TrainingError(f"There is no {path} to start from.") from error
    except (OSError, SafetensorError, RuntimeError) as error:
        raise TrainingError(f"{path} is damaged or belongs to another network ({error}).") from error
    wrong = [k for k in lacking if not (may_lack and k.startswith(may_lack))] + list(foreign)
    if wrong:
        raise TrainingError(f"{path} belongs to another network (first at {wrong[0]}).")


def export(
    run: Path,
    name: str,
    network: nn.Module,
    header: WeightsHeader,
    out: Path,
    finish: Callable[[Mapping[str, float]], dict[str, Any]] = lambda figures: {},
) -> None:
    """Writes a run's best weights in half precision, with its figures in the header.

    Args:
        run: folder of the run.
        name: of the network within its stage.
        network: of the same settings; filled.
        header: of the file.
        out: the file.
        finish: changes the filled network by the run's held-out figures, and says what it did, for the header.

    Raises:
        TrainingError: as `load_best`.
        OSError: it cannot be written.
    """
    figures = load_best(run, name, network)
    training = header.training | {"held_out": figures} | finish(figures)
    write_weights(out, network, header.model_copy(update={"training": training}))
