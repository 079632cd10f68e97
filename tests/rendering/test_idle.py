"""Avatars that idle, and what may be seen while the user hides."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.avatar_store import AvatarStore
from app.live.avatars import load_subject
from models.channels import CHANNEL_INDEX
from models.face_model import load_face_model
from rendering import Background, Backing, Scene, View
from rendering.idle import idle_face, idles, shows_nobody
from rendering.subject import OWN, Subject, SubjectDriver
from rendering.virtual_camera.camera import VirtualCamera
from rendering.virtual_camera.feeder import CameraFeeder
from rendering.virtual_camera.settings import VirtualCameraSettings
from tests.helpers.tracked import tracked_face
from tracking.detail_settings import DetailSettings
from tracking.retarget import IdleSettings, RetargetSettings

pytestmark = pytest.mark.usefixtures("no_leaked_threads")


@pytest.fixture
def kofi(tmp_path: Path) -> Subject:
    subject, _ = load_subject(AvatarStore(tmp_path).find("Kofi"))
    return replace(subject, detail=DetailSettings(enabled=False))


def test_who_idles(kofi: Subject) -> None:
    assert idles(kofi) and not idles(OWN)
    for idle in (IdleSettings(without_source=False), IdleSettings(blink=False, breathing=False)):
        assert not idles(replace(kofi, settings=RetargetSettings(idle=idle)))


def test_what_may_be_seen_while_the_user_hides(kofi: Subject) -> None:
    made, real = idle_face(0), tracked_face(load_face_model())
    over, blurred = Scene(view=View.OVERLAY), Scene(background=Background(kind=Backing.CAMERA))
    assert shows_nobody(kofi, made, over) and shows_nobody(kofi, made, blurred)
    assert shows_nobody(kofi, real, Scene()), "somebody else's face"
    assert not shows_nobody(kofi, real, over) and not shows_nobody(kofi, real, blurred)
    assert not shows_nobody(OWN, made, Scene()) and not shows_nobody(OWN, real, Scene())
    assert kofi.person is not None
    manifest = kofi.person.manifest.model_copy(update={"kind": "person"})
    somebody = replace(kofi, person=replace(kofi.person, manifest=manifest))
    assert not shows_nobody(somebody, made, Scene())


def test_a_person_passes_from_the_tracked_face_to_idleness(kofi: Subject) -> None:
    model = load_face_model()
    driver = SubjectDriver(kofi, model)
    first = driver.face(idle_face(0))
    assert first.vertices is not None and first.parameters is not None, "nobody needs to have been tracked"
    tracked = tracked_face(model, channels={"jawOpen": 0.8}, angles=(0.3, 0.0, 0.0), translation=(0.1, 0.0, 0.7))
    jaw = []
    for i in range(40):
        made_up = i >= 20
        face = idle_face(i * 50_000_000) if made_up else tracked
        face = replace(face, frame=replace(face.frame, captured_ns=i * 50_000_000))
        shown = driver.face(face).parameters
        assert shown is not None
        jaw.append(float(shown.expression[CHANNEL_INDEX["jawOpen"]]))
    assert jaw[19] == pytest.approx(0.8) and jaw[-1] == pytest.approx(0.0, abs=1e-6)
    steps = -np.diff(jaw[19:])
    assert (steps >= -1e-6).all() and steps.max() < 0.2, "faded, not cut"
    assert shown is not None
    np.testing.assert_allclose(shown.translation, (0.1, 0.0, 0.7), err_msg="where it was seen last")
    driver.close()


@pytest.mark.gl
def test_the_virtual_camera_without_a_window_shows_an_avatar_that_idles(kofi: Subject) -> None:
    camera = VirtualCamera(VirtualCameraSettings(width=320, height=180, background="key"))
    feeder = CameraFeeder(camera, load_face_model(), subject=kofi)
    try:
        deadline = time.monotonic() + 30
        while feeder.drawn < 3 and not feeder.problem and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not feeder.problem and feeder.drawn >= 3, "no face was ever sent"
        shown = np.array(camera.preview(), np.float64)
        assert tuple(shown[0, 0]) == (0, 255, 0) and shown[60:120, 130:190].std() > 10
    finally:
        feeder.close()
