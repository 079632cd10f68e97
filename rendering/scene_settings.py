"""How a head is staged: background, camera, light. Settings that are kept for each avatar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.json_file import JsonFileError, read_model, write_model

__all__ = [
    "PRESETS",
    "BackgroundSettings",
    "EnvironmentSettings",
    "LampSettings",
    "LightSettings",
    "SceneFileError",
    "SceneSettings",
    "load_scene",
    "save_scene",
]

SCHEMA_VERSION = 1
LARGEST_FILE = 1024 * 1024
Byte = Annotated[int, Field(ge=0, le=255)]
Colour = tuple[Byte, Byte, Byte]
"""sRGB, as in a colour picker."""
Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Strength = Annotated[float, Field(ge=0.0, le=3.0, allow_inf_nan=False)]


BackgroundKind = Literal["studio", "colour", "picture", "camera", "key", "transparent"]


class SceneFileError(Exception):
    """A file of scene settings that cannot be used; the message is one sentence for the user."""


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BackgroundSettings(_Settings):
    """What is behind the head. Values of the kinds that are not chosen are kept."""

    kind: BackgroundKind = "studio"
    """A soft grey; one colour; a picture; what the camera sees, blurred; a colour for other programs to take out; or
    nothing."""
    colour: Colour = (42, 46, 54)
    """Also what stands in for a picture that is missing."""
    key: Colour = (0, 255, 0)
    picture: str | None = Field(default=None, max_length=4096)
    """The picture's file."""
    blur: Share = 0.45
    """Of the camera's picture: 0 little, 1 beyond recognition."""


class LampSettings(_Settings):
    """One light, fixed to the viewer."""

    strength: Strength = 1.0
    """0 switches it off."""
    yaw_deg: Annotated[float, Field(ge=-180.0, le=180.0, allow_inf_nan=False)] = 0.0
    """Where it stands: degrees from the viewer to the picture's right."""
    pitch_deg: Annotated[float, Field(ge=-90.0, le=90.0, allow_inf_nan=False)] = 0.0
    """Degrees upwards."""
    temperature_k: Annotated[int, Field(ge=1500, le=15000)] = 6500
    """Of its white: candles have 1900, the sun 5500, a blue sky 12000."""
    colour: Colour | None = None
    """Instead of a white."""


class EnvironmentSettings(_Settings):
    """Light from all around."""

    source: Literal["sky", "picture"] = "sky"
    """A sky above a ground, or the background's picture."""
    strength: Strength = 1.0
    sky: Colour = (155, 159, 167)
    ground: Colour = (108, 99, 95)


class LightSettings(_Settings):
    """Three lights and what comes from around."""

    key: LampSettings = LampSettings(yaw_deg=-35.5, pitch_deg=35.5, temperature_k=6000)
    """The main one."""
    fill: LampSettings = LampSettings(yaw_deg=52.5, pitch_deg=6.6, temperature_k=8500)
    """Softens the shadows."""
    rim: LampSettings = LampSettings(yaw_deg=132.7, pitch_deg=20.2, temperature_k=7200)
    """From behind, on both sides alike."""
    environment: EnvironmentSettings = EnvironmentSettings()


class SceneSettings(_Settings):
    """All of it, for one avatar or for the tracked person's own head."""

    schema_version: Literal[1] = 1
    background: BackgroundSettings = BackgroundSettings()
    framing: Literal["follow", "stay"] = "follow"
    """The camera follows the head, or stays where it is and the head moves in the picture."""
    fov_deg: Annotated[float, Field(ge=8.0, le=90.0, allow_inf_nan=False)] = 24.0
    """Vertical field of view; the head keeps its size."""
    light: LightSettings = LightSettings()


_PORTRAIT = LightSettings()


def _lit(
    key: dict[str, Any], fill: dict[str, Any], rim: dict[str, Any], around: dict[str, Any] | None = None
) -> LightSettings:
    return LightSettings(
        key=_PORTRAIT.key.model_copy(update=key),
        fill=_PORTRAIT.fill.model_copy(update=fill),
        rim=_PORTRAIT.rim.model_copy(update=rim),
        environment=_PORTRAIT.environment.model_copy(update=around or {}),
    )


PRESETS: dict[str, LightSettings] = {
    "portrait": _PORTRAIT,
    "soft": _lit(
        {"strength": 0.7, "yaw_deg": -20.0, "pitch_deg": 20.0},
        {"strength": 1.9, "yaw_deg": 30.0, "temperature_k": 6500},
        {"strength": 0.5},
        {"strength": 1.35},
    ),
    "side": _lit(
        {"strength": 1.25, "yaw_deg": -78.0, "pitch_deg": 18.0, "temperature_k": 5200},
        {"strength": 0.15},
        {"strength": 0.7},
        {"strength": 0.35},
    ),
    "back": _lit(
        {"strength": 0.28, "temperature_k": 5000},
        {"strength": 0.6},
        {"strength": 2.6, "temperature_k": 6500},
        {"strength": 0.5},
    ),
    "evening": _lit(
        {"strength": 1.05, "yaw_deg": -52.0, "pitch_deg": 14.0, "temperature_k": 3000},
        {"strength": 0.9, "temperature_k": 12000},
        {"strength": 1.4, "temperature_k": 2600},
        {"strength": 0.7, "sky": (112, 128, 176), "ground": (112, 84, 66)},
    ),
    "neon": _lit(
        {"strength": 0.85, "yaw_deg": -64.0, "pitch_deg": 8.0, "colour": (255, 46, 168)},
        {"strength": 2.4, "yaw_deg": 62.0, "pitch_deg": 4.0, "colour": (20, 170, 255)},
        {"strength": 1.6, "colour": (96, 90, 255)},
        {"strength": 0.55, "sky": (96, 84, 150), "ground": (70, 60, 96)},
    ),
}
"""Ready-made lights by name."""


def save_scene(settings: SceneSettings, path: Path) -> None:
    """Writes settings in one piece.

    Raises:
        SceneFileError: they cannot be written.
    """
    try:
        write_model(path, settings)
    except JsonFileError as error:
        raise SceneFileError(f"The scene {error}") from error


def load_scene(path: Path) -> SceneSettings:
    """Reads what `save_scene` wrote.

    Raises:
        SceneFileError: it cannot be read, is damaged, of a newer version, or a value is out of its range.
    """
    try:
        return read_model(path, SceneSettings, what="a scene", newest=SCHEMA_VERSION, largest=LARGEST_FILE)
    except JsonFileError as error:
        raise SceneFileError(f"The scene {error}") from error
