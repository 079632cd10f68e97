"""Head rotations in the program's conventions.

R = Ry(yaw) Rx(pitch) Rz(roll) in the head frame (+x to the subject's left, +y up, +z out of the face), right-hand rule:
yaw > 0 turns to the subject's left, pitch > 0 looks down, roll > 0 tilts to the subject's right shoulder.
Quaternions are w, x, y, z with w >= 0.
"""

from __future__ import annotations

from math import asin, atan2, cos, sin, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.float64]

HEAD_TO_CAMERA: Matrix = np.diag([1.0, -1.0, -1.0])
"""Turns the head frame of a face that looks straight into the camera into the camera frame (x right, y down, z
forward); its own inverse."""


def from_euler(yaw: float, pitch: float, roll: float) -> Matrix:
    """(3, 3) rotation from angles in radians."""
    cy, sy, cp, sp, cr, sr = cos(yaw), sin(yaw), cos(pitch), sin(pitch), cos(roll), sin(roll)
    return np.array(
        [
            [cy * cr + sy * sp * sr, -cy * sr + sy * sp * cr, sy * cp],
            [cp * sr, cp * cr, -sp],
            [-sy * cr + cy * sp * sr, sy * sr + cy * sp * cr, cy * cp],
        ]
    )


def to_euler(rotation: ArrayLike) -> NDArray[np.float64]:
    """(3,) yaw, pitch, roll in radians of a (3, 3) rotation; looking straight up or down, roll is put into yaw."""
    r = np.asarray(rotation, np.float64).tolist()
    pitch = asin(min(1.0, max(-1.0, -r[1][2])))
    if abs(r[1][2]) > 1.0 - 1e-12:
        return np.array([atan2(-r[2][0], r[0][0]), pitch, 0.0])
    return np.array([atan2(r[0][2], r[2][2]), pitch, atan2(r[1][0], r[1][1])])


def to_quaternion(rotation: ArrayLike) -> NDArray[np.float64]:
    """(4,) unit quaternion w, x, y, z with w >= 0 of a (3, 3) rotation.

    After Shepperd, Quaternion from rotation matrix, 1978: divides by the largest component, so it is stable everywhere.
    """
    (a, b, c), (d, e, f), (g, h, i) = np.asarray(rotation, np.float64).tolist()
    trace = a + e + i
    if trace > 0:
        s = 2 * sqrt(1 + trace)
        values = [s / 4, (h - f) / s, (c - g) / s, (d - b) / s]
    elif a > e and a > i:
        s = 2 * sqrt(1 + a - e - i)
        values = [(h - f) / s, s / 4, (b + d) / s, (c + g) / s]
    elif e > i:
        s = 2 * sqrt(1 + e - a - i)
        values = [(c - g) / s, (b + d) / s, s / 4, (f + h) / s]
    else:
        s = 2 * sqrt(1 + i - a - e)
        values = [(d - b) / s, (c + g) / s, (f + h) / s, s / 4]
    quaternion = np.array(values)
    quaternion /= np.linalg.norm(quaternion)
    return quaternion if quaternion[0] >= 0 else -quaternion


def from_quaternion(quaternion: ArrayLike) -> Matrix:
    """(3, 3) rotation of a (4,) quaternion w, x, y, z (need not be of unit length).

    Raises:
        ValueError: the quaternion is zero.
    """
    w, x, y, z = np.asarray(quaternion, np.float64).tolist()
    square = w * w + x * x + y * y + z * z
    if square == 0.0:
        raise ValueError("a quaternion of length zero is no rotation")
    s = 2.0 / square
    return np.array(
        [
            [1 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)],
            [s * (x * y + w * z), 1 - s * (x * x + z * z), s * (y * z - w * x)],
            [s * (x * z - w * y), s * (y * z + w * x), 1 - s * (x * x + y * y)],
        ]
    )


def from_rotvec(vector: ArrayLike) -> Matrix:
    """(3, 3) rotation of a (3,) axis times angle in radians (Rodrigues)."""
    x, y, z = np.asarray(vector, np.float64).tolist()
    angle = sqrt(x * x + y * y + z * z)
    skew = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    if angle < 1e-8:
        return np.asarray(np.eye(3) + skew)
    return np.asarray(np.eye(3) + sin(angle) / angle * skew + (1 - cos(angle)) / angle**2 * (skew @ skew))


def to_rotvec(rotation: ArrayLike) -> NDArray[np.float64]:
    """(3,) axis times angle in radians of a (3, 3) rotation."""
    w, *xyz = to_quaternion(rotation).tolist()
    length = sqrt(sum(v * v for v in xyz))
    return np.array(xyz) * (2.0 if length < 1e-8 else 2 * atan2(length, w) / length)


def facing(translation: ArrayLike) -> Matrix:
    """(3, 3) smallest rotation, camera frame, that turns the camera's axis onto the ray to a (3,) place.

    A head beside the axis shows the camera another side than its rotation says: the rotation seen is
    `facing(t).T @ HEAD_TO_CAMERA @ R`, up to HEAD_TO_CAMERA.
    """
    ray = np.asarray(translation, np.float64)
    ray = ray / float(np.linalg.norm(ray))
    axis = np.array([-ray[1], ray[0], 0.0])
    length = float(np.linalg.norm(axis))
    return np.eye(3) if length < 1e-9 else from_rotvec(axis / length * atan2(length, float(ray[2])))


def angle_between(a: ArrayLike, b: ArrayLike) -> float:
    """Angle in radians of the rotation that takes (3, 3) `a` to (3, 3) `b`."""
    cosine = (np.trace(np.asarray(a).T @ np.asarray(b)) - 1.0) / 2.0
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))
