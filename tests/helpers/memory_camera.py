"""A back end of pyvirtualcam for tests, which writes into a file instead of a driver.

Import it in the camera's process: it registers itself as `memory`. The device is the file. It holds eight numbers (the
process, width, height, fps, pictures so far, pictures that differed from the one before, 1 once it is closed, the
fourcc), then the newest picture. Devices whose name begins with `refuse:` or `break:` fail when they are opened or at
the tenth picture; `count:` keeps no pictures.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pyvirtualcam
from numpy.typing import NDArray

HEAD = struct.Struct("<8q")


class MemoryCamera:
    """See the module."""

    def __init__(self, *, width: int, height: int, fps: float, fourcc: int, device: str | None, **_: object) -> None:
        assert device is not None
        if device.startswith("refuse:"):
            raise RuntimeError(device.removeprefix("refuse:"))
        self._breaks, self._counts = device.startswith("break:"), device.startswith("count:")
        self._path = Path(device.removeprefix("break:").removeprefix("count:"))
        self._facts = (os.getpid(), width, height, int(fps))
        self._fourcc = fourcc
        self._count = self._differing = 0
        self._last = b""
        self._write(closed=False)

    def send(self, frame: NDArray[np.uint8]) -> None:
        self._count += 1
        if self._breaks and self._count == 10:
            raise RuntimeError("the cable fell out")
        if self._counts:
            return
        data = frame.tobytes()
        self._differing += data != self._last
        self._last = data
        self._write(closed=False)

    def close(self) -> None:
        self._write(closed=True)

    def device(self) -> str:
        return str(self._path)

    def native_fourcc(self) -> int | None:
        return None

    def _write(self, closed: bool) -> None:
        head = HEAD.pack(*self._facts, self._count, self._differing, int(closed), self._fourcc)
        # Renamed into place, so that a reader never sees half a picture.
        part = self._path.with_suffix(".part")
        part.write_bytes(head + self._last)
        part.replace(self._path)


pyvirtualcam.register_backend("memory", MemoryCamera)
