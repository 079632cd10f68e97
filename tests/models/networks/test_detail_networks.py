"""The detail networks: shapes, the paper's sizes, what each part sees."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.networks.detail_weights import detail_header, load_detail, load_teacher, teacher_header
from models.networks.mae import DetailMAE
from models.networks.presets import LITE, PAPER, MAESettings, UNetSettings
from models.networks.stored import WeightsError, write_weights
from models.networks.transformer import Block
from models.networks.unet import PREPARED_CHANNELS, TeacherUNet, with_contrast

TINY = MAESettings(
    image_size=64, encoder_dim=32, encoder_heads=2, encoder_depth=1, decoder_dim=16, decoder_heads=2, decoder_depth=1
)
TINY_HEAD = TINY.model_copy(update={"stem": "convolutional", "refine": True})


def inputs(size: int = 64, batch: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.rand(batch, 4, size, size), torch.randn(batch, 1, size, size) * 0.1


@pytest.mark.parametrize("settings", [TINY, TINY_HEAD, TINY.model_copy(update={"fusion": "early"})])
def test_picture_and_tension_give_a_displacement_map(settings: MAESettings) -> None:
    image, tension = inputs()
    network = DetailMAE(settings)
    assert network(image, tension).shape == (2, 1, 64, 64)


@pytest.mark.parametrize("settings", [TINY, TINY_HEAD])
def test_driving_needs_the_decoder_alone(settings: MAESettings) -> None:
    image, tension = inputs()
    network = DetailMAE(settings).eval()
    with torch.no_grad():
        encoding = network.encode(image)
        torch.testing.assert_close(network.decode(encoding, tension), network(image, tension))
        assert not torch.allclose(network.decode(encoding, tension), network.decode(encoding, -tension))


@pytest.mark.parametrize("settings", [TINY, TINY_HEAD])
def test_an_amplified_network_answers_the_same_but_stronger(settings: MAESettings) -> None:
    image, tension = inputs()
    network = DetailMAE(settings).eval()
    with torch.no_grad():
        before = network(image, tension)
        network.amplify(1.4)
        torch.testing.assert_close(network(image, tension), 1.4 * before)


def test_early_fusion_needs_the_tension_when_it_encodes() -> None:
    image, _ = inputs()
    network = DetailMAE(TINY.model_copy(update={"fusion": "early"}))
    with pytest.raises(ValueError, match="tension"):
        network.encode(image)


@pytest.mark.parametrize("settings", [TINY, TINY_HEAD])
def test_masking_leaves_out_tokens_in_training_alone(settings: MAESettings) -> None:
    image, tension = inputs()
    network = DetailMAE(settings.model_copy(update={"masking_ratio": 0.75}))
    assert not torch.allclose(network(image, tension), network(image, tension))
    network.eval()
    torch.testing.assert_close(network(image, tension), network(image, tension))


def test_the_paper_preset_has_the_supplements_sizes() -> None:
    with torch.device("meta"):
        network = DetailMAE(PAPER.mae)
    assert len(network.encoder) == 12 and len(network.decoder) == 8
    heads = [
        block.attention.heads
        for part in (network.encoder, network.decoder)
        for block in part
        if isinstance(block, Block)
    ]
    assert heads == [12] * 12 + [16] * 8
    assert network.to_patches is not None and network.to_patches.out_features == 16 * 16
    assert network.refine is None and network.settings.masking_ratio == 0
    count = sum(p.numel() for p in network.parameters())
    assert 105e6 < count < 120e6
    lite = sum(p.numel() for p in DetailMAE(LITE.mae).parameters())
    assert lite < 5e6


def test_the_teacher_has_the_supplements_blocks_and_sees_little() -> None:
    network = TeacherUNet(UNetSettings(width=4))
    convolutions = [
        type(m).__name__ for m in network.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.ConvTranspose2d)
    ]
    assert convolutions == ["Conv2d"] * 3 + ["ConvTranspose2d"] + ["Conv2d"] * 4
    image = torch.rand(1, 4, 64, 64, requires_grad=True)
    network(image)[0, 0, 32, 32].backward()
    assert image.grad is not None
    seen = image.grad.abs().sum(1)[0].nonzero()
    assert int((seen - 32).abs().max()) <= 16


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="stem"):
        DetailMAE(TINY.model_copy(update={"refine": True}))
    with pytest.raises(ValueError, match="tile"):
        DetailMAE(TINY.model_copy(update={"image_size": 70}))


def test_weights_come_back_from_their_file(tmp_path: Path) -> None:
    image, tension = inputs()
    network = DetailMAE(TINY_HEAD).eval()
    path = tmp_path / "detail.safetensors"
    write_weights(path, network, detail_header(TINY_HEAD, "lite", "a head", {"minutes": 1}))
    again, header = load_detail(path, "a head")
    assert header.training == {"minutes": 1}
    with torch.no_grad():
        torch.testing.assert_close(again(image, tension), network(image, tension), atol=2e-3, rtol=2e-2)
    with pytest.raises(WeightsError, match="face model"):
        load_detail(path, "another head")
    with pytest.raises(WeightsError, match="teacher"):
        load_teacher(path)
    write_weights(path, TeacherUNet(UNetSettings(width=4)), teacher_header(UNetSettings(width=4), "lite", "a head", {}))
    assert load_teacher(path)[1].network == "teacher-unet"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(WeightsError, match="damaged"):
        load_detail(path)


def test_contrast_does_not_depend_on_the_skin() -> None:
    relief = 1 - 0.1 * (torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0)) > 0.8).float()
    dark, light = (torch.cat([tone * relief.expand(1, 3, 64, 64), torch.ones_like(relief)], 1) for tone in (0.25, 0.8))
    contrasts = [with_contrast(image)[:, 4:, 8:-8, 8:-8] for image in (dark, light)]
    assert with_contrast(dark).shape == (1, PREPARED_CHANNELS, 64, 64)
    assert float((contrasts[0] - contrasts[1]).abs().mean()) < 0.15 * float(contrasts[1].abs().mean())
    assert float(with_contrast(torch.full((1, 4, 32, 32), 0.4))[:, 4:].abs().max()) < 1e-5
