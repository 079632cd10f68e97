"""`track`: inputs into tables, manifests and rendered videos."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse, progress_bar
from app.cli.main import FAILED, UNUSABLE
from app.errors import CommandError, sentence_for
from app.jobs.inputs import PlannedInput, plan_inputs
from app.jobs.track import Progress, RenderRequest, TrackJobs, TrackOutcome, TrackRequest
from app.settings import load_settings
from models.face_model import load_face_model
from recordings.video import Codec, check_target
from rendering import Scene
from rendering.look import read_look
from tracking import TrackerSettings
from tracking.calibration import Calibration
from tracking.calibration_store import CalibrationStore

ViewName = Literal["textured", "clay", "wireframe", "tension", "overlay"]


class Options(BaseModel):
    """Track faces in videos, pictures, folders or a camera.

    Each input gives frames.csv (one row a picture) and session.json (what made it). A single input's results lie in
    the output folder itself; several inputs, or a folder of videos, get a folder each below it. The pictures of a
    folder are tracked one by one, without smoothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="INPUT...")] = ()
    """Videos, pictures, folders of either, demo for the clip that comes with Mien, or a camera (camera:0, camera:NAME;
    Ctrl-C ends it)."""
    out: Path
    """Folder for the results; made if it does not exist."""
    render: Path | None = None
    """Also render a video; in a batch each input's lies in its own folder under this name."""
    view: ViewName = "textured"
    """What the video shows."""
    codec: Codec = "h264"
    """Of the video."""
    scene: Path | None = None
    """Background, camera and light of the video: a .scene.json that the window has written."""
    raw: bool = False
    """Write values as fitted, neither calibrated nor smoothed."""
    input_is_mirrored: bool = False
    """The input is a mirror image (many webcam programs save one): un-mirror it first."""
    calibration: str | None = None
    """Person whose stored neutral face is taken out of the values."""
    face_model: Path | None = None
    """Track with this face model file instead of the shipped one."""
    seconds: float | None = Field(default=None, gt=0)
    """Stop each input after so many seconds."""
    tracker: Annotated[TrackerSettings, tyro.conf.arg(name="")] = TrackerSettings()
    """How faces are tracked. Defaults come from the settings file."""


def run(args: Sequence[str], prog: str) -> int:
    """Track what the command line names; returns the exit status."""
    settings = load_settings(warn=_warn)
    options = parse(Options, args, prog, default=Options.model_construct(out=tyro.MISSING, tracker=settings.tracker))
    planned = plan_inputs(options.inputs, options.out)
    if options.render is not None:
        check_target(options.render, options.codec)
    # Read once, and before anything is tracked.
    scene = Scene() if options.scene is None else read_look(options.scene).on(Scene())
    calibration = load_calibration(options.calibration)
    model = load_face_model(options.face_model) if options.face_model else None
    failures = 0
    with TrackJobs(model) as jobs, progress_bar() as bar:
        for item in planned:
            try:
                outcome = jobs.run(
                    _request(options, item, calibration, scene, alone=len(planned) == 1), Progress(bar.start, bar.step)
                )
            except Exception as error:
                sentence = sentence_for(error)
                if sentence is None or len(planned) == 1:
                    raise
                failures += 1
                _warn(sentence)
                continue
            _report(item, outcome)
    if failures:
        _warn(f"{failures} of {len(planned)} inputs failed.")
        return UNUSABLE if failures == len(planned) else FAILED
    return 0


def load_calibration(person: str | None) -> Calibration | None:
    """A person's stored calibration, None for nobody.

    Raises:
        CommandError: there is none of this person.
        CalibrationFileError: it cannot be read.
    """
    if person is None:
        return None
    store = CalibrationStore()
    found = store.load(person)
    if found is None:
        people = ", ".join(store.people()) or "nobody"
        raise CommandError(f"There is no calibration of {person}: {store.folder} has {people}.")
    return found


def _request(
    options: Options, item: PlannedInput, calibration: Calibration | None, scene: Scene, *, alone: bool
) -> TrackRequest:
    render = None
    if options.render is not None:
        path = options.render if alone else item.folder / options.render.name
        render = RenderRequest(path, (options.view,), options.codec, scene=scene)
    return TrackRequest(
        spec=item.spec,
        folder=item.folder,
        command="track",
        settings=options.tracker,
        calibration=calibration,
        raw=options.raw,
        mirrored=options.input_is_mirrored,
        seconds=options.seconds,
        render=render,
    )


def _report(item: PlannedInput, outcome: TrackOutcome) -> None:
    for sentence in outcome.warnings:
        _warn(sentence)
    print(f"{item.spec}: a face in {outcome.valid_frames} of {outcome.frames} pictures -> {item.folder}")


def _warn(sentence: str) -> None:
    print(sentence, file=sys.stderr)
