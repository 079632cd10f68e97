"""Labels between the fit's and the network's own answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.differentiable.face import FacePoints
from models.face_model import load_face_model
from models.networks.stored import read_header
from models.networks.vit import CoarseViT
from models.training.data.coarse_photos import LabelledFace
from models.training.person_adapters import landmark_error
from models.training.person_labels import agreed_labels
from tests.helpers.labelled import labelled_faces
from tracking.coarse import coarse_network, coarse_weights

SIZE = 256


@pytest.fixture(scope="module")
def network() -> CoarseViT:
    return coarse_network(coarse_weights(), read_header(coarse_weights()))


@pytest.fixture(scope="module")
def faces() -> list[LabelledFace]:
    return labelled_faces(load_face_model(), 4, range(40, 120, 20))


def test_the_middle_is_as_far_from_both(network: CoarseViT, faces: list[LabelledFace]) -> None:
    model = load_face_model()
    points = FacePoints.of_embedding(model, model.landmarks478, network.layout.identity)
    fit, middle, own = (agreed_labels(network, model, faces, SIZE, share) for share in (0.0, 0.5, 1.0))
    apart = landmark_error(network, points, fit, SIZE)
    assert apart > 0.01
    # Not exactly: each is a share of its own distance between the eyes.
    assert landmark_error(network, points, middle, SIZE) == pytest.approx(apart / 2, rel=0.02)
    assert landmark_error(network, points, own, SIZE) < 1e-4
    for a, b, c, before in zip(fit, middle, own, faces, strict=True):
        np.testing.assert_array_equal(a.label.expression, before.label.expression)
        for name in ("expression", "gaze", "translation"):
            mean = (getattr(a.label, name) + getattr(c.label, name)) / 2
            np.testing.assert_allclose(getattr(b.label, name), mean, atol=1e-6)
        assert c.label.expression.min() >= 0 and c.label.expression.max() <= 1


def test_landmarks_are_those_of_the_fitted_mesh(network: CoarseViT, faces: list[LabelledFace]) -> None:
    """The helper's labels are exact, so that its landmarks are its mesh's; a detector that is off changes nothing."""
    moved = [
        replace(face, label=replace(face.label, landmarks=face.label.landmarks + np.float32(4.0))) for face in faces
    ]  # fmt: skip
    for found, face in zip(agreed_labels(network, load_face_model(), moved, SIZE, 0.0), faces, strict=True):
        np.testing.assert_allclose(found.label.landmarks[:, :2], face.label.landmarks[:, :2], atol=1e-2)
