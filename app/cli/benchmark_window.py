"""`benchmark-window`: how fast, how late and how heavy the window is on this machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.table import Table

from app.cli.console import parse
from app.cli.quick_start import quick_start
from app.errors import CommandError
from app.machine import has_display


class Options(BaseModel):
    """Measure the window on the demo clip, at the clip's own pace.

    Opens it, tracks, switches to low power, closes the source, quits, and then tracks the clip without the window. On a
    machine without a screen: `xvfb-run -a -s "-screen 0 1280x800x24" ...`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None
    """File for the figures."""
    seconds: float = Field(default=20.0, ge=2.0)
    """Of tracking."""
    minutes: float | None = Field(default=None, gt=0)
    """Of tracking, instead of seconds: for the growth of memory."""
    width: int = Field(default=1280, ge=640)
    """Of the window."""
    height: int = Field(default=800, ge=480)
    """Of the window."""


def run(args: Sequence[str], prog: str) -> int:
    """Measure, print, write; returns the exit status."""
    options = parse(Options, args, prog)
    if not has_display():
        raise CommandError("There is no display to open the window on: put `xvfb-run -a` before the command.")
    with quick_start():
        from app.benchmarking.window import benchmark_window
        from app.window.run import leave

    seconds = options.minutes * 60 if options.minutes is not None else options.seconds
    report = benchmark_window(seconds, (options.width, options.height))
    show(report)
    if options.json_file is not None:
        options.json_file.parent.mkdir(parents=True, exist_ok=True)
        options.json_file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return leave(0)


def show(report: dict[str, Any]) -> None:
    """The figures as a table on standard output."""
    tracking, memory = report["tracking"], report["memory"]
    table = Table(box=None, pad_edge=False)
    table.add_column("what")
    table.add_column("found", justify="right")
    latency = tracking.get("latency_ms", {"p50": 0.0, "p95": 0.0})
    gaps = tracking["event_loop_gap_ms"]
    for what, found in (
        ("start to first picture", f"{report['first_picture_s']:.2f} s"),
        ("view", f"{tracking['view_fps']:.1f} pictures/s"),
        ("tracked", f"{tracking['tracked_fps']:.1f} pictures/s"),
        ("tracked without the window", f"{report['headless']['tracked_fps']:.1f} pictures/s"),
        ("capture to display, half / 95 %", f"{latency['p50']:.0f} / {latency['p95']:.0f} ms"),
        ("event loop, longest gap", f"{gaps['longest']:.0f} ms ({gaps['over_50']} over 50 ms)"),
        ("processor while tracking", f"{tracking['cpu_percent']:.0f} % of a core"),
        ("processor in low power", f"{report['low_power']['cpu_percent']:.0f} % of a core"),
        ("processor without a source", f"{report['idle_cpu_percent']:.1f} % of a core"),
        ("memory, start to end", f"{memory.get('start_mb', 0):.0f} to {memory.get('end_mb', 0):.0f} MB"),
        ("quit", f"{report['quit_s']:.2f} s"),
    ):
        table.add_row(what, found)
    Console().print(table)
    machine = report["machine"]
    print(f"{machine['cpu']}, {machine['cores']} cores, load {machine.get('load_average', '?')}; {report['drawing']}.")
