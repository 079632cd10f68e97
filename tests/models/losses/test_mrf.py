"""ID-MRF and the features it is computed on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.losses.mrf import VGG16_BLOCKS, VGG19_BLOCKS, FeatureFileError, VggFeatures, id_mrf, load_features


@pytest.fixture(scope="module")
def features() -> VggFeatures:
    torch.manual_seed(0)
    return VggFeatures(VGG16_BLOCKS).eval()


def test_a_rendering_with_the_pictures_texture_costs_less_than_a_smooth_one(features: VggFeatures) -> None:
    torch.manual_seed(1)
    picture = torch.rand(1, 3, 64, 64)
    smooth = torch.nn.functional.avg_pool2d(picture, 9, stride=1, padding=4)
    wanted = features(picture)
    same, near, far = (float(id_mrf(features(p), wanted)) for p in (picture, 0.7 * picture + 0.3 * smooth, smooth))
    assert same < near < far


def test_the_gradient_reaches_the_rendering_alone(features: VggFeatures) -> None:
    rendered = torch.rand(1, 3, 32, 32, requires_grad=True)
    id_mrf(features(rendered), features(torch.rand(1, 3, 32, 32))).backward()  # type: ignore[no-untyped-call]
    assert rendered.grad is not None and bool(torch.isfinite(rendered.grad).all())
    assert all(p.grad is None for p in features.parameters())


def _torchvision_like(path: Path, blocks: tuple[int, ...]) -> None:
    source = VggFeatures(blocks)
    index = 0
    tensors: dict[str, torch.Tensor] = {}
    for name in source.convolutions:
        if name.endswith("_1") and name != "conv1_1":
            index += 1
        layer = source.convolutions[name]
        tensors |= {f"features.{index}.{k}": v.detach().clone() for k, v in layer.state_dict().items()}
        index += 2
    extra = 16 - sum(blocks) if blocks == VGG19_BLOCKS else 3
    for number in range(extra):
        tensors[f"features.{index + 1 + 2 * number}.weight"] = torch.zeros(512, 512, 3, 3)
        tensors[f"features.{index + 1 + 2 * number}.bias"] = torch.zeros(512)
    save_file(tensors, path)


def test_a_users_vgg19_file_is_read_and_a_vgg16_is_named_a_stand_in(tmp_path: Path) -> None:
    _torchvision_like(tmp_path / "vgg19.safetensors", VGG19_BLOCKS)
    _torchvision_like(tmp_path / "vgg16.safetensors", VGG16_BLOCKS)
    assert not load_features(tmp_path / "vgg19.safetensors").is_stand_in
    assert load_features(tmp_path / "vgg16.safetensors").is_stand_in


def test_other_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    save_file({"a.weight": torch.zeros(3, 3)}, tmp_path / "other.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    for name in ("other", "broken", "missing"):
        with pytest.raises(FeatureFileError, match="name"):
            load_features(tmp_path / f"{name}.safetensors")
