"""`evaluate detail`: how good the wrinkles are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse, progress_bar


class Options(BaseModel):
    """Measure the detail network on people, lights and seeds that it was not trained on.

    Synthetic people with known displacement (and marks that are no relief), the test people of the splits neutral and
    smiling, lines drawn on their photographs, and a head scan in four lights. Writes report.json and table.md.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Path
    """Folder for the report."""
    labels: Path
    """Folder of label files that `label` wrote: london/neutral, london/smiling, canada_set."""
    weights: Path | None = None
    """Weights of the network, by default those that ship."""
    scan: Path | None = None
    """Folder of a textured head scan: a GLB file, color.jpg, normal.jpg."""
    people: int = Field(default=100, ge=1, le=500)
    """Synthetic people."""
    driven: int = Field(default=12, ge=1, le=200)
    """Synthetic people that are driven from pictures of a capture."""
    photometric: int = Field(default=0, ge=0, le=100)
    """Synthetic people on whom the paper's photometric losses are compared with the network, ten seconds each."""


def run(args: Sequence[str], prog: str) -> int:
    """Evaluate; returns the exit status."""
    options = parse(Options, args, prog)
    from app.evaluation.detail import DetailEvaluation, run_detail
    from app.jobs.track import Progress
    from app.machine import machine_facts
    from models.face_model import load_face_model
    from models.face_model.detail_map import DetailMap
    from models.networks.detail_weights import load_detail, shipped_detail
    from models.training.runs import runs_folder
    from tracking.threads import use_one_thread

    use_one_thread()
    model = load_face_model()
    path = options.weights or shipped_detail("lite")
    network, header = load_detail(path, model.name)
    with progress_bar() as bar:
        task = DetailEvaluation(
            network,
            options.labels,
            runs_folder() / "textures",
            options.scan,
            options.people,
            driven=options.driven,
            photometric=options.photometric,
        )
        figures = run_detail(DetailMap(model), task, Progress(bar.start, bar.step))
    figures["about"] = {"weights": path.name, "training": header.training, "machine": machine_facts()}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "report.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    table = table_of(figures)
    (options.out / "table.md").write_text(table, encoding="utf-8")
    print(table, end="")
    print(f"The report is {options.out / 'report.json'}.")
    return 0


def table_of(figures: dict[str, Any]) -> str:
    """A markdown table, one figure a line."""
    lines = ["| figure | value |", "|---|---|"]

    def add(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{name}: {key}" if name else str(key), inner)
        elif isinstance(value, int | float):
            lines.append(f"| {name} | {value:.3g} |")

    add("", {key: value for key, value in figures.items() if key != "about"})
    return "\n".join(lines) + "\n"
