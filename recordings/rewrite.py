"""Copies what can be read of a recording's MCAP file into a whole one, and makes the table of frames out of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import degrees, isfinite
from pathlib import Path
from typing import Any

from recordings import records
from recordings.face_records import BadRecordError, face_of_record
from recordings.mcap_reader import RecordFile, mark_of_record
from recordings.mcap_writer import RecordWriter
from recordings.table import FRAME_COLUMNS, TRACKER_STAGES, FrameTable
from recordings.takes import Mark
from tracking.types import TrackedFace

__all__ = ["Rewritten", "rewrite"]

_STAGES = (*TRACKER_STAGES, "coarse", "detail")
_LONGEST_HEADER = 1 << 16
_MOST_COLUMNS = 32


@dataclass(slots=True)
class Rewritten:
    """What was copied.

    Attributes:
        known: the file says of itself that it is a recording.
        messages: of all kinds.
        faces, valid_faces: tracked frames, and those in which a face was seen.
        details: records of the relief.
        damaged: parts that could not be read.
        seconds: time of the last frame.
        fov_degrees: across the longer side of the picture; None where unknown.
        identity: coefficients; None where unknown.
        marks: takes and markers.
        lost: by part, how much the recorder said it had lost.
    """

    known: bool = False
    messages: int = 0
    faces: int = 0
    valid_faces: int = 0
    details: int = 0
    damaged: int = 0
    seconds: float = 0.0
    fov_degrees: float | None = None
    identity: list[float] | None = None
    marks: list[Mark] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)


def rewrite(path: Path, table: Path, new_path: Path, new_table: Path) -> Rewritten:
    """Copy the records and make the table.

    Args:
        path: the file that was cut short or damaged.
        table: its table, for the names of its columns; need not exist.
        new_path, new_table: replaced if they exist.

    Raises:
        SessionFileError: the recording is of a newer version.
        OSError: the new files cannot be written.
    """
    source = RecordFile(path, recover=True)
    done = Rewritten(known=bool(source.manifest))
    stages = _stages_of(table)
    with new_path.open("wb") as file, FrameTable(new_table, stages) as rows:
        writer = RecordWriter(file, manifest=source.manifest)
        for topic, message in source.messages(*records.TOPICS):
            try:
                face = _note(done, topic, message)
            except BadRecordError:
                done.damaged += 1
                continue
            writer.append_bytes(topic, message.SerializeToString(), message.timestamp.ToNanoseconds())
            done.messages += 1
            if face is not None:
                known = tuple(stage for stage in face.stages if stage.name in stages)
                rows.add(replace(face, stages=known))
        writer.finish()
    done.damaged += source.damaged
    return done


def _note(done: Rewritten, topic: records.Topic, record: Any) -> TrackedFace | None:
    """Take a message into account; the frame if it is one.

    Raises:
        BadRecordError: it holds what no recorder writes.
    """
    if topic is records.FACE:
        face = face_of_record(record)
        done.faces += 1
        done.valid_faces += face.valid
        done.seconds = max(done.seconds, face.frame.time_s)
        if face.parameters is not None:
            done.fov_degrees = round(degrees(face.parameters.camera.fov), 3)
        return face
    if topic is records.IDENTITY:
        if not all(isfinite(value) for value in record.coefficients):
            raise BadRecordError("an identity that is none")
        done.identity = [round(value, 5) for value in record.coefficients]
    elif topic is records.DETAIL:
        done.details += 1
    elif topic is records.MARKERS:
        if (mark := mark_of_record(record)) is not None:
            done.marks.append(mark)
    elif topic is records.LOST:
        done.lost[record.part] = record.total
    return None


def _stages_of(table: Path) -> tuple[str, ...]:
    """The stages that a table has columns for; the usual ones where it cannot be read."""
    try:
        with table.open("rb") as file:
            columns = file.readline(_LONGEST_HEADER).decode("ascii").rstrip("\n").split(",")
    except (OSError, UnicodeDecodeError):
        return _STAGES
    further = columns[len(FRAME_COLUMNS) :]
    if tuple(columns[: len(FRAME_COLUMNS)]) != FRAME_COLUMNS or len(further) > _MOST_COLUMNS:
        return _STAGES
    names = tuple(name.removeprefix("ms_") for name in further)
    return names if names and all(name.isidentifier() for name in names) else _STAGES
