"""New sessions out of recorded ones: cleaned curves, or the pictures tracked again. The old ones stay as they are."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from app.errors import CommandError
from recordings.cleanup import CleanUp, clean
from recordings.exporters.base import part_folder
from recordings.exporters.tables import write_csv
from recordings.manifest import MediaPart, SessionManifest, SourcePart, write_manifest
from recordings.reader import Session
from recordings.session import TABLE_NAME
from recordings.versions import software_versions

__all__ = ["clean_session", "media_to_track", "new_folder"]


def new_folder(session: Session, out: Path | None, suffix: str) -> Path:
    """Where the new session goes: `out`, or beside the old one under its name with `suffix`.

    Raises:
        CommandError: something is there already.
    """
    old = session.folder.resolve()
    folder = out or next(
        f for n in range(1, 1000) if not (f := old.with_name(f"{old.name}-{suffix}{'' if n == 1 else n}")).exists()
    )
    if folder.resolve() == old or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise CommandError(f"{folder} exists and is not empty: choose a new folder with --out.")
    return folder


def media_to_track(session: Session) -> tuple[Path, bool]:
    """The session's pictures, and whether they are mirrored as they lie there.

    Raises:
        CommandError: it has none.
    """
    path = session.video_path()
    if path is None:
        raise CommandError(
            f"{session.name} has no pictures (recorded without, or the tracked file is gone): there is nothing to"
            " track again."
        )
    return path, session.manifest.source.mirrored and not session.manifest.media.present


def clean_session(session: Session, settings: CleanUp, folder: Path) -> int:
    """Writes a new session with cleaned curves; it points at the old one's pictures.

    Args:
        session: to clean.
        settings: what to do.
        folder: new, see `new_folder`.

    Returns:
        How many frames without a face were bridged.

    Raises:
        ExportError: the folder cannot be written to.
        CommandError: the settings change nothing.
    """
    if not settings.any:
        raise CommandError("Nothing to clean: give --smooth-s, --smooth-head-s, --fill-gaps-s or --spikes.")
    track = clean(session.track, settings)
    manifest = _derived(session)
    manifest.command = "clean"
    manifest.parameters = session.manifest.parameters.model_copy(deep=True)
    manifest.parameters.file = TABLE_NAME
    manifest.parameters.settings["clean_up"] = settings.model_dump(mode="json")
    manifest.parameters.frames = len(track)
    manifest.parameters.valid_frames = int(track.valid.sum())
    manifest.calibration = session.manifest.calibration
    with part_folder(folder) as part:
        write_csv(track, part / TABLE_NAME)
        write_manifest(part, manifest)
    return int((track.valid & ~session.track.valid).sum())


def _derived(session: Session) -> SessionManifest:
    """A manifest that names the old session's pictures as its source."""
    old = session.manifest
    video = session.video_path()
    source = old.source
    if old.media.present:
        # The copy in the old folder was un-mirrored when it was recorded.
        path = None if video is None else str(video.resolve())
        source = SourcePart(kind="video", name=old.source.name, path=path, mirrored=False)
    return SessionManifest(
        command=old.command,
        created=datetime.now(UTC),
        finished=datetime.now(UTC),
        complete=old.complete,
        source=source,
        media=MediaPart(
            width=old.media.width,
            height=old.media.height,
            fps=old.media.fps,
            frames=old.media.frames,
            duration_s=old.media.duration_s,
        ),
        versions=software_versions(),
        warnings=list(old.warnings),
    )
