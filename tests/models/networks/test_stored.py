"""Weights files: what is refused and how it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.networks.presets import ViTSettings
from models.networks.stored import (
    WeightsError,
    WeightsHeader,
    check_header,
    read_header,
    read_weights,
    weights_hash,
    write_weights,
)
from models.networks.vit import CoarseViT

SETTINGS = ViTSettings(image_size=64, dim=64, heads=4, depth=1)
HEADER = WeightsHeader(network="coarse-vit", preset="lite", face_model="head", settings=SETTINGS.model_dump())


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "w.safetensors"
    write_weights(path, CoarseViT(SETTINGS), HEADER)
    return path


def test_round_trip(stored: Path) -> None:
    header = read_header(stored)
    assert header == HEADER
    network = CoarseViT(ViTSettings.model_validate(header.settings))
    read_weights(stored, network)
    torch.manual_seed(0)
    crops = torch.rand(1, 3, 64, 64)
    torch.manual_seed(0)
    assert torch.allclose(network(crops), CoarseViT(SETTINGS)(crops), atol=2e-2)
    assert len(weights_hash(stored)) == 16


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights at"):
        read_header(tmp_path / "none.safetensors")


def test_truncated(stored: Path) -> None:
    stored.write_bytes(stored.read_bytes()[:-1000])
    with pytest.raises(WeightsError, match="damaged or incomplete"):
        read_header(stored)


def test_foreign(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"a": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match="another program"):
        read_header(path)


def test_from_the_future(tmp_path: Path) -> None:
    path = tmp_path / "new.safetensors"
    write_weights(path, CoarseViT(SETTINGS), HEADER.model_copy(update={"schema_version": 99}))
    with pytest.raises(WeightsError, match="newer version"):
        read_header(path)


def test_for_something_else(stored: Path) -> None:
    header = read_header(stored)
    check_header(stored, header, "coarse-vit", face_model="head", preset="lite")
    with pytest.raises(WeightsError, match="not a detail-mae"):
        check_header(stored, header, "detail-mae")
    with pytest.raises(WeightsError, match="face model head, not flame"):
        check_header(stored, header, "coarse-vit", face_model="flame")
    with pytest.raises(WeightsError, match="preset lite, not paper"):
        check_header(stored, header, "coarse-vit", preset="paper")


def test_a_header_that_lies(stored: Path) -> None:
    with pytest.raises(WeightsError, match="does not fit its own header"):
        read_weights(stored, CoarseViT(SETTINGS.model_copy(update={"dim": 128})))


def test_not_a_number(tmp_path: Path) -> None:
    network = CoarseViT(SETTINGS)
    with torch.no_grad():
        network.head.bias[3] = float("nan")
    write_weights(tmp_path / "nan.safetensors", network, HEADER)
    with pytest.raises(WeightsError, match="not numbers"):
        read_weights(tmp_path / "nan.safetensors", CoarseViT(SETTINGS))
