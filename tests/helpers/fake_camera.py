"""A camera for tests, with the interface and the habits of `cv2.VideoCapture`."""

from __future__ import annotations

import threading

import cv2
import numpy as np
from numpy.typing import NDArray


class FakeCapture:
    """One opened device: names and return types are those of `cv2.VideoCapture`."""

    def __init__(self, device: FakeCamera) -> None:
        self._device = device
        self._open = device.plugged and not device.busy
        self._width, self._height = device.sizes[0]
        self._fps = device.rates[0]
        self._fourcc = device.fourccs[0]

    def isOpened(self) -> bool:  # noqa: N802
        return self._open

    def read(self) -> tuple[bool, NDArray[np.uint8] | None]:
        self._device.reads += 1
        if self._device.hang is not None:
            self._device.hang.wait(30.0)
        if not (self._open and self._device.plugged) or self._device.silent:
            return False, None
        return True, self._device.picture(self._width, self._height)

    def get(self, prop: int, /) -> float:
        values = {
            cv2.CAP_PROP_FRAME_WIDTH: float(self._width),
            cv2.CAP_PROP_FRAME_HEIGHT: float(self._height),
            cv2.CAP_PROP_FPS: self._fps,
            cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*self._fourcc)),
        }
        return values.get(prop, -1.0)

    def set(self, prop: int, value: float, /) -> bool:
        # A driver takes the nearest thing that it can do and returns True all the same.
        if prop == cv2.CAP_PROP_FRAME_WIDTH:
            self._width, self._height = min(self._device.sizes, key=lambda size: abs(size[0] - value))
        elif prop == cv2.CAP_PROP_FPS:
            self._fps = min(self._device.rates, key=lambda rate: abs(rate - value))
        elif prop == cv2.CAP_PROP_FOURCC:
            name = int(value).to_bytes(4, "little").decode()
            if name in self._device.fourccs:
                self._fourcc = name
        return True

    def release(self) -> None:
        self._open = False
        self._device.releases += 1


class FakeCamera:
    """A device with what it can do; change `plugged`, `busy`, `silent` and `hang` while it runs.

    Pass the object itself as `capture_factory`.
    """

    def __init__(self) -> None:
        self.sizes = [(64, 48), (128, 96)]
        self.rates = [30.0, 60.0]
        self.fourccs = ["YUYV", "MJPG"]
        self.plugged = True
        self.busy = False
        self.silent = False
        self.hang: threading.Event | None = None
        self.channels = 3
        self.opened: list[tuple[int, int]] = []
        self.reads = 0
        self.releases = 0

    def __call__(self, index: int, backend: int) -> FakeCapture:
        self.opened.append((index, backend))
        return FakeCapture(self)

    def picture(self, width: int, height: int) -> NDArray[np.uint8]:
        """Black with a quarter in the top left that is red in OpenCV's BGR order (white where there is no colour)."""
        if self.channels == 1:
            grey = np.zeros((height, width), np.uint8)
            grey[: height // 2, : width // 2] = 255
            return grey
        picture = np.zeros((height, width, self.channels), np.uint8)
        picture[: height // 2, : width // 2, 2] = 255
        return picture
