"""What the window remembers between runs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Theme = Literal["system", "light", "dark"]
SourceKind = Literal["none", "demo", "camera", "file", "synthetic", "session", "receiver"]
ViewName = Literal["textured", "clay", "wireframe", "tension", "overlay"]
Drawing = Literal["auto", "card", "processor"]
PictureOverlay = Literal["none", "outline", "points", "mesh"]


class SourceSettings(BaseModel):
    """Where the pictures come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: SourceKind = "none"
    """none: nothing was chosen yet, or the source was closed."""
    camera: int = Field(default=0, ge=0)
    """Index of the camera."""
    name: str = Field(default="", max_length=300)
    """The camera's own name: indices change when cameras are plugged in another order. Of a receiver, its protocol."""
    path: str = Field(default="", max_length=4096)
    """The file or folder; of a session, its folder; of a receiver, the phone's address."""
    width: int | None = Field(default=None, ge=16, le=16384)
    """Asked of the camera in pixels; None leaves it to the driver. So do the next three."""
    height: int | None = Field(default=None, ge=16, le=16384)
    fps: float | None = Field(default=None, gt=0, le=1000)
    fourcc: str | None = Field(default=None, min_length=4, max_length=4)
    rotate: Literal[0, 90, 180, 270] = 0
    """Degrees clockwise."""
    mirrored: bool = False
    """The source gives mirrored pictures."""
    listen_on: str = Field(default="127.0.0.1", max_length=64)
    """Of a receiver: own address; other machines reach only one that is not 127.0.0.1."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Of a receiver; None for the protocol's usual one."""


class WindowSettings(BaseModel):
    """All of the window."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    geometry: str = Field(default="", max_length=20_000)
    """Place and size of the window, as Qt writes it, in base64."""
    docks: str = Field(default="", max_length=200_000)
    """Where the docks are, likewise."""
    theme: Theme = "system"
    """light, dark, or as the system."""
    text_scale: int = Field(default=100, ge=80, le=200)
    """Percent of the usual size of text."""
    language: str = Field(default="system", max_length=20)
    """Code such as de, or system."""
    shortcuts: dict[str, str] = Field(default_factory=dict, max_length=200)
    """Keys that differ from the defaults: action -> key, empty for none."""
    everywhere: tuple[str, ...] = Field(default=(), max_length=200)
    """Actions whose keys work while another program has the keyboard; `expressions` stands for all expressions."""
    source: SourceSettings = SourceSettings()
    """What was open last."""
    view: ViewName = "textured"
    """What the middle shows."""
    mirror: bool = True
    """Show everything as in a looking glass."""
    detail: float = Field(default=1.0, ge=0.0, le=2.0)
    """Strength of wrinkles; 1 is true to the millimetre."""
    overlay: PictureOverlay = "outline"
    """What is drawn over the camera's picture."""
    box: bool = False
    """Frame the face in the camera's picture."""
    low_power: bool = False
    """Draw and track less often."""
    drawing: Drawing = "auto"
    """Who draws the head: the graphics card in the window, or the processor on a thread beside it."""
    person: str = Field(default="", max_length=200)
    """Whose calibration is in use; empty for nobody's."""
    first_run_done: bool = False
    """The welcome was seen."""
