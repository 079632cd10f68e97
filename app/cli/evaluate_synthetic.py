"""`evaluate synthetic`: errors against the truth of rendered faces."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse, progress_bar
from app.machine import machine_facts
from models.face_model import load_face_model
from tracking import TrackerSettings
from tracking.evaluation.synthetic import FRAMES, SEEDS, run_synthetic, synthetic_report, visible_channels


class Options(BaseModel):
    """Measure tracking against rendered faces whose truth is known.

    Renders clips of random people (fixed seeds), tracks them without smoothing and compares every channel, the head's
    rotation, gaze and identity with what was rendered, beside MediaPipe's own scores. Writes report.json and table.md.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Path
    """Folder for the report."""
    people: int = Field(default=len(SEEDS), ge=1)
    """Clips, seeds 1 to this many."""
    frames: int = Field(default=FRAMES, ge=60)
    """Frames of each clip, 30 a second; the first second is a still neutral face."""
    tracker: TrackerSettings = TrackerSettings()
    """How to track."""


def run(args: Sequence[str], prog: str) -> int:
    """Evaluate; returns the exit status."""
    options = parse(Options, args, prog)
    model = load_face_model()
    seeds = tuple(range(1, options.people + 1))
    with progress_bar() as bar:
        bar.start("rendered faces", options.people * options.frames)
        result = run_synthetic(model, options.tracker, seeds, options.frames, bar.step)
    report = synthetic_report(result, visible_channels(model))
    report["about"] = {"seeds": seeds, "settings": options.tracker.model_dump(mode="json"), "machine": machine_facts()}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    (options.out / "table.md").write_text(_table(report), encoding="utf-8")
    for key, value in report.items():
        if key not in ("channels", "about"):
            print(f"{key:38} {value}")
    print(f"The report is {options.out / 'report.json'}, a table per channel is {options.out / 'table.md'}.")
    return 0


def _table(report: dict[str, Any]) -> str:
    lines = [
        "| channel | visible | correlation | error / zero's | MediaPipe: correlation | error / zero's |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in report["channels"].items():
        keys = ("correlation", "mae_over_zero", "mediapipe_correlation", "mediapipe_mae_over_zero")
        cells = ["-" if row[k] is None else f"{row[k]:.2f}" for k in keys]
        lines.append(f"| {name} | {'yes' if row['visible'] else 'no'} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
