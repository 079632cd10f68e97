"""Settings of the coarse network's part in tracking."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from models.networks.presets import PresetName


class CoarseSettings(BaseModel):
    """What the coarse network does while tracking."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["off", "opinion", "lead"] = "off"
    """Nothing; a second opinion for the fit in every frame; or lead: the network alone follows the face, and the
    detector and the fit look after it every few frames."""
    every: int = Field(default=8, ge=2, le=60)
    """While leading, each so many-th frame goes to the detector and the fit."""
    preset: PresetName = "lite"
    """Size of the shipped network: lite, or the paper's, several times slower, which wants a graphics card."""
    engine: str = "auto"
    """What the network runs on: auto, or one of models.engines.choose.ENGINES."""
    weights: Path | None = None
    """Weights file instead of a shipped one."""
    person: Path | None = None
    """Avatar file of whoever is tracked: the adapters in it make the network theirs. Anybody, without one."""
