"""`evaluate landmarks`: errors against hand-made landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import BaseModel, ConfigDict

from app.cli.console import parse, progress_bar
from app.errors import CommandError
from app.evaluation.landmarks import evaluate_landmarks, write_landmark_report
from models.face_model import load_face_model
from tracking import StillTracker
from tracking.coarse import CoarsePredictor
from tracking.evaluation.annotations import find_annotated
from tracking.fit import FitSettings
from tracking.still import StillWay


class Options(BaseModel):
    """Measure the tracking of still pictures against hand-made landmarks.

    The folder holds NAME.jpg or NAME.png beside NAME.pts (68 points) or NAME.mat (AFLW2000-3D). Writes report.json,
    ced.csv and ced.png. All errors are shares of the distance between the outer corners of the eyes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FOLDER")]
    """Pictures with their landmarks."""
    out: Path
    """Folder for the report."""
    tracker: StillWay = "fit"
    """The model fit to the detector's landmarks, what the coarse network says alone (from the detector's box), the
    model fit to the network's own landmarks (coarse-fit), or to the detector's with the network's opinion (full)."""
    weights: Path | None = None
    """Weights of the coarse network instead of the shipped ones."""
    list: Path | None = None
    """Only the pictures named in this file, one name a line."""
    pts_origin: Literal[0, 1] = 0
    """Number that .pts files give the first pixel."""
    face_model: Path | None = None
    """Track with this face model file instead of the shipped one."""
    fit: FitSettings = FitSettings.for_stills()
    """The model fit."""


def run(args: Sequence[str], prog: str) -> int:
    """Evaluate; returns the exit status."""
    options = parse(Options, args, prog)
    samples = find_annotated(options.folder, None if options.list is None else _names(options.list))
    model = load_face_model(options.face_model) if options.face_model else None
    coarse = None
    if options.tracker != "fit":
        coarse = CoarsePredictor(model or load_face_model(), options.weights)
    with StillTracker(options.fit, model, coarse=coarse, way=options.tracker) as tracker, progress_bar() as bar:
        bar.start(options.folder.name, len(samples))
        errors = evaluate_landmarks(samples, tracker, pts_origin=options.pts_origin, step=bar.step)
        about = {
            "tracker": options.tracker,
            "weights": None if coarse is None else coarse.spec.weights,
            "folder": str(options.folder),
            "pts_origin": options.pts_origin,
            "face_model": tracker.model.name,
            "settings": options.fit.model_dump(mode="json"),
        }
    report = write_landmark_report(options.out, errors, about)
    for key in ("nme_inner51", "nme_inner51_uncapped", "nme_inner51_adapted", "boundary", "overall"):
        print(f"{key:22} {report[key]:.4f}")
    print(f"{'failures':22} {len(report['failures'])} of {report['images']} {' '.join(report['failures'])}".rstrip())
    print(f"The report is {options.out / 'report.json'}.")
    return 0


def _names(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The list {path} cannot be read as text: check the file.") from error
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not names:
        raise CommandError(f"The list {path} names no picture: put one name on each line.")
    return names
