"""A person's adapters."""

from __future__ import annotations

import pytest
import torch

from models.networks.adapters import (
    MAE_SHARE,
    VIT_SHARE,
    adapter_state,
    insert_adapters,
    load_adapter_state,
    remove_adapters,
)
from models.networks.presets import ViTSettings
from models.networks.vit import CoarseViT


def small() -> CoarseViT:
    torch.manual_seed(0)
    return CoarseViT(ViTSettings(image_size=64, dim=64, heads=4, depth=2))


def test_step_zero_is_the_base_model_exactly() -> None:
    network, crops = small(), torch.rand(2, 3, 64, 64)
    before = network(crops)
    insert_adapters(network, VIT_SHARE)
    assert torch.equal(network(crops), before)


def test_sizes_are_the_supplements() -> None:
    network = CoarseViT(ViTSettings(image_size=64, depth=1))
    insert_adapters(network, VIT_SHARE)
    assert adapter_state(network)["blocks.0.adapter.down.weight"].shape == (16, 512)
    assert round(768 * MAE_SHARE) == 384
    assert round(512 * MAE_SHARE) == 256


def test_only_the_adapters_learn() -> None:
    network, crops = small(), torch.rand(2, 3, 64, 64)
    base = {k: v.clone() for k, v in network.state_dict().items()}
    learning = insert_adapters(network, VIT_SHARE)
    optimiser = torch.optim.SGD(learning, lr=0.5)
    for _ in range(3):
        optimiser.zero_grad()
        network(crops).square().sum().backward()
        optimiser.step()
    after = network.state_dict()
    assert all(torch.equal(after[k], v) for k, v in base.items())
    assert any(v.abs().sum() > 0 for k, v in adapter_state(network).items() if "up" in k)


def test_a_persons_file_brings_the_person_back() -> None:
    network, crops = small(), torch.rand(1, 3, 64, 64)
    for parameter in insert_adapters(network, VIT_SHARE):
        torch.nn.init.normal_(parameter, std=0.1)
    state, wanted = adapter_state(network), network(crops)
    other = small()
    load_adapter_state(other, state, VIT_SHARE)
    assert torch.equal(other(crops), wanted)
    remove_adapters(other)
    assert torch.equal(other(crops), small()(crops))


def test_adapters_of_another_network_are_refused() -> None:
    network = small()
    insert_adapters(network, VIT_SHARE)
    other = CoarseViT(ViTSettings(image_size=64, dim=96, heads=4, depth=2))
    with pytest.raises(ValueError, match="another network"):
        load_adapter_state(other, adapter_state(network), VIT_SHARE)
    assert other.blocks[0].adapter is None


def test_close_looks_take_an_adapter_of_their_own() -> None:
    torch.manual_seed(0)
    settings = ViTSettings(
        image_size=64, dim=64, heads=4, depth=1, stem="convolutional", points=68, reduce=2, glimpses=16
    )  # fmt: skip
    network, crops = CoarseViT(settings), torch.rand(2, 3, 64, 64)
    before = network(crops)
    learning = insert_adapters(network, VIT_SHARE)
    assert torch.equal(network(crops), before)
    own = {name: value for name, value in adapter_state(network).items() if name.startswith("glimpses.")}
    assert own["glimpses.adapter.down.weight"].shape == (16, 512)
    with torch.no_grad():
        for parameter in learning:
            parameter.add_(0.05)
    changed = network(crops)
    other = CoarseViT(settings)
    other.load_state_dict({k: v for k, v in network.state_dict().items() if "adapter" not in k})
    load_adapter_state(other, adapter_state(network), VIT_SHARE)
    torch.testing.assert_close(other(crops), changed)
    assert not torch.allclose(changed, before)
    remove_adapters(network)
    assert torch.equal(network(crops), before)
