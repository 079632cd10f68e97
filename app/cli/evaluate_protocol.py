"""`evaluate protocol`: 300-W, 300-VW and FaceScape as the paper measures them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse, progress_bar
from app.errors import CommandError
from app.machine import machine_facts
from tracking.still import StillWay

if TYPE_CHECKING:
    from tracking import StillTracker


class Options(BaseModel):
    """Measure tracking, and other methods' results beside it, on the sets that the paper uses.

    Writes table.md, report.json, ced.csv and ced.png. docs/evaluation.md says how the sets must lie and what a result
    file holds. All errors are shares of the distance between the outer corners of the eyes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[tyro.conf.Positional[Literal["300-w", "300-vw", "facescape"]], tyro.conf.arg(metavar="SET")]
    """300-w, 300-vw or facescape."""
    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FOLDER")]
    """Where the set lies."""
    out: Path
    """Folder for the report."""
    trackers: tuple[StillWay, ...] = ("fit",)
    """Our trackers to measure: the model fit, the coarse network, the fit to the network's own landmarks (coarse-fit),
    the fit with the network's opinion (full)."""
    results: tuple[str, ...] = ()
    """Result files of other methods, each as NAME=FILE.npz."""
    list: Path | None = None
    """Only the samples named in this file, one a line."""
    every: int = Field(default=1, ge=1)
    """Of a video, each so many-th annotated picture."""
    pts_origin: Literal[0, 1] = 1
    """Number that .pts files give the first pixel; these sets count from 1."""


def run(args: Sequence[str], prog: str) -> int:
    """Evaluate; returns the exit status."""
    options = parse(Options, args, prog)
    from app.cli.evaluate_landmarks import _names
    from app.evaluation.protocol import Answer, our_tracker, result_file, run_protocol, table, write_protocol
    from tracking.evaluation.protocols import read_protocol
    from tracking.evaluation.results import read_results

    wanted = None if options.list is None else _names(options.list)
    samples = read_protocol(options.name, options.folder, wanted, options.every)
    methods: dict[str, tuple[Answer, bool]] = {}
    for given in options.results:
        method, separator, path = given.partition("=")
        if not separator or not method:
            raise CommandError(f"{given} is no NAME=FILE: write for example --results DECA=deca.npz.")
        results = read_results(method, Path(path))
        methods[method] = (result_file(results), results.has_outline)
    trackers = [_tracker(kind) for kind in options.trackers]
    try:
        for kind, tracker in zip(options.trackers, trackers, strict=True):
            methods[f"Mien {kind}"] = (our_tracker(tracker), True)
        if not methods:
            raise CommandError("There is nothing to measure: name a tracker or a result file.")
        with progress_bar() as bar:
            bar.start(options.name, len(samples))
            errors = run_protocol(samples, methods, options.pts_origin, bar.step)
    finally:
        for tracker in trackers:
            tracker.close()
    about = {
        "set": options.name, "samples": len(samples), "pts_origin": options.pts_origin, "every": options.every,
        "machine": machine_facts(),
    }  # fmt: skip
    rows = write_protocol(options.out, errors, samples, options.name == "facescape", about)
    print(table(rows))
    print(f"The report is {options.out / 'report.json'}, the curves are {options.out / 'ced.png'}.")
    return 0


def _tracker(kind: StillWay) -> StillTracker:
    from models.face_model import load_face_model
    from tracking import StillTracker
    from tracking.coarse import CoarsePredictor

    coarse = None if kind == "fit" else CoarsePredictor(load_face_model())
    return StillTracker(coarse=coarse, way=kind)
