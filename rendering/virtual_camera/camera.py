"""The program's side of the virtual camera."""

from __future__ import annotations

import importlib.util
import logging
import multiprocessing
import threading
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from rendering.virtual_camera import process
from rendering.virtual_camera.advice import INSTALL, Advice, advise
from rendering.virtual_camera.compose import fit, plain
from rendering.virtual_camera.frames import FramesError, Shape, SharedFrames
from rendering.virtual_camera.outputs import PACKAGES, OutputRequest
from rendering.virtual_camera.settings import VirtualCameraSettings

_log = logging.getLogger(__name__)
Pixels = NDArray[np.uint8]
_STOP_WAIT_S = 1.0
_KILL_WAIT_S = 0.5


class CameraState(Enum):
    """What the virtual camera does."""

    OFF = "off"
    STARTING = "starting"
    RUNNING = "running"
    FAILED = "failed"
    """It could not be started, or its process died; `start` tries again."""


@dataclass(frozen=True, slots=True)
class VirtualCameraStatus:
    """A snapshot.

    Attributes:
        state: see CameraState.
        backend, device: what it goes out by, and what other programs call it; empty unless RUNNING.
        width, height, fps: as asked for.
        rate: pictures a second that really go out.
        sent: pictures that went out since the start.
        fresh: those of them that were new; the others repeat the newest, to hold the rate.
        hidden: the privacy picture goes out.
        problem: what is wrong and what to do, in one sentence; None if all is well.
        advice: the same for each back end that was tried.
    """

    state: CameraState
    backend: str
    device: str
    width: int
    height: int
    fps: int
    rate: float
    sent: int
    fresh: int
    hidden: bool
    problem: str | None
    advice: tuple[Advice, ...]


