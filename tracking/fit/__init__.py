"""Fits the face model to detected landmarks: damped Gauss-Newton with analytic Jacobians."""

from typing import TYPE_CHECKING

from models.late_names import late_names

if TYPE_CHECKING:
    from tracking.fit.session import FitSession
    from tracking.fit.settings import FitSettings

__all__ = ["FitSession", "FitSettings"]

__getattr__ = late_names(__name__, {"FitSession": "session", "FitSettings": "settings"})
