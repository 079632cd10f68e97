"""OpenSeeFace packets, as programs that receive them read them."""

from __future__ import annotations

import struct
from math import pi, radians

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.face_model import load_face_model
from models.geometry.camera import Camera
from models.geometry.rotations import angle_between, from_quaternion
from tests.helpers.tiny_model import tiny_model
from tests.helpers.tracked import tracked_face
from tracking.streams.open_see_face import PACKET_BYTES, OpenSeeFaceEncoder
from tracking.streams.settings import OpenSeeFaceStream
from tracking.types import TrackedFace


def _open_see(packet: bytes) -> dict[str, object]:
    head = struct.unpack_from("<di4fBf4f3f3f", packet)
    rest = np.frombuffer(packet, "<f4", 68 + 136 + 210 + 14, 73)
    return {
        "time": head[0],
        "size": head[2:4],
        "eyes": head[4:6],
        "success": head[6],
        "quaternion": head[8:12],
        "euler": np.array(head[12:15]),
        "translation": np.array(head[15:18]),
        "points": rest[68:204].reshape(68, 2),
        "space": rest[204:414].reshape(70, 3) * (1, -1, -1),
        "features": rest[414:],
    }


def _rotation(found: dict[str, object]) -> NDArray[np.float64]:
    quaternion = found["quaternion"]
    assert isinstance(quaternion, tuple)
    x, y, z, w = quaternion
    return from_quaternion([w, x, y, z]).T


