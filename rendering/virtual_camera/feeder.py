"""Draws the newest face for the virtual camera where no window does."""

from __future__ import annotations

import logging
import threading
import time

from models.face_model import FaceModel
from rendering.idle import IDLE_EVERY_S, idle_face, idles
from rendering.offscreen import RenderingUnavailableError
from rendering.scene import Scene, View
from rendering.subject import OWN, Subject, SubjectPictures
from rendering.virtual_camera.camera import VirtualCamera
from rendering.virtual_camera.compose import compose
from rendering.virtual_camera.feed import feed_scene, feed_settings, feed_size
from tracking.mailbox import Mailbox
from tracking.threads import come_second
from tracking.types import TrackedFace

_log = logging.getLogger(__name__)

MOST_PIXELS = 400_000
"""Without a graphics card more would cost the tracking its time; `compose` scales up."""
NICE = 10
"""Tracking and recording come first where processors are short: a picture sent again is no loss."""
REST_SHARE = 1.0
"""Of the time that a picture took, the thread rests: what it draws with is the tracking's, too. The camera holds its
rate by sending pictures again; a graphics card draws so fast that the rest is not noticed."""
QUIET_S = 1.0
"""After so long without a face an avatar idles."""


class CameraFeeder:
    """A thread that draws. The newest face wins; where none comes, an avatar goes on idling as its settings say.

    Args:
        camera: given the pictures.
        model: face model to draw.
        scene: how the head is shown.
        subject: whose head; by default the tracked person's own.
    """

    def __init__(
        self, camera: VirtualCamera, model: FaceModel, scene: Scene | None = None, subject: Subject = OWN
    ) -> None:
        self.drawn = 0
        """Pictures so far."""
        self.problem = ""
        """Why nothing is drawn; empty while all is well."""
        self._camera = camera
        self._model = model
        self._scene = scene or Scene()
        self._subject = subject
        self._idling, self._size = False, (640, 480)
        self._closing = threading.Event()
        self._faces: Mailbox[TrackedFace] = Mailbox()
        self._thread = threading.Thread(target=self._run, name="mien-camera-feed", daemon=True)
        self._thread.start()

    def send(self, face: TrackedFace) -> None:
        """The newest result; takes microseconds."""
        self._faces.put(face)

    def close(self) -> None:
        """End, in less than half a second."""
        self._closing.set()
        self._faces.close(discard=True)
        self._thread.join(0.5)

    def _next(self) -> TrackedFace | None:
        """The next face to draw; None at the end."""
        if not idles(self._subject):
            return self._faces.take()
        face = self._faces.take(IDLE_EVERY_S if self._idling else QUIET_S)
        if face is None and not self._faces.closed:
            self._idling = True
            return idle_face(time.monotonic_ns(), self._size)
        if face is not None:
            height, width = face.frame.image.shape[:2]
            self._idling, self._size = False, (width, height)
        return face

    def _run(self) -> None:
        come_second(NICE)
        scene = feed_scene(self._camera.settings, self._scene)
        settings = feed_settings(self._camera.settings, self._scene)
        clear = scene.background.alpha < 1.0 and scene.view is not View.OVERLAY
        try:
            with SubjectPictures(self._model, scene, wrinkles=True) as renderer:
                renderer.choose(self._subject)
                while (face := self._next()) is not None:
                    begun = time.perf_counter()
                    height, width = face.frame.image.shape[:2]
                    size = feed_size(settings, (width, height), MOST_PIXELS)
                    view = renderer.render(face, scene, size, alpha=clear)
                    self._camera.submit(compose(face.frame.image, view, settings))
                    self.drawn += 1
                    self._closing.wait((time.perf_counter() - begun) * REST_SHARE)
        except (RenderingUnavailableError, ValueError) as error:
            self.problem = str(error)
        except Exception as error:
            _log.exception("drawing for the virtual camera failed")
            self.problem = " ".join(str(error).split())[:300] or type(error).__name__
