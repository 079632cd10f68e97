"""What the commands share: reading options, progress on the terminal, threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import tyro
from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBars

from app.cli.interrupt import check_interrupt
from app.cli.lines import LineBar, wanted, watch_input

OptionsType = TypeVar("OptionsType", bound=BaseModel)


def parse(
    options: type[OptionsType], args: Sequence[str], prog: str, default: OptionsType | None = None
) -> OptionsType:
    """The options of a command line; prints help or the mistake and ends the program where that is due.

    Args:
        options: the model; its field docstrings are the help.
        args: what follows the command's name.
        prog: what was typed before.
        default: values of what is not given.
    """
    config = (tyro.conf.FlagCreatePairsOff,)
    if default is None:
        return tyro.cli(options, prog=prog, args=args, config=config)
    return tyro.cli(options, prog=prog, args=args, config=config, default=default)


def terminal() -> Console:
    """Where progress and warnings go: standard error, so that standard output holds results alone."""
    return Console(stderr=True)


class Bar:
    """One bar of progress."""

    def __init__(self, bars: ProgressBars, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def start(self, name: str, total: int | None) -> None:
        """A new job begins: `total` steps, None where unknown."""
        self._bars.reset(self._task, description=name, total=total)

    def step(self) -> None:
        """One step is done."""
        check_interrupt()
        self._bars.advance(self._task)


@contextmanager
def progress_bar() -> Iterator[Bar | LineBar]:
    """Shows a bar while the block runs; on something other than a terminal nothing is shown unless a window watches."""
    if wanted():
        watch_input()
        yield LineBar()
        return
    console = terminal()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with ProgressBars(*columns, console=console, disable=not console.is_terminal) as bars:
        yield Bar(bars, bars.add_task("", total=None))
