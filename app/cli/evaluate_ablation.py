"""`evaluate ablation`: the trainings with and without the teacher, symmetry, the silhouette, tension."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro
from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse, terminal
from app.cli.training import report_progress
from app.errors import CommandError
from app.evaluation.ablation import Ablation, Part, run_ablation, teacher_sheet
from app.machine import machine_facts


class Options(BaseModel):
    """Train small networks with and without each part of the method, from the same start, and compare them.

    Up to seven trainings: the teacher, the detail network with everything and without teacher, symmetry or tension, the
    coarse network with and without the silhouette loss. Data that earlier trainings made are used. Writes report.json,
    table.md and, with the part `teacher`, teacher.jpg.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: Path
    """Folder of label files that `label` wrote: london/neutral, london/smiling, canada_set."""
    out: Path
    """Folder for the report."""
    parts: tuple[Part, ...] = ("teacher", "symmetry", "silhouette", "tension")
    """What is taken away, one at a time."""
    minutes: float = Field(default=10.0, gt=0)
    """Length of each training."""
    steps: int | None = Field(default=None, ge=1)
    """Length in steps instead of minutes."""
    device: str = "cpu"
    """cpu or cuda."""
    teacher: Path | None = None
    """Weights of a trained teacher, see `train teacher --action export`; without, one is trained first."""
    samples: Annotated[int, tyro.conf.arg(metavar="N")] = Field(default=1000, ge=100)
    """Synthetic faces to learn from, made where they are missing."""


def run(args: Sequence[str], prog: str) -> int:
    """Train and compare; returns the exit status."""
    options = parse(Options, args, prog)
    if not options.parts:
        raise CommandError("There is nothing to take away: name a part.")
    import cv2

    from models.face_model import load_face_model
    from models.face_model.detail_map import DetailMap
    from tracking.threads import use_one_thread

    use_one_thread()
    minutes = None if options.steps is not None else options.minutes
    task = Ablation(
        options.parts, options.labels, minutes, options.steps, options.device, options.teacher, options.samples
    )
    window = DetailMap(load_face_model())
    console = terminal()
    figures, networks = run_ablation(task, window, lambda text: console.print(text, highlight=False), report_progress)
    options.out.mkdir(parents=True, exist_ok=True)
    about = {"settings": options.model_dump(mode="json"), "machine": machine_facts()}
    content = json.dumps({"trainings": figures, "about": about}, indent=2)
    (options.out / "report.json").write_text(content + "\n", encoding="utf-8")
    table = table_of(figures)
    (options.out / "table.md").write_text(table, encoding="utf-8")
    if "without teacher" in networks:
        sheet = cv2.cvtColor(teacher_sheet(task, window, networks), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(options.out / "teacher.jpg"), sheet, (cv2.IMWRITE_JPEG_QUALITY, 88))
    print(table, end="")
    print(f"The report is {options.out / 'report.json'}.")
    return 0


def table_of(figures: dict[str, Any]) -> str:
    """Markdown: a table for each network, a column a training, a row a figure."""
    tables = []
    for kind in dict.fromkeys(name.partition(", ")[0] for name in figures):
        columns = {name.partition(", ")[2]: values for name, values in figures.items() if name.startswith(f"{kind}, ")}
        rows = dict.fromkeys(key for values in columns.values() for key in values)
        lines = [f"| {kind} | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
        for row in rows:
            cells = [f"{values[row]:.3g}" if row in values else "-" for values in columns.values()]
            lines.append(f"| {row} | {' | '.join(cells)} |")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)
