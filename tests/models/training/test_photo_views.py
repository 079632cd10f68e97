"""Photographs seen in the mirror and by tilted cameras: picture and label move together."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX
from models.face_model import FaceModel, load_face_model
from models.face_model.symmetry import mirror_partners
from models.geometry.camera import Camera
from models.geometry.rotations import from_euler
from models.training.data.coarse_photos import LabelledFace, plain_batch, random_batch
from models.training.data.labels import FaceLabel
from models.training.data.photo_views import MOST_DEGREES, PhotoView, random_view
from tests.helpers.labelled import labelled_faces
from tracking.points import project_embedding
from tracking.types import FaceParameters

FACE = 468


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return load_face_model()


@pytest.fixture(scope="module")
def face(model: FaceModel) -> LabelledFace:
    return labelled_faces(model, 3, range(40, 41))[0]


def average(model: FaceModel) -> FaceLabel:
    """The mean face, which is symmetric, with one side's smile, turned and off the middle."""
    expression = np.zeros(CHANNEL_COUNT, np.float32)
    expression[[CHANNEL_INDEX["mouthSmileLeft"], CHANNEL_INDEX["eyeBlinkRight"]]] = 0.8
    gaze = np.array([[0.2, 0.1], [0.1, 0.1]], np.float32)
    rotation, translation = from_euler(0.3, -0.1, 0.15), np.array([0.05, -0.04, 0.6])
    camera = Camera.from_fov(640, 480)
    parameters = FaceParameters(model.identity(), expression, rotation, translation, gaze, camera)
    landmarks = projected(model, parameters)
    return FaceLabel(
        0, model.identity(), expression, rotation, translation, gaze, camera, landmarks, expression, 1.0
    )  # fmt: skip


def projected(model: FaceModel, p: FaceParameters | FaceLabel) -> NDArray[np.float32]:
    given = FaceParameters(p.identity, p.expression, p.rotation, p.translation, p.gaze, p.camera)
    posed = model.pose(given.identity, given.expression, given.gaze)
    return np.column_stack([project_embedding(model, given, posed.vertices, model.landmarks478), np.zeros(478)])


@pytest.mark.parametrize("view", [PhotoView(0.4), PhotoView(-0.3, True), PhotoView(0.0, True)])
def test_the_label_of_a_view_is_what_its_camera_sees(model: FaceModel, view: PhotoView) -> None:
    """Posed and projected by the view's label, the mean face lies where the view's landmarks lie."""
    label = average(model)
    seen = view.of_label(label, mirror_partners(model))
    away = np.linalg.norm((projected(model, seen) - seen.landmarks)[:, :2], axis=1)
    eyes = np.linalg.norm(label.landmarks[33, :2] - label.landmarks[263, :2])
    # The landmarks themselves are symmetric to some hundredths of the eyes' distance alone.
    assert away.max() < (0.06 * eyes if view.mirrored else 1e-2)
    assert away.mean() < 0.015 * eyes
    moved = np.linalg.norm((label.landmarks - seen.landmarks)[:, :2], axis=1).mean()
    assert moved > 0.1 * eyes
    if view.mirrored:
        assert seen.expression[CHANNEL_INDEX["mouthSmileRight"]] == pytest.approx(0.8)
        assert seen.expression[CHANNEL_INDEX["mouthSmileLeft"]] == 0
        assert np.allclose(seen.gaze, [[-0.1, 0.1], [-0.2, 0.1]])


def test_the_picture_moves_with_the_label(model: FaceModel, face: LabelledFace) -> None:
    """What is seen at a landmark is seen at it in every view."""
    partners = mirror_partners(model)
    plain = plain_batch([face], 128)
    wanted = colours(plain.image[0].numpy(), plain.landmarks[0].numpy())
    rng = np.random.default_rng(2)
    near, far = [], []
    for _ in range(12):
        view = random_batch([face], 128, rng, partners)
        found = colours(view.image[0].numpy(), view.landmarks[0].numpy())
        near.append(max(np.corrcoef(found, wanted)[0, 1], np.corrcoef(found, wanted[partners[:FACE]])[0, 1]))
        far.append(np.corrcoef(found, np.roll(wanted, 100))[0, 1])
    assert np.median(near) > 0.75
    assert np.median(near) > np.median(far) + 0.4


def colours(image: NDArray[np.float32], landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """(468,) brightness at the landmarks."""
    size = image.shape[1]
    places = np.clip(((landmarks[:FACE] + 1) / 2 * size).astype(int), 0, size - 1)
    return np.asarray(image.mean(axis=0)[places[:, 1], places[:, 0]], np.float64)


def test_half_are_mirrored_and_none_lies_on_its_side() -> None:
    rng = np.random.default_rng(0)
    views = [random_view(rng) for _ in range(400)]
    assert 0.4 < np.mean([view.mirrored for view in views]) < 0.6
    tilts = np.degrees([view.tilt for view in views])
    assert np.abs(tilts).max() <= MOST_DEGREES + 1e-6 and tilts.std() > 8
