"""Head rotations in the program's conventions.

R = Ry(yaw) Rx(pitch) Rz(roll) in the head frame (+x to the subject's left, +y up, +z out of the face), right-hand rule:
yaw > 0 turns to the subject's left, pitch > 0 looks down, roll > 0 tilts to the subject's right shoulder.
Quaternions are w, x, y, z with w >= 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

Matrix = NDArray[np.float64]

HEAD_TO_CAMERA: Matrix = np.diag([1.0, -1.0, -1.0])
"""Turns the head frame of a face that looks straight into the camera into the camera frame (x right, y down, z forward)."""


def from_euler(yaw: float, pitch: float, roll: float) -> Matrix:
    """(3, 3) rotation from angles in radians."""
    return np.asarray(Rotation.from_euler("YXZ", [yaw, pitch, roll]).as_matrix(), np.float64)


def to_euler(rotation: ArrayLike) -> NDArray[np.float64]:
    """(3,) yaw, pitch, roll in radians of a (3, 3) rotation."""
    return np.asarray(Rotation.from_matrix(np.asarray(rotation)).as_euler("YXZ"), np.float64)


def to_quaternion(rotation: ArrayLike) -> NDArray[np.float64]:
    """(4,) unit quaternion w, x, y, z with w >= 0 of a (3, 3) rotation."""
    x, y, z, w = Rotation.from_matrix(np.asarray(rotation)).as_quat(canonical=True)
    return np.array([w, x, y, z])


def from_quaternion(quaternion: ArrayLike) -> Matrix:
    """(3, 3) rotation of a (4,) quaternion w, x, y, z (need not be of unit length).

    Raises:
        ValueError: the quaternion is zero.
    """
    w, x, y, z = np.asarray(quaternion, np.float64)
    return np.asarray(Rotation.from_quat([x, y, z, w]).as_matrix(), np.float64)


def from_rotvec(vector: ArrayLike) -> Matrix:
    """(3, 3) rotation of a (3,) axis times angle in radians."""
    return np.asarray(Rotation.from_rotvec(np.asarray(vector)).as_matrix(), np.float64)


def angle_between(a: ArrayLike, b: ArrayLike) -> float:
    """Angle in radians of the rotation that takes (3, 3) `a` to (3, 3) `b`."""
    cosine = (np.trace(np.asarray(a).T @ np.asarray(b)) - 1.0) / 2.0
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))
