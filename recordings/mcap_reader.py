"""Reads a recording's MCAP file, also one that was cut short or damaged.

Nothing in the file is trusted: sizes are checked before memory is taken, messages are decoded by our own definitions
(never by those in the file), and every number is looked at.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from google.protobuf.message import DecodeError
from mcap.exceptions import McapError
from mcap.reader import SeekingReader
from mcap.records import Channel, Chunk, Footer, Header, Message, Metadata, Schema
from mcap.stream_reader import StreamReader, breakup_chunk
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT
from models.geometry.rotations import to_quaternion
from recordings import records
from recordings.face_records import BadRecordError, detail_map, face_of_record
from recordings.manifest import NewerVersionError, SessionFileError
from recordings.mcap_chunks import BoundedFile, chunk_content, next_chunk
from recordings.records import Topic
from recordings.takes import Mark
from recordings.track import Track
from tracking.types import TrackedFace

__all__ = ["RecordFile", "mark_of_record", "read_details", "read_faces", "read_marks", "read_mcap"]

_MAX_FACES = 10_000_000
"""Some four days at 30 pictures a second."""
_MAX_MARKS = 1_000_000
_MAX_STAGE_NAMES = 64
_MAX_MESSAGE = 256 * 1024
_MAX_DETAIL = 12 << 20
_BLOCK = 4096
_FAULTS = (McapError, DecodeError, BadRecordError, ValueError, LookupError, OverflowError, EOFError)


class RecordFile:
    """An MCAP file of a recording.

    Args:
        path: the file.
        recover: read whatever can be read of a file that was cut short or damaged, and count the rest, instead of
            refusing it.

    Attributes:
        cut_short: the file has no end; known after all messages were read.
        damaged: parts that could not be read and were skipped; as above.
        manifest: `session.json` as it was at the session's start; empty where that is lost.

    Raises:
        SessionFileError: it cannot be read, is no recording of Mien, or one of a newer version.
    """

    def __init__(self, path: Path, *, recover: bool = False) -> None:
        self.path = path
        self.cut_short = False
        self.damaged = 0
        self.manifest = ""
        self._recover = recover
        if not path.is_file():
            raise SessionFileError(f"There is no recording {path}: check the name.")
        self._known = False
        with self._open() as file:
            try:
                for record in StreamReader(BoundedFile(file), emit_chunks=True).records:  # type: ignore[arg-type]
                    if isinstance(record, Metadata) and record.name == records.METADATA:
                        self._take_metadata(record.metadata)
                    if not isinstance(record, Header):
                        break
            except _FAULTS as error:
                if not recover:
                    raise self._not_readable() from error
        if not self._known and not recover:
            raise SessionFileError(f"The file {path} is no recording of Mien: choose another one.")

    def messages(self, *topics: Topic, offset: int = 0) -> Iterator[tuple[Topic, Any]]:
        """The messages of some topics in the order of the file, decoded.

        Args:
            offset: begin with the chunk that lies there, see `chunk_offsets`; 0 begins with the file.

        Raises:
            SessionFileError: the file is damaged or cut short, and `recover` was not asked for.
        """
        wanted = {topic.name: topic for topic in topics}
        channels = {number: topic.name for number, topic in enumerate(records.TOPICS, 1)}
        schemas: dict[int, str] = {}
        self.cut_short, self.damaged = False, 0
        for record in self._records(offset):
            if isinstance(record, Schema):
                schemas[record.id] = record.name
            elif isinstance(record, Channel):
                schema = schemas.get(record.schema_id, "")
                known = any(
                    record.topic == topic.name and schema == topic.message.DESCRIPTOR.full_name
                    for topic in records.TOPICS
                )
                channels[record.id] = record.topic if known else ""
            elif isinstance(record, Message):
                topic = wanted.get(channels.get(record.channel_id, ""))
                if topic is None:
                    continue
                if len(record.data) > (_MAX_DETAIL if topic is records.DETAIL else _MAX_MESSAGE):
                    self._complain()
                    continue
                try:
                    message = topic.message.FromString(record.data)
                except DecodeError as error:
                    self._complain(error)
                    continue
                yield topic, message

    def chunk_offsets(self) -> list[int]:
        """Where the chunks lie, in order; empty for a file without a usable end."""
        try:
            with self._open() as file:
                summary = SeekingReader(file).get_summary()
        except (*_FAULTS, MemoryError):
            return []
        indexes = summary.chunk_indexes if summary is not None else []
        return sorted(index.chunk_start_offset for index in indexes)

    def _records(self, offset: int = 0) -> Iterator[Any]:
        """Schemas, channels and messages, out of whichever chunks can be read."""
        with self._open() as file:
            size = file.seek(0, 2)
            file.seek(offset)
            reader = StreamReader(BoundedFile(file), skip_magic=offset > 0, emit_chunks=True)  # type: ignore[arg-type]
            while True:
                start = file.tell()
                try:
                    for record in reader.records:
                        start = file.tell()
                        if isinstance(record, Chunk):
                            yield from self._chunk(record)
                        elif isinstance(record, Schema | Channel | Message):
                            yield record
                        elif isinstance(record, Footer):
                            return
                    return
                except _FAULTS as error:
                    if not self._recover:
                        raise self._not_readable() from error
                    found = next_chunk(file, start + 1, size)
                    if found is None:
                        self.cut_short = True
                        return
                    self.damaged += 1
                    file.seek(found)
                    reader = StreamReader(BoundedFile(file), skip_magic=True, emit_chunks=True)  # type: ignore[arg-type]

    def _chunk(self, chunk: Chunk) -> list[Any]:
        try:
            return list(breakup_chunk(chunk_content(chunk)))
        except _FAULTS as error:
            self._complain(error)
            return []

    def _complain(self, error: Exception | None = None) -> None:
        """Count a part that cannot be used, or refuse the file for it."""
        if not self._recover:
            raise self._not_readable() from error
        self.damaged += 1

    def faulty(self, error: BadRecordError) -> None:
        """A message decodes, but holds what no recorder writes.

        Raises:
            SessionFileError: `recover` was not asked for.
        """
        self._complain(error)

    def _take_metadata(self, values: dict[str, str]) -> None:
        try:
            version = int(values["schema_version"])
        except (LookupError, ValueError) as error:
            raise self._not_readable() from error
        if version > records.RECORDS_VERSION:
            raise NewerVersionError(f"The recording {self.path} was made by a newer version of Mien: update Mien.")
        self._known = True
        self.manifest = values.get("manifest", "")

    def _not_readable(self) -> SessionFileError:
        return SessionFileError(
            f"The recording {self.path} is damaged, cut short or none at all: `recover` saves what can be saved."
        )

    def _open(self) -> IO[bytes]:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise SessionFileError(
                f"The recording {self.path} cannot be read ({error.strerror}): check its permissions."
            ) from error


def read_faces(file: RecordFile) -> Iterator[TrackedFace]:
    """Every tracked frame, without picture, mesh and relief; times are the session's.

    Raises:
        SessionFileError: see RecordFile.
    """
    for _, record in file.messages(records.FACE):
        try:
            face = face_of_record(record)
        except BadRecordError as error:
            file.faulty(error)
            continue
        yield face


def read_mcap(path: Path, *, recover: bool = False, raw: bool = False) -> Track:
    """All values of a recording. Identity and field of view are those that it ended with.

    Args:
        recover: see RecordFile.
        raw: the values as fitted, instead of calibrated and smoothed ones.

    Raises:
        SessionFileError: it cannot be read, is none, is damaged, or of a newer version.
    """
    return _Collector(RecordFile(path, recover=recover), raw).track()


def read_details(
    path: Path, *, start_s: float = 0.0, offset: int = 0, recover: bool = False
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """The relief of the skin at its own rate: time in seconds, (H, W) float32 millimetres along the outward normal.

    Args:
        start_s: begin with the map that holds at this time.
        offset: of a chunk before that time, see `RecordFile.messages`.

    Raises:
        SessionFileError: see `read_mcap`; also while iterating.
    """
    file = RecordFile(path, recover=recover)
    held = None
    for _, record in file.messages(records.DETAIL, offset=offset):
        if record.time_ns <= start_s * 1e9:
            held = record  # not unpacked unless it is the last one
            continue
        due, held = ([record] if held is None else [held, record]), None
        yield from _unpacked(file, due)
    if held is not None:
        yield from _unpacked(file, [held])


def _unpacked(file: RecordFile, due: list[Any]) -> Iterator[tuple[float, NDArray[np.float32]]]:
    for record in due:
        try:
            displacement = detail_map(record)
        except BadRecordError as error:
            file.faulty(error)
            continue
        yield record.time_ns / 1e9, displacement


def read_marks(path: Path, *, recover: bool = False) -> list[Mark]:
    """Markers, and the starts and ends of takes, in order; `recordings.takes.takes_of` makes takes of them.

    Raises:
        SessionFileError: see `read_mcap`.
    """
    marks: list[Mark] = []
    for _, record in RecordFile(path, recover=recover).messages(records.MARKERS):
        mark = mark_of_record(record)
        if mark is not None and len(marks) < _MAX_MARKS:
            marks.append(mark)
    return marks


def mark_of_record(record: Any) -> Mark | None:
    """What a `mien.Marker` keeps; None for one of an unknown kind."""
    if record.kind not in ("marker", "take_start", "take_end"):
        return None
    return Mark(record.kind, record.name, max(0.0, record.time_ns / 1e9), record.timecode)


class _Collector:
    """Makes arrays of the frames, block by block, so that the objects of one block alone are alive."""

    def __init__(self, file: RecordFile, raw: bool) -> None:
        self._file = file
        self._raw = raw
        self._numbers: list[NDArray[np.float64]] = []
        self._rows: list[list[float]] = []
        self._durations: dict[str, array[float]] = {}
        self._count = 0
        self._size = (0, 0)
        self._fov: float | None = None
        self._identity = np.zeros(0, np.float32)

    def track(self) -> Track:
        file = self._file
        for topic, record in file.messages(records.FACE, records.IDENTITY):
            try:
                if topic is records.IDENTITY:
                    self._take_identity(record)
                    continue
                face = face_of_record(record)
            except BadRecordError as error:
                file.faulty(error)
                continue
            if self._count >= _MAX_FACES:
                raise SessionFileError(f"The recording {file.path} has more than {_MAX_FACES} frames: it is none.")
            self._take_stages(face)
            self._rows.append(self._row(face))
            self._count += 1
            if len(self._rows) == _BLOCK:
                self._close_block()
        self._close_block()
        table = np.concatenate(self._numbers) if self._numbers else np.zeros((0, _COLUMNS))
        order = np.argsort(table[:, 1], kind="stable")
        return self._arrays(table[order], order)

    def _take_identity(self, record: Any) -> None:
        coefficients = np.asarray(record.coefficients, np.float32)
        if len(coefficients) > 4096 or not np.isfinite(coefficients).all():
            raise BadRecordError("an identity that is none")
        self._identity = coefficients

    def _take_stages(self, face: TrackedFace) -> None:
        for stage in face.stages:
            if stage.name not in self._durations and len(self._durations) >= _MAX_STAGE_NAMES:
                continue
            column = self._durations.setdefault(stage.name, array("f"))
            column.extend([np.nan] * (self._count - len(column)))
            if len(column) == self._count:
                column.append(stage.ms)

    def _row(self, face: TrackedFace) -> list[float]:
        parameters = face.raw if self._raw else face.parameters
        row: list[float] = [face.frame.index, face.frame.time_s, face.valid, face.confidence]
        if not face.valid or parameters is None:
            row[2] = False
            return row + [np.nan] * (_COLUMNS - 4)
        camera = parameters.camera
        self._size, self._fov = (camera.width, camera.height), float(np.degrees(camera.fov))
        return [
            *row,
            *parameters.expression.tolist(),
            *to_quaternion(parameters.rotation).tolist(),
            *parameters.translation.tolist(),
            *parameters.gaze.ravel().tolist(),
        ]

    def _close_block(self) -> None:
        if self._rows:
            self._numbers.append(np.array(self._rows, np.float64))
            self._rows = []

    def _arrays(self, table: NDArray[np.float64], order: NDArray[np.intp]) -> Track:
        pose = 4 + CHANNEL_COUNT
        durations = {}
        for name, column in self._durations.items():
            column.extend([np.nan] * (self._count - len(column)))
            durations[name] = np.array(column, np.float32)[order]
        return Track(
            index=table[:, 0].astype(np.int64),
            time_s=table[:, 1].copy(),
            valid=table[:, 2] > 0.5,
            confidence=table[:, 3].astype(np.float32),
            expression=table[:, 4:pose].astype(np.float32),
            quaternion=table[:, pose : pose + 4].copy(),
            translation=table[:, pose + 4 : pose + 7].copy(),
            gaze=table[:, pose + 7 :].reshape(-1, 2, 2).astype(np.float32),
            identity=self._identity,
            fov_degrees=self._fov,
            image_size=self._size,
            stage_ms=durations,
        )


_COLUMNS = 4 + CHANNEL_COUNT + 4 + 3 + 4
