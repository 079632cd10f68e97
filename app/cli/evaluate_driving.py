"""`evaluate driving`: does an avatar do what drives it?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from app.cli.console import parse, progress_bar
from tracking import TrackerSettings


class Options(BaseModel):
    """Drive an avatar with a script of every group of channels, track its pictures, and compare.

    The correlation says whether the tracked group follows the script; the gain, by how much it moves.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    avatar: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="AVATAR")]
    """An avatar's name, or a .mien, .vrm, .glb or .gltf file."""
    out: Path | None = None
    """Folder for driving.json."""
    tracker: TrackerSettings = TrackerSettings()
    """How the avatar's pictures are tracked."""


def run(args: Sequence[str], prog: str) -> int:
    """Evaluate; returns the exit status."""
    options = parse(Options, args, prog)
    from app.cli.live import subject_of
    from app.evaluation.driving import evaluate_driving, make_script
    from models.face_model import load_face_model

    subject = subject_of(options.avatar)
    with progress_bar() as bar:
        bar.start(subject.name, len(make_script()))
        scores, pictures, seen = evaluate_driving(subject, load_face_model(), bar.step, settings=options.tracker)
    table = Table(box=None, pad_edge=False)
    for name in ("group", "spread", "correlation", "gain"):
        table.add_column(name, justify="left" if name == "group" else "right")
    for score in scores:
        correlation = "-" if score.correlation is None else f"{score.correlation:.2f}"
        table.add_row(score.name, f"{score.spread:.2f}", correlation, f"{score.gain:.2f}")
    Console().print(table)
    known = [score.correlation for score in scores if score.correlation is not None]
    good = sum(value >= 0.9 for value in known)
    told = f"{good} of {len(known)} groups correlate 0.9 or better"
    print(f"{subject.name}: a face in {seen} of {pictures} pictures; {told}.")
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        report = {"avatar": subject.name, "pictures": pictures, "seen": seen, "groups": [asdict(s) for s in scores]}
        (options.out / "driving.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0
