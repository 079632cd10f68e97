"""What leaves the window: recordings, network streams, the virtual camera."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_videos_path
from pydantic import BaseModel, ConfigDict, Field

from rendering.virtual_camera.settings import VirtualCameraSettings
from tracking.streams.settings import (
    IFacialMocapStream,
    LiveLinkStream,
    OpenSeeFaceStream,
    StreamSettings,
    VmcStream,
    VTubeStudioStream,
)

MOST_STREAMS = 16


class RecordingPreferences(BaseModel):
    """How the window records."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str = Field(default="", max_length=4096)
    """Where sessions go; empty for `Mien` among the user's videos."""
    picture: bool = True
    """Store the camera's pictures."""
    codec: Literal["h264", "vp9"] = "h264"
    """Of the pictures."""
    audio: str = Field(default="default", max_length=300)
    """Microphone by name, default for the system's, none for no sound."""
    audio_offset_ms: float = Field(default=0.0, ge=-5000.0, le=5000.0)
    """Let the sound come so much later."""
    reserve_mb: float = Field(default=500.0, ge=0.0, le=1e7)
    """Space to leave free on the disk: a recording ends before."""

    @property
    def place(self) -> Path:
        """The folder of all sessions."""
        return Path(self.folder).expanduser() if self.folder else user_videos_path() / "Mien"


def _one_of_each() -> tuple[StreamSettings, ...]:
    return (VmcStream(), LiveLinkStream(), VTubeStudioStream(), IFacialMocapStream(), OpenSeeFaceStream())


class OutputSettings(BaseModel):
    """All of it. Streams and the camera are off until somebody switches them on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recording: RecordingPreferences = RecordingPreferences()
    streams: tuple[StreamSettings, ...] = Field(default_factory=_one_of_each, max_length=MOST_STREAMS)
    virtual_camera: VirtualCameraSettings = VirtualCameraSettings()
