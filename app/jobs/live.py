"""A source to streams, the virtual camera and a recording, without a window."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from app.demo_clip import named_input
from app.errors import CommandError
from models.face_model import FaceModel, load_face_model
from rendering import Scene
from rendering.subject import OWN, Subject
from rendering.virtual_camera.settings import VirtualCameraSettings
from tracking import FaceTracker, FrameTracker, Source, TrackerSettings
from tracking.calibration import Calibration
from tracking.pipeline import Pipeline, PipelineState, PipelineStatus
from tracking.sources import ImageSource, make_source
from tracking.streams import StreamHub, StreamStatus
from tracking.streams.receivers import ReceiverSource, ReceiverTracking
from tracking.streams.receivers.choose import receiver_of
from tracking.streams.settings import StreamSettings, read_stream
from tracking.types import TrackedFace

__all__ = ["LiveRequest", "LiveStatus", "Outlets", "run_live", "stream_of"]

_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What to send, and where.

    Attributes:
        spec: `demo`, a receiver (see `receiver_of`), or see `make_source`.
        streams: those to send to.
        camera: the virtual camera, None for none.
        subject: whose head it shows.
        scene: how.
        tracker: the tracker's settings.
        calibration: None for none.
        mirrored: the input is mirrored.
        loop: a file starts over at its end.
        seconds: stop after so many; None goes on.
    """

    spec: str
    streams: tuple[StreamSettings, ...] = ()
    camera: VirtualCameraSettings | None = None
    subject: Subject = OWN
    scene: Scene = field(default_factory=Scene)
    tracker: TrackerSettings = field(default_factory=TrackerSettings)
    calibration: Calibration | None = None
    mirrored: bool = False
    loop: bool = False
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """How it goes.

    Attributes:
        pipeline: of the tracking.
        streams: of each stream.
        camera: the virtual camera in words, empty for none.
        camera_works: it runs; True without one.
    """

    pipeline: PipelineStatus
    streams: tuple[StreamStatus, ...]
    camera: str
    camera_works: bool


class Outlets:
    """Streams and the virtual camera, fed from the tracking thread.

    Args:
        streams: those to send to.
        camera: None for none.
        model: face model to draw.
        subject: whose head the camera shows.
        scene: how; by default as usual.
        backend_module, backend: see VirtualCamera; for tests and measurements.
    """

    def __init__(
        self,
        streams: tuple[StreamSettings, ...],
        camera: VirtualCameraSettings | None,
        model: FaceModel,
        subject: Subject = OWN,
        scene: Scene | None = None,
        *,
        backend_module: str | None = None,
        backend: str | None = None,
    ) -> None:
        self.hub = StreamHub(streams, model=model)
        self.camera = self.feeder = None
        if camera is not None:
            from rendering.virtual_camera.camera import VirtualCamera
            from rendering.virtual_camera.feeder import CameraFeeder

            self.camera = VirtualCamera(camera, backend_module=backend_module, backend=backend)
            self.camera.start()
            self.feeder = CameraFeeder(self.camera, model, scene, subject)

    def send(self, face: TrackedFace) -> None:
        """The newest result, to all; takes microseconds."""
        self.hub.send(face)
        if self.feeder is not None:
            self.feeder.send(face)

    def camera_words(self) -> tuple[str, bool]:
        """The camera's state in words, and whether it works."""
        if self.camera is None or self.feeder is None:
            return "", True
        status = self.camera.status()
        problem = status.problem or self.feeder.problem
        if problem:
            return problem, False
        if status.state.value == "running":
            return f"{status.device} at {status.rate:.0f} pictures a second", True
        return "starting", True

    def close(self) -> None:
        """End all of it."""
        self.hub.close()
        if self.feeder is not None:
            self.feeder.close()
        if self.camera is not None:
            self.camera.stop()


def run_live(request: LiveRequest, watch: Callable[[LiveStatus], None] = lambda status: None) -> LiveStatus:
    """Track and send until the input ends, the time is over, or Ctrl-C.

    Args:
        watch: called several times a second.

    Raises:
        SourceError, StreamError, ModelFileError, CommandError: it cannot begin.
    """
    if not request.streams and request.camera is None:
        raise CommandError("Nothing to send to: give --stream or --virtual-camera (or both).")
    model = load_face_model()
    with ExitStack() as stack:
        source, tracker = _input(request, model, stack)
        outlets = Outlets(request.streams, request.camera, model, request.subject, request.scene)
        stack.callback(outlets.close)
        pipeline = stack.enter_context(Pipeline(source, tracker, on_result=outlets.send))
        start = time.monotonic()
        failed = False
        try:
            while True:
                time.sleep(_POLL_S)
                words, works = outlets.camera_words()
                status = LiveStatus(pipeline.status(), outlets.hub.status(), words, works)
                watch(status)
                failed = pipeline.ended
                over = request.seconds is not None and time.monotonic() - start >= request.seconds
                if over or failed or (not works and not request.streams):
                    break
        except KeyboardInterrupt:
            status = LiveStatus(pipeline.status(), outlets.hub.status(), *outlets.camera_words())
    # A receiver that hears nothing is told in its status; only what ended by itself has failed.
    error = status.pipeline.error
    if failed and status.pipeline.state in (PipelineState.ERROR, PipelineState.NO_CAMERA) and error is not None:
        raise CommandError(f"{error.sentence} {error.remedy}".strip())
    return status


def _input(request: LiveRequest, model: FaceModel, stack: ExitStack) -> tuple[Source, FrameTracker]:
    receiver = receiver_of(request.spec)
    if receiver is not None:
        source: Source = ReceiverSource(receiver)
        return source, ReceiverTracking(receiver, model)
    path = named_input(request.spec)
    source = make_source(path, paced=True, loop=request.loop, mirrored=request.mirrored)
    if isinstance(source, ImageSource):
        raise CommandError(f"{request.spec} is made of pictures, which have no time to keep: `track` them.")
    tracker = stack.enter_context(FaceTracker(request.tracker, model, request.calibration))
    return source, tracker


def stream_of(text: str) -> StreamSettings:
    """A stream as `PROTOCOL[@ADDRESS][:PORT]`, such as `vmc` or `live_link@192.168.1.5:11111`.

    Raises:
        StreamError: it cannot be; one sentence.
    """
    protocol, at, place = text.partition("@")
    port = ""
    if not at:
        protocol, _, port = protocol.partition(":")
    elif ":" in place.rpartition("]")[2]:
        place, _, port = place.rpartition(":")
    answers = protocol == "vtube_studio"
    data: dict[str, object] = {"protocol": protocol, "on": True}
    if at:
        data["listen_on" if answers else "target"] = place.strip("[]")
    if port:
        data["listen_port" if answers else "port"] = port
    return read_stream(data)
