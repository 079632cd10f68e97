"""`evaluate person`: is a model of one person better than the base model?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.table import Table

from app.cli.console import parse, progress_bar

if TYPE_CHECKING:
    from app.evaluation.person_looks import PersonLook


class Options(BaseModel):
    """Make avatars with adapters of rendered people, random or photographed, and judge them later in the same clips.

    Two minutes a person. Landmark errors are shares of the distance between the outer corners of the eyes,
    residuals are differences in 0..255. Writes person.json.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Path
    """Folder for person.json."""
    people: int = Field(default=8, ge=1)
    """How many; nobody learned from them before."""
    first: int = Field(default=1, ge=0)
    """Seed of the first."""
    adapters: bool = True
    """Train adapters of the coarse network, which takes most of the time."""
    labels: Path | None = None
    """Folder of label files: render the London Set's test people, their faces and skins, instead of random ones."""


_WORDS = {
    "begun": ("begun", "inner 51, detector and fit from there on"),
    "begun_channels": ("channels", "channels, detector and fit from there on"),
    "tracked": ("tracked", "inner 51, detector and fit"),
    "channels": ("channels", "channels, detector and fit"),
    "inner51": ("network", "inner 51, network"),
    "followed": ("followed", "inner 51, fit to the network's landmarks"),
    "to_fit": ("to fit", "network to detector and fit"),
    "residual": ("picture", "picture drawn"),
}
"""Head of the column, and what it is."""


def run(args: Sequence[str], prog: str) -> int:
    """Evaluate; returns the exit status."""
    options = parse(Options, args, prog)
    from app.evaluation.person import COMPARED, evaluate_person, person_figures
    from app.jobs.track import Progress
    from models.face_model import load_face_model

    model = load_face_model()
    looks: list[PersonLook | None] = [None] * options.people
    if options.labels is not None:
        from app.evaluation.person_looks import london_looks
        from models.training.runs import runs_folder

        looks = [*london_looks(model, options.labels, runs_folder() / "textures", options.people)]
    scores = []
    with progress_bar() as bar:
        for seed, look in enumerate(looks, start=options.first):
            scores.append(
                evaluate_person(model, seed, Progress(bar.start, bar.step), look=look, adapters=options.adapters)
            )
    figures = person_figures(scores)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.title = "each: base model, person's model; landmarks in percent"
    table.add_column("person", justify="right", no_wrap=True)
    for name in COMPARED:
        table.add_column(_WORDS[name][0], justify="right", no_wrap=True)
    for s in scores:
        pairs = [[getattr(s, f"{kind}_{name}") for kind in ("base", "person")] for name in COMPARED]
        cells = [
            f"{a:.1f} {b:.1f}"
            if name == "residual"
            else f"{a:.2f} {b:.2f}"
            if "channels" in name
            else f"{100 * a:.1f} {100 * b:.1f}"
            for name, (a, b) in zip(COMPARED, pairs, strict=True)
        ]
        table.add_row(s.person, *cells)
    Console().print(table)
    for name in COMPARED:
        print(
            f"{_WORDS[name][1]}: {100 * figures[f'{name}_gain']:.0f} % less with the person's model (spread"
            f" {100 * figures[f'{name}_gain_spread']:.0f}, least {100 * figures[f'{name}_gain_least']:.0f}), better for"
            f" {100 * figures[f'{name}_better']:.0f} % of {len(scores)} people"
        )
    options.out.mkdir(parents=True, exist_ok=True)
    report = {"figures": figures, "people": [asdict(s) for s in scores]}
    (options.out / "person.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0
