"""`clean` and `reprocess`: new sessions out of recorded ones."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict

from app.cli.console import parse, progress_bar
from app.cli.track import load_calibration
from app.jobs.derive import clean_session, media_to_track, new_folder
from app.jobs.track import Progress, TrackJobs, TrackRequest
from app.settings import load_settings
from recordings.cleanup import CleanUp
from recordings.reader import open_session
from tracking import TrackerSettings


class CleanOptions(BaseModel):
    """Clean up the curves of a session: bridge gaps, take out spikes, smooth without delay.

    The session stays as it is; a new one is written beside it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="SESSION")]
    """Folder of the session."""
    out: Path | None = None
    """Folder of the new session; otherwise beside the old one, with -clean after its name."""
    clean_up: Annotated[CleanUp, tyro.conf.arg(name="")] = CleanUp()
    """What to do."""


class ReprocessOptions(BaseModel):
    """Track a session's pictures again, with other settings or a newer Mien.

    The session stays as it is; a new one is written beside it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="SESSION")]
    """Folder of the session."""
    out: Path | None = None
    """Folder of the new session; otherwise beside the old one, with -reprocessed after its name."""
    raw: bool = False
    """Write values as fitted, neither calibrated nor smoothed."""
    calibration: str | None = None
    """Person whose stored neutral face is taken out of the values."""
    tracker: Annotated[TrackerSettings, tyro.conf.arg(name="")] = TrackerSettings()
    """How faces are tracked. Defaults come from the settings file."""


def run_clean(args: Sequence[str], prog: str) -> int:
    """Clean a session up; returns the exit status."""
    options = parse(CleanOptions, args, prog)
    session = open_session(options.session)
    folder = new_folder(session, options.out, "clean")
    bridged = clean_session(session, options.clean_up, folder)
    print(f"{options.session}: {len(session.track)} frames cleaned, {bridged} bridged -> {folder}")
    return 0


def run_reprocess(args: Sequence[str], prog: str) -> int:
    """Track a session again; returns the exit status."""
    settings = load_settings(warn=_warn)
    default = ReprocessOptions.model_construct(session=tyro.MISSING, tracker=settings.tracker)
    options = parse(ReprocessOptions, args, prog, default=default)
    session = open_session(options.session)
    video, mirrored = media_to_track(session)
    folder = new_folder(session, options.out, "reprocessed")
    request = TrackRequest(
        spec=str(video.resolve()),
        folder=folder,
        command="reprocess",
        settings=options.tracker,
        calibration=load_calibration(options.calibration),
        raw=options.raw,
        mirrored=mirrored,
    )
    with TrackJobs() as jobs, progress_bar() as bar:
        outcome = jobs.run(request, Progress(bar.start, bar.step))
    for sentence in outcome.warnings:
        _warn(sentence)
    print(f"{options.session}: a face in {outcome.valid_frames} of {outcome.frames} pictures -> {folder}")
    return 0


def _warn(sentence: str) -> None:
    print(sentence, file=sys.stderr)
