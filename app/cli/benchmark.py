"""`benchmark`: speed, latency and memory of tracking on this machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.benchmarking.learned import LearnedCore
from app.benchmarking.run import benchmark
from app.benchmarking.table import rows
from app.cli.console import parse, progress_bar
from app.demo_clip import DEMO_CLIP
from app.errors import CommandError
from models.networks.presets import PresetName


class Options(BaseModel):
    """Measure tracking on this machine, with MediaPipe's Face Landmarker alone beside it.

    Unpaced (the default) the clip is tracked as fast as it goes; paced it plays like a camera of that rate, and latency
    is the time from a picture to its result. The learned core takes part where it is asked for.
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
    outputs: bool = False
    """With --paced: also record, show a virtual camera of 1280 x 720 at 30 and send a stream, all at once."""
    frames: int | None = Field(default=None, ge=40)
    """Use so many pictures of the clip at most."""
    detail: bool = False
    """With wrinkles: on a thread beside a paced clip, otherwise each picture waits for its own. Small faces are encoded
    too, so that the bundled clip shows the cost."""
    coarse: Literal["off", "opinion", "lead"] = "off"
    """What the coarse network does: nothing, a second opinion in each picture, or follow the face by itself."""
    coarse_preset: PresetName = "lite"
    """With --coarse: which of the shipped networks."""
    coarse_weights: Path | None = None
    """With --coarse: weights file instead of a shipped one."""


def run(args: Sequence[str], prog: str) -> int:
    """Measure and write; returns the exit status."""
    options = parse(Options, args, prog)
    if options.render and options.paced is None:
        raise CommandError("--render measures drawing beside a camera's rate: give --paced as well.")
    if options.outputs and options.paced is None:
        raise CommandError("--outputs measures what leaves the program at a camera's rate: give --paced as well.")
    if options.coarse == "off" and (options.coarse_weights is not None or options.coarse_preset != "lite"):
        raise CommandError(
            "--coarse-preset and --coarse-weights are for the coarse network: give --coarse opinion or --coarse lead "
            "as well."
        )
    core = LearnedCore(options.detail, options.coarse, options.coarse_preset, options.coarse_weights)
    with progress_bar() as bar:
        bar.start(options.input.name, None)
        report = benchmark(
            options.input,
            core=core,
            paced_fps=options.paced,
            render=options.render,
            outputs=options.outputs,
            limit=options.frames,
            step=bar.step,
        )
    options.json_file.parent.mkdir(parents=True, exist_ok=True)
    options.json_file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    show(report)
    print(f"The figures are {options.json_file}.")
    return 0


def show(report: dict[str, Any]) -> None:
    """A table on standard output."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for what, value in rows(report):
        table.add_row(Text(what), Text(value))
    Console().print(table)
