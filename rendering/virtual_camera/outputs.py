"""Where the camera's process sends pictures: a virtual camera by pyvirtualcam, or Spout, Syphon and NDI by packages of
their own, each imported here and nowhere else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
PACKAGES = {"spout": "SpoutGL", "syphon": "syphon-python", "ndi": "cyndilib"}
"""Names under which the packages behind the sharing back ends are installed."""


class OutputError(Exception):
    """A back end cannot be opened; the message is what it said, one line a back end."""


@dataclass(frozen=True, slots=True)
class OutputRequest:
    """What to open.

    Attributes:
        width, height, fps: as they stay.
        backend: one of `settings.BACKENDS`, or one that `module` registers.
        device: see VirtualCameraSettings.
        name: see VirtualCameraSettings.
        module: a module to import first, which registers further back ends of pyvirtualcam; for tests.
    """

    width: int
    height: int
    fps: int
    backend: str
    device: str | None
    name: str
    module: str | None = None


class Output(ABC):
    """Something that takes pictures."""

    backend: str
    """Its kind."""
    device: str
    """What other programs call it."""

    @abstractmethod
    def send(self, picture: Pixels) -> None:
        """Send one picture (height, width, 3) RGB, contiguous.

        Raises:
            Exception: whatever the back end raises.
        """

    @abstractmethod
    def close(self) -> None:
        """Free the device."""


def open_output(request: OutputRequest) -> Output:
    """Open what was asked for.

    Raises:
        OutputError: it cannot be opened.
    """
    kinds: dict[str, Callable[[OutputRequest], Output]] = {
        "spout": SpoutOutput,
        "syphon": SyphonOutput,
        "ndi": NdiOutput,
    }
    kind = kinds.get(request.backend, CameraOutput)
    try:
        return kind(request)
    except ImportError as error:
        raise OutputError(f"'{request.backend}' backend: import: {error}") from error
    except OutputError:
        raise
    except Exception as error:
        text = str(error).strip() or type(error).__name__
        raise OutputError(text if text.startswith("'") else f"'{request.backend}' backend: {text}") from error


class CameraOutput(Output):
    """A virtual camera of the system, by pyvirtualcam."""

    def __init__(self, request: OutputRequest) -> None:
        pyvirtualcam = import_module("pyvirtualcam")
        if request.module is not None:
            import_module(request.module)
        known = import_module("pyvirtualcam.camera").BACKENDS
        if request.backend != "auto" and request.backend not in known:
            raise OutputError(
                f"'{request.backend}' backend: not on this system, which has {', '.join(known) or 'none'}"
            )
        self._camera = pyvirtualcam.Camera(
            *(request.width, request.height, request.fps),
            fmt=pyvirtualcam.PixelFormat.RGB,
            device=request.device,
            backend=None if request.backend == "auto" else request.backend,
        )
        self.backend = str(self._camera.backend)
        self.device = str(self._camera.device)

    def send(self, picture: Pixels) -> None:
        self._camera.send(picture)

    def close(self) -> None:
        self._camera.close()


class SpoutOutput(Output):
    """Spout, which shares textures between programs on Windows."""

    backend = "spout"

    def __init__(self, request: OutputRequest) -> None:
        spout = import_module("SpoutGL")
        self._format = import_module("SpoutGL.enums").GL_RGBA
        self._sender: Any = spout.SpoutSender()
        self._sender.setSenderName(request.name)
        self.device = request.name
        self._rgba = _rgba(request)

    def send(self, picture: Pixels) -> None:
        self._rgba[..., :3] = picture
        height, width = picture.shape[:2]
        if not self._sender.sendImage(self._rgba, width, height, self._format, False, 0):
            raise OutputError("'spout' backend: the picture was not taken")

    def close(self) -> None:
        self._sender.releaseSender()


class SyphonOutput(Output):
    """Syphon, which shares textures between programs on macOS."""

    backend = "syphon"

    def __init__(self, request: OutputRequest) -> None:
        syphon = import_module("syphon")
        raw = import_module("syphon.utils.raw")
        self._copy = import_module("syphon.utils.numpy").copy_image_to_mtl_texture
        self._server: Any = syphon.SyphonMetalServer(request.name)
        self._texture: Any = raw.create_mtl_texture(self._server.device, request.width, request.height)
        self.device = request.name
        self._rgba = _rgba(request)

    def send(self, picture: Pixels) -> None:
        self._rgba[..., :3] = picture
        self._copy(self._rgba, self._texture)
        # Textures of Metal begin at the top, as our pictures do; Syphon's begin at the bottom.
        self._server.publish_frame_texture(self._texture, is_flipped=True)

    def close(self) -> None:
        self._server.stop()


class NdiOutput(Output):
    """NDI, which offers the picture to the whole local network."""

    backend = "ndi"

    def __init__(self, request: OutputRequest) -> None:
        frames = import_module("cyndilib.video_frame")
        fourcc = import_module("cyndilib.wrapper.ndi_structs").FourCC
        frame = frames.VideoSendFrame()
        frame.set_resolution(request.width, request.height)
        frame.set_frame_rate(Fraction(request.fps))
        frame.set_fourcc(fourcc.RGBX)
        self._sender: Any = import_module("cyndilib.sender").Sender(request.name, clock_video=False, clock_audio=False)
        self._sender.set_video_frame(frame)
        self._sender.open()
        self.device = request.name
        self._rgba = _rgba(request)

    def send(self, picture: Pixels) -> None:
        self._rgba[..., :3] = picture
        self._sender.write_video(self._rgba.reshape(-1))

    def close(self) -> None:
        self._sender.close()


def _rgba(request: OutputRequest) -> Pixels:
    return np.full((request.height, request.width, 4), 255, np.uint8)
