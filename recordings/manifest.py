"""`session.json`: the one manifest of a session, whichever command wrote it. Described in docs/formats.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from models.whole_file import write_whole_file

SCHEMA_VERSION = 2
FILE_NAME = "session.json"

Migration = Callable[[dict[str, Any]], dict[str, Any]]


def _add_recording(data: dict[str, Any]) -> dict[str, Any]:
    """Version 2 has the parts that only recordings fill: sound, records, takes, timecode, losses, recovery."""
    return data | {"audio": {}, "records": {}, "takes": {}, "timecode": {}, "lost": {}, "recovery": {}}


MIGRATIONS: dict[int, Migration] = {1: _add_recording}
"""From schema version n (the key) to n + 1. Add one here, and a test of it, whenever the manifest changes."""

SourceKind = Literal["video", "image", "images", "camera", "synthetic", "receiver"]

_MAX_BYTES = 50_000_000
_BLOCK = 1 << 20


class SessionFileError(Exception):
    """A session's file cannot be read or written. The message is one sentence: what was wrong and what to do."""


class NewerVersionError(SessionFileError):
    """The session was made by a newer version of the program."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SourcePart(_Part):
    """Where the pictures came from."""

    kind: SourceKind
    name: str
    path: str | None = None
    """As it was given; None for cameras."""
    sha256: str | None = None
    """Of the file; for a folder of pictures see `hash_files`. None where there is no file."""
    mirrored: bool = False
    """The input was mirrored and has been un-mirrored."""


class MediaPart(_Part):
    """The pictures themselves."""

    present: bool = False
    """A copy lies in the session's folder."""
    video: str | None = None
    audio: str | None = None
    """File names of that copy. They are the same where one file holds pictures and sound."""
    camera_picture: bool = False
    """The source's pictures were stored; False too where somebody chose to record without them."""
    codec: str | None = None
    """Of the stored pictures."""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    """Nominal pictures a second."""
    frames: int = 0
    """Pictures that were read."""
    duration_s: float = 0.0
    """From the first picture's timestamp to the last one's."""
    pictures: list[str] | None = None
    """File names in the order of the rows, where the source was pictures."""


class ParametersPart(_Part):
    """What was tracked."""

    present: bool = False
    file: str | None = None
    frames: int = 0
    """Rows."""
    valid_frames: int = 0
    """Rows in which the face was seen."""
    raw: bool = False
    """True: neither calibrated nor smoothed."""
    face_model: str | None = None
    fov_degrees: float | None = None
    """Field of view across the longer side, as set or as estimated by the end."""
    identity: list[float] | None = None
    """Identity coefficients that the session ended with, in standard deviations."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """The tracker's settings."""


class AvatarPart(_Part):
    """The avatar that was driven."""

    present: bool = False
    name: str | None = None
    file: str | None = None
    sha256: str | None = None


class CalibrationPart(_Part):
    """The neutral calibration that was taken out of the parameters."""

    present: bool = False
    person: str | None = None
    created: datetime | None = None
    values: dict[str, Any] | None = None
    """The whole calibration."""


class RenderPart(_Part):
    """The rendered video."""

    present: bool = False
    file: str | None = None
    view: str | None = None
    codec: str | None = None
    width: int = 0
    height: int = 0


def _plain(name: str) -> str:
    if not name or name != Path(name).name or "\\" in name or ":" in name or name.startswith("."):
        raise ValueError("not the name of a file in the session's folder")
    return name


PlainName = Annotated[str, AfterValidator(_plain)]
"""Name of a file in the session's own folder: a manifest from elsewhere must not point at other files."""


class AudioPart(_Part):
    """The sound that was recorded; `media.audio` names its file."""

    present: bool = False
    device: str | None = None
    channels: int = 0
    rate: float = 0.0
    """Nominal samples a second of the device; the file has 48000."""
    codec: str | None = None
    offset_ms: float = 0.0
    """By which the sound was moved to later times."""
    drift_ppm: float | None = None
    """By how much the device's clock ran faster than its nominal rate, in parts in a million; corrected in the file."""
    silence_s: float = 0.0
    """Stretches that are silent because no sound came."""


class RecordsPart(_Part):
    """The MCAP file with every tracked frame."""

    present: bool = False
    file: PlainName | None = None
    faces: int = 0
    details: int = 0
    """Records of the skin's relief."""


class MarkerEntry(_Part):
    """A marker."""

    name: str
    time_s: float = Field(ge=0, allow_inf_nan=False)
    timecode: str


