"""`export`: sessions into files that other programs read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.errors import CommandError
from recordings.exporters import FORMATS, ExportOptions, export_session
from recordings.reader import Session, open_session


@dataclass(frozen=True, slots=True)
class PlannedExport:
    """A session's folder and where it goes."""

    folder: Path
    out: Path


class ExportProgress(Protocol):
    """Told how an export goes on."""

    def start(self, name: str, total: int | None) -> None:
        """A session begins: `total` frames, None where unknown."""

    def step(self) -> None:
        """A frame is done."""


def plan_exports(folders: Sequence[Path], name: str, out: Path) -> list[PlannedExport]:
    """Where each session goes: a single one to `out` itself, several into the folder `out` under their own names.

    Raises:
        CommandError: there is no such format, no session, or two would get the same name.
    """
    if name not in FORMATS:
        raise CommandError(f"There is no format {name}: choose one of {', '.join(FORMATS)}.")
    if not folders:
        raise CommandError("Name at least one session: the folder that `record` or `track` wrote.")
    suffix = FORMATS[name].suffix
    if len(folders) > 1:
        planned = [PlannedExport(f, out / f"{f.resolve().name}{suffix}") for f in folders]
        if len({item.out for item in planned}) < len(planned):
            raise CommandError("Two of the sessions have the same name: export them one by one.")
        return planned
    if suffix and out.is_dir():
        out = out / f"{folders[0].resolve().name}{suffix}"
    elif suffix and not out.suffix:
        out = out.with_name(out.name + suffix)
    elif suffix and out.suffix.lower() != suffix and not (name == "usd" and out.suffix in (".usd", ".usda")):
        raise CommandError(f"{out.name} is not a name for {name}: end it with {suffix}.")
    return [PlannedExport(folders[0], out)]


def run_export(planned: PlannedExport, name: str, options: ExportOptions, progress: ExportProgress) -> None:
    """Exports one session.

    Raises:
        SessionFileError, ExportError
    """
    session = open_session(planned.folder)
    _refuse_replacing(session, planned.out)
    done_before = 0

    def note(done: int, total: int) -> None:
        nonlocal done_before
        if done_before == 0:
            progress.start(session.name, total)
        for _ in range(done - done_before):
            progress.step()
        done_before = max(done, done_before)

    export_session(session, name, planned.out, options, note)


def _refuse_replacing(session: Session, out: Path) -> None:
    """Nothing of the session itself may be replaced.

    Raises:
        CommandError
    """
    media, parameters = session.manifest.media, session.manifest.parameters
    own = {"session.json", parameters.file, media.video, media.audio}
    inside = out.exists() and out.resolve().parent == session.folder.resolve()
    if inside and (out.name in own or out.suffix in (".mcap", ".mkv")):
        raise CommandError(f"{out} belongs to the session: choose another name for the export.")
