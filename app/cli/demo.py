"""`demo`: the bundled clip, tracked live in the window, or rendered where there is no display."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse, progress_bar
from app.cli.quick_start import quick_start
from app.demo_clip import DEMO_CLIP
from app.machine import has_display
from recordings.video import Codec
from rendering import Scene, Viewpoint

PANE = (480, 360)
SCENE = Scene(viewpoint=Viewpoint(zoom=1.3))


class Options(BaseModel):
    """Show the clip that comes with Mien in the window; where there is no display, track and render it.

    Without a window (or with --headless) it writes demo.mp4 (the picture, the mesh over it, the animated head),
    frames.csv and session.json.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Path = Path("out") / "demo"
    """Folder for the results."""
    exit_after_clip: bool = False
    """Close the window at the end of the clip. Without a window the program ends with the clip anyway."""
    headless: bool = False
    """Track and render without a window even where there is a display."""
    codec: Codec = "h264"
    """Of the video."""
    seconds: float | None = Field(default=None, gt=0)
    """Stop after so many seconds of the clip."""


def run(args: Sequence[str], prog: str) -> int:
    """Run the demo; returns the exit status."""
    options = parse(Options, args, prog)
    if has_display() and not options.headless:
        return show_in_window(options)
    return track_and_render(options)


def show_in_window(options: Options) -> int:
    """The window on the demo clip, until it is closed."""
    with quick_start():
        from app.window.run import DEMO, leave, run_window

    session = run_window(DEMO, once=options.exit_after_clip, remember_source=False).director.session
    if options.exit_after_clip:
        print(f"A face in {session.valid} of {session.tracked} pictures.")
    return leave(0)


def track_and_render(options: Options) -> int:
    """Files instead of a window."""
    from app.jobs.track import Progress, RenderRequest, TrackJobs, TrackRequest

    name = "demo.mp4"
    request = TrackRequest(
        spec=str(DEMO_CLIP),
        folder=options.out,
        command="demo",
        seconds=options.seconds,
        render=RenderRequest(options.out / name, ("input", "overlay", "textured"), options.codec, PANE, SCENE),
    )
    with TrackJobs() as jobs, progress_bar() as bar:
        outcome = jobs.run(request, Progress(bar.start, bar.step))
    for sentence in outcome.warnings:
        print(sentence, file=sys.stderr)
    print(f"A face in {outcome.valid_frames} of {outcome.frames} pictures. The video is {request.folder / name},")
    print(f"the values are {request.folder / 'frames.csv'}.")
    return 0
