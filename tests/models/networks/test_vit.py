"""The coarse network's shapes and the meaning of its numbers."""

from __future__ import annotations

import pytest
import torch

from models.networks.presets import LITE, PAPER, ViTSettings
from models.networks.vit import CoarseReader, CoarseViT, PointReadout, rotation_from_six


def test_the_paper_preset_is_the_supplements() -> None:
    vit = PAPER.vit
    assert (vit.image_size, vit.patch, vit.dim, vit.heads, vit.depth) == (256, 16, 512, 8, 8)
    assert (vit.stem, vit.reduce) == ("patch", 1)
    mae = PAPER.mae
    assert (mae.patch, mae.encoder_dim, mae.encoder_heads, mae.encoder_depth) == (16, 768, 12, 12)
    assert (mae.decoder_dim, mae.decoder_heads, mae.decoder_depth, mae.masking_ratio) == (512, 16, 8, 0.0)


SMALL = ViTSettings(image_size=64, dim=64, heads=4, depth=1)


@pytest.mark.parametrize("settings", [LITE.vit, SMALL, SMALL.model_copy(update={"readout": 32, "points": 70})])
def test_the_answer_has_its_parts(settings: ViTSettings) -> None:
    network = CoarseViT(settings)
    out = network.read(network(torch.rand(3, 3, settings.image_size, settings.image_size)))
    assert out.identity.shape == (3, 100)
    assert out.expression.shape == (3, 52)
    assert out.rotation.shape == (3, 3, 3)
    assert out.gaze.shape == (3, 2, 2)
    assert (out.scale > 0).all()
    assert out.light.shape == (3, 9, 3)
    parts = CoarseReader(network)(torch.rand(1, 3, settings.image_size, settings.image_size))
    assert [p.shape[0] for p in parts] == [1] * settings.answers
    if settings.glimpses:
        assert parts[8].shape == (1, 478, 2)


def test_an_untrained_network_answers_about_a_face_in_the_middle() -> None:
    torch.manual_seed(0)
    network = CoarseViT(LITE.vit)
    out = network.read(network(torch.rand(1, 3, 256, 256)))
    assert out.place.abs().max() < 0.3
    assert torch.allclose(out.rotation[0], torch.eye(3), atol=0.3)


def test_six_numbers_are_always_a_rotation() -> None:
    rotation = rotation_from_six(torch.randn(50, 6) * 2)
    assert torch.allclose(rotation @ rotation.transpose(1, 2), torch.eye(3).expand(50, 3, 3), atol=1e-4)
    assert torch.allclose(torch.linalg.det(rotation), torch.ones(50), atol=1e-4)
    assert torch.allclose(rotation_from_six(torch.zeros(1, 6))[0], torch.eye(3))


@pytest.mark.parametrize("settings", [LITE.vit, PAPER.vit.model_copy(update={"depth": 1})])
def test_points_move_with_the_picture(settings: ViTSettings) -> None:
    torch.manual_seed(1)
    network = CoarseViT(settings)
    _, points, mesh = network.with_points(torch.rand(2, 3, 256, 256))
    assert points is not None
    assert mesh is not None
    assert mesh.shape == (2, 478, 2)
    assert points.shape == (2, 96, 2)
    assert points.abs().max() <= 1.5


def test_the_convolutional_stem_has_one_patch_size() -> None:
    with pytest.raises(ValueError, match="16 pixels"):
        CoarseViT(ViTSettings(stem="convolutional", patch=8))


def test_patches_that_are_left_out_do_not_matter() -> None:
    torch.manual_seed(2)
    network = CoarseViT(SMALL)
    crops = torch.rand(2, 3, 64, 64)
    changed = crops.clone()
    changed[:, :, :16, :16] = 0
    kept = torch.tensor([1, 5, 15])
    tokens, fine = network.tokens(crops, kept)
    assert fine is None
    assert tokens.shape == (2, 3, 64)
    assert torch.equal(tokens, network.tokens(changed, kept)[0])
    assert not torch.allclose(network.tokens(crops)[0][:, 1], network.tokens(changed)[0][:, 1])


def test_a_width_of_the_readout_needs_points() -> None:
    with pytest.raises(ValueError, match="say how many"):
        CoarseViT(ViTSettings(readout=32))


def test_points_are_found_by_the_places_that_are_kept() -> None:
    torch.manual_seed(3)
    readout = PointReadout(32, points=70)
    tokens = torch.randn(2, 16, 32)
    features, points = readout(tokens, None)
    places, mean = readout.places(tokens, None), tokens.mean(dim=1)
    everywhere = torch.arange(16)
    again, same = readout.read(places, mean, 4, everywhere)
    assert torch.equal(features, again) and torch.equal(points, same)
    # The votes of one place alone: near its centre, third row and second column of four.
    _, alone = readout.read(places[:, [9]], mean, 4, torch.tensor([9]))
    logits_and_offsets = readout.votes(places[:, [9]]).reshape(2, 3, 70)
    expected = torch.stack([logits_and_offsets[:, 1], logits_and_offsets[:, 2]], dim=2) * 0.5
    assert torch.allclose(alone, expected + torch.tensor([-0.25, 0.25]), atol=1e-6)
