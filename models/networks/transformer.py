"""What the coarse ViT and the detail MAE share: patches, positions, attention, blocks.

After Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, and He et al., Masked Autoencoders Are Scalable
Vision Learners, CVPR 2022: pre-norm blocks, fixed sine-cosine positions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (everyone's name for it)

__all__ = [
    "Block",
    "ConvolutionalStem",
    "PatchEmbedding",
    "Residual",
    "halving",
    "patchify",
    "sincos_positions",
    "unpatchify",
]


def sincos_positions(grid: tuple[int, int], dim: int) -> Tensor:
    """(rows * columns, dim) fixed positions; half of the channels tell the row, half the column.

    Rows and columns are counted in sixteenths of the picture, so that a network that was trained on one picture size
    works on another.

    Args:
        grid: rows and columns of tokens.
        dim: channels, a multiple of 4.
    """
    if dim % 4:
        raise ValueError(f"positions need a multiple of 4 channels, not {dim}")
    rows = (torch.arange(grid[0]) + 0.5) * (16 / grid[0])
    columns = (torch.arange(grid[1]) + 0.5) * (16 / grid[1])
    rates = 1.0 / 10000 ** (torch.arange(dim // 4) / (dim / 4))
    parts = []
    for values in (rows[:, None].expand(grid), columns[None, :].expand(grid)):
        angles = values.reshape(-1, 1) * rates
        parts += [angles.sin(), angles.cos()]
    return torch.cat(parts, dim=1)


def patchify(maps: Tensor, patch: int) -> Tensor:
    """(B, C, H, W) -> (B, H/patch * W/patch, C * patch * patch)."""
    batch, channels, height, width = maps.shape
    tiles = maps.reshape(batch, channels, height // patch, patch, width // patch, patch)
    return tiles.permute(0, 2, 4, 1, 3, 5).reshape(batch, -1, channels * patch * patch)


def unpatchify(tokens: Tensor, patch: int, grid: tuple[int, int]) -> Tensor:
    """(B, rows * columns, C * patch * patch) -> (B, C, H, W), the inverse of `patchify`."""
    batch, _, size = tokens.shape
    channels = size // (patch * patch)
    tiles = tokens.reshape(batch, grid[0], grid[1], channels, patch, patch)
    return tiles.permute(0, 3, 1, 4, 2, 5).reshape(batch, channels, grid[0] * patch, grid[1] * patch)


class PatchEmbedding(nn.Module):
    """One linear map of each patch: (B, C, H, W) -> (B, H/patch * W/patch, dim)."""

    def __init__(self, channels: int, patch: int, dim: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, dim, patch, stride=patch)

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        return self.project(maps).flatten(2).transpose(1, 2)  # type: ignore[no-any-return]


class ConvolutionalStem(nn.Module):
    """A thin stack of convolutions in place of `PatchEmbedding`, patch 16.

    After Xiao et al., Early Convolutions Help Transformers See Better, NeurIPS 2021. The paper has none; small networks
    that are trained on little learn several times faster with it.
    """

    def __init__(self, channels: int, dim: int) -> None:
        super().__init__()
        self.to_eighth = nn.Sequential(
            halving(channels, dim // 8), halving(dim // 8, dim // 4), Residual(dim // 4),
            halving(dim // 4, dim // 2), Residual(dim // 2),
        )  # fmt: skip
        self.to_sixteenth = nn.Sequential(halving(dim // 2, dim), nn.Conv2d(dim, dim, 1))

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> tokens (B, H/16 * W/16, dim), and features (B, dim / 2, H/8, W/8) on the way to them."""
        fine = self.to_eighth(maps)
        return self.to_sixteenth(fine).flatten(2).transpose(1, 2), fine


class Residual(nn.Module):
    """Two convolutions beside the identity: (B, C, H, W) -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.GroupNorm(channels // 8, channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )  # fmt: skip

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        return maps + self.layers(maps)  # type: ignore[no-any-return]


def halving(before: int, after: int) -> nn.Module:
    """A convolution to half the size: (B, before, H, W) -> (B, after, H / 2, W / 2)."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GroupNorm(max(1, after // 8), after), nn.ReLU()
    )


class Attention(nn.Module):
    """Multi-head self-attention over (B, N, dim)."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"{dim} channels cannot be shared among {heads} heads")
        self.heads = heads
        self.queries_keys_values = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """See the class."""
        batch, count, dim = tokens.shape
        split = self.queries_keys_values(tokens).reshape(batch, count, 3, self.heads, dim // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(queries, keys, values)
        return self.out(mixed.transpose(1, 2).reshape(batch, count, dim))  # type: ignore[no-any-return]


class Block(nn.Module):
    """Attention and a two-layer perceptron, each with a residual, then a person's adapter where there is one.

    Args:
        dim: channels of a token.
        heads: of the attention.
        mlp_ratio: hidden channels of the perceptron as a multiple of `dim`.
    """

    def __init__(self, dim: int, heads: int, mlp_ratio: float = 4.0) -> None:
        super().__init__()
        hidden = round(dim * mlp_ratio)
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))
        self.adapter: nn.Module | None = None

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, dim) -> (B, N, dim)."""
        tokens = tokens + self.attention(self.attention_norm(tokens))
        tokens = tokens + self.mlp(self.mlp_norm(tokens))
        return tokens if self.adapter is None else tokens + self.adapter(tokens)
