"""Wrinkles of a driven person: encoded once, folded by the driver's expression, never in the way of drawing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.avatars.person_file import read_person
from models.channels import CHANNEL_INDEX
from models.face_model import FaceModel, load_face_model
from models.face_model.detail_map import DetailMap
from rendering.renderer import rest_face
from rendering.subject import Subject, SubjectDriver
from tracking.detail_network import DetailNetwork
from tracking.person_wrinkles import PersonSkin, PersonWrinkles
from tracking.types import TrackedFace, TrackingState

LIBRARY = Path(__file__).parents[2] / "models" / "avatars" / "library"


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def posed(model: FaceModel, identity: np.ndarray, **channels: float) -> np.ndarray:
    expression = np.zeros(52, np.float32)
    for name, value in channels.items():
        expression[CHANNEL_INDEX[name]] = value
    return model.pose(identity, expression).vertices


@pytest.fixture(scope="module")
def head() -> FaceModel:
    return load_face_model()


@pytest.fixture
def smiling(head: FaceModel) -> TrackedFace:
    """A tracked face that smiles."""
    face = rest_face(head)
    assert face.parameters is not None
    expression = np.zeros(52, np.float32)
    expression[[CHANNEL_INDEX["mouthSmileLeft"], CHANNEL_INDEX["mouthSmileRight"]]] = 0.8
    return replace(face, state=TrackingState.TRACKING, parameters=replace(face.parameters, expression=expression))


@pytest.fixture(scope="module")
def skin(head: FaceModel) -> tuple[PersonSkin, np.ndarray]:
    person = read_person(LIBRARY / "alva.mien")
    identity = head.identity(person.identity)
    return PersonSkin(head, person, identity, DetailNetwork(head.name)), identity


def test_a_smile_folds_the_cheeks_and_a_raised_brow_the_forehead(
    head: FaceModel, skin: tuple[PersonSkin, np.ndarray]
) -> None:
    folded, identity = skin
    rest = folded.relief(posed(head, identity))
    smile = folded.relief(
        posed(head, identity, mouthSmileLeft=0.9, mouthSmileRight=0.9, cheekSquintLeft=0.6, cheekSquintRight=0.6)
    )
    brows = folded.relief(posed(head, identity, browInnerUp=0.9, browOuterUpLeft=0.9, browOuterUpRight=0.9))
    assert rest.shape == (320, 320) and np.isfinite(smile).all() and np.abs(smile).max() <= 10.0
    forehead = np.asarray(DetailMap.whole(DetailMap(head).region("forehead")), np.float32) > 0.5
    by_smile, by_brows = np.abs(smile - rest), np.abs(brows - rest)
    assert by_smile[~forehead].mean() > 1.2 * by_brows[~forehead].mean()
    assert by_brows[forehead].mean() > 1.2 * by_smile[forehead].mean()
    assert np.array_equal(folded.relief(posed(head, identity)), rest)


def test_nobody_waits_for_wrinkles(head: FaceModel, skin: tuple[PersonSkin, np.ndarray]) -> None:
    folded, identity = skin
    gate = threading.Event()

    def make() -> PersonSkin:
        gate.wait(30)
        return folded

    wrinkles = PersonWrinkles(make)
    vertices = posed(head, identity, mouthSmileLeft=0.9)
    try:
        assert wrinkles.follow(vertices) is None
        gate.set()
        until(lambda: wrinkles.follow(vertices) is not None)
        assert not wrinkles.problem
    finally:
        wrinkles.close()
    until(lambda: not wrinkles._thread.is_alive())


def test_without_networks_the_avatar_has_no_wrinkles_and_it_is_said_why(head: FaceModel) -> None:
    def make() -> PersonSkin:
        raise RuntimeError("no engine runs the network")

    wrinkles = PersonWrinkles(make)
    until(lambda: bool(wrinkles.problem))
    assert wrinkles.problem == "no engine runs the network"
    assert wrinkles.follow(head.mean) is None
    wrinkles.close()


def test_the_driven_person_shows_its_own_wrinkles_and_keeps_its_shape(head: FaceModel, smiling: TrackedFace) -> None:
    person = read_person(LIBRARY / "alva.mien")
    plain = SubjectDriver(Subject("Alva", person=person), head)
    folded = SubjectDriver(Subject("Alva", person=person), head, wrinkles=True)
    try:
        assert plain.face(smiling).displacement is None
        until(lambda: folded.face(replace(smiling)).displacement is not None)
        shown = folded.face(replace(smiling))
        assert shown.displacement is not None and shown.displacement is not smiling.displacement
        np.testing.assert_array_equal(shown.vertices, plain.face(smiling).vertices)
    finally:
        folded.close()
        plain.close()
