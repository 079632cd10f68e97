"""Drawing for the virtual camera without a window."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.avatar_store import AvatarStore
from app.live.avatars import load_subject
from models.face_model import load_face_model
from rendering.subject import OWN, Subject
from rendering.virtual_camera.camera import VirtualCamera
from rendering.virtual_camera.feeder import CameraFeeder
from rendering.virtual_camera.settings import VirtualCameraSettings
from tests.helpers.tracked import tracked_face
from tracking.detail_settings import DetailSettings

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("no_leaked_threads")]


def fed(subject: Subject, **settings: object) -> NDArray[np.float64]:
    """What would go out for a face, after it was drawn."""
    camera = VirtualCamera(VirtualCameraSettings.model_validate({"width": 320, "height": 180} | settings))
    feeder = CameraFeeder(camera, load_face_model(), subject=subject)
    try:
        deadline = time.monotonic() + 20
        while feeder.drawn < 1 and not feeder.problem and time.monotonic() < deadline:
            feeder.send(tracked_face(load_face_model(), channels={"jawOpen": 0.6}))
            time.sleep(0.05)
        assert not feeder.problem
        return np.array(camera.preview(), np.float64)
    finally:
        feeder.close()


def test_the_tracked_head_and_a_person_that_ships(tmp_path: Path) -> None:
    own = fed(OWN, background="key")
    assert own.shape == (180, 320, 3) and tuple(own[0, 0]) == (0, 255, 0)
    person, _ = load_subject(AvatarStore(tmp_path).find("Kofi"))
    # The thread of its wrinkles may still be compiling networks after the feeder is closed.
    other = fed(replace(person, detail=DetailSettings(enabled=False)), background="key")
    assert own[80:110, 150:170].mean() > other[80:110, 150:170].mean() + 15


def test_the_split_layout_has_the_picture_beside_the_head() -> None:
    picture = fed(OWN, layout="split", avatar_side="right")
    assert picture[90, 80] == pytest.approx((128, 128, 128), abs=3), "the grey picture on the left"
    assert picture[60:120, 200:280].std() > 10
