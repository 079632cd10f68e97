"""Streams and the virtual camera, fed with what the window tracks. A companion of the director."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.live.director import Director
from app.output_settings import OutputSettings
from app.settings import Settings
from app.state.live import Phase
from app.state.notices import Notice, NoticeLevel
from tracking.types import TrackedFace

if TYPE_CHECKING:
    from rendering import Scene
    from rendering.virtual_camera.camera import VirtualCamera
    from rendering.virtual_camera.settings import VirtualCameraSettings
    from tracking.streams import StreamHub

STATUS_EVERY_S = 0.2
SHOWN = (Phase.TRACKING, Phase.SEARCHING, Phase.LOST)


class Outputs:
    """Opens and closes what the settings switch on.

    Args:
        director: whose session is sent.
    """

    def __init__(self, director: Director) -> None:
        self.make_camera: Callable[[VirtualCameraSettings], VirtualCamera] = _camera
        """Replaced in tests, for machines without a camera driver."""
        self._director = director
        self._preferences = director.models.preferences
        self.state = director.models.outputs
        self._hub: StreamHub | None = None
        self._camera: VirtualCamera | None = None
        self._hidden = False
        self._idle_sent = False
        """The newest picture is of an avatar that idles: nothing of a camera is in it."""
        self._looked_s = 0.0
        self._preferences.changed.connect(self._on_settings)

    @property
    def camera(self) -> VirtualCamera | None:
        """The virtual camera where it is switched on."""
        return self._camera

    @property
    def settings(self) -> OutputSettings:
        """As they are."""
        return self._preferences.settings.outputs

    def start(self) -> None:
        """Open what is switched on."""
        self._follow_streams()
        if self.settings.virtual_camera.on:
            self._start_camera()

    def take_picture(self, face: TrackedFace, view: NDArray[np.uint8], scene: Scene) -> None:
        """A picture of the head for the virtual camera, on the thread that draws.

        Args:
            scene: of the window, which the camera's background may be left to.
        """
        camera = self._camera
        if camera is None or (self._director.models.view.hidden and not face.made_up):
            return  # what was being drawn as the user hid
        from rendering.virtual_camera.compose import compose
        from rendering.virtual_camera.feed import feed_settings

        camera.submit(compose(face.frame.image, view, feed_settings(camera.settings, scene)))
        self._idle_sent = face.made_up

    def restart_camera(self) -> None:
        """Try again after a failure."""
        self._stop_camera()
        if self.settings.virtual_camera.on:
            self._start_camera()

    def advance(self, now_s: float) -> None:
        """See how they go."""
        if now_s - self._looked_s < STATUS_EVERY_S:
            return
        self._looked_s = now_s
        camera = self._camera
        if camera is not None:
            models = self._director.models
            hidden = models.view.hidden or models.live.now.phase not in SHOWN
            hidden = hidden and not (models.avatars.idling and self._idle_sent)
            if hidden is not self._hidden:
                self._hidden = hidden
                camera.hide(hidden)
        self.state.show(
            self._hub.status() if self._hub is not None else (),
            camera.status() if camera is not None else None,
            camera.preview() if camera is not None else None,
        )

    def close(self) -> None:
        """Stop sending."""
        self._preferences.changed.disconnect(self._on_settings)
        if self._hub is not None:
            self._director.session.result_taps = _without(self._director.session.result_taps, self._hub.send)
            self._hub.close()
        self._stop_camera()

    def _on_settings(self, before: Settings, after: Settings) -> None:
        if before.outputs.streams != after.outputs.streams:
            self._follow_streams()
        old, new = before.outputs.virtual_camera, after.outputs.virtual_camera
        if old != new:
            self.restart_camera()

    def _follow_streams(self) -> None:
        streams = self.settings.streams
        if self._hub is None:
            if not any(stream.on for stream in streams):
                return
            from tracking.streams import StreamHub

            self._hub = StreamHub(model=self._director.session.model)
            session = self._director.session
            session.result_taps = (*session.result_taps, self._hub.send)
        self._hub.configure(streams)
        outside = self._hub.targets_outside
        notices = self._director.models.notices
        if outside:
            tr = self._director.translate
            notices.post(
                Notice(
                    "outside",
                    NoticeLevel.WARNING,
                    tr("Your face's movements leave this computer: {places}.", places=", ".join(outside)),
                    tr("They go unencrypted; switch the stream off when it is not needed."),
                )
            )
        else:
            notices.clear("outside")

    def _start_camera(self) -> None:
        camera = self.make_camera(self.settings.virtual_camera)
        self._camera, self._hidden = camera, True
        camera.hide(True)
        # Starting a process takes some tens of milliseconds.
        threading.Thread(target=camera.start, name="mien-camera", daemon=True).start()

    def _stop_camera(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            stopping = threading.Thread(target=camera.stop, name="mien-camera", daemon=True)
            stopping.start()
            # A device is free again before it is opened anew.
            stopping.join(0.4)


def _camera(settings: VirtualCameraSettings) -> VirtualCamera:
    from rendering.virtual_camera.camera import VirtualCamera

    return VirtualCamera(settings)


def _without(taps: tuple, tap: object) -> tuple:  # type: ignore[type-arg]
    return tuple(each for each in taps if each != tap)
