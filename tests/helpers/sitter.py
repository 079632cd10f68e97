"""Somebody who sits before a guided capture, posed by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tests.helpers.faces import face_state
from tracking.types import FaceObservation, FaceParameters, Frame, Image, TrackedFace, TrackingState

FPS = 10.0
REST = {"browDownLeft": 0.25, "noseSneerLeft": 0.2, "noseSneerRight": 0.2, "jawOpen": 0.03}
REST_YAW, REST_PITCH = 0.08, -0.25
"""A person who frowns a little at rest before a camera that stands below."""
SHOWN: dict[str, dict[str, float]] = {
    "rest": {},
    "smile": {"mouthSmileLeft": 0.45, "mouthSmileRight": 0.4},
    "brows": {"browInnerUp": 0.6, "browOuterUpLeft": 0.5, "browOuterUpRight": 0.5},
    "frown": {"browDownLeft": 0.5, "browDownRight": 0.45},
    "pucker": {"mouthPucker": 0.5},
    "sneer": {"noseSneerLeft": 0.45, "noseSneerRight": 0.45},
    "shut": {"eyeBlinkLeft": 0.7, "eyeBlinkRight": 0.7},
    "jaw": {"jawOpen": 0.6},
}
"""What each step of the guide asks for."""
TURNED = {"left": (0.5, 0.0), "right": (-0.5, 0.0), "up": (0.0, -0.35), "down": (0.0, 0.35)}
OBSERVED = FaceObservation(
    np.zeros((478, 3), np.float32), np.zeros(52, np.float32), np.array([50, 40, 150, 140], np.float32), 0.95
)


def grey(level: float = 120.0) -> Image:
    """A noisy picture of that brightness, 200 x 180."""
    noise = np.random.default_rng(0).normal(0, 12, (180, 200, 1))
    return np.clip(level + np.repeat(noise, 3, axis=2), 0, 255).astype(np.uint8)


PLAIN = grey()


class Sitter:
    """Makes one tracked picture after another, FPS a second of media time."""

    def __init__(self) -> None:
        self.time_s = 0.0
        self.pictures = 0

    def face(
        self, parameters: FaceParameters | None, image: Image = PLAIN, observed: FaceObservation = OBSERVED
    ) -> TrackedFace:
        """The next picture; None for the parameters shows nobody."""
        self.time_s += 1 / FPS
        self.pictures += 1
        there = parameters is not None
        state = TrackingState.TRACKING if there else TrackingState.HOLDING
        return TrackedFace(
            Frame(self.pictures, self.time_s, 0, image), state, 0.95 if there else 0.0, observed if there else None,
            parameters, parameters, None, None, None, (),
        )  # fmt: skip

    def state(
        self, channels: Mapping[str, float] | None = None, yaw: float = 0.0, pitch: float = 0.0
    ) -> FaceParameters:
        """The person with these channels, turned from rest."""
        return face_state({**REST, **(channels or {})}, yaw=REST_YAW + yaw, pitch=REST_PITCH + pitch)

    def doing(self, step: str, n: int) -> TrackedFace:
        """The n-th picture of somebody who does what a step of the guide asks for."""
        if step in TURNED:
            yaw, pitch = TURNED[step]
            return self.face(self.state(yaw=yaw, pitch=pitch))
        if step == "sentence":
            return self.face(self.state({"jawOpen": 0.03 + 0.25 * (np.sin(n / FPS * 2 * np.pi * 2.5) ** 2)}))
        return self.face(self.state(SHOWN[step]))
