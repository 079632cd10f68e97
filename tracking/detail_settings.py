"""Settings of the detail stage; the command line and the settings file are made from this model."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

RESTING = "an avatar is shown"
"""Why no wrinkles are looked for while `DetailedTracker.rest` is in force."""


class DetailSettings(BaseModel):
    """Wrinkles while tracking."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    """Whether there is a detail stage at all."""
    smallest_face: float = Field(default=150.0, ge=0)
    """Width of a face in pixels below which its picture does not show wrinkles."""
    engine: str = "auto"
    """What the networks run on: auto, or one of models.engines.choose.ENGINES."""
    weights: Path | None = None
    """Weights file instead of the shipped one."""
