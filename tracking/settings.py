"""Everything that decides how a face is tracked; loads none of what tracks it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tracking.coarse_settings import CoarseSettings
from tracking.detail_settings import DetailSettings
from tracking.fit.settings import FitSettings
from tracking.presence import PresenceSettings
from tracking.smoothing import SmoothingSettings


class TrackerSettings(BaseModel):
    """Everything that decides how a face is tracked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: Path | None = None
    """Avatar file (.mien) of whoever is in front of the camera: the shape of the face and its looks at rest are known
    from the first picture on. Anybody, without one: they are learned in the first seconds."""
    fit: FitSettings = FitSettings()
    """The model fit."""
    smoothing: SmoothingSettings = SmoothingSettings()
    """The one filter."""
    presence: PresenceSettings = PresenceSettings()
    """What happens when the face is lost."""
    coarse: CoarseSettings = CoarseSettings()
    """The coarse network."""
    detail: DetailSettings = DetailSettings()
    """Wrinkles; used by `DetailedTracker`."""
