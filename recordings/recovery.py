"""Mends sessions that were cut short: by a crash, a full disk, a machine that was switched off.

The originals stay in place until what replaces them is complete; doing it again does no harm.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recordings.disk_guard import BALLAST_NAME
from recordings.layout import RECORDS_NAME, SOUND_NAME, VIDEO_NAME, SessionLock, is_locked
from recordings.manifest import (
    FILE_NAME,
    NewerVersionError,
    RecordsPart,
    RecoveryPart,
    SessionFileError,
    SessionManifest,
    SourcePart,
    parse_manifest,
    read_manifest,
    write_manifest,
)
from recordings.mcap_reader import RecordFile
from recordings.recorder_manifest import takes_part
from recordings.remux import Remuxed, RemuxError, remux
from recordings.rewrite import Rewritten, rewrite
from recordings.session import TABLE_NAME

__all__ = ["RecoveryReport", "UnfinishedSession", "find_unfinished", "recover"]

_MOST_FOLDERS = 10_000


@dataclass(frozen=True, slots=True)
class UnfinishedSession:
    """A session that was cut short and can be recovered.

    Attributes:
        folder: where it lies.
        started: when it began; None where nobody knows.
        size: of its files in bytes.
    """

    folder: Path
    started: datetime | None
    size: int


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What was done.

    Attributes:
        folder: of the session.
        changed: something had to be done.
        pictures: in the video.
        faces: tracked frames.
        seconds: length of what was saved.
        notes: what was done and what was lost, one sentence each.
    """

    folder: Path
    changed: bool
    pictures: int
    faces: int
    seconds: float
    notes: tuple[str, ...]


def find_unfinished(folder: Path) -> list[UnfinishedSession]:
    """The sessions in a folder, and the folder itself if it is one, that were cut short; the oldest first.

    Those that are being recorded at this moment are left out. Folders below the first level are not looked into.
    """
    try:
        candidates = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())][:_MOST_FOLDERS]
    except OSError:
        return []
    found = []
    for path in candidates:
        try:
            session = _unfinished(path)
        except OSError:
            continue
        if session is not None:
            found.append(session)
    return sorted(found, key=lambda session: session.started or datetime.min.replace(tzinfo=UTC))


def recover(folder: Path) -> RecoveryReport:
    """Mend a session.

    Raises:
        SessionFileError: there is nothing to mend it from, it is in use or of a newer version, or the disk has no room.
    """
    if not folder.is_dir():
        what = "is a file, not the folder of a session" if folder.exists() else "does not exist"
        raise SessionFileError(f"{folder} {what}: name the folder that holds {FILE_NAME}.")
    if not any((folder / name).is_file() for name in (FILE_NAME, RECORDS_NAME, VIDEO_NAME, SOUND_NAME)):
        raise SessionFileError(f"The folder {folder} holds no recording: name the folder that holds {FILE_NAME}.")
    lock = SessionLock(folder)
    try:
        return _recover(folder)
    except OSError as error:
        raise SessionFileError(
            f"The session {folder} cannot be recovered ({error.strerror}): check the disk and its permissions."
        ) from error
    finally:
        lock.release()


def _recover(folder: Path) -> RecoveryReport:
    manifest = _manifest(folder)
    if not manifest.records.present:
        raise SessionFileError(
            f"The session {folder} was not recorded but tracked from a file: `track` that file again."
        )
    table = folder / TABLE_NAME
    if (manifest.complete or manifest.recovery.present) and manifest.parameters.file and table.is_file():
        what = "was recovered already" if manifest.recovery.present else "is complete"
        return _report(folder, manifest, (f"The session {what}: there is nothing to do.",), changed=False)
    (folder / BALLAST_NAME).unlink(missing_ok=True)
    _check_space(folder)
    notes: list[str] = []
    records = _mend_records(folder, notes)
    media = _mend_media(folder, notes)
    if records is None and media is None:
        raise SessionFileError(f"Nothing can be saved of the session {folder}: its files are empty or destroyed.")
    _complete(manifest, records, media, notes)
    write_manifest(folder, manifest)
    return _report(folder, manifest, tuple(notes), changed=True)


def _manifest(folder: Path) -> SessionManifest:
    """The session's own, else the one that its records keep, else one that says what is known."""
    try:
        return read_manifest(folder)
    except NewerVersionError:
        raise
    except SessionFileError:
        pass
    path = folder / RECORDS_NAME
    if path.is_file():
        try:
            return parse_manifest(RecordFile(path, recover=True).manifest.encode(), folder)
        except NewerVersionError:
            raise
        except SessionFileError:
            pass
    return SessionManifest(
        command="recover",
        created=datetime.now(UTC),
        source=SourcePart(kind="camera", name="unknown"),
        records=RecordsPart(present=True, file=RECORDS_NAME),
    )


