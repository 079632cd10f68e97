"""The settings of network streams: one model a protocol, told apart by `protocol`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from tracking.streams.base import StreamError, is_loopback, parse_address

LOOPBACK = "127.0.0.1"
Port = Annotated[int, Field(ge=1, le=65535)]


class _Stream(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="", max_length=60)
    """What a person calls it; empty for the protocol's own name."""
    on: bool = False
    """Whether anything is sent. Off, no socket is open."""
    rate: float = Field(default=60.0, ge=1.0, le=240.0)
    """Most frames a second; newer frames replace older ones in between."""
    mirror: bool = False
    """Send the mirror image."""

    @property
    def title(self) -> str:
        """Its name, or the protocol's."""
        return self.name or TITLES[getattr(self, "protocol", "")]

    @property
    def place(self) -> str:
        """Where it sends to or listens, as `address:port`."""
        raise NotImplementedError

    @property
    def outside(self) -> bool:
        """True where it leaves this machine, because an address of another one was typed."""
        raise NotImplementedError


class _Push(_Stream):
    """Sends to one place without being asked."""

    target: str = LOOPBACK
    """Address that receives, in numbers. Anything but this machine itself has to be typed."""

    @field_validator("target")
    @classmethod
    def _one_machine(cls, value: str) -> str:
        address = parse_address(value)
        if address.is_unspecified:
            raise StreamError(f"{address} is no machine that could receive: type its address, or localhost.")
        return str(address)

    @property
    def place(self) -> str:
        return place_name(self.target, getattr(self, "port", 0))

    @property
    def outside(self) -> bool:
        return not is_loopback(self.target)


def _checked_listener(value: str) -> str:
    return str(parse_address(value))


class VmcStream(_Push):
    """VMC: bones and blend shapes for VRM avatars, as OSC bundles (VSeeFace, Warudo, VMC4UE, Blender ...)."""

    protocol: Literal["vmc"] = "vmc"
    port: Port = 39539
    arkit: bool = True
    """Send the 52 ARKit names ("perfect sync")."""
    arkit_case: Literal["pascal", "camel"] = "pascal"
    """`EyeBlinkLeft`, as perfect-sync avatars name their clips, or `eyeBlinkLeft`."""
    presets: Literal["none", "vrm0", "vrm1"] = "vrm0"
    """VRM's own expressions: `Joy`, `A`, `Blink_L` (0.x) or `happy`, `aa`, `blinkLeft` (1.0)."""
    bones: bool = True
    """Send Neck, Head, LeftEye and RightEye."""
    jaw: bool = False
    """Send the Jaw bone too; most avatars open the mouth by blend shapes instead."""
    root: bool = True
    """Send the root, which stays at the origin."""
    neck_share: float = Field(default=0.35, ge=0.0, le=1.0)
    """Share of the head's rotation that the neck takes."""


class LiveLinkStream(_Push):
    """Live Link Face, as Unreal Engine receives it from an iPhone."""

    protocol: Literal["live_link"] = "live_link"
    port: Port = 11111
    subject: str = Field(default="Mien", min_length=1, max_length=60)
    """Name under which the receiver lists it."""
    device: str = Field(default="6D69656E-0000-4000-8000-000000000001", min_length=1, max_length=64)
    """Identity of the device that Live Link Face tells."""


class IFacialMocapStream(_Push):
    """iFacialMocap's text."""

    protocol: Literal["ifacialmocap"] = "ifacialmocap"
    port: Port = 49983
    """Where receivers wait for the data, on whichever machine."""
    wait_for_request: bool = False
    """Behave as the phone does: wait for the start request and answer its sender at `port`, instead of sending to
    `target` unasked. Not together with a receiver on this very machine, which needs that port itself."""
    listen_on: str = LOOPBACK
    """Own address at which requests are awaited; this machine only, unless another one is typed."""
    listen_port: Port = 49983

    _check_listen_on = field_validator("listen_on")(_checked_listener)

    @property
    def place(self) -> str:
        if self.wait_for_request:
            return place_name(self.listen_on, self.listen_port)
        return place_name(self.target, self.port)

    @property
    def outside(self) -> bool:
        return not is_loopback(self.listen_on if self.wait_for_request else self.target)


class VTubeStudioStream(_Stream):
    """What VTube Studio's phone app (and MeowFace) gives to those who ask."""

    protocol: Literal["vtube_studio"] = "vtube_studio"
    listen_on: str = LOOPBACK
    """Own address at which requests are awaited; this machine only, unless another one is typed."""
    listen_port: Port = 21412
    names: Literal["vtube_studio", "meowface"] = "vtube_studio"
    """`EyeBlinkLeft` as VTube Studio, or `eyeBlinkLeft` as MeowFace."""

    _check_listen_on = field_validator("listen_on")(_checked_listener)

    @property
    def place(self) -> str:
        return place_name(self.listen_on, self.listen_port)

    @property
    def outside(self) -> bool:
        return not is_loopback(self.listen_on)


class OpenSeeFaceStream(_Push):
    """OpenSeeFace's packets of 1785 bytes (VSeeFace, Godot and others)."""

    protocol: Literal["open_see_face"] = "open_see_face"
    port: Port = 11573
    face_id: int = Field(default=0, ge=0, le=1000)


StreamSettings = Annotated[
    VmcStream | LiveLinkStream | IFacialMocapStream | VTubeStudioStream | OpenSeeFaceStream,
    Field(discriminator="protocol"),
]
"""Any stream; a list of them is part of the program's settings."""

TITLES: dict[str, str] = {
    "vmc": "VMC",
    "live_link": "Live Link Face",
    "ifacialmocap": "iFacialMocap",
    "vtube_studio": "VTube Studio",
    "open_see_face": "OpenSeeFace",
}
"""Names of the protocols by their key."""

_ADAPTER: TypeAdapter[Any] = TypeAdapter(StreamSettings)


def read_stream(
    data: Mapping[str, object],
) -> VmcStream | LiveLinkStream | IFacialMocapStream | VTubeStudioStream | OpenSeeFaceStream:
    """The settings in a mapping: from a file, a form or a command line.

    Raises:
        StreamError: something in it cannot be; one sentence.
    """
    protocol = data.get("protocol")
    if protocol not in TITLES:
        raise StreamError(f"There is no stream protocol {protocol!r}: choose one of {', '.join(TITLES)}.")
    try:
        found: VmcStream | LiveLinkStream | IFacialMocapStream | VTubeStudioStream | OpenSeeFaceStream = (
            _ADAPTER.validate_python(dict(data))
        )
    except ValidationError as error:
        first = error.errors()[0]
        reason = first.get("ctx", {}).get("error")
        if isinstance(reason, StreamError):
            raise StreamError(str(reason)) from None
        field = ".".join(str(part) for part in first["loc"][1:]) or "it"
        said = first["msg"][0].lower() + first["msg"][1:]
        raise StreamError(f"The {TITLES[str(protocol)]} stream's {field} cannot be used: {said}.") from None
    return found


def place_name(address: str, port: int) -> str:
    """`address:port`, with brackets around version 6 addresses."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
