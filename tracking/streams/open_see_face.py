"""OpenSeeFace's packets over UDP, little-endian, 1785 bytes a face, unaligned.

`f64 time, i32 id, f32 width, height, f32 right eye, left eye (1 open), u8 success, f32 error, f32 quaternion x, y, z,
w, f32 Euler angles in degrees [3], f32 translation[3], f32 confidence[68], f32 (x, y) pixels[68],
f32 (x, -y, -z)[70], f32 features[14]`.

OpenSeeFace solves for the pose with rows before columns. So, against ours (head H: left, up, out of the face; camera C:
right, down, forward), its model frame O is (right, up, out) and its camera frame C' is (down, right, forward), both
left-handed, and the rotation of O into C' is T = S D R F: F = diag(-1, 1, 1) from O to H, R ours, D = diag(1, -1, -1)
from H to C (HEAD_TO_CAMERA), S the swap of x and y. Its solver starts from nothing and ends in the reversed solution of
the same picture, behind the camera: rotation diag(-1, -1, 1) T and the negative of the translation (redoing its steps
with cv2.solvePnP shows it). Receivers are built for that: looking straight at the camera it has the Euler angles (180,
0, 90), which they subtract, and they take (-y, x, -z) of the translation. The quaternion is that of the transpose, as
its author's formula gives it.

Lengths are its model's: 0.65962 between the outer corners of the eyes, the tip of the nose at the origin. Its camera
has the focal length `width`, so the depth is scaled by width / focal, which leaves the origin's projection as it is.

Its points are iBUG's 68 without the outer corners of the mouth (48, 54), then the pupils (right, left), and in space
also the centres of the eyeballs (right, left).
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from math import asin, atan2, cos, degrees, sin

import numpy as np
from numpy.typing import NDArray

from models.channels import CHANNEL_INDEX
from models.face_model import FaceModel
from models.geometry.rotations import HEAD_TO_CAMERA, to_quaternion
from tracking.streams.base import Encoder, FaceValues, face_values
from tracking.streams.settings import OpenSeeFaceStream
from tracking.types import TrackedFace

PACKET_BYTES = 1785
EYE_CORNERS = 0.65962
"""Distance of points 36 and 45 in OpenSeeFace's model, its unit of length."""
_NOSE_TIP, _RIGHT_CORNER, _LEFT_CORNER = 30, 36, 45
_EYEBALL_RADIUS = 0.012
"""Metres from the centre of an eyeball to its pupil."""
_KEPT = [i for i in range(68) if i not in (48, 54)]
_FLIP = np.diag([-1.0, 1.0, 1.0])
_REVERSED = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""diag(-1, -1, 1) times the swap of x and y."""
_HEAD = struct.Struct("<di4fBf4f3f3f")
# The mirror partner of each iBUG point.
_PARTNER = [
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
]


class OpenSeeFaceEncoder(Encoder):
    """Encodes OpenSeeFace's packets.

    Args:
        settings: see OpenSeeFaceStream.
        model: the model of the faces that come, for its landmarks.
        clock: seconds since 1970, for the time stamp.
    """

    def __init__(self, settings: OpenSeeFaceStream, model: FaceModel, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._settings = settings
        self._model = model
        landmarks = model.landmarks68
        self._corners = model.faces[landmarks.triangles].ravel()
        self._weights = np.asarray(landmarks.barycentrics, np.float32)[:, None, :]
        self._identity: NDArray[np.float32] | None = None
        self._eyes: NDArray[np.float64] = np.zeros((2, 3))
        self._floats = np.zeros((68 + 2 * 68 + 3 * 70 + 14), "<f4")

    def encode(self, face: TrackedFace) -> list[bytes]:
        """One packet. Nobody there: success 0 and nothing else but the time."""
        values = face_values(face, self._settings.mirror)
        if values is None or face.vertices is None or face.parameters is None:
            height, width = face.frame.image.shape[:2]
            head = _HEAD.pack(self._clock(), self._settings.face_id, width, height, 1.0, 1.0, 0, *(0.0,) * 11)
            return [head + bytes(4 * len(self._floats))]
        camera = face.parameters.camera
        turn = HEAD_TO_CAMERA @ values.rotation
        space, nose, unit = self._space(face, values)
        x, y, z = ((turn @ nose + values.translation) / unit).tolist()
        rotation = _REVERSED @ turn @ _FLIP
        expression = values.expression.tolist()
        head = _HEAD.pack(
            *(self._clock(), self._settings.face_id, camera.width, camera.height),
            *(1.0 - expression[_BLINK_RIGHT], 1.0 - expression[_BLINK_LEFT], 1 if face.valid else 0, 0.0),
            *_quaternion(rotation),
            *_euler_degrees(rotation),
            *(-y, -x, -z * camera.width / camera.focal),
        )
        out = self._floats
        out[:68] = face.confidence
        out[68:204] = camera.project(space[:68] @ turn.T + values.translation, float(values.translation[2])).ravel()
        # In its model frame, (-x, y, z) of ours from the nose; its packets negate y and z once more.
        out[204:414] = ((space - nose) / -unit).ravel()
        out[414:] = _features(expression)
        return [head + out.tobytes()]

    def _space(self, face: TrackedFace, values: FaceValues) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """(70, 3) points, head frame, metres, mirrored if asked; the tip of the nose; metres of OpenSeeFace's unit."""
        assert face.vertices is not None and face.parameters is not None
        corners = face.vertices.take(self._corners, axis=0).reshape(68, 3, 3)
        points = (self._weights @ corners)[:, 0].astype(np.float64)
        eyes = self._eyeballs(face.parameters.identity)
        if self._settings.mirror:
            points = points[_PARTNER] * (-1.0, 1.0, 1.0)
            eyes = eyes[::-1] * (-1.0, 1.0, 1.0)
        space = np.empty((70, 3))
        space[:66] = points[_KEPT]
        space[68:] = eyes[::-1]
        for row, (yaw, pitch) in zip((67, 66), values.gaze.tolist(), strict=True):
            look = sin(yaw) * cos(pitch), -sin(pitch), cos(yaw) * cos(pitch)
            space[row] = space[row + 2] + np.multiply(look, _EYEBALL_RADIUS)
        unit = float(np.linalg.norm(points[_RIGHT_CORNER] - points[_LEFT_CORNER])) / EYE_CORNERS
        return space, points[_NOSE_TIP], unit

    def _eyeballs(self, identity: NDArray[np.float32]) -> NDArray[np.float64]:
        """(2, 3) centres of left and right eyeball of an identity, head frame; computed once for each."""
        if self._identity is None or not np.array_equal(identity, self._identity):
            self._identity = identity.copy()
            self._eyes = np.asarray(self._model.joints(identity)[2:4], np.float64)
        return self._eyes