class TestOpenSeeFace:
    def test_length_and_head(self, turned: TrackedFace) -> None:
        encoder = OpenSeeFaceEncoder(OpenSeeFaceStream(face_id=2), tiny_model(), clock=lambda: 7.0)
        (packet,) = encoder.encode(turned)
        assert len(packet) == PACKET_BYTES
        # Time, id, size, right eye open, left eye shut, success.
        assert packet[:29] == struct.pack("<di4fB", 7.0, 2, 640.0, 480.0, 1.0, 0.0, 1)
        assert struct.unpack_from("<68f", packet, 73) == (1.0,) * 68

    @pytest.mark.parametrize(
        ("angles", "expected"),
        [
            ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
            ((0.2, 0.0, 0.0), (0.0, 0.2, 0.0)),
            ((0.0, 0.2, 0.0), (0.2, 0.0, 0.0)),
            ((0.0, 0.0, 0.2), (0.0, 0.0, 0.2)),
        ],
    )
    def test_angles_after_what_the_receivers_subtract(
        self, angles: tuple[float, float, float], expected: tuple[float, float, float]
    ) -> None:
        face = tracked_face(tiny_model(), angles=angles)
        found = _open_see(OpenSeeFaceEncoder(OpenSeeFaceStream(), tiny_model()).encode(face)[0])
        euler = found["euler"]
        assert isinstance(euler, np.ndarray)
        turned = np.radians(euler) - (pi, 0.0, pi / 2)
        np.testing.assert_allclose((turned + pi) % (2 * pi) - pi, expected, atol=1e-5)

    def test_space_and_pose_project_onto_the_points(self, turned: TrackedFace) -> None:
        """With the reversal undone: rows before columns, OpenSeeFace's focal length the width."""
        found = _open_see(OpenSeeFaceEncoder(OpenSeeFaceStream(), tiny_model()).encode(turned)[0])
        rotation = np.diag([-1.0, -1.0, 1.0]) @ _rotation(found)
        space, points, translation = found["space"], found["points"], found["translation"]
        assert isinstance(space, np.ndarray) and isinstance(points, np.ndarray) and isinstance(translation, np.ndarray)
        camera_points = space[:68] @ rotation.T - translation
        rows_columns = camera_points[:, :2] / camera_points[:, 2:] * 640.0 + (479 / 2, 639 / 2)
        np.testing.assert_allclose(rows_columns[:, ::-1], points, atol=0.02)

    @pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.3, 0.0, 0.0), (0.0, 0.2, 0.0), (0.0, 0.0, 0.2)])
    def test_openseefaces_own_steps_end_at_the_same_pose(self, angles: tuple[float, float, float]) -> None:
        model = load_face_model()  # points of a real face: the tiny head's are spread evenly
        face = tracked_face(model, angles=angles, camera=Camera(640, 480, 640.0))
        found = _open_see(OpenSeeFaceEncoder(OpenSeeFaceStream(), model).encode(face)[0])
        space, points, translation = found["space"], found["points"], found["translation"]
        assert isinstance(space, np.ndarray) and isinstance(points, np.ndarray) and isinstance(translation, np.ndarray)
        camera = np.array([[640.0, 0.0, 479 / 2], [0.0, 640.0, 639 / 2], [0.0, 0.0, 1.0]])
        rows_columns = np.ascontiguousarray(points[:66, ::-1], np.float64)
        _, turn, place = cv2.solvePnP(
            np.ascontiguousarray(space[:66], np.float64),
            *(rows_columns, camera, np.zeros((4, 1))),
            useExtrinsicGuess=True,
            rvec=np.zeros(3),
            tvec=np.zeros(3),
            flags=cv2.SOLVEPNP_ITERATIVE,
        )
        # The reversed solution fits a perspective picture only roughly, hence the wide tolerance.
        assert angle_between(cv2.Rodrigues(turn)[0], _rotation(found)) < radians(12.0)
        np.testing.assert_allclose(place.ravel(), translation, atol=0.35 * abs(translation[2]))
        assert place[2, 0] < 0 and translation[2] < 0

    def test_the_nose_is_the_origin_and_the_eyes_give_the_scale(self, turned: TrackedFace) -> None:
        found = _open_see(OpenSeeFaceEncoder(OpenSeeFaceStream(), tiny_model()).encode(turned)[0])
        space = found["space"]
        assert isinstance(space, np.ndarray)
        np.testing.assert_allclose(space[30], 0.0, atol=1e-6)
        assert np.linalg.norm(space[36] - space[45]) == pytest.approx(0.65962, abs=1e-5)
        assert space[68, 0] > 0 > space[69, 0]  # eyeballs: right, then left, +x to the subject's right
        assert space[66, 2] > space[68, 2]  # pupils stand before them

    def test_depth_is_scaled_by_the_focal_length(self) -> None:
        near = tracked_face(tiny_model(), camera=Camera(640, 480, 640.0))
        far = tracked_face(tiny_model(), camera=Camera(640, 480, 320.0))
        encoder = OpenSeeFaceEncoder(OpenSeeFaceStream(), tiny_model())
        depths = [_open_see(encoder.encode(face)[0])["translation"][2] for face in (near, far)]  # type: ignore[index]
        assert depths[1] == pytest.approx(2 * depths[0], rel=1e-5)

    def test_nobody_is_success_0(self, nobody: TrackedFace, held: TrackedFace) -> None:
        encoder = OpenSeeFaceEncoder(OpenSeeFaceStream(), tiny_model())
        for face in (nobody, held):
            (packet,) = encoder.encode(face)
            assert len(packet) == PACKET_BYTES
            assert packet[28] == 0

    def test_features(self) -> None:
        face = tracked_face(
            tiny_model(), channels={"jawOpen": 0.5, "eyeBlinkRight": 1.0, "mouthSmileLeft": 0.8, "browDownRight": 0.4}
        )
        features = _open_see(OpenSeeFaceEncoder(OpenSeeFaceStream(), tiny_model()).encode(face)[0])["features"]
        assert isinstance(features, np.ndarray)
        expected = [0.0, -1.0, 0.0, 0.0, 0.0, -0.4, -0.4, 0.0, 0.8, 0.8, 0.0, 0.0, 0.5, 0.4]
        np.testing.assert_allclose(features, expected, atol=1e-6)

    def test_mirrored_it_is_the_mirrored_picture(self, turned: TrackedFace) -> None:
        plain, mirrored = (
            _open_see(OpenSeeFaceEncoder(OpenSeeFaceStream(mirror=m), tiny_model()).encode(turned)[0])
            for m in (False, True)
        )
        a, b = plain["points"], mirrored["points"]
        assert isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
        np.testing.assert_allclose(b[30], (639 - a[30, 0], a[30, 1]), atol=1e-3)
        # Point 36, the outer corner of the right eye, lands where the mirrored 45 was.
        np.testing.assert_allclose(b[36], (639 - a[45, 0], a[45, 1]), atol=1e-3)
        assert mirrored["eyes"] == (0.0, 1.0)
