"""Adapters of the coarse network: they learn a person, the base does not move, and what is worse is not kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.differentiable.face import FacePoints
from models.face_model import load_face_model
from models.geometry.crop import Crop
from models.networks.adapters import adapter_state
from models.networks.stored import read_header
from models.networks.vit import CoarseViT
from models.training.data.coarse_photos import LabelledFace, labelled_face, plain_batch
from models.training.person_adapters import AdapterSettings, landmark_error, train_adapters
from tests.helpers.labelled import labelled_faces
from tracking.coarse import coarse_network, coarse_weights
from tracking.sources.synthetic import SyntheticSettings, SyntheticSource

SEED, SIZE = 3, 256


@pytest.fixture(scope="module")
def faces() -> list[LabelledFace]:
    return labelled_faces(load_face_model(), SEED, range(0, 200, 16))


@pytest.fixture(scope="module")
def identity() -> NDArray[np.float32]:
    return SyntheticSource(SyntheticSettings(seed=SEED), load_face_model()).identity


@pytest.fixture
def network() -> CoarseViT:
    return coarse_network(coarse_weights(), read_header(coarse_weights()))


def test_a_person_is_learned(network: CoarseViT, faces: list[LabelledFace], identity: NDArray[np.float32]) -> None:
    model = load_face_model()
    base = {name: value.clone() for name, value in network.state_dict().items()}
    steps: list[int] = []
    settings = AdapterSettings(steps=30, batch=8, look_every=15)
    found = train_adapters(network, model, faces, identity, SIZE, settings, lambda: steps.append(1))
    assert found.state is not None and len(steps) == 30 and found.steps in (15, 30)
    assert found.after < 0.9 * found.before
    after = network.state_dict()
    assert all(torch.equal(after[name], value) for name, value in base.items())
    # What is kept is what was measured.
    points = FacePoints.of_embedding(model, model.landmarks478, network.layout.identity)
    person = torch.from_numpy(identity[: network.layout.identity])
    held = faces[4::5]
    assert landmark_error(network, points, held, SIZE, person) == pytest.approx(found.after)
    assert adapter_state(network).keys() == found.state.keys()


def test_what_makes_nothing_better_is_not_kept(
    network: CoarseViT, faces: list[LabelledFace], identity: NDArray[np.float32]
) -> None:
    pictures = plain_batch(faces[:2], SIZE).image
    with torch.no_grad():
        before = network(pictures)
    settings = AdapterSettings(steps=40, batch=4, rate=50.0, look_every=2, patience=2)
    found = train_adapters(network, load_face_model(), faces, identity, SIZE, settings)
    assert found.state is None and found.after == found.before and not adapter_state(network)
    with torch.no_grad():
        assert torch.equal(network(pictures), before)


def test_values_that_are_no_numbers_end_it(
    network: CoarseViT, faces: list[LabelledFace], identity: NDArray[np.float32]
) -> None:
    found = train_adapters(
        network, load_face_model(), faces, np.full_like(identity, np.nan), SIZE, AdapterSettings(batch=2)
    )
    assert found.state is None and found.before < 0.1


def test_four_pictures_are_too_few(
    network: CoarseViT, faces: list[LabelledFace], identity: NDArray[np.float32]
) -> None:
    with pytest.raises(ValueError, match="at least 5 pictures, not 4"):
        train_adapters(network, load_face_model(), faces[:4], identity, SIZE)


def test_it_can_be_interrupted(network: CoarseViT, faces: list[LabelledFace], identity: NDArray[np.float32]) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_adapters(network, load_face_model(), faces, identity, SIZE, AdapterSettings(batch=2), stop)


def test_a_part_of_the_picture_gives_the_same_face(faces: list[LabelledFace]) -> None:
    """Captures keep the part around the face alone, and shrink what is large."""
    image = SyntheticSource(SyntheticSettings(seed=SEED, frames=200), load_face_model()).render(0)
    whole = faces[0]
    x, y = int(whole.square.x - whole.square.half) - 3, int(whole.square.y - whole.square.half) - 3
    x, y = max(x, 0), max(y, 0)
    part = labelled_face(image[y:, x:], whole.label, lambda square: Crop(square.x - x, square.y - y, square.half))
    a, b = plain_batch([whole], SIZE), plain_batch([part], SIZE)
    assert float((a.image - b.image).abs().mean()) < 0.01
    assert torch.equal(a.landmarks, b.landmarks)