def _quaternion(rotation: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """x, y, z, w of the transpose, with the largest component positive, as OpenSeeFace writes it."""
    w, x, y, z = to_quaternion(rotation.T).tolist()
    largest = max(w, x, y, z, key=abs)
    sign = -1.0 if largest < 0.0 else 1.0
    return sign * x, sign * y, sign * z, sign * w


def _euler_degrees(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    """x, y, z of Rz(z) Ry(y) Rx(x) with y within a right angle, as cv2.RQDecomp3x3 gives them near (180, 0, 90).

    Not by cv2 itself, which at exactly that pose may choose (0, 180, -90) instead.
    """
    m = rotation.tolist()
    sine = min(1.0, max(-1.0, -m[2][0]))
    return degrees(atan2(m[2][1], m[2][2])), degrees(asin(sine)), degrees(atan2(m[1][0], m[0][0]))


def _at(name: str) -> int:
    return CHANNEL_INDEX[name]


_BLINK_LEFT, _BLINK_RIGHT = _at("eyeBlinkLeft"), _at("eyeBlinkRight")


def _features(e: list[float]) -> tuple[float, ...]:
    """The 14 features, -1..1, 0 at rest: our own mapping from channels; OpenSeeFace learns them from the points."""

    def eye(side: str) -> float:
        return e[_at(f"eyeWide{side}")] - e[_at(f"eyeBlink{side}")]

    def brow(side: str) -> tuple[float, float, float]:
        inner, outer, down = e[_at("browInnerUp")], e[_at(f"browOuterUp{side}")], e[_at(f"browDown{side}")]
        return inner - down, (inner + outer) / 2.0 - down, outer - inner

    def corner(side: str) -> tuple[float, float]:
        smile, frown, stretch = (e[_at(f"mouth{n}{side}")] for n in ("Smile", "Frown", "Stretch"))
        return smile - frown, max(smile, stretch) - e[_at("mouthPucker")]

    left, right = corner("Left"), corner("Right")
    wide = (left[1] + right[1]) / 2.0
    return (eye("Left"), eye("Right"), *brow("Left"), *brow("Right"), *left, *right, e[_at("jawOpen")], wide)
