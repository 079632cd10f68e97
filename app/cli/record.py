"""`record`: a camera or a clip into a session folder that survives whatever happens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse, terminal
from app.cli.interrupt import check_interrupt
from app.cli.lines import LineBar, wanted, watch_input
from app.cli.main import FAILED
from app.cli.track import load_calibration
from app.jobs.record import RecordRequest, record
from app.settings import load_settings
from recordings.recorder_types import RecorderSettings, RecorderState, RecorderStatus, RecordingOutcome
from recordings.recovery import find_unfinished
from tracking import TrackerSettings
from tracking.pipeline import PipelineStatus


class Options(BaseModel):
    """Record pictures, sound and all that is tracked.

    The session's folder holds video.mkv (pictures and sound), records.mcap (every tracked frame), frames.csv and
    session.json. Ctrl-C ends the recording. One that was cut short is mended by `recover`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: str
    """A camera (camera:0, camera:NAME), a video, or demo for the clip that comes with Mien."""
    out: Path
    """Folder for the session; must be new or empty."""
    take: str | None = None
    """Name of a take that begins with the recording."""
    no_picture: bool = False
    """Do not store the pictures: only what was tracked, and sound."""
    codec: Literal["h264", "vp9"] = "h264"
    """Of the pictures."""
    audio: str = "default"
    """Microphone (number, name or part of a name), none, or default: a clip's own sound, else the system's choice."""
    audio_offset_ms: float = Field(default=0.0, ge=-5000.0, le=5000.0)
    """Let the sound come so much later (or, below 0, earlier)."""
    timecode: Literal["clock", "zero"] = "clock"
    """Count from the time of day, or from 00:00:00:00."""
    seconds: float | None = Field(default=None, gt=0)
    """Stop after so many seconds."""
    detail: bool = True
    """Store the relief of the skin, too."""
    paced: bool = False
    """Read a file at its own pace, as if it were a camera; otherwise every picture of it is recorded."""
    reserve_mb: float = Field(default=500.0, ge=0.0)
    """Space to leave free on the disk: the recording ends before."""
    input_is_mirrored: bool = False
    """The input is a mirror image: un-mirror it first."""
    calibration: str | None = None
    """Person whose stored neutral face is taken out of the values."""
    tracker: Annotated[TrackerSettings, tyro.conf.arg(name="")] = TrackerSettings()
    """How faces are tracked. Defaults come from the settings file."""


def run(args: Sequence[str], prog: str) -> int:
    """Record what the command line names; returns the exit status."""
    settings = load_settings(warn=_warn)
    defaults = Options.model_construct(input=tyro.MISSING, out=tyro.MISSING, tracker=settings.tracker)
    options = parse(Options, args, prog, default=defaults)
    request = RecordRequest(
        spec=options.input,
        folder=options.out,
        recorder=RecorderSettings(
            picture=not options.no_picture,
            codec=options.codec,
            detail=options.detail,
            audio_offset_ms=options.audio_offset_ms,
            reserve_bytes=round(options.reserve_mb * 1e6),
            timecode=options.timecode,
            take=options.take,
        ),
        audio=options.audio,
        tracker=options.tracker,
        calibration=load_calibration(options.calibration),
        mirrored=options.input_is_mirrored,
        paced=options.paced,
        seconds=options.seconds,
    )
    _offer_recovery(options.out.absolute().parent, prog)
    with _display() as watch:
        outcome = record(request, watch)
    return _report(outcome)


def _report(outcome: RecordingOutcome) -> int:
    for sentence in outcome.warnings:
        _warn(sentence)
    print(
        f"{outcome.frames} pictures and {outcome.faces} tracked frames (a face in {outcome.valid_faces}),"
        f" {outcome.seconds:.1f} s -> {outcome.folder}"
    )
    return 0 if outcome.complete and outcome.frames else FAILED


def _offer_recovery(folder: Path, prog: str) -> None:
    for session in find_unfinished(folder):
        _warn(f"The recording {session.folder} was cut short: `{prog.removesuffix('record')}recover DIR` mends it.")


@contextmanager
def _display() -> Iterator[Callable[[RecorderStatus, PipelineStatus], None]]:
    """Shows how a recording goes on: a line on a terminal, lines for a window that watches."""
    if wanted():
        watch_input()
        bar = LineBar()
        bar.start("recording", None)
        yield _Steps(bar).watch
        return
    console = terminal()
    if not console.is_terminal:
        yield lambda recorder, pipeline: check_interrupt()
        return
    with console.status("waiting for the first picture") as line:

        def watch(recorder: RecorderStatus, pipeline: PipelineStatus) -> None:
            check_interrupt()
            line.update(_line(recorder, pipeline))

        yield watch


class _Steps:
    """Turns counts of pictures into steps of a bar."""

    def __init__(self, bar: LineBar) -> None:
        self._bar = bar
        self._shown = 0

    def watch(self, recorder: RecorderStatus, pipeline: PipelineStatus) -> None:
        check_interrupt()
        while self._shown < recorder.frames:
            self._shown += 1
            self._bar.step()


def _line(recorder: RecorderStatus, pipeline: PipelineStatus) -> str:
    """One line on how it goes; without markup, since device names may hold brackets."""
    from rich.markup import escape

    minutes, seconds = divmod(int(recorder.seconds), 60)
    parts = [
        "finishing" if recorder.state is RecorderState.FINISHING else f"{minutes:02d}:{seconds:02d}",
        recorder.timecode,
        f"{pipeline.capture_fps:.1f} pictures/s",
        f"{recorder.lost_frames} lost",
    ]
    if recorder.audio is not None:
        parts.append(f"{recorder.audio.peak_db:.0f} dB")
    if recorder.disk_seconds_left is not None:
        parts.append(f"room for {recorder.disk_seconds_left / 3600:.1f} h")
    parts += recorder.problems
    return escape("  ".join(part for part in parts if part))


def _warn(sentence: str) -> None:
    print(sentence, file=sys.stderr)
