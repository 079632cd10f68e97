"""Fits the face model to detected landmarks: damped Gauss-Newton with analytic Jacobians."""

from tracking.fit.session import FitSession
from tracking.fit.settings import FitSettings

__all__ = ["FitSession", "FitSettings"]
