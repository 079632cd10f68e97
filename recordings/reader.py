"""Opens a session that `track` or `record` wrote: its manifest, its values as arrays, its media."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS
from recordings.detail_track import DetailTrack
from recordings.manifest import SessionFileError, SessionManifest, read_manifest
from recordings.table import FRAME_COLUMNS
from recordings.track import Track

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Session", "open_session", "read_table"]

_MAX_BYTES = 4 << 30
"""Of a table: some ten days at 30 pictures a second."""
_CHANNELS = len(ARKIT_CHANNELS)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that can be read.

    Attributes:
        folder: where it lies.
        manifest: as read and migrated.
        track: every frame's values.
    """

    folder: Path
    manifest: SessionManifest
    track: Track

    @property
    def name(self) -> str:
        """What to call it before a person."""
        return self.folder.resolve().name

    @property
    def fps(self) -> float:
        """Nominal rate of its pictures; 30 where the manifest says none."""
        fps = self.manifest.media.fps
        return fps if 1.0 <= fps <= 1000.0 else 30.0

    def video_path(self) -> Path | None:
        """The pictures: the copy in the folder, or the tracked file where it still lies; None where neither is."""
        media, source = self.manifest.media, self.manifest.source
        if media.present and media.video:
            return self._inside(media.video)
        if source.kind != "video" or not source.path:
            return None
        path = Path(source.path).expanduser()
        return path if path.is_file() else None

    def audio_path(self) -> Path | None:
        """A file with the session's sound, None where there is none. The video may hold it, or a file of its own."""
        media = self.manifest.media
        if media.present and media.audio:
            return self._inside(media.audio)
        return self.video_path()

    def details(self) -> DetailTrack | None:
        """The recorded relief of the skin, None where the session has none.

        Raises:
            SessionFileError: its file is damaged.
        """
        records = self.manifest.records
        path = self._inside(records.file) if records.present and records.details and records.file else None
        if path is None:
            return None
        from recordings.detail_seek import DetailSeeker  # loads protobuf

        return DetailTrack(DetailSeeker(path).read)

    def _inside(self, name: str) -> Path | None:
        """A file of the folder. A manifest from elsewhere must not point at other files of this machine."""
        path = self.folder / name
        return path if path.resolve().parent == self.folder.resolve() and path.is_file() else None


def open_session(folder: Path) -> Session:
    """A session by its folder.

    Raises:
        SessionFileError: it is none, or its files are missing, damaged, or of a newer version.
    """
    if not folder.is_dir():
        what = "is a file, not the folder of a session" if folder.exists() else "does not exist"
        raise SessionFileError(f"{folder} {what}: name the folder that holds session.json.")
    manifest = read_manifest(folder)
    parameters = manifest.parameters
    if not parameters.present or not parameters.file:
        raise SessionFileError(f"The session {folder} holds no tracked values: track it first with `reprocess`.")
    path = folder / parameters.file
    if path.resolve().parent != folder.resolve():
        raise SessionFileError(
            f"The session {folder} names a table outside its folder: it is damaged or not to be trusted."
        )
    track = read_table(path)
    identity = np.asarray(parameters.identity or [], np.float32)
    if not np.isfinite(identity).all():
        raise SessionFileError(f"The file {folder / 'session.json'} is damaged: restore it or track again.")
    track = replace(
        track,
        identity=identity,
        fov_degrees=parameters.fov_degrees,
        image_size=(manifest.media.width, manifest.media.height),
    )
    return Session(folder, manifest, track)


def read_table(path: Path) -> Track:
    """A `frames.csv` as arrays; identity and camera are not in it.

    A last line that was cut off is left out. Rows out of the order of time are put into it.

    Raises:
        SessionFileError: the file is missing, damaged, or no such table.
    """
    from pyarrow import ArrowInvalid, csv  # takes a moment to load

    damaged = f"The file {path} is damaged or no table of Mien: restore it or track again."
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SessionFileError(f"The file {path} is larger than any session's table: it is not one.")
        with path.open("rb") as file:
            header = file.readline(1 << 16).decode("ascii").rstrip("\r\n").split(",")
            if tuple(header[: len(FRAME_COLUMNS)]) != FRAME_COLUMNS or len(set(header)) != len(header):
                raise SessionFileError(damaged)
            file.seek(0)
            table = csv.read_csv(
                file,
                parse_options=csv.ParseOptions(invalid_row_handler=lambda row: "skip"),
                convert_options=csv.ConvertOptions(
                    column_types={name: "int64" if name == "frame" else "float64" for name in header},
                    null_values=[""],
                ),
            )
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise SessionFileError(f"The table {path} cannot be read ({reason}): restore it or track again.") from error
    except ArrowInvalid as error:
        raise SessionFileError(damaged) from error
    columns = {name: _column(table[name]) for name in header}
    return _track(columns, [name for name in header[len(FRAME_COLUMNS) :] if name.startswith("ms_")], damaged)


def _column(values: pyarrow.ChunkedArray) -> NDArray[np.float64]:
    """As an array, not a number where there is none.

    Arrow's own way loads pandas, which takes as long as reading ten minutes of a session.
    """
    parts = [np.zeros(0)]
    for chunk in values.chunks:
        kind = np.int64 if str(chunk.type) == "int64" else np.float64
        data = np.frombuffer(chunk.buffers()[1], kind)[chunk.offset : chunk.offset + len(chunk)]
        part = data.astype(np.float64)
        if chunk.null_count:
            bits = np.unpackbits(np.frombuffer(chunk.buffers()[0], np.uint8), bitorder="little")
            part[bits[chunk.offset : chunk.offset + len(chunk)] == 0] = np.nan
        parts.append(part)
    return np.concatenate(parts)


def _track(columns: dict[str, NDArray[np.float64]], stages: list[str], damaged: str) -> Track:
    time_s = columns["time_s"]
    whole = np.isfinite(columns["frame"]) & np.isfinite(time_s)
    order = np.flatnonzero(whole)[np.argsort(time_s[whole], kind="stable")]
    columns = {name: values[order] for name, values in columns.items()}
    valid = columns["valid"] > 0.5
    pose = np.stack([columns[name] for name in FRAME_COLUMNS[4 + _CHANNELS :]], axis=1)
    expression = np.stack([columns[name] for name in ARKIT_CHANNELS], axis=1)
    quaternion = pose[:, 3:7]
    known = np.isfinite(expression).all(axis=1) & np.isfinite(pose).all(axis=1)
    length = np.linalg.norm(quaternion, axis=1)
    if bool((valid & ~(known & (np.abs(length - 1) < 0.01))).any()):
        raise SessionFileError(damaged)
    valid = valid & known
    for values in (expression, pose):
        values[~valid] = np.nan
    with np.errstate(invalid="ignore"):
        quaternion = pose[:, 3:7] / np.linalg.norm(pose[:, 3:7], axis=1, keepdims=True)
    return Track(
        index=columns["frame"].astype(np.int64),
        time_s=columns["time_s"],
        valid=valid,
        confidence=np.nan_to_num(columns["confidence"]).astype(np.float32),
        expression=expression.astype(np.float32),
        quaternion=quaternion,
        translation=pose[:, 7:10],
        gaze=np.radians(pose[:, 10:14]).reshape(-1, 2, 2).astype(np.float32),
        identity=np.zeros(0, np.float32),
        stage_ms={name[3:]: columns[name].astype(np.float32) for name in stages},
    )


def runs_of(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Start and end (exclusive) of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
