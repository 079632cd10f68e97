"""The convolutional parts of the `lite` detail network, which the paper's has not.

A stem turns the picture into tokens and keeps its features at three resolutions; a thin head after the decoder joins
them with what the tokens say and with the tension, from coarse to fine as in a U-Net (Ronneberger et al., MICCAI 2015).
Tokens say what a place of a face does, features where exactly a fold runs; the head also removes the steps that show
at the borders of patches.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (everyone's name for it)

from models.networks.presets import STEM_FULL, STEM_HALF, STEM_QUARTER
from models.networks.transformer import unpatchify
from models.networks.unet import IMAGE_CHANNELS, PREPARED_CHANNELS, with_contrast

__all__ = ["ConvolutionalStem", "Encoding", "RefiningHead", "StemMaps"]

StemMaps = tuple[Tensor, Tensor, Tensor]
_AT_QUARTER, _AT_HALF = 64, 32
_FROM_TOKENS, _FROM_QUARTER, _FROM_HALF = 31, 23, 7
"""With features and tension, the channels of each resolution add up to a multiple of eight, which processors like."""


class Encoding(NamedTuple):
    """What the encoder knows of a person's skin; does not depend on the expression with fusion before the decoder.

    Attributes:
        tokens: (B, N, encoder dim).
        full: (B, 8, H, W) features of the convolutional stem, or None without a refining head.
        half: (B, 24, H/2, W/2) the same.
        quarter: (B, 48, H/4, W/4) the same.
    """

    tokens: Tensor
    full: Tensor | None = None
    half: Tensor | None = None
    quarter: Tensor | None = None


class ConvolutionalStem(nn.Module):
    """(B, C, H, W) -> tokens (B, N, dim), and features at full, half and quarter resolution. Patch 16.

    The first four of the C channels are picture and visibility, to which their contrast is added.
    """

    def __init__(self, channels: int, dim: int) -> None:
        super().__init__()
        channels += PREPARED_CHANNELS - IMAGE_CHANNELS
        self.at_full = nn.Sequential(nn.Conv2d(channels, STEM_FULL, 3, padding=1), nn.ReLU())
        self.at_half = _halved(STEM_FULL, STEM_HALF)
        self.at_quarter = _halved(STEM_HALF, STEM_QUARTER)
        self.rest = nn.Sequential(
            nn.Conv2d(STEM_QUARTER, dim // 2, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(dim // 2, dim, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(dim, dim, 1),
        )  # fmt: skip

    def forward(self, maps: Tensor) -> tuple[Tensor, StemMaps]:
        """See the class."""
        prepared = torch.cat([with_contrast(maps[:, :IMAGE_CHANNELS]), maps[:, IMAGE_CHANNELS:]], dim=1)
        full = self.at_full(prepared)
        half = self.at_half(full)
        quarter = self.at_quarter(half)
        return self.rest(quarter).flatten(2).transpose(1, 2), (full, half, quarter)


def _halved(channels: int, wider: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, wider, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(wider, wider, 3, padding=1), nn.ReLU()
    )


class _Joined(nn.Module):
    """Maps of one resolution, joined: one convolution, and another whose answer is added."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, *maps: Tensor) -> Tensor:
        first = F.relu(self.first(torch.cat(maps, dim=1)))
        return F.relu(first + self.second(first))


def _doubled(channels: int, narrower: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, 4 * narrower, 1), nn.PixelShuffle(2))


class RefiningHead(nn.Module):
    """Decoder tokens (B, N, dim), stem features and tension (B, 1, H, W) -> (B, 1, H, W)."""

    def __init__(self, dim: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.spread = nn.Linear(dim, _FROM_TOKENS * (patch // 4) ** 2)
        self.at_quarter = _Joined(_FROM_TOKENS + STEM_QUARTER + 1, _AT_QUARTER)
        self.to_half = _doubled(_AT_QUARTER, _FROM_QUARTER)
        self.at_half = _Joined(_FROM_QUARTER + STEM_HALF + 1, _AT_HALF)
        self.to_full = _doubled(_AT_HALF, _FROM_HALF)
        self.at_full = nn.Sequential(
            nn.Conv2d(_FROM_HALF + STEM_FULL + 1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 3, padding=1)
        )

    def forward(self, tokens: Tensor, encoding: Encoding, tension: Tensor, grid: tuple[int, int]) -> Tensor:
        """See the class; `grid` is rows and columns of tokens."""
        full, half, quarter = encoding[1:]
        if full is None or half is None or quarter is None:
            raise ValueError("this encoding comes from a network without a refining head")
        said = unpatchify(self.spread(tokens), self.patch // 4, grid)
        at_half, at_quarter = F.avg_pool2d(tension, 2), F.avg_pool2d(tension, 4)
        maps = self.to_half(self.at_quarter(said, quarter, at_quarter))
        maps = self.to_full(self.at_half(maps, half, at_half))
        return self.at_full(torch.cat([maps, full, tension], dim=1))  # type: ignore[no-any-return]
