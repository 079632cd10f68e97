"""The sources that can be chosen."""

from __future__ import annotations

from dataclasses import dataclass

from psygnal import Signal

from app.window_settings import SourceSettings


@dataclass(frozen=True, slots=True)
class CameraChoice:
    """A connected camera.

    Attributes:
        index: OpenCV's.
        name: the device's own.
    """

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class CameraMode:
    """What to ask a camera for; None leaves it to the driver."""

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    fourcc: str | None = None


# Drivers do not list what they can do; these are what webcams have, and what a camera gives instead is reported.
CAMERA_MODES = (
    CameraMode(),
    CameraMode(640, 480, 30.0),
    CameraMode(640, 480, 60.0, "MJPG"),
    CameraMode(1280, 720, 30.0, "MJPG"),
    CameraMode(1280, 720, 60.0, "MJPG"),
    CameraMode(1920, 1080, 30.0, "MJPG"),
)


class SourceList:
    """Cameras that are connected, and what is open.

    A fresh list of cameras is fetched on a worker thread; `poll` takes it over.
    """

    cameras_changed = Signal()
    current_changed = Signal()

    def __init__(self) -> None:
        self.cameras: tuple[CameraChoice, ...] = ()
        self.current = SourceSettings()
        self.listed = False
        """Whether the cameras were looked for at all."""

    def set_cameras(self, cameras: tuple[CameraChoice, ...]) -> None:
        """The cameras that are connected now."""
        if cameras != self.cameras or not self.listed:
            self.cameras, self.listed = cameras, True
            self.cameras_changed.emit()

    def set_current(self, source: SourceSettings) -> None:
        """What is open, or being opened."""
        if source != self.current:
            self.current = source
            self.current_changed.emit()


def camera_mode(source: SourceSettings) -> CameraMode:
    """The mode that the settings of a source ask for."""
    return CameraMode(source.width, source.height, source.fps, source.fourcc)


def with_mode(source: SourceSettings, mode: CameraMode) -> SourceSettings:
    """The source in another mode."""
    return source.model_copy(
        update={"width": mode.width, "height": mode.height, "fps": mode.fps, "fourcc": mode.fourcc}
    )
