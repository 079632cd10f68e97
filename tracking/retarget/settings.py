"""How a person's expression becomes an avatar's: settings that are kept per avatar."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from models.channels import CHANNEL_INDEX
from models.json_file import JsonFileError, read_model, write_model

__all__ = [
    "ChannelCurve",
    "GazeSettings",
    "HeadSettings",
    "Hotkey",
    "HotkeySettings",
    "IdleSettings",
    "RetargetFileError",
    "RetargetSettings",
    "load_settings",
    "save_settings",
    "settings_file",
]

SCHEMA_VERSION = 2
LARGEST_FILE = 1024 * 1024
Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Gain = Annotated[float, Field(ge=-4.0, le=4.0, allow_inf_nan=False)]


class RetargetFileError(Exception):
    """A file of retargeting settings that cannot be used; the message is one sentence for the user."""


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChannelCurve(_Settings):
    """What happens to one channel, in this order: dead zone, curve, gain, offset, and the limits 0 and 1."""

    gain: Gain = 1.0
    offset: Annotated[float, Field(ge=-1.0, le=1.0, allow_inf_nan=False)] = 0.0
    dead_zone: Annotated[float, Field(ge=0.0, le=0.9, allow_inf_nan=False)] = 0.0
    """Values up to here read 0; what is above is stretched, so that 1 stays 1."""
    points: tuple[tuple[Share, Share], ...] = Field(default=(), max_length=16)
    """Response curve: pairs of input and output with rising input, straight in between; none for a straight line."""
    mute: bool = False
    """The channel stays at 0."""
    solo: bool = False
    """While any channel is solo, all that are not stay at 0."""

    @field_validator("points")
    @classmethod
    def _rising(cls, points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if any(b[0] <= a[0] for a, b in pairwise(points)):
            raise ValueError("a response curve's points need rising inputs")
        return points


class HeadSettings(_Settings):
    """The head's movement. Angles are yaw (to the subject's left), pitch (down) and roll (to the right shoulder)."""

    rotation_gain: tuple[Gain, Gain, Gain] = (1.0, 1.0, 1.0)
    rotation_offset_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Added after the gain: for a camera that stands beside or above the screen."""
    rotation_limit_deg: tuple[float, float, float] = (70.0, 45.0, 40.0)
    """Largest angle to either side."""
    translation_gain: Gain = 0.0
    """Share of the person's movement that moves the avatar; 0 keeps it in its place."""
    translation_limit_m: Annotated[float, Field(ge=0.0, le=2.0, allow_inf_nan=False)] = 0.15
    """Largest distance from the place in which it stands at rest."""

    @field_validator("rotation_offset_deg", "rotation_limit_deg")
    @classmethod
    def _within(cls, angles: tuple[float, float, float]) -> tuple[float, float, float]:
        if not all(abs(angle) <= 180.0 for angle in angles):
            raise ValueError("angles lie between -180 and 180 degrees")
        return angles


class GazeSettings(_Settings):
    """The eyes' movement."""

    gain: Gain = 1.0
    limit_deg: Annotated[float, Field(ge=0.0, le=60.0, allow_inf_nan=False)] = 35.0
    """Largest angle away from straight ahead, in each direction."""
    together: bool = False
    """Both eyes look where the mean of both looks: steadier, and what drawn faces do."""


class IdleSettings(_Settings):
    """What the avatar does while nobody is tracked."""

    blink: bool = True
    breathing: bool = True
    without_source: bool = True
    """Also while no source gives pictures: none is open, the camera is away, the user hides."""
    fade_s: Annotated[float, Field(ge=0.0, le=10.0, allow_inf_nan=False)] = 0.6
    """Seconds in which it passes from the tracked face to idleness and back."""


class Hotkey(_Settings):
    """An expression that a key shows."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    key: Annotated[str, Field(max_length=40)] = ""
    """As Qt writes keys ("Ctrl+1"); empty for none."""
    hold: bool = False
    """Shown while the key is down; otherwise one press shows it and the next takes it away."""
    replace: bool = False
    """Shown instead of the tracked expression, while head and eyes go on; otherwise added to it."""
    values: dict[Annotated[str, Field(min_length=1, max_length=200)], Share] = Field(
        default_factory=dict, max_length=256
    )
    """By ARKit name, or by the name of one of the avatar's own expressions; what it does not have stays unused."""


class HotkeySettings(_Settings):
    """Expressions that keys show."""

    fade_s: Annotated[float, Field(ge=0.0, le=5.0, allow_inf_nan=False)] = 0.25
    """Seconds in which an expression comes and goes."""
    expressions: tuple[Hotkey, ...] = Field(default=(), max_length=64)

    @field_validator("expressions")
    @classmethod
    def _told_apart(cls, expressions: tuple[Hotkey, ...]) -> tuple[Hotkey, ...]:
        names = [each.name for each in expressions]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two expressions are called {twice}")
        return expressions

    def get(self, name: str) -> Hotkey | None:
        """The expression of this name."""
        return next((each for each in self.expressions if each.name == name), None)


class RetargetSettings(_Settings):
    """All of it, for one avatar."""

    schema_version: Literal[2] = 2
    channels: dict[str, ChannelCurve] = Field(default_factory=dict)
    """By ARKit name; those not named pass unchanged."""
    expressions: dict[str, Gain] = Field(default_factory=dict, max_length=1024)
    """Gain of single expressions of the avatar, by their name there; 0 switches one off."""
    mirror: bool = False
    """The avatar moves as a looking glass would."""
    head: HeadSettings = Field(default_factory=HeadSettings)
    gaze: GazeSettings = Field(default_factory=GazeSettings)
    idle: IdleSettings = Field(default_factory=IdleSettings)
    hotkeys: HotkeySettings = Field(default_factory=HotkeySettings)

    @model_validator(mode="before")
    @classmethod
    def _migrated(cls, values: Any) -> Any:
        """Version 1 had no hotkeys, and nothing else was different."""
        if isinstance(values, dict) and values.get("schema_version") == 1:
            return values | {"schema_version": 2}
        return values

    @field_validator("channels")
    @classmethod
    def _known(cls, channels: dict[str, ChannelCurve]) -> dict[str, ChannelCurve]:
        unknown = sorted(set(channels) - set(CHANNEL_INDEX))
        if unknown:
            raise ValueError(f"{unknown[0]} is not a channel")
        return channels


def settings_file(folder: Path, name: str, digest: str) -> Path:
    """Where the settings of an avatar are kept: its name for people, and its contents' digest, since a name is used
    twice sooner or later.

    Args:
        folder: the user's own folder for them.
        name: the avatar's name or file name.
        digest: hexadecimal sha256 of the avatar file.
    """
    plain = re.sub(r"[^\w-]+", "_", name).strip("_")[:40] or "avatar"
    return folder / f"{plain}-{digest[:16]}.json"


def save_settings(settings: RetargetSettings, path: Path) -> None:
    """Writes settings; the file is either the old or the new one, never half of it.

    Raises:
        RetargetFileError: it cannot be written.
    """
    try:
        write_model(path, settings)
    except JsonFileError as error:
        raise RetargetFileError(str(error)) from error


def load_settings(path: Path) -> RetargetSettings:
    """Reads what `save_settings` wrote.

    Raises:
        RetargetFileError: it cannot be read, is of a newer version, or a value is out of its range.
    """
    try:
        return read_model(
            path, RetargetSettings,
            what="retargeting settings", newest=SCHEMA_VERSION, largest=LARGEST_FILE, assumed=SCHEMA_VERSION,
        )  # fmt: skip
    except JsonFileError as error:
        raise RetargetFileError(str(error)) from error
