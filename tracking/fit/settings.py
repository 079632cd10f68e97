"""Settings of the model fit; the command line and the settings file are made from this model."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class FitSettings(BaseModel):
    """How the face model is fitted to landmarks. Weights are relative to a landmark's own uncertainty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    projection: Literal["perspective", "weak"] = "perspective"
    """Camera: full perspective, or the paper's weak perspective."""
    fov_degrees: float | None = Field(default=None, gt=5, lt=150)
    """Field of view across the longer picture side; none lets the fit estimate it."""
    identity_coefficients: int = Field(default=100, ge=0, le=200)
    """Leading identity coefficients that are estimated; the rest stay zero."""
    landmark_sigma: float = Field(default=0.006, gt=0)
    """Standard deviation of a landmark as a share of the outer eye distance."""
    correlation: float = Field(default=60.0, ge=1)
    """Landmarks err together, not one by one: their joint evidence is divided by this much. Measured on renders: 60
    gives the best channels over a session; still images, whose points should lie on the picture, take `for_stills`."""
    identity_strength: float = Field(default=1.0, ge=0)
    """Weight of the prior that pulls identity to the mean face."""
    sparsity: float = Field(default=4.0, ge=0)
    """Linear penalty on each expression channel: few muscles at a time."""
    expression_strength: float = Field(default=1.5, ge=0)
    """Quadratic penalty on each expression channel."""
    guess_strength: float = Field(default=4.0, ge=0)
    """Weight of the learned guess as a prior, relative to its own error on unseen people; 0 ignores it."""
    rotation_strength: float = Field(default=100.0, ge=0)
    """Weight of the learned head rotation, relative to its own error on unseen people; 0 ignores it."""
    temporal_strength: float = Field(default=2.0, ge=0)
    """Pull towards the previous frame's expression in videos."""
    offset_spread: float = Field(default=0.0015, gt=0)
    """Metres by which the detector's habits on one face differ from those on the average face."""
    offset_noise: float = Field(default=0.02, gt=0)
    """Metres of error of one landmark in one frame, as far as the offsets are concerned."""
    first_frames_caution: float = Field(default=6.0, ge=1)
    """Factor on the sparsity while a session is young, when a face is taken as nearly at rest."""
    identity_frames: int = Field(default=90, ge=1)
    """Frames with something new to see that go into a session's identity before it is held."""
    iterations: int = Field(default=2, ge=1, le=50)
    """Gauss-Newton steps a frame while tracking."""
    still_iterations: int = Field(default=7, ge=1, le=100)
    """Gauss-Newton steps on the first frame and on still images."""

    @classmethod
    def for_stills(cls) -> FitSettings:
        """Settings for single pictures: the mesh follows the landmarks closely, since no session tells who it is."""
        return cls(correlation=1.0, guess_strength=0.5, rotation_strength=0.0, identity_strength=0.5, sparsity=1.5)
