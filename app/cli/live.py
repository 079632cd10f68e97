"""`live`: a face to other programs, without a window."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse, terminal
from app.cli.interrupt import check_interrupt
from app.cli.main import FAILED
from app.cli.track import load_calibration
from app.jobs.live import LiveRequest, LiveStatus, run_live, stream_of
from app.settings import load_settings
from rendering import Scene
from rendering.look import read_look
from rendering.subject import OWN, Subject
from rendering.virtual_camera.settings import read_settings
from tracking import TrackerSettings


class Options(BaseModel):
    """Track a camera, a video or a phone's face, and send it on.

    Streams are named PROTOCOL, PROTOCOL:PORT or PROTOCOL@ADDRESS:PORT, with the protocols vmc, live_link, ifacialmocap,
    vtube_studio and open_see_face. Without an address nothing leaves this computer. Ctrl-C ends it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: str
    """A camera (camera:0, camera:NAME), a video, demo for the clip that comes with Mien, or what another program or a
    phone sends: live_link, ifacialmocap or vmc; with @ADDRESS to listen on for other machines, :PORT, and for
    ifacialmocap +PHONE, the phone's address."""
    stream: tuple[str, ...] = ()
    """Where to send to."""
    virtual_camera: bool = False
    """Show the head as a camera that other programs can choose."""
    layout: Literal["avatar", "overlay", "split"] = "avatar"
    """What the virtual camera shows: the head, the face over the picture, or both side by side."""
    size: tuple[int, int] = (1280, 720)
    """Of the virtual camera."""
    fps: int = Field(default=30, ge=1, le=60)
    """Of the virtual camera."""
    background: Literal["scene", "colour", "key"] = "scene"
    """Behind the head; key is green, to be keyed out."""
    backend: str = "auto"
    """Back end of the virtual camera."""
    device: str | None = None
    """Device of the virtual camera, where there are several."""
    avatar: str | None = None
    """Whose head the virtual camera shows: an avatar's name, or a .mien, .vrm or .glb file; otherwise your own."""
    scene: Path | None = None
    """Background, camera and light that the virtual camera shows it with: a .scene.json that the window has written."""
    loop: bool = False
    """A video starts over at its end."""
    seconds: float | None = Field(default=None, gt=0)
    """Stop after so many seconds."""
    input_is_mirrored: bool = False
    """The input is a mirror image: un-mirror it first."""
    calibration: str | None = None
    """Person whose stored neutral face is taken out of the values."""
    tracker: Annotated[TrackerSettings, tyro.conf.arg(name="")] = TrackerSettings()
    """How faces are tracked. Defaults come from the settings file."""


def run(args: Sequence[str], prog: str) -> int:
    """Send until it is ended; returns the exit status."""
    settings = load_settings(warn=_warn)
    options = parse(Options, args, prog, default=Options.model_construct(input=tyro.MISSING, tracker=settings.tracker))
    camera = None
    if options.virtual_camera:
        camera = read_settings(
            {
                "width": options.size[0],
                "height": options.size[1],
                "fps": options.fps,
                "layout": options.layout,
                "background": options.background,
                "backend": options.backend,
                "device": options.device,
            }
        )
    request = LiveRequest(
        spec=options.input,
        streams=tuple(stream_of(text) for text in options.stream),
        camera=camera,
        subject=OWN if options.avatar is None else replace(subject_of(options.avatar), detail=options.tracker.detail),
        scene=Scene() if options.scene is None else read_look(options.scene).on(Scene()),
        tracker=options.tracker,
        calibration=load_calibration(options.calibration),
        mirrored=options.input_is_mirrored,
        loop=options.loop,
        seconds=options.seconds,
    )
    for stream in request.streams:
        if stream.outside:
            _warn(f"{stream.title} leaves this computer, unencrypted, for {stream.place}.")
    with _display() as watch:
        status = run_live(request, watch)
    failed = not status.camera_works
    if status.camera and failed:
        _warn(status.camera)
    for sent in status.streams:
        if sent.problem:
            _warn(sent.problem)
        print(f"{sent.name}: {sent.packets} packets to {', '.join(sent.clients) or sent.place}")
    return FAILED if failed else 0


def subject_of(wanted: str) -> Subject:
    """An avatar by its name, or by its file.

    Raises:
        AvatarFileError: there is no such avatar, or its file cannot be used.
        CommandError: the file is no avatar's.
    """
    from app.avatar_store import AvatarStore
    from app.live.avatars import load_subject

    path = Path(wanted).expanduser()
    return load_subject(path if path.is_file() else AvatarStore().find(wanted))[0]


@contextmanager
def _display() -> Iterator[Callable[[LiveStatus], None]]:
    console = terminal()
    if not console.is_terminal:
        yield lambda status: check_interrupt()
        return
    with console.status("starting") as line:

        def watch(status: LiveStatus) -> None:
            check_interrupt()
            line.update(_line(status))

        yield watch


def _line(status: LiveStatus) -> str:
    parts = [f"{status.pipeline.tracking_fps:.0f} tracked a second"]
    parts += [f"{s.name} {s.rate:.0f}/s" if s.problem is None else f"{s.name}: {s.problem}" for s in status.streams]
    if status.camera:
        parts.append(f"virtual camera {status.camera}")
    return " · ".join(parts)


def _warn(sentence: str) -> None:
    print(sentence, file=sys.stderr)
