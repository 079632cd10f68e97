"""The pinhole camera, with the paper's weak-perspective camera as a mode of it.

Camera frame as OpenCV: x right, y down, z forward, metres. Pixels: the centre of the top-left pixel is (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan, tan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.geometry.rotations import HEAD_TO_CAMERA

Projection = Literal["perspective", "weak"]
DEFAULT_FOV = 0.98
"""Horizontal field of view in radians (56 degrees) of a camera nobody told us about: between common laptop cameras
(60 to 78 degrees across the diagonal) and the crops that web clips show."""


@dataclass(frozen=True, slots=True)
class Camera:
    """Intrinsics of one picture.

    Attributes:
        width, height: picture size in pixels.
        focal: focal length in pixels, the same in x and y.
        projection: `perspective` divides each point by its own depth; `weak` divides every point by the depth of the
            head's origin, which is the weak-perspective camera c = (s, t) with s = focal / depth.
    """

    width: int
    height: int
    focal: float
    projection: Projection = "perspective"

    @classmethod
    def from_fov(
        cls, width: int, height: int, fov: float = DEFAULT_FOV, projection: Projection = "perspective"
    ) -> Camera:
        """Camera whose longer picture side spans `fov` radians.

        Raises:
            ValueError: `fov` is not between 0 and pi.
        """
        if not 0.0 < fov < np.pi:
            raise ValueError(f"a field of view lies between 0 and 180 degrees, not at {np.degrees(fov):.1f}")
        return cls(width, height, max(width, height) / 2.0 / tan(fov / 2.0), projection)

    @property
    def centre(self) -> tuple[float, float]:
        """Principal point in pixels: the middle of the picture."""
        return (self.width - 1) / 2.0, (self.height - 1) / 2.0

    @property
    def fov(self) -> float:
        """Angle in radians that the longer picture side spans."""
        return 2.0 * atan(max(self.width, self.height) / 2.0 / self.focal)

    def to_camera(
        self, points: NDArray[np.floating], rotation: NDArray[np.floating], translation: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """(N, 3) head-frame points in the camera frame, metres: HEAD_TO_CAMERA @ rotation @ p + translation."""
        return np.asarray(points @ (HEAD_TO_CAMERA @ rotation).T + translation, np.float64)

    def project(self, points: NDArray[np.floating], origin_depth: float) -> NDArray[np.float64]:
        """Pixels (N, 2) of (N, 3) camera-frame points.

        Args:
            points: metres, in front of the camera.
            origin_depth: depth of the head's origin in metres; used by the weak mode only.
        """
        depth = points[:, 2:3] if self.projection == "perspective" else origin_depth
        return np.asarray(points[:, :2] / depth * self.focal + np.asarray(self.centre), np.float64)

    def project_head(
        self, points: NDArray[np.floating], rotation: NDArray[np.floating], translation: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Pixels (N, 2) of (N, 3) head-frame points of a head at `rotation` (3, 3) and `translation` (3,) metres."""
        return self.project(self.to_camera(points, rotation, translation), float(translation[2]))
