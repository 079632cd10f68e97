"""What a recorder is told, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from recordings.disk_guard import DEFAULT_RESERVE
from recordings.manifest import AvatarPart, CalibrationPart, SourcePart
from recordings.table import TRACKER_STAGES

if TYPE_CHECKING:
    from recordings.audio import AudioLevel
    from recordings.media import LiveCodec

__all__ = ["RecorderSettings", "RecorderState", "RecorderStatus", "RecordingOutcome", "SessionFacts"]


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """How a session is recorded.

    Attributes:
        picture: store the source's pictures; without them a session holds what was tracked, and sound if asked for.
        codec: of the pictures.
        detail: store the relief of the skin.
        audio_offset_ms: > 0 lets the sound come later.
        reserve_bytes: left free on the disk: the recording ends before.
        timecode: `clock` counts from the time of day, `zero` from 00:00:00:00.
        timeline: `capture` places everything by when it was captured (live sources); `media` by the source's own
            timestamps (files that are read faster or slower than they play).
        wait_s: how long `add_frame` and `add_face` may block while the disk or the encoder does not keep up, before a
            picture is given up and counted; None for ever, for sources that can wait.
        take: name of a take that begins with the session; None for none.
    """

    picture: bool = True
    codec: LiveCodec = "h264"
    detail: bool = True
    audio_offset_ms: float = 0.0
    reserve_bytes: int = DEFAULT_RESERVE
    timecode: Literal["clock", "zero"] = "clock"
    timeline: Literal["capture", "media"] = "capture"
    wait_s: float | None = 0.2
    take: str | None = None


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What the manifest says of where a session came from.

    Attributes:
        source: of the pictures.
        width, height: of the pictures in pixels.
        fps: nominal pictures a second.
        face_model: name of the face model that was tracked with.
        tracker_settings: the tracker's settings, as JSON would have them.
        calibration, avatar: where there are any.
        stages: names of the stages that frames.csv has columns for.
        command: which command records.
    """

    source: SourcePart
    width: int
    height: int
    fps: float
    face_model: str | None = None
    tracker_settings: dict[str, Any] = field(default_factory=dict)
    calibration: CalibrationPart = field(default_factory=CalibrationPart)
    avatar: AvatarPart = field(default_factory=AvatarPart)
    stages: tuple[str, ...] = (*TRACKER_STAGES, "coarse", "detail")
    command: str = "record"


class RecorderState(Enum):
    """What a recorder does."""

    WAITING = "waiting"
    """No picture has come yet."""
    RECORDING = "recording"
    """Everything is stored as it comes."""
    DISK_SLOW = "disk_slow"
    """The disk or the encoder does not keep up: pictures are being lost, and counted."""
    FINISHING = "finishing"
    """The files are being completed."""
    STOPPED = "stopped"
    """All is written."""


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """A snapshot.

    Attributes:
        state: see RecorderState.
        seconds: length of the session so far.
        frames: pictures that were captured.
        faces: tracked frames that were written.
        lost_frames: pictures that could not be stored.
        bytes_written: of all files.
        free_bytes: on the disk.
        disk_seconds_left: until the disk's reserve is reached at this rate; None while unknown.
        audio: level of the sound; None without.
        take: name of the take that runs; None between takes.
        timecode: of this moment; empty before the first picture.
        problems: what is wrong, one sentence each; empty while all is well.
    """

    state: RecorderState
    seconds: float
    frames: int
    faces: int
    lost_frames: int
    bytes_written: int
    free_bytes: int
    disk_seconds_left: float | None
    audio: AudioLevel | None
    take: str | None
    timecode: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordingOutcome:
    """What came of a recording.

    Attributes:
        folder: of the session.
        frames: pictures that were captured.
        stored_frames: those of them that are in the video.
        lost_frames: those that should be and are not.
        faces, valid_faces: tracked frames, and those in which a face was seen.
        seconds: length.
        complete: every file came to its end; otherwise `recover` mends what can be mended.
        warnings: what was not as it should be, one sentence each.
    """

    folder: Path
    frames: int
    stored_frames: int
    lost_frames: int
    faces: int
    valid_faces: int
    seconds: float
    complete: bool
    warnings: tuple[str, ...]
