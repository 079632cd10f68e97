"""The messages of a recording's MCAP file. Described in docs/formats.md.

Built in code, so that nothing has to be compiled; each file carries their descriptors, so that any MCAP reader can
decode them. Where Foxglove has a type for something, that type is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from foxglove_schemas_protobuf.CameraCalibration_pb2 import CameraCalibration
from foxglove_schemas_protobuf.FrameTransform_pb2 import FrameTransform
from google.protobuf import descriptor_pb2, timestamp_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from models.channels import ARKIT_CHANNELS

__all__ = [
    "RECORDS_VERSION",
    "TOPICS",
    "CameraCalibration",
    "DetailMap",
    "FaceState",
    "FrameTransform",
    "Identity",
    "Loss",
    "Marker",
    "RecordTimes",
    "Topic",
]

RECORDS_VERSION = 1
"""Of these messages. Fields may be added without a new version, since old readers skip them."""
METADATA = "mien"
"""Name of the metadata record at the file's start: `schema_version` and `manifest`, the session's manifest then."""

_PACKAGE = "mien"
_FILE = "mien/records.proto"
_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "double": _FIELD.TYPE_DOUBLE,
    "float": _FIELD.TYPE_FLOAT,
    "int64": _FIELD.TYPE_INT64,
    "uint64": _FIELD.TYPE_UINT64,
    "uint32": _FIELD.TYPE_UINT32,
    "bool": _FIELD.TYPE_BOOL,
    "string": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
}

_TIMES = (
    ("timestamp", ".google.protobuf.Timestamp"),  # of the wall clock
    ("time_ns", "int64"),  # on the session's own timeline, which is that of its video
    ("capture_ns", "int64"),  # monotonic, since the session's start
    ("media_time_s", "double"),  # the source's own timestamp
)
_MESSAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "Quaternion": (("w", "double"), ("x", "double"), ("y", "double"), ("z", "double")),
    "Vector": (("x", "double"), ("y", "double"), ("z", "double")),  # metres, camera frame
    "Gaze": (  # radians, relative to the head
        ("left_yaw", "float"),
        ("left_pitch", "float"),
        ("right_yaw", "float"),
        ("right_pitch", "float"),
    ),
    # Field n + 1 is slot n of Live Link Face; by name, so that plots of single channels are one click.
    "Expression": tuple((name, "float") for name in ARKIT_CHANNELS),
    "FaceValues": (
        ("expression", ".mien.Expression"),
        ("rotation", ".mien.Quaternion"),
        ("translation", ".mien.Vector"),
        ("gaze", ".mien.Gaze"),
    ),
    "Stage": (("name", "string"), ("ms", "float")),
    "Intrinsics": (("width", "uint32"), ("height", "uint32"), ("focal", "double"), ("projection", "string")),
    "FaceState": (
        *_TIMES,
        ("index", "uint64"),  # of the picture, counted from the session's first
        ("valid", "bool"),
        ("state", "string"),
        ("confidence", "float"),
        ("raw", ".mien.FaceValues"),
        ("smoothed", ".mien.FaceValues"),
        ("camera", ".mien.Intrinsics"),
        ("stages", "*.mien.Stage"),
        ("detail", "string"),
    ),
    "Identity": (*_TIMES, ("coefficients", "*float"), ("face_model", "string")),
    "DetailMap": (
        *_TIMES,
        ("height", "uint32"),
        ("width", "uint32"),
        ("encoding", "string"),
        ("data", "bytes"),
    ),
    "Marker": (*_TIMES, ("kind", "string"), ("name", "string"), ("timecode", "string")),
    "Loss": (*_TIMES, ("part", "string"), ("count", "uint64"), ("total", "uint64"), ("reason", "string")),
}


def _build() -> DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name=_FILE, package=_PACKAGE, syntax="proto3")
    file.dependency.append(timestamp_pb2.DESCRIPTOR.name)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field_name, kind) in enumerate(fields, 1):
            repeated = kind.startswith("*")
            kind = kind.removeprefix("*")
            field = message.field.add(
                name=field_name,
                number=number,
                label=_FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL,
            )
            if kind.startswith("."):
                field.type, field.type_name = _FIELD.TYPE_MESSAGE, kind
            else:
                field.type = _TYPES[kind]
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return pool


_POOL = _build()


def _message(name: str) -> Any:
    return GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


FaceState: Any = _message("FaceState")
Identity: Any = _message("Identity")
DetailMap: Any = _message("DetailMap")
Marker: Any = _message("Marker")
Loss: Any = _message("Loss")


@dataclass(frozen=True, slots=True)
class Topic:
    """A channel of the file.

    Attributes:
        name: the topic.
        message: class of its messages.
    """

    name: str
    message: Any


FACE = Topic("/face/state", FaceState)
TRANSFORM = Topic("/face/transform", FrameTransform)
IDENTITY = Topic("/face/identity", Identity)
CAMERA = Topic("/camera", CameraCalibration)
DETAIL = Topic("/detail", DetailMap)
MARKERS = Topic("/markers", Marker)
LOST = Topic("/lost", Loss)
TOPICS = (FACE, TRANSFORM, IDENTITY, CAMERA, DETAIL, MARKERS, LOST)
"""All of them, in the order of their channel numbers, which start at 1: readers that lost a file's start rely on it."""


@dataclass(frozen=True, slots=True)
class RecordTimes:
    """When something happened.

    Attributes:
        time_ns: on the session's own timeline, which is that of its video: 0 is the first picture.
        capture_ns: of the monotonic clock, since the session's start.
        media_s: the source's own timestamp.
        wall_ns: since 1970, UTC.
    """

    time_ns: int
    capture_ns: int
    media_s: float
    wall_ns: int

    def fill(self, message: Any) -> Any:
        """Set the times of one of our own messages; returns it."""
        message.timestamp.FromNanoseconds(self.wall_ns)
        message.time_ns = self.time_ns
        message.capture_ns = self.capture_ns
        message.media_time_s = self.media_s
        return message
