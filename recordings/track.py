"""All that was tracked in a session, as arrays: what players, exporters and clean-up work on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Track"]


@dataclass(frozen=True, slots=True)
class Track:
    """Values of N frames in the order of their times. Rows without a face are NaN, never 0.

    Attributes:
        index: (N,) int64, the frame's count within its source.
        time_s: (N,) float64, the media's own timestamps in seconds, ascending.
        valid: (N,) bool, the face was seen in that frame.
        confidence: (N,) float32, 0..1.
        expression: (N, 52) float32 in 0..1, ARKIT_CHANNELS order.
        quaternion: (N, 4) float64, w x y z, unit: the head's rotation R = Ry(yaw) Rx(pitch) Rz(roll) in the frame that
            `FaceParameters.rotation` uses.
        translation: (N, 3) float64, metres, camera frame (x right, y down, z forward).
        gaze: (N, 2, 2) float32, radians relative to the head, rows left and right eye, columns yaw and pitch.
        identity: (K,) float32 coefficients of the face model's identity basis; empty where unknown.
        fov_degrees: field of view across the longer side of the picture; None where unknown.
        image_size: width and height of the pictures, (0, 0) where unknown.
        stage_ms: duration of each stage, name -> (N,) float32, NaN where it did not run.
    """

    index: NDArray[np.int64]
    time_s: NDArray[np.float64]
    valid: NDArray[np.bool_]
    confidence: NDArray[np.float32]
    expression: NDArray[np.float32]
    quaternion: NDArray[np.float64]
    translation: NDArray[np.float64]
    gaze: NDArray[np.float32]
    identity: NDArray[np.float32]
    fov_degrees: float | None = None
    image_size: tuple[int, int] = (0, 0)
    stage_ms: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time_s)
