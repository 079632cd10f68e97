"""Faces with a known pose, and ports that are free."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import radians

import numpy as np
import pytest

from models.channels import CHANNEL_INDEX, gaze_to_channels
from models.geometry.camera import Camera
from tests.helpers.tiny_model import tiny_model
from tests.helpers.tracked import no_face, tracked_face
from tracking.types import Frame, TrackedFace, TrackingState

YAW = radians(20.0)


@pytest.fixture
def turned() -> TrackedFace:
    """20 degrees to the subject's left, the mouth half open, the left eye shut, the eyes 10 degrees down, at 2.5 s."""
    face = tracked_face(
        tiny_model(),
        channels={"jawOpen": 0.5, "eyeBlinkLeft": 1.0, "mouthLeft": 0.25},
        angles=(YAW, 0.0, 0.0),
        translation=(0.1, -0.05, 0.6),
        gaze=((0.0, radians(10.0)), (0.0, radians(10.0))),
        camera=Camera(640, 480, 640.0),
    )
    return replace(face, frame=Frame(3, 2.5, 0, np.zeros((480, 640, 3), np.uint8)))


@pytest.fixture
def nobody() -> TrackedFace:
    """SEARCHING, at 2.5 s."""
    return replace(no_face(), frame=Frame(3, 2.5, 0, np.zeros((480, 640, 3), np.uint8)))


@pytest.fixture
def held(turned: TrackedFace) -> TrackedFace:
    """The same face a moment after it was lost."""
    return replace(turned, state=TrackingState.HOLDING, raw=None, confidence=0.0)


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A port that nobody has just now."""

    def find() -> int:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture
def inbox() -> Iterator[socket.socket]:
    """A socket that receives on this machine and waits two seconds at most."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(2.0)
        yield sock


@pytest.fixture
def talking() -> TrackedFace:
    """A face that turns, tilts, looks and speaks, with the eyeLook* channels that belong to its gaze."""
    gaze = ((0.2, -0.1), (0.15, -0.1))
    channels = {"jawOpen": 0.5, "mouthSmileLeft": 0.75, "eyeBlinkRight": 0.25, "browInnerUp": 1.0, "mouthRight": 0.5}
    looks = gaze_to_channels(np.array(gaze))
    channels |= {name: float(looks[i]) for name, i in CHANNEL_INDEX.items() if looks[i] > 0}
    return tracked_face(
        tiny_model(), channels=channels, angles=(0.3, -0.2, 0.1), translation=(0.1, -0.05, 0.7), gaze=gaze
    )
