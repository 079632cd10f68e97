"""`avatar`: make avatars of people, keep them, pass them on, look at them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict, Field

from app.cli.console import parse, progress_bar
from app.cli.lines import LineBar

Name = Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class CreateOptions(_Options):
    """Make an avatar of a person: shape, skin, colours of hair and eyes, resting face.

    Turn the head slowly to both sides, smile, open the mouth, raise the brows, and rest. Ctrl-C stops; the same command
    goes on from there.
    """

    name: Name
    """What to call it."""
    source: Annotated[str, tyro.conf.arg(name="from", metavar="SOURCE")]
    """A camera (camera:0, camera:NAME), a recorded session, a video, a picture or a folder of pictures of one person,
    or demo for the clip that comes with Mien; the calmest picture is taken as the face at rest. `capture` goes on with
    the guided capture of this name, which was made in the window."""
    seconds: float | None = Field(default=None, gt=0)
    """How much of it is used; otherwise 20 seconds of a camera and all of a video."""
    input_is_mirrored: bool = False
    """The input is a mirrored picture."""
    replace: bool = False
    """Replace an avatar of this name."""
    restart: bool = False
    """Start anew instead of going on with unfinished work."""
    adapters: bool = False
    """Also train adapters that make the coarse network this person's, a minute or two. Tracking takes them with
    --coarse.mode lead (or opinion) and --coarse.person FILE."""
    licence: str = ""
    """Under which terms others may use the file."""
    consent: str | None = None
    """What the person shown has agreed to; otherwise: yourself, or somebody who agreed."""


class ListOptions(_Options):
    """List your avatars and those that ship with Mien."""

    thumbnails: Path | None = None
    """Also draw all of them into this PNG file."""


class ExportOptions(_Options):
    """Write a copy of an avatar, for another computer or another person."""

    name: Name
    """Which one."""
    to: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")] = Path()
    """File or folder; by default the current folder."""
    replace: bool = False
    """Replace a file that is there."""


class ImportOptions(_Options):
    """Take an avatar file into your collection. It is checked from end to end; nothing in it is executed."""

    file: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")]
    """The .mien file."""
    name: str | None = None
    """What to call it; otherwise by its own name."""
    replace: bool = False
    """Replace an avatar of this name."""


class RenameOptions(_Options):
    """Give an avatar another name."""

    name: Name
    """Which one."""
    new: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NEW")]
    """Its new name."""


class DeleteOptions(_Options):
    """Delete an avatar for good."""

    name: Name
    """Which one."""


class SheetOptions(_Options):
    """Draw a sheet to judge an avatar by: the picture it came from, front, sides, clay with wrinkles, expressions."""

    name: Name
    """Which one."""
    out: Path
    """PNG file."""
    source: Annotated[str | None, tyro.conf.arg(name="from", metavar="SOURCE")] = None
    """A video or picture, or demo, whose calmest face is shown beside it; without one the texture is."""


def run_create(args: Sequence[str], prog: str) -> int:
    """Make an avatar; returns the exit status."""
    options = parse(CreateOptions, args, prog)
    from app.avatar_store import AvatarStore
    from app.demo_clip import named_input
    from app.jobs.avatar import CONSENT, AvatarRequest, create_avatar
    from app.jobs.track import Progress

    request = AvatarRequest(
        name=options.name,
        source=named_input(options.source),
        seconds=options.seconds,
        mirrored=options.input_is_mirrored,
        replace_old=options.replace,
        licence=options.licence,
        consent=CONSENT if options.consent is None else options.consent,
        restart=options.restart,
        adapters=options.adapters,
    )
    with progress_bar() as bar:
        show = bar.show if isinstance(bar, LineBar) else None
        outcome = create_avatar(request, AvatarStore(), Progress(bar.start, bar.step, show))
    if outcome.resumed:
        print("Went on from unfinished work.", file=sys.stderr)
    for sentence in outcome.advice:
        print(sentence, file=sys.stderr)
    print(f"The avatar {options.name} is stored in {outcome.path} ({outcome.path.stat().st_size / 1e6:.1f} MB).")
    return 0


def run_list(args: Sequence[str], prog: str) -> int:
    """List avatars; returns the exit status."""
    options = parse(ListOptions, args, prog)
    from app.avatar_store import AvatarStore

    entries = AvatarStore().entries()
    width = max((len(entry.name) for entry in entries), default=4)
    for entry in entries:
        if entry.problem:
            print(f"{entry.path}: {entry.problem}", file=sys.stderr)
            continue
        origin = "ships with Mien" if entry.shipped else f"made {entry.created:%Y-%m-%d}"
        print(f"{entry.name:{width}}  {entry.kind:9}  {origin}")
    if options.thumbnails is not None:
        from app.avatar_pictures import contact_sheet

        _write_png(options.thumbnails, contact_sheet(entries))
    return 0


def run_export(args: Sequence[str], prog: str) -> int:
    """Export an avatar; returns the exit status."""
    options = parse(ExportOptions, args, prog)
    from app.avatar_store import AvatarStore

    path = AvatarStore().export(options.name, options.to, replace_old=options.replace)
    print(f"The avatar {options.name} is written to {path}.")
    return 0


def run_import(args: Sequence[str], prog: str) -> int:
    """Import an avatar; returns the exit status."""
    options = parse(ImportOptions, args, prog)
    from app.avatar_store import AvatarStore

    manifest = AvatarStore().import_file(options.file, options.name, replace_old=options.replace)
    print(f"The avatar {manifest.name} is in your collection.")
    if manifest.licence:
        print(f"Licence: {manifest.licence}")
    return 0


def run_rename(args: Sequence[str], prog: str) -> int:
    """Rename an avatar; returns the exit status."""
    options = parse(RenameOptions, args, prog)
    from app.avatar_store import AvatarStore

    AvatarStore().rename(options.name, options.new)
    print(f"The avatar {options.name} is called {options.new} now.")
    return 0


def run_delete(args: Sequence[str], prog: str) -> int:
    """Delete an avatar; returns the exit status."""
    options = parse(DeleteOptions, args, prog)
    from app.avatar_store import AvatarStore

    AvatarStore().delete(options.name)
    print(f"The avatar {options.name} is deleted.")
    return 0


def run_sheet(args: Sequence[str], prog: str) -> int:
    """Draw a sheet; returns the exit status."""
    options = parse(SheetOptions, args, prog)
    from app.avatar_pictures import avatar_sheet
    from app.avatar_store import AvatarStore
    from app.demo_clip import named_input
    from app.jobs.avatar import example_picture
    from models.face_model import load_face_model

    avatar = AvatarStore().load(options.name)
    capture = None if options.source is None else example_picture(named_input(options.source))
    _write_png(options.out, avatar_sheet(avatar, load_face_model(), capture))
    print(f"The sheet of {options.name} is {options.out}.")
    return 0


def _write_png(path: Path, picture: object) -> None:
    """Raises CommandError where the file cannot be written."""
    import cv2
    import numpy as np

    from app.errors import CommandError

    ok, encoded = cv2.imencode(".png", cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR))
    assert ok
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise CommandError(f"{path} cannot be written ({error.strerror}): choose another place.") from error
