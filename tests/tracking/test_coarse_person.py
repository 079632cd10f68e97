"""The coarse network with a person's adapters: it answers otherwise, as that person, and refuses what does not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.avatars.errors import AvatarFileError
from models.avatars.person_file import PersonAvatar, write_person
from models.face_model import load_face_model
from models.geometry.camera import Camera
from models.geometry.crop import Crop
from models.networks.adapters import VIT_SHARE, adapter_state, insert_adapters
from models.networks.stored import WeightsError, read_header, weights_hash
from tests.helpers.networks import write_coarse
from tests.models.avatars.test_person_file import avatar
from tracking import FaceTracker, TrackerSettings
from tracking.coarse import CoarsePredictor, coarse_network
from tracking.coarse_person import PREFIX, CoarsePerson, with_adapters
from tracking.coarse_settings import CoarseSettings


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_coarse(tmp_path_factory.mktemp("weights") / "coarse.safetensors")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_CACHE", str(tmp_path_factory.getbasetemp() / "engines"))


def adapted(weights: Path, scale: float) -> PersonAvatar:
    """An avatar with random adapters of that size, as an avatar file gives it back."""
    network = coarse_network(weights, read_header(weights))
    torch.manual_seed(1)
    insert_adapters(network, VIT_SHARE)
    state = {name: scale * torch.randn_like(value) for name, value in adapter_state(network).items()}
    plain = avatar()
    plain = replace(plain, manifest=plain.manifest.model_copy(update={"face_model": load_face_model().name}))
    return with_adapters(plain, {name: value.numpy() for name, value in state.items()}, weights_hash(weights))


@pytest.fixture
def file(weights: Path, tmp_path: Path) -> Path:
    write_person(adapted(weights, 0.2), tmp_path / "ada.mien")
    return tmp_path / "ada.mien"


def asked(
    weights: Path, person: CoarsePerson | None
) -> tuple[CoarsePredictor, NDArray[np.float32], NDArray[np.float32]]:
    """The predictor, and expression and identity of a picture of noise."""
    predictor = CoarsePredictor(load_face_model(), weights, engine="torch", person=person)
    image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    found = predictor.predict(image, Crop(80.0, 60.0, 40.0), Camera.from_fov(160, 120)).parameters
    return predictor, found.expression, found.identity


def test_adapters_change_the_answer_and_the_person_is_known(weights: Path, file: Path) -> None:
    base, expression, _ = asked(weights, None)
    person = CoarsePerson.read(file)
    own, changed, identity = asked(weights, person)
    assert float(np.abs(changed - expression).max()) > 1e-3
    assert np.allclose(identity[:2], [0.5, -1.25]) and not identity[2:].any()
    assert own.spec.weights != base.spec.weights, "what is compiled for one must not serve the other"


def test_adapters_of_zero_are_the_base_network(weights: Path) -> None:
    _, expression, _ = asked(weights, None)
    _, same, _ = asked(weights, CoarsePerson.of(adapted(weights, 0.0)))
    assert np.array_equal(same, expression)


def test_others_are_refused(weights: Path, file: Path, tmp_path: Path) -> None:
    person = CoarsePerson.read(file)
    for other in (replace(person, network="0123456789abcdef"), replace(person, face_model="flame")):
        with pytest.raises(WeightsError, match="belong to another coarse network"):
            CoarsePredictor(load_face_model(), weights, person=other)
    with pytest.raises(WeightsError, match=r"has no adapters.*--adapters"):
        CoarsePerson.of(avatar())
    name = next(iter(person.adapters))
    kinds: list[NDArray[Any]] = [np.full_like(person.adapters[name], np.nan), person.adapters[name].astype(np.int32)]
    for bad in kinds:
        damaged = replace(adapted(weights, 0.2), adapters={PREFIX + name: bad})
        with pytest.raises(WeightsError, match="are damaged"):
            CoarsePerson.of(damaged)
    fewer = replace(person, adapters={k: v for k, v in person.adapters.items() if k != name})
    with pytest.raises(WeightsError, match="cannot be tracked with"):
        CoarsePredictor(load_face_model(), weights, person=fewer, engine="torch")
    (tmp_path / "no.mien").write_bytes(b"PK nonsense")
    with pytest.raises(AvatarFileError, match="damaged"):
        CoarsePerson.read(tmp_path / "no.mien")


def test_tracking_takes_the_person_from_its_settings(weights: Path, file: Path) -> None:
    settings = TrackerSettings(coarse=CoarseSettings(mode="lead", engine="torch", weights=weights, person=file))
    with FaceTracker(settings) as tracker:
        assert tracker._lead is not None
        identity = tracker._lead._predictor._identity
    assert identity is not None and identity[0] == pytest.approx(0.5)
