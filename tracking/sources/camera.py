"""Cameras through OpenCV: choice of device and format, checks of what was applied, patience when one is unplugged."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import cv2
import numpy as np

from tracking.sources.base import Clock, Source, SourceError, unmirror
from tracking.types import Frame, Image

Rotation = Literal[0, 90, 180, 270]

_BACKEND = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}.get(
    sys.platform, cv2.CAP_ANY
)
_DEFAULT_FPS = 30.0
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
_FIRST_PICTURE_ATTEMPTS = 10
_FIRST_PICTURE_PAUSE_S = 0.1
_BACKOFF_FIRST_S = 0.25
_BACKOFF_LONGEST_S = 5.0
_CLOSE_WAIT_S = 0.2
_BUSY_WAIT_S = 2.0


class Capture(Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def isOpened(self) -> bool: ...  # noqa: N802

    def read(self) -> tuple[bool, Any]: ...

    def get(self, prop: int, /) -> float: ...

    def set(self, prop: int, value: float, /) -> bool: ...

    def release(self) -> None: ...


CaptureFactory = Callable[[int, int], Capture]
"""Opens the camera of an index through an OpenCV back end."""


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera that is connected.

    Attributes:
        index: OpenCV's index of it.
        name: the device's own name; two cameras of one make share it.
    """

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class CameraFormat:
    """What to ask a camera for; None leaves the choice to the driver.

    Attributes:
        width, height: pixels, before rotation.
        fps: pictures a second.
        fourcc: pixel format of four characters, such as MJPG or YUYV. Many cameras are at full rate with MJPG only.
        rotate: degrees clockwise by which the picture is turned, for a camera that is mounted on its side.
        mirrored: the driver delivers a mirrored picture; un-mirror it.
    """

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    fourcc: str | None = None
    rotate: Rotation = 0
    mirrored: bool = False


def list_cameras() -> list[CameraInfo]:
    """The connected cameras in the order of their indices. Takes a few milliseconds, on Windows up to a second."""
    from cv2_enumerate_cameras import enumerate_cameras

    try:
        found = enumerate_cameras(_BACKEND)
    except (NotImplementedError, OSError):  # a system without that camera interface has no cameras that it could name
        return []
    return sorted((CameraInfo(int(c.index), str(c.name)) for c in found), key=lambda camera: camera.index)


def find_camera(wanted: str, cameras: list[CameraInfo]) -> CameraInfo:
    """The camera of a name or of a part of it, capitals or not.

    Raises:
        SourceError: no camera or several fit.
    """
    exact = [c for c in cameras if c.name.casefold() == wanted.casefold()]
    fitting = exact or [c for c in cameras if wanted.casefold() in c.name.casefold()]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(f"{c.index} ({c.name})" for c in fitting or cameras)
    if fitting:
        raise SourceError(f"Several cameras are called {wanted!r}: choose one by its number: {listed}.")
    if cameras:
        raise SourceError(f"No camera is called {wanted!r}: there are {listed}.")
    raise SourceError(f"No camera is called {wanted!r}, and none is connected: plug one in or choose a file.")


def _open_capture(index: int, backend: int) -> Capture:
    return cv2.VideoCapture(index, backend)


