"""`session info`: what a session holds, before it is given to anybody."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.console import parse
from recordings.contents import contents_of
from recordings.reader import open_session


class Options(BaseModel):
    """List what a session holds: pictures, sound, names, times, settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="SESSION")]
    """Folder of the session."""


def run(args: Sequence[str], prog: str) -> int:
    """List it; returns the exit status."""
    options = parse(Options, args, prog)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for content in contents_of(open_session(options.session)):
        table.add_row(Text(content.what), Text(content.detail))
    Console().print(table)
    return 0
