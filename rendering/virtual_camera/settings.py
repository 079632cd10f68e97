"""The settings of the virtual camera."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

SIZES: tuple[tuple[int, int], ...] = ((640, 360), (640, 480), (960, 540), (1280, 720), (1920, 1080))
"""Ready-made sizes: width and height in pixels. Programs for calls know these."""
RATES: tuple[int, ...] = (24, 25, 30, 50, 60)
"""Ready-made pictures a second."""
BACKENDS: tuple[str, ...] = ("auto", "v4l2loopback", "obs", "unitycapture", "spout", "syphon", "ndi")
"""What can be asked for; `auto` takes the first virtual camera of the system that works."""
SYSTEMS: dict[str, tuple[str, ...]] = {
    "linux": ("v4l2loopback", "ndi"),
    "win32": ("obs", "unitycapture", "spout", "ndi"),
    "darwin": ("obs", "syphon", "ndi"),
}
"""Back ends by `sys.platform`, in the order in which `auto` goes (it takes cameras alone)."""
Byte = Annotated[int, Field(ge=0, le=255)]
Colour = tuple[Byte, Byte, Byte]


class VirtualCameraError(ValueError):
    """The virtual camera is set up in a way that cannot work. The message is one sentence: what and what to do."""


class VirtualCameraSettings(BaseModel):
    """What goes out, and where. Size, rate, back end and device stay as they are while it runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: bool = False
    """Start with the program."""
    width: int = Field(default=1280, ge=160, le=1920)
    height: int = Field(default=720, ge=120, le=1080)
    """Pixels; even, because cameras share the colour of two pixels."""
    fps: int = Field(default=30, ge=1, le=60)
    """Pictures a second, whatever rate the face is tracked at."""
    layout: Literal["avatar", "overlay", "split"] = "avatar"
    """The avatar; the face over the camera's picture; or both side by side."""
    avatar_side: Literal["left", "right"] = "right"
    """Side of the avatar in the split layout."""
    fit: Literal["letterbox", "crop"] = "letterbox"
    """Bars where the shape differs, or cut off what sticks out."""
    mirror: bool = False
    """Flip the pictures left to right. Programs for calls mirror one's own view already."""
    background: Literal["scene", "colour", "key"] = "scene"
    """Behind the avatar, where its picture has no background, and in the bars: the scene's own (bars black), a colour,
    or the key colour, for programs that make it transparent."""
    colour: Colour = (24, 26, 30)
    key: Colour = (0, 255, 0)
    privacy: Colour = (32, 32, 32)
    """Of the plain picture that goes out while it is hidden, and before the first one."""
    backend: str = "auto"
    """One of BACKENDS."""
    device: str | None = Field(default=None, max_length=200)
    """Name of the device where there are several: `/dev/video10`, or a camera's name. None for the first free one."""
    name: str = Field(default="Mien", min_length=1, max_length=60)
    """Name under which Spout, Syphon and NDI list the picture."""

    @field_validator("backend")
    @classmethod
    def _known_backend(cls, value: str) -> str:
        if value not in BACKENDS:
            raise VirtualCameraError(
                f"There is no virtual camera back end {value!r}: choose one of {', '.join(BACKENDS)}."
            )
        return value

    @model_validator(mode="after")
    def _even_size(self) -> Self:
        if self.width % 2 or self.height % 2:
            raise VirtualCameraError(
                f"A virtual camera's width and height are even, not {self.width} x {self.height}: choose "
                f"{self.width // 2 * 2} x {self.height // 2 * 2}."
            )
        return self

    @property
    def fill(self) -> tuple[int, int, int]:
        """What is behind everything: RGB."""
        return {"scene": (0, 0, 0), "colour": self.colour, "key": self.key}[self.background]

    @property
    def outside(self) -> bool:
        """True where the pictures leave this machine: NDI offers them to the whole local network."""
        return self.backend == "ndi"


def read_settings(data: Mapping[str, object]) -> VirtualCameraSettings:
    """The settings in a mapping: from a file, a form or a command line.

    Raises:
        VirtualCameraError: something in it cannot be; one sentence.
    """
    try:
        return VirtualCameraSettings.model_validate(dict(data))
    except ValidationError as error:
        first = error.errors()[0]
        reason = first.get("ctx", {}).get("error")
        if isinstance(reason, VirtualCameraError):
            raise VirtualCameraError(str(reason)) from None
        field = ".".join(str(part) for part in first["loc"]) or "settings"
        said = first["msg"][0].lower() + first["msg"][1:]
        raise VirtualCameraError(f"The virtual camera's {field} cannot be used: {said}.") from None