class VirtualCamera:
    """Sends pictures as a camera. All methods may be called from any thread and return without waiting for the device;
    what goes wrong is told by `status`, never raised.

    Args:
        settings: size, rate, back end; for others make another camera.
        backend_module: a module that registers further back ends of pyvirtualcam, for tests; never from a file.
        backend: one that such a module registers, in place of the settings'.
    """

    def __init__(
        self,
        settings: VirtualCameraSettings | None = None,
        *,
        backend_module: str | None = None,
        backend: str | None = None,
    ) -> None:
        self.settings = settings or VirtualCameraSettings()
        self._module = backend_module
        self._backend_wanted = backend or self.settings.backend
        self._lock = threading.RLock()
        self._context = multiprocessing.get_context("spawn")
        self._process: multiprocessing.process.BaseProcess | None = None
        self._line: Connection | None = None
        self._frames: SharedFrames | None = None
        self._state = CameraState.OFF
        self._device = self._backend = ""
        self._problem: str | None = None
        self._advice: tuple[Advice, ...] = ()
        self._hidden = False
        self._shown = plain(self.settings)
        self._submitted: Pixels | None = None
        self._counts = (0, 0, 0.0)

    def start(self) -> None:
        """Open the camera, again after a failure; does nothing while it runs. Blocks for some ten milliseconds."""
        with self._lock:
            self._poll()
            if self._state in (CameraState.STARTING, CameraState.RUNNING):
                return
            self._release()
            self._problem, self._advice, self._counts = None, (), (0, 0, 0.0)
            if self._backend_wanted not in PACKAGES and importlib.util.find_spec("pyvirtualcam") is None:
                self._fail(INSTALL)
                return
            try:
                self._spawn()
            except (OSError, MemoryError, FramesError) as error:
                _log.exception("the virtual camera's process could not be started")
                self._release()
                reason = " ".join(str(error).split()) or type(error).__name__
                self._fail(f"The virtual camera's process could not be started ({reason}): close other programs.")

    def stop(self) -> None:
        """Close the camera, in a second at most, usually at once; may be called twice."""
        with self._lock:
            self._poll()
            self._release()
            self._state, self._problem, self._advice = CameraState.OFF, None, ()
            self._device = self._backend = ""

    def submit(self, picture: Pixels) -> None:
        """The next picture to go out; it stays until another comes.

        Args:
            picture: (H, W, 3) uint8 RGB, as `compose` makes it; another size is fitted. It is copied.

        Raises:
            ValueError: it is no such array.
        """
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or 0 in picture.shape:
            raise ValueError(f"a picture is (H, W, 3) uint8, not {picture.shape} {picture.dtype}")
        s = self.settings
        fitted = np.array(fit(picture, (s.width, s.height), s.fit, s.fill), order="C")
        with self._lock:
            self._submitted = fitted
            if not self._hidden:
                self._show(fitted)

    def hide(self, hidden: bool) -> None:
        """Send a plain picture instead of what is submitted, or go on with the newest."""
        with self._lock:
            self._hidden = hidden
            self._show(plain(self.settings) if hidden or self._submitted is None else self._submitted)

    def preview(self) -> Pixels:
        """(height, width, 3) uint8 RGB, read-only: exactly what goes out now, or would if the camera were on."""
        with self._lock:
            shown = self._shown.view()
        shown.flags.writeable = False
        return shown

    def status(self) -> VirtualCameraStatus:
        """A snapshot."""
        with self._lock:
            self._poll()
            if self._frames is not None:
                self._counts = self._frames.reported()
            sent, fresh, rate = self._counts
            running = self._state is CameraState.RUNNING
            return VirtualCameraStatus(
                state=self._state,
                backend=self._backend if running else "",
                device=self._device if running else "",
                width=self.settings.width,
                height=self.settings.height,
                fps=self.settings.fps,
                rate=rate if running else 0.0,
                sent=sent,
                fresh=fresh,
                hidden=self._hidden,
                problem=self._problem,
                advice=self._advice,
            )

    def __enter__(self) -> VirtualCamera:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _spawn(self) -> None:
        s = self.settings
        request = OutputRequest(s.width, s.height, s.fps, self._backend_wanted, s.device, s.name, self._module)
        lock = self._context.Lock()
        self._frames = SharedFrames(Shape(s.width, s.height), lock)
        self._frames.put(self._shown)
        self._line, theirs = self._context.Pipe()
        self._process = self._context.Process(
            target=process.run,
            args=(request, self._frames.name, lock, theirs),
            name="mien-virtual-camera",
            daemon=True,
        )
        self._process.start()
        # Ours is closed, so that its end is the only one: when the process dies the line breaks.
        theirs.close()
        self._state = CameraState.STARTING

    def _show(self, picture: Pixels) -> None:
        self._shown = picture
        if self._frames is None:
            return
        try:
            self._frames.put(picture)
        except FramesError:
            self._die()

    def _poll(self) -> None:
        """Read what the process said, and notice its end."""
        line = self._line
        if line is None:
            return
        try:
            while line.poll():
                word, first, second = line.recv()
                if word == process.RUNNING:
                    self._state, self._backend, self._device = CameraState.RUNNING, str(first), str(second)
                else:
                    self._advice = advise(str(first))
                    # The last one tried is the system's most common way only by chance: the first counts.
                    self._fail(self._advice[0].remedy)
                    self._release()
                    return
        except (EOFError, OSError):
            self._die()

    def _die(self) -> None:
        code = None
        if self._process is not None:
            self._process.join(_KILL_WAIT_S)
            code = self._process.exitcode
        _log.error("the virtual camera's process ended by itself with %s", code)
        self._release()
        self._fail("The virtual camera's process ended unexpectedly: start it again; tracking goes on.")

    def _fail(self, sentence: str) -> None:
        self._state, self._problem = CameraState.FAILED, sentence

    def _release(self) -> None:
        """End the process and free what it shared."""
        if self._line is not None:
            try:
                self._line.send(process.STOP)
            except OSError:
                pass  # it ended already
            self._line.close()
            self._line = None
        if self._process is not None:
            self._process.join(_STOP_WAIT_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join(_KILL_WAIT_S)
            self._process = None
        if self._frames is not None:
            self._counts = self._frames.reported()
            self._frames.destroy()
            self._frames = None
