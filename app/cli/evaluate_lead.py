"""`evaluate lead`: how near a leading coarse network comes to detector and fit."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict

from app.cli.console import parse, progress_bar
from app.errors import CommandError
from app.machine import machine_facts
from tracking.coarse_settings import CoarseSettings


class Options(BaseModel):
    """Track clips twice, by detector and fit in every frame and with the coarse network leading, and compare.

    Nothing is smoothed. Distances are in percent of the outer-eye distance; tremble is what a value changes from frame
    to frame beside a steady movement, over that of detector and fit. Writes report.json.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clips: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="CLIP...")]
    """Videos."""
    out: Path
    """Folder for the report."""
    coarse: CoarseSettings = CoarseSettings(mode="lead")
    """How the network leads."""


def run(args: Sequence[str], prog: str) -> int:
    """Evaluate; returns the exit status."""
    options = parse(Options, args, prog)
    from tracking import FaceTracker, TrackerSettings, open_source
    from tracking.evaluation.lead import LeadFigures, LedFrame, compared, tracked_frames
    from tracking.smoothing import SmoothingSettings

    if options.coarse.mode != "lead":
        raise CommandError(f"Only a leading network can be compared, not the mode {options.coarse.mode}.")
    plain = TrackerSettings(smoothing=SmoothingSettings(preset="off"))
    rows: dict[str, LeadFigures] = {}
    refused: list[str] = []
    with progress_bar() as bar:
        for clip in options.clips:
            passes: list[list[LedFrame | None]] = []
            for settings in (plain, plain.model_copy(update={"coarse": options.coarse})):
                with open_source(clip) as source, FaceTracker(settings) as tracker:
                    bar.start(source.name, getattr(source, "frame_count", None))
                    passes.append(tracked_frames(source, tracker.process, tracker.model, bar.step))
            try:
                rows[Path(clip).name] = compared(*passes)
            except ValueError as error:
                refused.append(f"{clip}: {error}: take a longer clip with a face in it.")
    if not rows:
        raise CommandError(refused[0] if refused else "There is nothing to compare: name a clip.")
    options.out.mkdir(parents=True, exist_ok=True)
    report = {
        "clips": {name: asdict(figures) for name, figures in rows.items()},
        "coarse": options.coarse.model_dump(mode="json"),
        "machine": machine_facts(),
    }
    (options.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    heads = ("frames", "led", "distance", "correlation", "tremble of mesh", "of channels")
    print(" " * 24, *(f"{head:>{width}}" for head, width in zip(heads, (6, 5, 9, 12, 16, 12), strict=True)))
    for name, f in rows.items():
        print(
            f"{name[:24]:24} {f.frames:6} {f.led:5.0%} {f.distance_percent:8.2f}% {f.correlation:7.2f} ({f.moving:2})"
            f" {f.landmark_tremble:16.2f} {f.channel_tremble:12.2f}"
        )
    print(f"The report is {options.out / 'report.json'}.")
    for sentence in refused:
        print(sentence, file=sys.stderr)
    return 1 if refused else 0
