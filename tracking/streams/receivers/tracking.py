"""A receiver in the place of camera and tracker: a phone drives our avatars.

receiver = LiveLinkReceiver(bind="192.168.0.10")
Pipeline(ReceiverSource(receiver), ReceiverTracking(receiver, model))
"""

from __future__ import annotations

import threading
import time

import numpy as np

from models.channels import CHANNEL_COUNT
from models.face_model import FaceModel
from models.geometry.camera import Camera
from tracking.blending import with_gaze
from tracking.sources.base import Source, SourceError
from tracking.streams.receivers.base import LOST_S, ReceivedFace, Receiver
from tracking.types import FaceParameters, Frame, Image, StageTime, TrackedFace, TrackingState

WIDTH, HEIGHT = 640, 480
DEFAULT_PLACE = (0.0, 0.0, 0.6)
"""Metres, camera frame: where a head is put whose sender does not tell."""
_IDLE_S = 0.1
_GREY = 40


class ReceiverSource(Source):
    """Blank pictures, one for each face that arrives; while none does, ten a second, so that the loss is seen.

    Args:
        receiver: started when the source is opened, closed with it.
        size: width and height of the pictures.
        rate: nominal faces a second.
    """

    def __init__(self, receiver: Receiver, size: tuple[int, int] = (WIDTH, HEIGHT), rate: float = 60.0) -> None:
        self.receiver = self._receiver = receiver
        self._width, self._height = size
        self._rate = rate
        picture = np.full((self._height, self._width, 3), _GREY, np.uint8)
        picture.flags.writeable = False
        self._picture: Image = picture
        self._last: ReceivedFace | None = None
        self._count = 0
        self._started_ns = 0
        self._open = False
        self._closed = threading.Event()

    @property
    def name(self) -> str:
        return f"{self._receiver.title} at {self._receiver.place}"

    @property
    def width(self) -> int:
        return self._width

    @property
    def height(self) -> int:
        return self._height

    @property
    def fps(self) -> float:
        return self._rate

    @property
    def live(self) -> bool:
        return True

    @property
    def problem(self) -> str | None:
        return self._receiver.status().problem if self._open else None

    def open(self) -> None:
        if self._closed.is_set():
            raise SourceError(f"{self.name} was closed: choose it again.")
        if not self._open:
            self._receiver.start()
            self._started_ns = time.monotonic_ns()
            self._open = True

    def read(self) -> Frame | None:
        if not self._open:
            raise SourceError(f"{self.name} is not open: open it first.")
        if self._closed.is_set():
            return None
        face = self._receiver.wait(self._last, _IDLE_S)
        if self._closed.is_set():
            return None
        now = time.monotonic_ns()
        if face is not None:
            self._last = face
        captured = now if face is None else face.received_ns
        frame = Frame(self._count, (now - self._started_ns) / 1e9, captured, self._picture)
        self._count += 1
        return frame

    def close(self) -> None:
        self._closed.set()
        self._receiver.close()


class ReceiverTracking:
    """The received face as a tracked one; implements `FrameTracker`.

    The mean identity is posed with the received expression, gaze and head; nothing is calibrated or smoothed, since the
    sender has done it. A face that the sender lost, or a stream that breaks off, is held for half a second.

    Args:
        receiver: whose newest face is taken.
        model: that is posed.
    """

    def __init__(self, receiver: Receiver, model: FaceModel) -> None:
        self._receiver = receiver
        self._model = model
        self._identity = model.identity()
        self._seen: ReceivedFace | None = None

    def reset(self) -> None:
        """Forget the last face."""
        self._seen = None

    def process(self, frame: Frame) -> TrackedFace:
        """The newest received face, as of `frame`."""
        start = time.perf_counter()
        now = time.monotonic_ns()
        newest = self._receiver.latest()
        if newest is not None and newest.present:
            self._seen = newest
        seen = self._seen
        age_s = 0.0 if seen is None else (now - seen.received_ns) / 1e9
        if seen is None or age_s >= LOST_S:
            return _searching(frame, start)
        parameters = self._parameters(seen, frame)
        posed = self._model.pose(parameters.identity, parameters.expression, parameters.gaze)
        valid = newest is seen
        return TrackedFace(
            frame=frame,
            state=TrackingState.TRACKING if valid else TrackingState.HOLDING,
            confidence=1.0 if valid else 0.0,
            observation=None,
            raw=parameters if valid else None,
            parameters=parameters,
            vertices=posed.vertices,
            normals=posed.normals,
            displacement=None,
            stages=(_time_since(start),),
        )

    def _parameters(self, face: ReceivedFace, frame: Frame) -> FaceParameters:
        height, width = frame.image.shape[:2]
        place = DEFAULT_PLACE if face.translation is None or face.translation[2] <= 0.05 else face.translation
        neutral = FaceParameters(
            identity=self._identity,
            expression=np.zeros(CHANNEL_COUNT, np.float32),
            rotation=face.rotation,
            translation=np.asarray(place, np.float64),
            gaze=face.gaze,
            camera=Camera.from_fov(width, height),
        )
        return with_gaze(neutral, face.expression, face.gaze)


def _searching(frame: Frame, start: float) -> TrackedFace:
    return TrackedFace(frame, TrackingState.SEARCHING, 0.0, None, None, None, None, None, None, (_time_since(start),))


def _time_since(start: float) -> StageTime:
    return StageTime("receive", (time.perf_counter() - start) * 1e3)
