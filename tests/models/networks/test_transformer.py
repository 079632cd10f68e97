"""Patches, positions and blocks."""

from __future__ import annotations

import pytest
import torch

from models.networks.transformer import (
    Attention,
    Block,
    ConvolutionalStem,
    PatchEmbedding,
    patchify,
    sincos_positions,
    unpatchify,
)


def test_patches_come_back_to_their_places() -> None:
    maps = torch.rand(2, 3, 32, 48)
    tokens = patchify(maps, 16)
    assert tokens.shape == (2, 6, 3 * 256)
    assert torch.equal(unpatchify(tokens, 16, (2, 3)), maps)
    # Row by row: the second token is the one to the right.
    assert torch.equal(tokens[0, 1].reshape(3, 16, 16), maps[0, :, :16, 16:32])


def test_positions_tell_all_tokens_apart_and_agree_between_sizes() -> None:
    fine = sincos_positions((16, 16), 64)
    distance = torch.cdist(fine, fine) + torch.eye(256) * 9
    assert float(distance.min()) > 0.1
    # The middle of a coarse token lies between the middles of four fine ones.
    coarse = sincos_positions((8, 8), 64).reshape(8, 8, 64)
    near = fine.reshape(16, 16, 64)[4:6, 6:8].mean(dim=(0, 1))
    nearest = torch.cdist(near[None], coarse.reshape(64, 64)).argmin()
    assert divmod(int(nearest), 8) == (2, 3)


def test_positions_refuse_what_they_cannot_split() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        sincos_positions((4, 4), 30)


def test_both_stems_give_one_token_a_patch() -> None:
    pictures = torch.rand(2, 3, 64, 32)
    assert PatchEmbedding(3, 16, 64)(pictures).shape == (2, 8, 64)
    tokens, fine = ConvolutionalStem(3, 64)(pictures)
    assert tokens.shape == (2, 8, 64)
    assert fine.shape == (2, 32, 8, 4)


def test_attention_looks_everywhere() -> None:
    torch.manual_seed(0)
    block = Block(32, 4)
    tokens = torch.rand(1, 9, 32, requires_grad=True)
    block(tokens)[0, 0].sum().backward()
    assert tokens.grad is not None
    assert (tokens.grad[0].abs().sum(dim=1) > 0).all()


def test_heads_must_share_the_channels_evenly() -> None:
    with pytest.raises(ValueError, match="heads"):
        Attention(30, 4)
