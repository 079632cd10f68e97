"""`face-model convert-flame` and `convert-ict`: the user's own face model files into Mien's layout, once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict

from app.cli.console import parse
from app.errors import CommandError


class FlameOptions(BaseModel):
    """Convert a FLAME model (2020 or 2023) that you downloaded under its licence.

    The file is read without executing anything in it. Its expressions become the 52 ARKit channels. The result stays
    under FLAME's licence: do not pass it on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")]
    """generic_model.pkl or flame2023.pkl."""
    out: Path
    """File to write, NAME.safetensors."""


class IctOptions(BaseModel):
    """Convert the face model of an ICT-FaceKit checkout."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FOLDER")]
    """The folder FaceXModel."""
    out: Path
    """File to write, NAME.safetensors."""


def run_flame(args: Sequence[str], prog: str) -> int:
    """Convert; returns the exit status."""
    from models.face_model.flame import convert_flame

    options = parse(FlameOptions, args, prog)
    _check_target(options.out)
    channels = convert_flame(options.source, options.out)
    width = max(len(channel.channel) for channel in channels)
    print("How much of each channel's movement FLAME can follow:")
    for channel in channels:
        print(f"  {channel.channel:{width}} {channel.explained:6.1%}")
    print(f"The model is {options.out}: use it with --face-model.")
    return 0


def run_ict(args: Sequence[str], prog: str) -> int:
    """Convert; returns the exit status."""
    from models.face_model.ict import convert_ict

    options = parse(IctOptions, args, prog)
    _check_target(options.out)
    still = convert_ict(options.source, options.out)
    if still:
        print(f"The folder has no shape for {', '.join(still)}: they stay still.")
    print(f"The model is {options.out}: use it with --face-model.")
    return 0


def _check_target(out: Path) -> None:
    if out.suffix != ".safetensors":
        raise CommandError(f"{out} is not a name for a face model: end it with .safetensors.")
    out.parent.mkdir(parents=True, exist_ok=True)
