"""`demo`: the bundled clip, tracked and rendered."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse, progress_bar
from app.jobs.track import Progress, RenderRequest, TrackJobs, TrackRequest
from recordings.video import Codec
from rendering import Scene, Viewpoint

DEMO_CLIP = Path(__file__).resolve().parent.parent / "assets" / "cap13_edit2.mp4"
PANE = (480, 360)
SCENE = Scene(viewpoint=Viewpoint(zoom=1.3))


class Options(BaseModel):
    """Track and render the clip that comes with Mien.

    Writes demo.mp4 (the picture, the mesh over it, the animated head), frames.csv and session.json.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Path = Path("out") / "demo"
    """Folder for the results."""
    exit_after_clip: bool = False
    """Close the window at the end of the clip. Without a window the program ends with the clip anyway."""
    codec: Codec = "h264"
    """Of the video."""
    seconds: float | None = Field(default=None, gt=0)
    """Stop after so many seconds of the clip."""


def run(args: Sequence[str], prog: str) -> int:
    """Run the demo; returns the exit status."""
    options = parse(Options, args, prog)
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
