"""The manifest of a person's avatar file, `manifest.json` in a `.mien`: all that is not an array, within bounds.

See docs/person_avatars.md for what the fields mean.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.channels import ARKIT_CHANNELS
from models.face_model.hair_grid import LARGEST_RELIEF, RELIEF_COUNT

__all__ = ["FORMAT", "MIGRATIONS", "SCHEMA_VERSION", "CapturePart", "HairPart", "NeutralPart", "PersonManifest"]

FORMAT = "mien-person"
SCHEMA_VERSION = 2

Migration = Callable[[dict[str, Any]], dict[str, Any]]
MIGRATIONS: dict[int, Migration] = {1: dict}
"""From schema version n (the key) to n + 1. Add one here, and a test of it, whenever the manifest changes.
From 1 to 2 hair may have a relief; without one the rest means what it did."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Colour = tuple[Share, Share, Share]
Angle = Annotated[float, Field(ge=-3.2, le=3.2)]
Outwards = Annotated[float, Field(ge=0.0, le=LARGEST_RELIEF)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class HairPart(_Part):
    """The hair cap."""

    visible: bool = True
    colour: Colour = (0.235, 0.160, 0.110)
    """sRGB."""
    thickness_m: float = Field(default=0.011, ge=0.0, le=0.1)
    relief_m: tuple[Outwards, ...] = Field(default=(), max_length=RELIEF_COUNT)
    """Metres by direction, in the order of `models.face_model.hair_grid`; counts instead of `thickness_m`. Empty where
    the pictures did not tell."""

    @field_validator("relief_m")
    @classmethod
    def _is_whole(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if value and len(value) != RELIEF_COUNT:
            raise ValueError(f"a relief has {RELIEF_COUNT} values")
        return value


class NeutralPart(_Part):
    """What the resting face reads; see `tracking.calibration.Calibration`."""

    frames: int = Field(ge=1)
    expression: dict[str, Share]
    """By ARKit channel."""
    gaze: tuple[tuple[Angle, Angle], tuple[Angle, Angle]]
    """Radians, left and right eye, yaw and pitch."""
    head_quaternion: tuple[float, float, float, float]
    head_position_m: tuple[float, float, float]

    @field_validator("expression")
    @classmethod
    def _known(cls, values: dict[str, float]) -> dict[str, float]:
        if set(values) - set(ARKIT_CHANNELS):
            raise ValueError("unknown channels")
        return values

    @field_validator("head_quaternion")
    @classmethod
    def _is_rotation(cls, value: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        if not 0.5 < sum(q * q for q in value) ** 0.5 < 2.0:
            raise ValueError("not a rotation")
        return value


class CapturePart(_Part):
    """What the avatar was made from; neither pictures nor the place of the file."""

    frames: int = Field(ge=0)
    usable: int = Field(ge=0)
    face_side_px: float = Field(ge=0)
    held_out_error: float | None = Field(default=None, ge=0)
    """Landmark residual of frames that were not learned from, as a share of the outer eye distance."""
    missing: tuple[Annotated[str, Field(max_length=100)], ...] = Field(default=(), max_length=32)
    """What was not seen: expressions, sides."""


class PersonManifest(_Part):
    """`manifest.json`."""

    format: Literal["mien-person"] = "mien-person"
    schema_version: int = Field(default=SCHEMA_VERSION, ge=SCHEMA_VERSION, le=SCHEMA_VERSION)
    name: str = Field(min_length=1, max_length=100)
    kind: Literal["person", "synthetic"] = "person"
    created: datetime
    licence: str = Field(default="", max_length=4000)
    """Under which terms the file may be used; empty: nothing was said, so ask."""
    consent: str = Field(default="", max_length=4000)
    """What the person shown has agreed to, in words."""
    face_model: str = Field(min_length=1, max_length=100)
    identity: tuple[Annotated[float, Field(ge=-50, le=50)], ...] = Field(max_length=1000)
    fov_rad: float | None = Field(default=None, gt=0.05, lt=2.8)
    """Field of view of the camera that the capture came from, across the longer side."""
    neutral: NeutralPart | None = None
    hair: HairPart = HairPart()
    iris: Colour = (0.360, 0.430, 0.400)
    """sRGB."""
    texture_light: Share = 0.0
    """How much of its own light the texture carries: 0 none, 1 a photograph."""
    capture: CapturePart | None = None
    versions: dict[str, Annotated[str, Field(max_length=100)]] = Field(default_factory=dict, max_length=32)

    @field_validator("name")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value.isprintable() or value != value.strip():
            raise ValueError("a name is plain text without spaces around it")
        return value
