"""`benchmark`: speed, latency and memory of tracking on this machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict, Field

from app.benchmarking.run import benchmark
from app.cli.console import parse, progress_bar
from app.demo_clip import DEMO_CLIP
from app.errors import CommandError


class Options(BaseModel):
    """Measure tracking on this machine, with MediaPipe's Face Landmarker alone beside it.

    Unpaced (the default) the clip is tracked as fast as it goes; paced it plays like a camera of that rate, and latency
    is the time from a picture to its result.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    json_file: Annotated[Path, tyro.conf.arg(name="json")]
    """File for the figures."""
    input: Path = DEMO_CLIP
    """A video with a face."""
    paced: float | None = Field(default=None, gt=0, le=1000)
    """Play the clip at so many pictures a second."""
    render: bool = False
    """With --paced: also draw the newest result off-screen at 640 x 480."""
    frames: int | None = Field(default=None, ge=40)
    """Use so many pictures of the clip at most."""


def run(args: Sequence[str], prog: str) -> int:
    """Measure and write; returns the exit status."""
    options = parse(Options, args, prog)
    if options.render and options.paced is None:
        raise CommandError("--render measures drawing beside a camera's rate: give --paced as well.")
    with progress_bar() as bar:
        bar.start(options.input.name, None)
        report = benchmark(
            options.input, paced_fps=options.paced, render=options.render, limit=options.frames, step=bar.step
        )
    options.json_file.parent.mkdir(parents=True, exist_ok=True)
    options.json_file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    baseline = report["baseline"]["mediapipe_fps"]
    print(f"{report['fps']:.1f} pictures a second (MediaPipe alone {baseline:.1f})", end=", ")
    print(f"latency {report['latency_ms']['p50']:.1f} ms, 95 % under {report['latency_ms']['p95']:.1f} ms", end=", ")
    print(f"memory {report['peak_memory_mb']:.0f} MB, first face after {report['startup_s']:.1f} s.")
    print(f"The figures are {options.json_file}.")
    return 0
