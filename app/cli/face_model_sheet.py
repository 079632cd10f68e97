"""`face-model sheet`: pictures of what a face model can do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse
from models.face_model import load_face_model
from models.face_model.model import SHIPPED_MODEL
from models.face_model.sheet import expression_sheet, identity_sheet


class Options(BaseModel):
    """Draw random people and every expression of a face model.

    Writes identities.png and expressions.png (redder skin has moved further, full red at 4 mm).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")] = SHIPPED_MODEL
    """The model; by default the head that comes with Mien."""
    out: Path = Path("out") / "face-model"
    """Folder for the pictures."""
    identities: int = Field(default=12, ge=1, le=200)
    """How many people."""
    seed: int = 5
    """Decides who they are."""


def run(args: Sequence[str], prog: str) -> int:
    """Draw and write; returns the exit status."""
    options = parse(Options, args, prog)
    model = load_face_model(options.file)
    options.out.mkdir(parents=True, exist_ok=True)
    people, expressions = options.out / "identities.png", options.out / "expressions.png"
    Image.fromarray(identity_sheet(model, options.identities, options.seed)).save(people)
    Image.fromarray(expression_sheet(model)).save(expressions)
    print(f"The pictures are {people} and {expressions}.")
    return 0
