"""Which inputs a batch consists of, and where the results of each go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.demo_clip import named_input
from app.errors import CommandError
from tracking.sources.images import IMAGE_SUFFIXES, natural_key

VIDEO_SUFFIXES = frozenset(
    f".{kind}"
    for kind in (
        *("3gp", "asf", "avi", "flv", "gif", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf"),
        *("ogv", "ts", "vob", "webm", "wmv"),
    )
)
"""Which files of a folder count as videos. A file that is named by itself is tried whatever its suffix."""


@dataclass(frozen=True, slots=True)
class PlannedInput:
    """One input of a batch.

    Attributes:
        spec: what `open_source` takes.
        folder: where its results go.
    """

    spec: str
    folder: Path


def plan_inputs(inputs: Sequence[str], out: Path) -> list[PlannedInput]:
    """The inputs that were asked for, one by one.

    A folder with videos stands for each of them; its pictures, if there are any, are one more input. A folder with
    pictures alone is one input. A single input's results go into `out` itself, those of several into a folder each.

    Raises:
        CommandError: nothing was asked for, or a folder holds neither videos nor pictures.
    """
    if not inputs:
        raise CommandError("Nothing to track is named: give videos, pictures, folders or camera:0.")
    specs: list[str] = []
    batch = len(inputs) > 1
    for item in map(named_input, inputs):
        videos = _videos_in(item)
        if videos:
            batch = True
            specs += [str(path) for path in videos]
            if _has_pictures(Path(item)):
                specs.append(item)
        else:
            specs.append(item)
    if not batch:
        return [PlannedInput(specs[0], out)]
    taken: set[str] = set()
    return [PlannedInput(spec, out / _free_name(spec, taken)) for spec in specs]


def _videos_in(item: str) -> list[Path]:
    folder = Path(item).expanduser()
    if not folder.is_dir():
        return []
    try:
        files = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    except OSError as error:
        raise CommandError(f"The folder {item} cannot be read ({error.strerror}): check its permissions.") from error
    videos = sorted((p for p in files if p.suffix.lower() in VIDEO_SUFFIXES), key=natural_key)
    if not videos and not any(p.suffix.lower() in IMAGE_SUFFIXES for p in files):
        raise CommandError(f"There is neither a video nor a picture in the folder {item}: choose another one.")
    return videos


def _has_pictures(folder: Path) -> bool:
    return any(p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".") for p in folder.iterdir())


def _free_name(spec: str, taken: set[str]) -> str:
    """A folder name for an input that no other input of the batch has, on any file system."""
    path = Path(spec).expanduser()
    plain = path.resolve().name if path.is_dir() else path.stem
    base = "".join(c if c.isalnum() or c in " ._-()" else "-" for c in plain).strip(" .") or "input"
    name, number = base, 1
    while name.casefold() in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name.casefold())
    return name