class CameraSource(Source):
    """A camera.

    An unplugged camera is waited for: `read` then blocks and tries to open it again at growing intervals, `problem`
    says so, and the pictures go on when it is back.

    Args:
        index: OpenCV's index of the camera.
        request: what to ask it for. What it applies instead is reported by `warning`.
        name: what to call it; by default its number.
        capture_factory, clock: for tests.
    """

    def __init__(
        self,
        index: int = 0,
        request: CameraFormat = CameraFormat(),
        *,
        name: str | None = None,
        capture_factory: CaptureFactory = _open_capture,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        if index < 0:
            raise SourceError(f"There is no camera {index}: cameras count from 0.")
        if request.fourcc is not None and (len(request.fourcc) != 4 or not request.fourcc.isascii()):
            raise SourceError(f"{request.fourcc!r} is not a pixel format: give four letters such as MJPG or YUYV.")
        self._index = index
        self._request = request
        self._name = name or f"Camera {index}"
        self._factory = capture_factory
        self._clock = clock
        self._closed = threading.Event()
        self._device = threading.Lock()
        self._capture: Capture | None = None
        self._opened = False
        self._opened_ns = 0
        self._count = 0
        self._size = (0, 0)
        self._fps = _DEFAULT_FPS
        self._warning: str | None = None
        self._problem: str | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def width(self) -> int:
        return self._size[0]

    @property
    def height(self) -> int:
        return self._size[1]

    @property
    def fps(self) -> float:
        return self._fps

    @property
    def live(self) -> bool:
        return True

    @property
    def warning(self) -> str | None:
        return self._warning

    @property
    def problem(self) -> str | None:
        return self._problem

    def open(self) -> None:
        if self._opened:
            return
        if not self._device.acquire(timeout=_BUSY_WAIT_S):
            raise SourceError(f"{self._name} does not answer: plug it in again.")
        try:
            self._closed.clear()
            self._connect()
        finally:
            self._device.release()
        self._opened = True
        self._opened_ns = self._clock()
        self._count = 0

    def read(self) -> Frame | None:
        if self._closed.is_set():
            return None
        if not self._opened:
            raise SourceError(f"{self._name} is not open: call open() first.")
        with self._device:
            image = self._read_image()
            while image is None and not self._closed.is_set():
                self._problem = f"{self._name} gives no pictures: plug it in again; it is waited for."
                image = self._reconnect()
            self._problem = None
            if self._closed.is_set():
                # `close` does not wait for a driver that hangs: then the device is freed here.
                self._disconnect()
                return None
            assert image is not None
            now = self._clock()
        frame = Frame(self._count, (now - self._opened_ns) / 1e9, now, image)
        self._count += 1
        return frame

    def close(self) -> None:
        self._closed.set()
        self._opened = False
        if self._device.acquire(timeout=_CLOSE_WAIT_S):
            try:
                self._disconnect()
            finally:
                self._device.release()

    def _connect(self) -> Image:
        """Open the device and take the first picture, which tells the true size.

        Raises:
            SourceError: it cannot be opened or gives no picture.
        """
        # OpenCV prints warnings of its own about every camera that does not open.
        level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            self._capture = self._factory(self._index, _BACKEND)
            if not self._capture.isOpened():
                raise SourceError(
                    f"{self._name} cannot be opened: check that it is plugged in, that no other program uses it and"
                    " that Mien may use cameras."
                )
            _ask(self._capture, self._request)
            for attempt in range(_FIRST_PICTURE_ATTEMPTS):
                image = self._read_image()
                if image is not None:
                    self._size = (image.shape[1], image.shape[0])
                    self._check_format()
                    return image
                if self._closed.wait(_FIRST_PICTURE_PAUSE_S if attempt else 0.0):
                    break
            raise SourceError(f"{self._name} gives no picture: close other programs that use it, or plug it in again.")
        except cv2.error as error:
            self._disconnect()
            raise SourceError(f"{self._name} cannot be used: plug it in again or choose another one.") from error
        except SourceError:
            self._disconnect()
            raise
        finally:
            cv2.utils.logging.setLogLevel(level)

    def _reconnect(self) -> Image | None:
        """Open the device again, with growing pauses; None once `close` was called."""
        pause = _BACKOFF_FIRST_S
        while True:
            self._disconnect()
            if self._closed.wait(pause):
                return None
            try:
                return self._connect()
            except SourceError:
                pause = min(pause * 2.0, _BACKOFF_LONGEST_S)

    def _disconnect(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def _read_image(self) -> Image | None:
        """The next picture as upright RGB, None where the device gives none."""
        if self._capture is None:
            return None
        try:
            good, picture = self._capture.read()
        except cv2.error:
            return None
        if not good or picture is None or picture.size == 0:
            return None
        image = _to_rgb(picture)
        if self._request.rotate:
            image = np.asarray(cv2.rotate(image, _TURNS[self._request.rotate]), np.uint8)
        return unmirror(image) if self._request.mirrored else np.ascontiguousarray(image)

    def _check_format(self) -> None:
        """Compare what the device applied with the request; unknown values count as applied."""
        assert self._capture is not None
        asked, differs = self._request, []
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._fps = fps if 1.0 <= fps <= 1000.0 else _DEFAULT_FPS
        width, height = self._size if asked.rotate in (0, 180) else self._size[::-1]
        if (asked.width or width, asked.height or height) != (width, height):
            differs.append(f"{width} x {height} pixels instead of {asked.width or width} x {asked.height or height}")
        if asked.fps is not None and 1.0 <= fps <= 1000.0 and abs(fps - asked.fps) > 0.5:
            differs.append(f"{fps:g} pictures a second instead of {asked.fps:g}")
        fourcc = _fourcc_name(self._capture.get(cv2.CAP_PROP_FOURCC))
        if asked.fourcc is not None and fourcc is not None and fourcc != asked.fourcc.upper():
            differs.append(f"pixel format {fourcc} instead of {asked.fourcc.upper()}")
        self._warning = f"{self._name} gives {', '.join(differs)}." if differs else None


def _ask(capture: Capture, request: CameraFormat) -> None:
    # The pixel format first: which sizes and rates a driver accepts depends on it.
    if request.fourcc is not None:
        capture.set(cv2.CAP_PROP_FOURCC, float(cv2.VideoWriter.fourcc(*request.fourcc.upper())))
    if request.width is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, float(request.width))
    if request.height is not None:
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, float(request.height))
    if request.fps is not None:
        capture.set(cv2.CAP_PROP_FPS, request.fps)
    # Pictures that wait in the driver are late; back ends without such a queue ignore this.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1.0)


def _fourcc_name(value: float) -> str | None:
    """The four characters of OpenCV's number, None where the back end does not know its format."""
    if not 0 < value < 2**32:
        return None
    name = int(value).to_bytes(4, "little").decode("ascii", "replace")
    return name.upper() if name.isprintable() and name.isascii() else None


def _to_rgb(picture: np.ndarray[Any, Any]) -> Image:
    if picture.dtype != np.uint8:
        picture = (picture >> 8).astype(np.uint8) if picture.dtype == np.uint16 else picture.astype(np.uint8)
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    code = {1: cv2.COLOR_GRAY2RGB, 4: cv2.COLOR_BGRA2RGB}.get(channels, cv2.COLOR_BGR2RGB)
    return np.asarray(cv2.cvtColor(picture, code), np.uint8)
