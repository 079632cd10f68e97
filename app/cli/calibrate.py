"""`calibrate`: a person's neutral face, taken from a camera or a video and stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse, progress_bar
from app.errors import CommandError
from tracking import FaceTracker, open_source, track_frames
from tracking.calibration import CaptureSettings, NeutralCapture
from tracking.calibration_store import CalibrationStore


class Options(BaseModel):
    """Capture a resting face and store it for this person.

    Look into the camera with a calm face. The first seconds let the tracker get to know the face; then about a second
    is measured. `track --calibration PERSON` takes the resting face out of the values.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PERSON")]
    """Whose face it is."""
    input: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="INPUT")]
    """A camera (camera:0, camera:NAME) or a video."""
    start: float = Field(default=1.0, ge=0.0)
    """Seconds to wait before measuring."""
    input_is_mirrored: bool = False
    """The input is a mirrored picture."""
    capture: CaptureSettings = CaptureSettings()
    """What counts as resting, and for how long."""


def run(args: Sequence[str], prog: str) -> int:
    """Calibrate; returns the exit status."""
    options = parse(Options, args, prog)
    path = capture_neutral(options, CalibrationStore())
    print(f"The neutral face of {options.person} is stored in {path}.")
    return 0


def capture_neutral(options: Options, store: CalibrationStore) -> Path:
    """Captures and stores; the file written.

    Raises:
        CommandError: the input ended before there was enough to measure.
        CalibrationError: the face was lost or moved.
        SourceError: the input cannot be used.
    """
    capture = NeutralCapture(options.capture)
    source = open_source(options.input, mirrored=options.input_is_mirrored)
    with source, FaceTracker() as tracker, progress_bar() as bar:
        bar.start("look into the camera, at rest", 100)
        shown = 0
        for face in track_frames(source, tracker):
            if face.frame.time_s < options.start:
                continue
            progress = capture.add(face.raw, face.frame.time_s)
            for _ in range(int(progress.fraction * 100) - shown):
                bar.step()
            shown = int(progress.fraction * 100)
            if progress.done:
                return store.save(capture.finish(options.person))
    raise CommandError(
        f"The input ended before {options.start + options.capture.duration_s:g} seconds: take a longer one, or a"
        " smaller --start."
    )
