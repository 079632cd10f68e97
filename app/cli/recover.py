"""`recover`: mends recordings that were cut short."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict

from app.cli.console import parse
from app.cli.main import FAILED
from recordings.layout import RECORDS_NAME
from recordings.manifest import FILE_NAME, SessionFileError
from recordings.recovery import RecoveryReport, find_unfinished, recover


class Options(BaseModel):
    """Mend recordings that were cut short by a crash, a full disk or a machine that was switched off.

    The originals stay until what replaces them is complete; doing it twice does no harm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Folder of a session, or one that holds several."""


def run(args: Sequence[str], prog: str) -> int:
    """Recover what the command line names; returns the exit status."""
    folder = parse(Options, args, prog).folder
    if not folder.is_dir() or (folder / FILE_NAME).exists() or (folder / RECORDS_NAME).exists():
        _tell(recover(folder))
        return 0
    found = find_unfinished(folder)
    if not found:
        print(f"No recording in {folder} was cut short: there is nothing to do.")
        return 0
    failures = 0
    for session in found:
        try:
            _tell(recover(session.folder))
        except SessionFileError as error:
            print(error, file=sys.stderr)
            failures += 1
    return FAILED if failures else 0


def _tell(report: RecoveryReport) -> None:
    for note in report.notes:
        print(f"{report.folder}: {note}")
