"""A virtual camera whose back end writes into a file, and what is read from that file."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from rendering.virtual_camera import VirtualCamera, VirtualCameraSettings
from tests.helpers.memory_camera import HEAD

Pixels = NDArray[np.uint8]


def camera_into(sink: Path | str, **changes: object) -> VirtualCamera:
    """Small and slow; `break:` and `refuse:` before the path make the back end fail."""
    settings = VirtualCameraSettings.model_validate(
        {"width": 320, "height": 180, "fps": 30, "device": str(sink)} | changes
    )
    return VirtualCamera(settings, backend_module="tests.helpers.memory_camera", backend="memory")


def read_sink(sink: Path) -> SimpleNamespace:
    """What the back end has written: its process, the form, how many pictures, and the last one as `picture`."""
    data = sink.read_bytes()
    names = ("pid", "width", "height", "fps", "count", "differing", "closed", "fourcc")
    found = SimpleNamespace(**dict(zip(names, HEAD.unpack_from(data), strict=True)))
    pixels = data[HEAD.size :]
    shape = (found.height, found.width, 3)
    found.picture = np.frombuffer(pixels, np.uint8).reshape(shape) if pixels else np.zeros(shape, np.uint8)
    return found


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def noise(seed: int, width: int = 320, height: int = 180) -> Pixels:
    """The same picture for the same seed."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
