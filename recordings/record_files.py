"""The records of a session while they are written: MCAP file, table and manifest. One may fail without the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from recordings.disk_guard import DiskGuard, GuardedFile
from recordings.layout import RECORDS_NAME
from recordings.manifest import SessionFileError, SessionManifest, write_manifest
from recordings.mcap_writer import RecordWriter
from recordings.recorder_types import SessionFacts
from recordings.records import RecordTimes
from recordings.session import TABLE_NAME
from recordings.table import FrameTable
from recordings.takes import Mark
from tracking.types import FaceParameters, TrackedFace

__all__ = ["Entry", "FaceEntry", "MarkEntry", "RecordFiles"]


@dataclass(frozen=True, slots=True)
class FaceEntry:
    """A tracked frame to be written.

    Attributes:
        face: its frame has the session's count and time, and no picture.
        times: of its picture.
    """

    face: TrackedFace
    times: RecordTimes


@dataclass(frozen=True, slots=True)
class MarkEntry:
    """A mark to be written."""

    mark: Mark
    times: RecordTimes


Entry = FaceEntry | MarkEntry


class RecordFiles:
    """Used by the recording thread alone; its figures may be read from any.

    Args:
        folder: of the session.
        guard: of its disk.
        manifest: written at once, marked as not complete.
        facts: of the session.
        detail: store the relief.

    Attributes:
        faces, valid_faces: tracked frames written, and those in which a face was seen.
        missed: tracked frames that could not be written.
        details: records of the relief.
        problems: what failed, one sentence each.
        complete: everything was written and closed.
        last: parameters of the last frame that had any.

    Raises:
        SessionFileError: the files cannot be made.
    """

    def __init__(
        self, folder: Path, guard: DiskGuard, manifest: SessionManifest, facts: SessionFacts, *, detail: bool
    ) -> None:
        self.faces = 0
        self.valid_faces = 0
        self.missed = 0
        self.details = 0
        self.problems: list[str] = []
        self.complete = False
        self.last: FaceParameters | None = None
        self._folder = folder
        self._manifest = manifest
        self._stages = frozenset(facts.stages)
        self._detail = detail
        write_manifest(folder, manifest)
        try:
            self._file = GuardedFile(folder / RECORDS_NAME, guard)
            self._writer: RecordWriter | None = RecordWriter(
                self._file, manifest=manifest.model_dump_json(), face_model=facts.face_model or ""
            )
            self._table: FrameTable | None = FrameTable(folder / TABLE_NAME, facts.stages)
        except OSError as error:
            raise SessionFileError(
                f"The folder {folder} cannot be written to ({error.strerror}): choose another one."
            ) from error

    @property
    def table_name(self) -> str | None:
        """Of the table, None where it is not whole."""
        return TABLE_NAME if self._table is not None else None

    def add(self, entry: Entry) -> None:
        """Append a tracked frame or a mark."""
        times = entry.times
        if isinstance(entry, MarkEntry):
            mark = entry.mark
            self._record(lambda writer: writer.marker(mark.kind, mark.name, mark.timecode, times))
            return
        face = entry.face
        if not self._record(lambda writer: writer.face(face, face.frame.index, times, detail=self._detail)):
            self.missed += 1
            return
        self.faces += 1
        self.valid_faces += face.valid
        if self._writer is not None:
            self.details = self._writer.details
        if face.raw is not None:
            self.last = replace(face.raw, uncertainty=None)
        self._tabulate(face)

    def loss(self, part: str, count: int, total: int, reason: str, times: RecordTimes) -> None:
        """Append that something was lost; see RecordWriter."""
        self._record(lambda writer: writer.loss(part, count, total, reason, times))

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._record(lambda writer: writer.flush())

    def close(self) -> None:
        """Complete both files."""
        finished = self._record(lambda writer: writer.finish())
        if finished:
            try:
                self._file.sync()
            except OSError as error:
                self._records_failed(error)
                finished = False
        self._file.close()
        if self._table is not None:
            try:
                self._table.close()
            except OSError as error:
                self._table_failed(error)
        self.complete = finished and self._table is not None

    def write_manifest(self) -> None:
        """Write `session.json` anew.

        Raises:
            SessionFileError: it cannot be written.
        """
        write_manifest(self._folder, self._manifest)

    def _record(self, write: Callable[[RecordWriter], None]) -> bool:
        """Do something with the MCAP file; False where that failed, now or before."""
        if self._writer is None:
            return False
        try:
            write(self._writer)
        except OSError as error:
            self._records_failed(error)
            return False
        return True

    def _records_failed(self, error: OSError) -> None:
        self._writer = None
        self.problems.append(
            f"What is tracked is not recorded any more ({error.strerror}): stop, look at the disk, then use `recover`."
        )

    def _tabulate(self, face: TrackedFace) -> None:
        if self._table is None:
            return
        known = tuple(stage for stage in face.stages if stage.name in self._stages)
        try:
            self._table.add(face if len(known) == len(face.stages) else replace(face, stages=known))
        except OSError as error:
            self._table_failed(error)

    def _table_failed(self, error: OSError) -> None:
        table, self._table = self._table, None
        self.problems.append(
            f"The file {TABLE_NAME} could not be written ({error.strerror}): `recover` makes it out of {RECORDS_NAME}."
        )
        if table is not None:
            try:
                table.close()
            except OSError:
                pass  # what failed before fails again
            table.path.unlink(missing_ok=True)
