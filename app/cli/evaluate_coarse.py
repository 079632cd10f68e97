"""`evaluate coarse`: what the coarse network alone makes of rendered faces, channel by channel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse, progress_bar
from app.machine import machine_facts

NAMED = {
    "inner51_percent": "inner 51 landmarks, % of the eye distance",
    "rotation_degrees": "head rotation, degrees",
    "gaze_degrees": "gaze, degrees",
    "channel_correlation": "channels, median correlation",
    "channel_error_share": "channels, error over that of answering zero",
}


class Options(BaseModel):
    """Measure the coarse network alone on rendered people whom no training saw, beside MediaPipe's own scores.

    Views to profile, things before the face, all channels at once. Writes report.json and table.md.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Path
    """Folder for the report."""
    people: int = Field(default=250, ge=1, le=1000)
    """How many, four pictures each."""
    weights: Path | None = None
    """Weights file instead of the shipped one."""


def run(args: Sequence[str], prog: str) -> int:
    """Evaluate; returns the exit status."""
    options = parse(Options, args, prog)
    from app.evaluation.coarse import evaluate_coarse
    from models.face_model import load_face_model

    with progress_bar() as bar:
        report = evaluate_coarse(load_face_model(), options.people, options.weights, bar.start, bar.step)
    report["machine"] = machine_facts()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (options.out / "table.md").write_text(table_of(report), encoding="utf-8")
    for key, words in NAMED.items():
        print(f"{words:45} {report['figures'][key]:.3g}")
    print(f"{report['pictures']} pictures, of which MediaPipe found {report['detector_found']}.")
    print(f"All channels: {options.out / 'table.md'}")
    return 0


def table_of(report: dict[str, Any]) -> str:
    """Markdown, a line for each channel."""
    lines = [
        "| channel | correlation | error / zero's | MediaPipe: correlation | error / zero's |",
        "|---|---|---|---|---|",
    ]
    for row in report["channels"]:
        numbers = (row[k] for k in ("correlation", "error_share", "detector_correlation", "detector_error_share"))
        lines.append(f"| {row['name']} | " + " | ".join(f"{value:.2f}" for value in numbers) + " |")
    return "\n".join(lines) + "\n"
