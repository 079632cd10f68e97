"""Network weights in files: safetensors with a header that says what they are for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open

if TYPE_CHECKING:
    from torch import Tensor, nn

SCHEMA_VERSION = 1
LARGEST_FILE = 1 << 30
"""Bytes; a larger file is refused before memory is taken."""


class WeightsError(Exception):
    """A weights file that cannot be used; the message is one sentence for the user."""


class WeightsHeader(BaseModel):
    """What a file of weights says about itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    network: str
    """Kind of network: `coarse-vit`, `detail-mae`, `teacher-unet`."""
    preset: str
    """`paper` or `lite`."""
    face_model: str
    """Name of the face model that its numbers refer to."""
    settings: dict[str, Any]
    """Of the network, as its settings class takes them."""
    extra: dict[str, Any] = {}
    """Layout of the answer, crop size and the like."""
    training: dict[str, Any] = {}
    """Facts for the model card: pictures seen, minutes, held-out figures."""


def write_weights(path: Path, network: nn.Module, header: WeightsHeader, half: bool = True) -> None:
    """Stores a network's weights, by default in half precision.

    Raises:
        OSError: it cannot be written; an existing file stays as it was.
    """
    import torch
    from safetensors.torch import save_file

    def stored(value: Tensor) -> Tensor:
        return (
            value.detach().cpu().to(torch.float16 if half and value.is_floating_point() else value.dtype).contiguous()
        )

    tensors = {name: stored(value) for name, value in network.state_dict().items()}
    unfinished = path.with_name(path.name + ".unfinished")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, unfinished, metadata={"mien": header.model_dump_json()})
    unfinished.replace(path)


def read_header(path: Path) -> WeightsHeader:
    """The header of a weights file, without reading the weights.

    Raises:
        WeightsError: the file is missing, truncated, or no weights file of this program.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise WeightsError(f"{path.name} is larger than a gigabyte: no weights of this program are.")
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get("mien")
    except FileNotFoundError as error:
        raise WeightsError(f"There are no weights at {path}: reinstall Mien, or train them with `train`.") from error
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"The weights {path} are damaged or incomplete ({error}): reinstall or copy them again."
        ) from error
    if text is None:
        raise WeightsError(f"{path.name} holds weights of another program: Mien reads those that its `train` writes.")
    try:
        header = WeightsHeader.model_validate(json.loads(text))
    except (ValueError, ValidationError) as error:
        raise WeightsError(
            f"{path.name} was written by another version of Mien: update Mien or train again."
        ) from error
    if header.schema_version > SCHEMA_VERSION:
        raise WeightsError(f"{path.name} was written by a newer version of Mien: update Mien.")
    return header


def check_header(
    path: Path, header: WeightsHeader, network: str, face_model: str | None = None, preset: str | None = None
) -> None:
    """Raises WeightsError where a file is for another network, face model or preset."""
    if header.network != network:
        raise WeightsError(f"{path.name} holds a {header.network}, not a {network}: name the right file.")
    if face_model is not None and header.face_model != face_model:
        raise WeightsError(
            f"{path.name} was trained for the face model {header.face_model}, not {face_model}: use its own face model."
        )
    if preset is not None and header.preset != preset:
        raise WeightsError(f"{path.name} is of the preset {header.preset}, not {preset}: choose that preset.")


def read_weights(path: Path, network: nn.Module) -> None:
    """Fills a network that was made from the file's header.

    Raises:
        WeightsError: a tensor is missing, of another shape, or not a number.
    """
    import torch
    from safetensors.torch import load_file

    try:
        tensors: Mapping[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"The weights {path} are damaged or incomplete ({error}): copy them again.") from error
    wanted = network.state_dict()
    wrong = [k for k in wanted if k not in tensors or tensors[k].shape != wanted[k].shape] + sorted(
        set(tensors) - set(wanted)
    )
    if wrong:
        raise WeightsError(f"{path.name} does not fit its own header (first at {wrong[0]}): copy or train it again.")
    if not all(bool(torch.isfinite(t).all()) for t in tensors.values()):
        raise WeightsError(f"{path.name} holds values that are not numbers: copy or train it again.")
    network.load_state_dict({k: v.to(wanted[k].dtype) for k, v in tensors.items()})


def weights_hash(path: Path) -> str:
    """First 16 hexadecimal digits of the file's SHA-256: the key of everything that is derived from it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
