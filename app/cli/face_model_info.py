"""`face-model info`: what a face model file holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict

from app.cli.console import parse
from models.face_model import FaceModel, load_face_model
from models.face_model.model import SHIPPED_MODEL
from recordings.manifest import hash_file


class Options(BaseModel):
    """Describe a face model file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")] = SHIPPED_MODEL
    """The model; by default the head that comes with Mien."""


def run(args: Sequence[str], prog: str) -> int:
    """Print the facts; returns the exit status."""
    options = parse(Options, args, prog)
    model = load_face_model(options.file)
    print("\n".join(describe(model)))
    print(f"{'file':12} {options.file}, {options.file.stat().st_size / 1e6:.1f} MB, SHA-256 {hash_file(options.file)}")
    return 0


def describe(model: FaceModel) -> list[str]:
    """One line a fact."""
    parts = [f"{name} {len(model.part_faces(name))}" for name in model.part_names]
    albedo = "none"
    if model.albedo_mean is not None:
        components = 0 if model.albedo_basis is None else len(model.albedo_basis)
        albedo = f"{model.albedo_mean.shape[0]} pixels a side, {components} components"
    rows = {
        "name": model.name,
        "mesh": f"{model.vertex_count} vertices, {len(model.faces)} triangles ({', '.join(parts)})",
        "identity": f"{model.identity_count} coefficients",
        "expression": f"{len(model.expression_names)} ARKit channels",
        "landmarks": f"{len(model.landmarks478.triangles)} of MediaPipe, {len(model.landmarks68.triangles)} of iBUG",
        "regions": ", ".join(sorted(model.regions)),
        "albedo": albedo,
    }
    return [f"{key:12} {value}" for key, value in rows.items()]
