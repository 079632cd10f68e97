"""What is being sent, for those who show it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from rendering.virtual_camera.camera import VirtualCameraStatus
from tracking.streams.outlets import StreamStatus


class OutputsState:
    """Snapshots of the streams and of the virtual camera."""

    changed = Signal()

    def __init__(self) -> None:
        self.streams: tuple[StreamStatus, ...] = ()
        self.camera: VirtualCameraStatus | None = None
        """None until the camera was switched on for the first time."""
        self.preview: NDArray[np.uint8] | None = None
        """(H, W, 3) RGB, exactly what goes out."""

    def show(
        self,
        streams: tuple[StreamStatus, ...],
        camera: VirtualCameraStatus | None,
        preview: NDArray[np.uint8] | None,
    ) -> None:
        """Other snapshots."""
        same = preview is self.preview and streams == self.streams and camera == self.camera
        self.streams, self.camera, self.preview = streams, camera, preview
        if not same:
            self.changed.emit()

    @property
    def sending(self) -> int:
        """How many streams and cameras are at work."""
        camera = self.camera is not None and self.camera.state.value in ("starting", "running")
        return sum(stream.on for stream in self.streams) + camera

    @property
    def outside(self) -> tuple[str, ...]:
        """Those that leave this machine, in words."""
        return tuple(f"{stream.name}: {stream.place}" for stream in self.streams if stream.on and stream.outside)
