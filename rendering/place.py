"""Where a head is in a picture whose camera stands still."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rendering.scene import CameraMode, Scene
from tracking.types import TrackedFace

__all__ = ["HeadPlace"]

FARTHEST = np.array([0.60, 0.40, 0.35])
"""Metres from rest that a head is drawn at: sideways, up or down, nearer or farther."""
FORGET_S = 5.0
"""After so long without a face the next one may be anybody's: where it is found is its rest."""


class HeadPlace:
    """Remembers where the head rests: where the first face is found."""

    def __init__(self) -> None:
        self._rest: NDArray[np.float64] | None = None
        self._seen_ns = 0
        self._number = 0
        self._moved = (0.0, 0.0, 0.0)

    def placed(self, scene: Scene, face: TrackedFace, *, mirrored: bool = False) -> Scene:
        """The scene with its viewpoint's `moved`; as it is where the camera follows the head.

        Args:
            mirrored: the head moves as a looking glass would.
        """
        point = scene.viewpoint
        if point.mode is not CameraMode.STAY:
            self._rest = None
            return scene
        if point.rest != self._number:
            self._number, self._rest = point.rest, None
        parameters, now_ns = face.parameters, face.frame.captured_ns
        place = None if parameters is None else np.asarray(parameters.translation, np.float64)
        if place is not None and np.isfinite(place).all():
            if self._rest is None or abs(now_ns - self._seen_ns) > FORGET_S * 1e9:
                self._rest = place.copy()
            self._seen_ns = now_ns
            # From the camera's frame (y down, z away) to the view's.
            move = np.clip((place - self._rest) * (-1.0 if mirrored else 1.0, -1.0, -1.0), -FARTHEST, FARTHEST)
            self._moved = (float(move[0]), float(move[1]), float(move[2]))
        return replace(scene, viewpoint=replace(point, moved=self._moved))
