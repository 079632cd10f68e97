"""Fits the face model to detected landmarks: damped Gauss-Newton with analytic Jacobians."""

from tracking.fit.session import FitSession, FitSettings

__all__ = ["FitSession", "FitSettings"]
