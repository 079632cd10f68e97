"""Sizes of the networks: the paper's, and one for processors without a graphics card."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PresetName = Literal["paper", "lite"]
STEM_FULL, STEM_HALF, STEM_QUARTER = 8, 24, 48
"""Channels of the detail stem's features at full, half and quarter resolution."""


class ViTSettings(BaseModel):
    """Size of the coarse ViT. The defaults are the paper's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_size: int = Field(default=256, ge=32)
    """Side of the square crop in pixels."""
    patch: int = 16
    """Side of a patch in pixels."""
    dim: int = 512
    """Channels of a token."""
    heads: int = 8
    """Attention heads."""
    depth: int = 8
    """Blocks."""
    stem: Literal["patch", "convolutional"] = "patch"
    """How pixels become tokens; the paper's is one linear map of each patch."""
    readout: int = Field(default=0, ge=0)
    """Channels that tokens are brought to before points are read off them; 0 for as many as a token has."""
    points: int = Field(default=0, ge=0)
    """Points of the picture that the answer is read at, see `PointReadout`; 0 reads the mean of all tokens, as the
    paper may do (it does not say)."""
    reduce: int = Field(default=1, ge=1)
    """The transformer sees the crop reduced by this factor."""
    glimpses: int = Field(default=0, ge=0)
    """Side in pixels of the windows by which the answer is corrected, see `Glimpses`; 0 for none, as in the paper."""

    @property
    def width(self) -> int:
        """Channels that the answer is read from."""
        return self.readout or self.dim

    @property
    def answers(self) -> int:
        """How many tensors `CoarseReader` answers: with close looks also the landmarks that they find."""
        return 9 if self.glimpses else 8


class MAESettings(BaseModel):
    """Size of the detail MAE. The defaults are the paper's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_size: int = Field(default=256, ge=32)
    """Side of the UV map in texels."""
    patch: int = 16
    """Side of a patch in texels."""
    encoder_dim: int = 768
    """Channels of an encoder token."""
    encoder_heads: int = 12
    """Attention heads of the encoder."""
    encoder_depth: int = 12
    """Blocks of the encoder."""
    decoder_dim: int = 512
    """Channels of a decoder token."""
    decoder_heads: int = 16
    """Attention heads of the decoder."""
    decoder_depth: int = 8
    """Blocks of the decoder."""
    masking_ratio: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of the tokens that the encoder does not see in training; the paper's is zero."""
    fusion: Literal["early", "decoder"] = "decoder"
    """Where tension joins: beside the picture, or before the decoder, so that driving costs the decoder alone."""
    stem: Literal["patch", "convolutional"] = "patch"
    """How texels become tokens."""
    refine: bool = False
    """A thin convolutional head after the decoder, which removes steps at patch borders; the paper has none."""

    @property
    def encoded_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of what the encoder answers for one picture: tokens, and the stem's features where it has them."""
        size, side = self.image_size, self.image_size // self.patch
        shapes: list[tuple[int, ...]] = [(1, side * side, self.encoder_dim)]
        if self.stem == "convolutional":
            maps = (STEM_FULL, STEM_HALF, STEM_QUARTER)
            shapes += [(1, channels, size >> k, size >> k) for k, channels in enumerate(maps)]
        return shapes


class UNetSettings(BaseModel):
    """Size of the UNet teacher. The supplement gives its blocks but not their widths: these are a reconstruction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=64, ge=4)
    """Channels of the encoder block; the bottleneck has twice as many."""


class Preset(BaseModel):
    """One size of everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: PresetName
    vit: ViTSettings
    mae: MAESettings
    unet: UNetSettings


PAPER = Preset(
    name="paper", vit=ViTSettings(readout=192, points=96, glimpses=48), mae=MAESettings(), unet=UNetSettings()
)
"""The supplement's transformers. How tokens become numbers it does not say: that part is as in `lite`."""
LITE = Preset(
    name="lite",
    vit=ViTSettings(
        dim=192, heads=6, depth=6, stem="convolutional", points=96, reduce=2, glimpses=48,
    ),
    mae=MAESettings(
        encoder_dim=192, encoder_heads=6, encoder_depth=6, decoder_dim=128, decoder_heads=4, decoder_depth=4,
        stem="convolutional", refine=True,
    ),
    unet=UNetSettings(width=24),
)  # fmt: skip


def preset(name: PresetName) -> Preset:
    """The preset of a name."""
    return {"paper": PAPER, "lite": LITE}[name]
