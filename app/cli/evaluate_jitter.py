"""`evaluate jitter`: how calm and how late each way of smoothing is, beside MediaPipe's own output."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict

from app.cli.console import parse, progress_bar
from app.errors import CommandError
from app.machine import machine_facts


class Options(BaseModel):
    """Measure jitter of a still head against lag of a moving one, on a clip.

    Landmark jitter is in percent of the outer-eye distance, channel jitter in hundredths of a channel; both are the
    spread of white noise that would tremble as much. Writes report.json.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clip: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="CLIP")]
    """A video; best one that has calm and lively parts."""
    out: Path
    """Folder for the report."""


def run(args: Sequence[str], prog: str) -> int:
    """Evaluate; returns the exit status."""
    options = parse(Options, args, prog)
    from tracking import FaceTracker, TrackerSettings, open_source
    from tracking.evaluation.jitter import jitter_rows, track_series
    from tracking.smoothing import SmoothingSettings

    settings = TrackerSettings(smoothing=SmoothingSettings(preset="off"))
    presets = ("off", "light", "medium", "strong")
    with open_source(options.clip) as source, FaceTracker(settings) as tracker, progress_bar() as bar:
        bar.start(source.name, getattr(source, "frame_count", None))
        fps = source.fps
        try:
            series = track_series(source, tracker.process, tracker.model, presets, bar.step)
        except ValueError as error:
            raise CommandError(f"{options.clip}: {error}: take a clip with a face in it.") from error
    rows = jitter_rows(series, fps)
    options.out.mkdir(parents=True, exist_ok=True)
    report = {"clip": options.clip, "fps": fps, "rows": [asdict(r) for r in rows], "machine": machine_facts()}
    (options.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"{'':12} {'landmarks':>10} {'channels':>9} {'lag of landmarks':>17} {'of channels':>12}")
    for row in rows:
        channels = "-" if row.channel_jitter is None else f"{row.channel_jitter:.2f}"
        late = "-" if row.channel_lag_ms is None else f"{row.channel_lag_ms:.0f} ms"
        print(f"{row.name:12} {row.landmark_jitter:9.3f}% {channels:>9} {row.landmark_lag_ms:14.0f} ms {late:>12}")
    print(f"The report is {options.out / 'report.json'}.")
    return 0