def _mend_records(folder: Path, notes: list[str]) -> Rewritten | None:
    path = folder / RECORDS_NAME
    if not path.is_file():
        notes.append(f"There is no {RECORDS_NAME}: what was tracked is lost.")
        return None
    new_records, new_table = folder / f".{RECORDS_NAME}.recovering", folder / f".{TABLE_NAME}.recovering"
    try:
        done = rewrite(path, folder / TABLE_NAME, new_records, new_table)
        if not done.messages and not done.known:
            notes.append(f"Nothing can be read of {RECORDS_NAME}; it stays as it is.")
            return None
        _keep(new_records, path)
        _keep(new_table, folder / TABLE_NAME)
    finally:
        new_records.unlink(missing_ok=True)
        new_table.unlink(missing_ok=True)
    if done.damaged:
        notes.append(f"{done.damaged} damaged parts of {RECORDS_NAME} could not be read and are lost.")
    notes.append(f"{done.faces} tracked frames were saved, up to {done.seconds:.1f} s.")
    return done


def _mend_media(folder: Path, notes: list[str]) -> tuple[str, Remuxed] | None:
    for name in (VIDEO_NAME, SOUND_NAME):
        path = folder / name
        if not path.is_file():
            continue
        copy = folder / f".{name}.recovering"
        try:
            done = remux(path, copy)
            _keep(copy, path)
        except RemuxError as error:
            notes.append(f"Nothing can be read of {name} ({error}); it stays as it is.")
            return None
        finally:
            copy.unlink(missing_ok=True)
        parts = [f"{done.pictures} pictures, up to {done.picture_s:.1f} s,"] if done.pictures else []
        parts += [f"{done.sound_s:.1f} s of sound"] if done.sound else []
        notes.append(f"{' and '.join(parts).rstrip(',')} were saved.")
        return name, done
    return None


def _complete(
    manifest: SessionManifest, records: Rewritten | None, media: tuple[str, Remuxed] | None, notes: list[str]
) -> None:
    seconds = records.seconds if records is not None else 0.0
    if media is not None:
        name, found = media
        seconds = max(seconds, found.picture_s)
        part = manifest.media
        part.present = True
        part.video = name if found.pictures else None
        part.audio = name if found.sound else None
        part.camera_picture = bool(found.pictures)
        part.frames = found.pictures or part.frames
        if found.pictures:
            part.width, part.height = found.width, found.height
        manifest.audio.present = found.sound
    else:
        manifest.media.present = manifest.media.camera_picture = manifest.audio.present = False
    manifest.media.duration_s = seconds
    if records is not None:
        parameters = manifest.parameters
        parameters.present, parameters.file = True, TABLE_NAME
        parameters.frames, parameters.valid_frames = records.faces, records.valid_faces
        parameters.fov_degrees = records.fov_degrees
        parameters.identity = records.identity
        manifest.records.faces, manifest.records.details = records.faces, records.details
        manifest.takes = takes_part(records.marks)
        manifest.lost.pictures = records.lost.get("picture", 0)
        manifest.lost.faces = records.lost.get("face", 0)
    else:
        manifest.records.faces = manifest.records.details = 0
    manifest.records.present = True
    manifest.records.file = RECORDS_NAME if records is not None else None
    if not manifest.complete:
        notes.append("Whatever came in the last second before the end may be missing.")
    manifest.recovery = RecoveryPart(
        present=True,
        when=datetime.now(UTC),
        pictures=manifest.media.frames if media is not None else 0,
        faces=manifest.records.faces,
        notes=list(notes),
    )


def _report(folder: Path, manifest: SessionManifest, notes: tuple[str, ...], *, changed: bool) -> RecoveryReport:
    return RecoveryReport(
        folder=folder,
        changed=changed,
        pictures=manifest.media.frames if manifest.media.camera_picture else 0,
        faces=manifest.records.faces,
        seconds=manifest.media.duration_s,
        notes=notes,
    )


def _unfinished(folder: Path) -> UnfinishedSession | None:
    if not (folder / RECORDS_NAME).is_file() or is_locked(folder):
        return None
    started: datetime | None = None
    try:
        manifest = read_manifest(folder)
        if manifest.complete or manifest.recovery.present:
            return None
        started = manifest.created
        started = started if started.tzinfo is not None else started.replace(tzinfo=UTC)
    except NewerVersionError:
        return None
    except SessionFileError:
        pass  # damaged: the records keep another one
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return UnfinishedSession(folder, started, size)


def _check_space(folder: Path) -> None:
    """The new files need room beside the old ones.

    Raises:
        SessionFileError: there is none.
    """
    names = (VIDEO_NAME, SOUND_NAME, RECORDS_NAME, TABLE_NAME)
    needed = sum(path.stat().st_size for name in names if (path := folder / name).is_file())
    needed += needed // 20 + (4 << 20)
    if shutil.disk_usage(folder).free < needed:
        raise SessionFileError(
            f"The session {folder} can be recovered once there is room: {needed // 1_000_000} MB are needed."
        )


def _keep(new: Path, place: Path) -> None:
    """Put a complete new file in an old one's place."""
    with new.open("rb+") as file:
        os.fsync(file.fileno())
    new.replace(place)
