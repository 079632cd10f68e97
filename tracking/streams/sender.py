"""Several streams at once, on a thread of their own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from types import TracebackType

from models.face_model import FaceModel, load_face_model
from tracking.streams.base import is_loopback
from tracking.streams.ifacialmocap import IFacialMocapEncoder
from tracking.streams.live_link import LiveLinkEncoder
from tracking.streams.open_see_face import OpenSeeFaceEncoder
from tracking.streams.outlets import (
    AnswerOutlet,
    Outlet,
    PushOutlet,
    StreamStatus,
    answer_ifacialmocap,
    answer_vtube_studio,
    closed,
    status_of,
)
from tracking.streams.settings import (
    IFacialMocapStream,
    LiveLinkStream,
    OpenSeeFaceStream,
    StreamSettings,
    VmcStream,
    VTubeStudioStream,
)
from tracking.streams.vmc import VmcEncoder
from tracking.streams.vtube_studio import VTubeStudioEncoder
from tracking.types import TrackedFace

_log = logging.getLogger(__name__)
_CLOSE_WAIT_S = 0.4


class StreamHub:
    """Sends faces to all streams that are switched on.

    The newest face wins; every stream keeps its own rate, and one that fails disturbs no other. Nothing is opened, and
    no thread runs, until a stream is switched on. All methods may be called from any thread.

    Args:
        settings: the streams.
        model: the model of the faces that come, for OpenSeeFace's points; the shipped one by default.
    """

    def __init__(self, settings: Sequence[StreamSettings] = (), *, model: FaceModel | None = None) -> None:
        self._model = model
        self._changed = threading.Condition()
        self._face: TrackedFace | None = None
        self._closing = False
        self._woken = False
        # Held while packets go out, which never blocks; `send` does not need it.
        self._outlets_lock = threading.Lock()
        self._settings: tuple[StreamSettings, ...] = ()
        self._outlets: tuple[Outlet | None, ...] = ()
        self._thread: threading.Thread | None = None
        self.configure(settings)

    @property
    def settings(self) -> tuple[StreamSettings, ...]:
        """The streams as they are."""
        return self._settings

    @property
    def targets_outside(self) -> tuple[str, ...]:
        """The streams that are on and leave this machine, each as `name: address:port`: warn of them."""
        return tuple(f"{s.title}: {s.place}" for s in self._settings if s.on and s.outside)

    def send(self, face: TrackedFace) -> None:
        """Hand over the newest result. Takes microseconds, whatever the network does; meant for the tracking thread."""
        with self._changed:
            self._face = face
            self._changed.notify()

    def configure(self, settings: Sequence[StreamSettings]) -> None:
        """Switch streams on or off, or change them. Those that stay as they are are not interrupted."""
        with self._outlets_lock:
            if self._closing:
                return
            left = [outlet for outlet in self._outlets if outlet is not None]
            outlets: list[Outlet | None] = []
            for wanted in settings:
                kept = next((outlet for outlet in left if outlet.settings == wanted), None)
                if kept is not None:
                    left.remove(kept)
                outlets.append((kept or self._make(wanted)) if wanted.on else None)
            closed(left)
            self._settings, self._outlets = tuple(settings), tuple(outlets)
            if any(outlet is not None for outlet in outlets) and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mien-streams", daemon=True)
                self._thread.start()
        with self._changed:
            self._woken = True
            self._changed.notify()

    def status(self) -> tuple[StreamStatus, ...]:
        """A snapshot of every stream, in the order of the settings."""
        with self._outlets_lock:
            return tuple(
                status_of(wanted, outlet) for wanted, outlet in zip(self._settings, self._outlets, strict=True)
            )

    def close(self) -> None:
        """Stop sending and free every socket, in less than half a second; may be called twice."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_CLOSE_WAIT_S)
        with self._outlets_lock:
            closed(self._outlets)
            self._outlets = (None,) * len(self._settings)

    def __enter__(self) -> StreamHub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        wait_ns, seen = 0, None
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda last=seen: self._closing or self._woken or self._face is not last,  # type: ignore[misc]
                    wait_ns / 1e9,
                )
                if self._closing:
                    return
                self._woken = False
                seen = self._face
            with self._outlets_lock:
                now = time.monotonic_ns()
                waits = [outlet.step(seen, now) for outlet in self._outlets if outlet is not None]
            wait_ns = max(0, min(waits, default=1_000_000_000))

    def _make(self, wanted: StreamSettings) -> Outlet:
        if isinstance(wanted, VmcStream):
            encoder = VmcEncoder(wanted, divided=not is_loopback(wanted.target))
            return PushOutlet(wanted, encoder, wanted.target, wanted.port)
        if isinstance(wanted, LiveLinkStream):
            return PushOutlet(wanted, LiveLinkEncoder(wanted), wanted.target, wanted.port)
        if isinstance(wanted, OpenSeeFaceStream):
            self._model = self._model or load_face_model()
            return PushOutlet(wanted, OpenSeeFaceEncoder(wanted, self._model), wanted.target, wanted.port)
        if isinstance(wanted, VTubeStudioStream):
            listen = (wanted.listen_on, wanted.listen_port)
            return AnswerOutlet(wanted, {1: VTubeStudioEncoder(wanted)}, listen, answer_vtube_studio)
        assert isinstance(wanted, IFacialMocapStream)
        encoders = {version: IFacialMocapEncoder(wanted, version) for version in (1, 2)}
        if not wanted.wait_for_request:
            return PushOutlet(wanted, encoders[1], wanted.target, wanted.port)
        listen = (wanted.listen_on, wanted.listen_port)
        return AnswerOutlet(wanted, dict(encoders), listen, answer_ifacialmocap(wanted.port))