class TakeEntry(_Part):
    """A named stretch of the session."""

    name: str
    start_s: float = Field(ge=0, allow_inf_nan=False)
    end_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """None: the session ended first."""
    timecode: str
    """Of its start."""


class TakesPart(_Part):
    """Takes and markers."""

    present: bool = False
    takes: list[TakeEntry] = Field(default_factory=list)
    markers: list[MarkerEntry] = Field(default_factory=list)


class TimecodePart(_Part):
    """What HH:MM:SS:FF the session's first picture has."""

    present: bool = False
    start: str | None = None
    rate: int = 0
    """Pictures a second that it counts with."""


class LostPart(_Part):
    """What could not be recorded. All zero in a good session."""

    pictures: int = 0
    faces: int = 0
    sound_s: float = 0.0


class RecoveryPart(_Part):
    """What was done to a session that had been cut short."""

    present: bool = False
    when: datetime | None = None
    pictures: int = 0
    faces: int = 0
    notes: list[str] = Field(default_factory=list)
    """What was done and what was lost, one sentence each."""


class SessionManifest(_Part):
    """All of `session.json`."""

    schema_version: int = Field(default=SCHEMA_VERSION, ge=SCHEMA_VERSION, le=SCHEMA_VERSION)
    program: Literal["mien"] = "mien"
    command: str
    """Which command wrote it."""
    created: datetime
    finished: datetime | None = None
    complete: bool = False
    """True once the session came to its end; False while it is written, and for ever if it was cut short."""
    source: SourcePart
    media: MediaPart = MediaPart()
    parameters: ParametersPart = ParametersPart()
    avatar: AvatarPart = AvatarPart()
    calibration: CalibrationPart = CalibrationPart()
    render: RenderPart = RenderPart()
    audio: AudioPart = AudioPart()
    records: RecordsPart = RecordsPart()
    takes: TakesPart = TakesPart()
    timecode: TimecodePart = TimecodePart()
    lost: LostPart = LostPart()
    recovery: RecoveryPart = RecoveryPart()
    versions: dict[str, str] = Field(default_factory=dict)
    """Of the program, its libraries, Python and the operating system."""
    warnings: list[str] = Field(default_factory=list)
    """What was not as it should be, one sentence each."""


def write_manifest(folder: Path, manifest: SessionManifest) -> Path:
    """Write `session.json` in one piece: a crash leaves the old one or the new one.

    Raises:
        SessionFileError: it cannot be written.
    """
    path = folder / FILE_NAME
    try:
        write_whole_file(path, f"{manifest.model_dump_json(indent=2)}\n".encode(), private=False)
    except OSError as error:
        raise SessionFileError(f"The file {path} cannot be written ({error.strerror}): check the folder.") from error
    return path


def read_manifest(folder: Path) -> SessionManifest:
    """The manifest of a session's folder, migrated to the present schema.

    Raises:
        SessionFileError: it is missing, damaged, or of a newer version.
    """
    path = folder / FILE_NAME
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES)
    except OSError as error:
        raise SessionFileError(f"{folder} is not a session: {FILE_NAME} cannot be read ({error.strerror}).") from error
    return parse_manifest(content, folder)


def parse_manifest(content: bytes, folder: Path) -> SessionManifest:
    """The manifest that a file's content is, migrated to the present schema.

    Args:
        folder: of the session, for the messages.

    Raises:
        SessionFileError: it is damaged, or of a newer version.
    """
    damaged = f"The file {folder / FILE_NAME} is damaged: restore it or track again."
    try:
        data = json.loads(content)
        version = data["schema_version"]
        if not isinstance(version, int):
            raise TypeError("a schema version is a whole number")
        if version > SCHEMA_VERSION:
            raise NewerVersionError(f"The session {folder} was made by a newer version of Mien: update Mien.")
        while version < SCHEMA_VERSION:
            data = MIGRATIONS[version](data)
            version += 1
            data["schema_version"] = version
        return SessionManifest.model_validate(data)
    except (ValidationError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise SessionFileError(damaged) from error


def hash_file(path: Path) -> str:
    """SHA-256 of a file in hexadecimal; about a second for a gigabyte.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def hash_files(paths: Iterable[Path]) -> str:
    """SHA-256 of several files: of the text `SHA256  NAME`, a line for each file in the given order.

    Raises:
        OSError: one cannot be read.
    """
    lines = "".join(f"{hash_file(path)}  {path.name}\n" for path in paths)
    return hashlib.sha256(lines.encode()).hexdigest()
