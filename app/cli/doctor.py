"""`doctor`: what is there, what is missing, and how to get it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.console import parse
from app.cli.main import FAILED
from app.health import Check, Level, run_checks
from app.machine import machine_facts
from recordings.versions import software_versions

COLOURS = {Level.OK: "green", Level.MISSING: "yellow", Level.BROKEN: "red"}


class Options(BaseModel):
    """Check what Mien needs and what it could use, and say how to get what is missing.

    The exit status is 0 when the main job works: a clip, or a camera where there is one, becomes an animated face.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None
    """Also write the results to this file, with versions and the machine's facts: good for bug reports."""


def run(args: Sequence[str], prog: str) -> int:
    """Check and report; returns the exit status."""
    options = parse(Options, args, prog)
    checks = run_checks()
    show(checks)
    broken = [check.name for check in checks if check.level is Level.BROKEN]
    if options.json_file is not None:
        results = [asdict(check) | {"level": check.level.value} for check in checks]
        report = {"checks": results, "machine": machine_facts(), "versions": software_versions()}
        options.json_file.parent.mkdir(parents=True, exist_ok=True)
        options.json_file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if broken:
        print(f"Mien cannot work yet: {', '.join(broken)}.")
        return FAILED
    print("Mien can track and render.")
    return 0


def show(checks: Sequence[Check]) -> None:
    """A table on standard output."""
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what", "found"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        found = Text(check.found)
        if check.remedy:
            found.append(f"\n-> {check.remedy}", style="italic")
        table.add_row(Text(check.level.value, style=COLOURS[check.level]), check.name, found)
    Console().print(table)
