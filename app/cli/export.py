"""`export`: sessions into files that other programs read."""

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
from app.jobs.export import plan_exports, run_export
from recordings.exporters import FORMATS, ExportOptions

FormatName = Literal[
    "livelink-csv", "csv", "parquet", "npz", "glb", "usd", "obj", "ply", "bvh", "mp4", "webm", "png", "rrd"
]
ViewName = Literal["textured", "clay", "wireframe", "tension", "overlay", "input"]


class Options(BaseModel):
    """Export sessions that `track` or `record` wrote.

    One session goes to --out itself (a file, or a folder for obj, ply and png); several go into the folder --out under
    their own names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sessions: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="SESSION...")] = ()
    """Folders of sessions."""
    format: FormatName
    """What to write."""
    out: Path
    """The file or folder."""
    start: float | None = Field(default=None, ge=0)
    """Second of the session at which to begin."""
    end: float | None = Field(default=None, gt=0)
    """Second of the session at which to end."""
    fps: float | None = Field(default=None, ge=1, le=240)
    """Frames a second; otherwise each frame keeps its own time, or the session's rate where a format counts frames."""
    wrinkles: bool = False
    """Also the relief of the skin, in glb, usd, obj and ply, where the session was recorded with detail."""
    wrinkle_shapes: int = Field(default=8, ge=1, le=32)
    """Components that the relief is made of in glb."""
    view: ViewName = "textured"
    """What pictures show; overlay and input need the session's own pictures."""
    size: tuple[int, int] | None = None
    """Width and height of pictures; otherwise the session's."""
    no_audio: bool = False
    """Leave the sound out of videos."""
    background: bool = False
    """Give png pictures a background."""


def run(args: Sequence[str], prog: str) -> int:
    """Export what the command line names; returns the exit status."""
    options = parse(Options, args, prog)
    planned = plan_exports(options.sessions, options.format, options.out)
    wanted = ExportOptions(
        start_s=options.start,
        end_s=options.end,
        fps=options.fps,
        wrinkles=options.wrinkles,
        wrinkle_shapes=options.wrinkle_shapes,
        view=options.view,
        size=options.size,
        audio=not options.no_audio,
        transparent=not options.background,
    )
    if options.wrinkles and not FORMATS[options.format].relief:
        raise CommandError(
            f"{options.format} cannot carry wrinkles: leave --wrinkles out, or choose glb, usd, obj or ply."
        )
    failures = 0
    with progress_bar() as bar:
        for item in planned:
            try:
                run_export(item, options.format, wanted, bar)
            except Exception as error:
                sentence = sentence_for(error)
                if sentence is None or len(planned) == 1:
                    raise
                failures += 1
                print(sentence, file=sys.stderr)
                continue
            print(f"{item.folder} -> {item.out}")
    if failures:
        print(f"{failures} of {len(planned)} sessions could not be exported.", file=sys.stderr)
        return UNUSABLE if failures == len(planned) else FAILED
    return 0
