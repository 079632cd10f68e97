"""Writes a recording's MCAP file: small chunks that are on their way to the disk within half a second."""

from __future__ import annotations

from typing import IO, Any, cast

import numpy as np
from mcap.well_known import MessageEncoding
from mcap.writer import CompressionType, Writer
from mcap_protobuf.schema import register_schema
from numpy.typing import NDArray

from models.geometry.camera import Camera
from recordings import records
from recordings.disk_guard import GuardedFile
from recordings.face_records import calibration_record, detail_record, face_record, transform_record
from recordings.records import RecordTimes, Topic
from recordings.versions import package_version
from tracking.types import TrackedFace

__all__ = ["CHUNK_BYTES", "RecordWriter"]

CHUNK_BYTES = 256 * 1024
"""A chunk is closed once it holds more than this, and whenever `flush` is called: what is in an open chunk is lost when
the program is killed. Each leaves half a kilobyte in memory for the index at the end of the file."""


class RecordWriter:
    """Appends records to an MCAP file. Not thread-safe.

    Args:
        file: not closed here.
        manifest: the session's `session.json` at its start, kept in the file in case that one gets lost.
        face_model: name of the face model that identities belong to.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, file: GuardedFile | IO[bytes], *, manifest: str = "{}", face_model: str = "") -> None:
        self._writer = Writer(cast(Any, file), chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD)
        self._writer.start(library=f"mien {package_version('mien')}")
        self._writer.add_metadata(
            records.METADATA, {"schema_version": str(records.RECORDS_VERSION), "manifest": manifest}
        )
        self._channels: dict[str, int] = {}
        for topic in records.TOPICS:
            schema = register_schema(self._writer, topic.message)
            self._channels[topic.name] = self._writer.register_channel(topic.name, MessageEncoding.Protobuf, schema)
        self._face_model = face_model
        self._sequence = 0
        self._identity: bytes = b""
        self._camera: Camera | None = None
        self._relief: NDArray[np.float32] | None = None
        self.faces = 0
        self.details = 0

    def face(self, face: TrackedFace, index: int, times: RecordTimes, *, detail: bool = True) -> None:
        """Append a frame: its state always; camera, identity and relief where they are others than before.

        Args:
            index: of its picture, counted from the session's first.
            detail: keep the relief, too.

        Raises:
            OSError: the disk is full or gone.
        """
        self.append(records.FACE, face_record(face, index, times), times)
        self.faces += 1
        parameters = face.parameters
        if parameters is not None:
            self.append(records.TRANSFORM, transform_record(parameters, times), times)
            if parameters.camera != self._camera:
                self._camera = parameters.camera
                self.append(records.CAMERA, calibration_record(parameters.camera, times), times)
            identity = parameters.identity.astype("<f4").tobytes()
            if identity != self._identity:
                self._identity = identity
                record = times.fill(records.Identity(face_model=self._face_model))
                record.coefficients.extend(parameters.identity.tolist())
                self.append(records.IDENTITY, record, times)
        relief = face.displacement
        if detail and relief is not None and relief is not self._relief:
            self._relief = relief
            self.append(records.DETAIL, detail_record(relief, times), times)
            self.details += 1

    def marker(self, kind: str, name: str, timecode: str, times: RecordTimes) -> None:
        """Append a marker.

        Args:
            kind: see recordings.takes.

        Raises:
            OSError: the disk is full or gone.
        """
        record = records.Marker(kind=kind, name=name, timecode=timecode)
        self.append(records.MARKERS, times.fill(record), times)

    def loss(self, part: str, count: int, total: int, reason: str, times: RecordTimes) -> None:
        """Append that something could not be recorded.

        Args:
            part: `picture`, `face` or `sound`.
            count, total: how many since the last such record, and in all (sound: milliseconds).
            reason: one sentence.

        Raises:
            OSError: the disk is full or gone.
        """
        record = records.Loss(part=part, count=count, total=total, reason=reason)
        self.append(records.LOST, times.fill(record), times)

    def append(self, topic: Topic, message: Any, times: RecordTimes) -> None:
        """Append one message.

        Raises:
            OSError: the disk is full or gone.
        """
        self.append_bytes(topic, message.SerializeToString(), times.wall_ns)

    def append_bytes(self, topic: Topic, message: bytes, wall_ns: int) -> None:
        """As `append`, for a message that is serialised already."""
        self._sequence += 1
        self._writer.add_message(self._channels[topic.name], wall_ns, message, wall_ns, self._sequence)

    def flush(self) -> None:
        """Hand all records to the operating system: from then on they survive the program's death.

        Raises:
            OSError: the disk is full or gone.
        """
        self._writer.flush()  # type: ignore[no-untyped-call]

    def finish(self) -> None:
        """Write the index; nothing may be appended afterwards.

        Raises:
            OSError: the disk is full or gone.
        """
        self._writer.finish()  # type: ignore[no-untyped-call]
