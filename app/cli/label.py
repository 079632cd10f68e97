"""`label`: writes label files of pictures and clips for training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse, progress_bar
from app.jobs.label import LabelRequest, run_label
from app.jobs.track import Progress

SHOWN = 10


class Options(BaseModel):
    """Write what the tracker sees in pictures and clips into label files, which training reads.

    One file per picture or clip: fitted parameters, camera, the detector's 478 landmarks and scores, confidence, and
    the source's hash. What shows no face is listed and left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: list[Path] = Field(default_factory=list)
    """Pictures, clips, or folders of them."""
    out: Path
    """Folder for the label files; each input folder gets a folder of its own name in it."""
    people: bool = False
    """Pictures of the same name in different folders show one person, at rest in the first folder named: the fit gives
    them one identity."""
    every: int = Field(default=1, ge=1)
    """Of a clip, label each so many pictures."""


def run(args: Sequence[str], prog: str) -> int:
    """Label; returns the exit status."""
    options = parse(Options, args, prog)
    request = LabelRequest(tuple(options.inputs), options.out, options.people, options.every)
    with progress_bar() as bar:
        outcome = run_label(request, Progress(bar.start, bar.step))
    for title, names in (("no usable face", list(map(str, outcome.faceless))), ("unreadable", outcome.damaged)):
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            print(f"{len(names)} left out ({title}): {', '.join(names[:SHOWN])}{more}")
    print(f"{len(outcome.written)} label files are in {options.out}.")
    return 0 if outcome.written else 1
