"""The student: a masked autoencoder that turns a face's unwrapped picture and a tension map into displacement.

Sizes are the supplement's in the `paper` preset (encoder patch 16, dim 768, 12 heads, depth 12; decoder dim 512, 16
heads, depth 8; masking ratio zero). After He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022. That
the picture comes unwrapped, with visibility, and where tension joins are reconstructions: by default it joins before
the decoder, so that a person is encoded once and driving costs the decoder alone.

The `lite` preset has two parts more, which the paper has not, see `detail_convolutions`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.networks.detail_convolutions import ConvolutionalStem, Encoding, RefiningHead, StemMaps
from models.networks.presets import MAESettings
from models.networks.transformer import Block, PatchEmbedding, sincos_positions, unpatchify
from models.networks.unet import IMAGE_CHANNELS, OUTPUT_SCALE

__all__ = ["DetailMAE", "Encoding"]

TENSION_SCALE = 5.0
"""Most tension lies within 0.2 either way: scaled to about one."""


class DetailMAE(nn.Module):
    """D(I, T): picture (B, 4, S, S) and tension (B, 1, S, S) -> (B, 1, S, S) millimetres along the outward normal.

    Args:
        settings: sizes and form, see MAESettings; the defaults are the paper's.

    Raises:
        ValueError: a refining head without a convolutional stem, or a picture that patches do not tile.
    """

    def __init__(self, settings: MAESettings | None = None) -> None:
        super().__init__()
        self.settings = s = settings or MAESettings()
        if s.refine and s.stem != "convolutional":
            raise ValueError("the refining head needs the convolutional stem's features")
        if s.image_size % s.patch or (s.stem == "convolutional" and s.patch != 16):
            raise ValueError(f"patches of {s.patch} do not tile {s.image_size} texels, or the stem's 16 do not")
        self.grid = (s.image_size // s.patch,) * 2
        channels = IMAGE_CHANNELS + (s.fusion == "early")
        self.embed = (
            ConvolutionalStem(channels, s.encoder_dim)
            if s.stem == "convolutional"
            else PatchEmbedding(channels, s.patch, s.encoder_dim)
        )
        self.encoder = nn.Sequential(*(Block(s.encoder_dim, s.encoder_heads) for _ in range(s.encoder_depth)))
        self.encoder_norm = nn.LayerNorm(s.encoder_dim)
        self.to_decoder = nn.Linear(s.encoder_dim, s.decoder_dim)
        self.tension_embed = PatchEmbedding(1, s.patch, s.decoder_dim) if s.fusion == "decoder" else None
        self.mask_token = nn.Parameter(torch.zeros(1, 1, s.decoder_dim))
        self.decoder = nn.Sequential(*(Block(s.decoder_dim, s.decoder_heads) for _ in range(s.decoder_depth)))
        self.decoder_norm = nn.LayerNorm(s.decoder_dim)
        self.to_patches = None if s.refine else nn.Linear(s.decoder_dim, s.patch**2)
        self.refine = RefiningHead(s.decoder_dim, s.patch) if s.refine else None
        for name, dim in (("encoder", s.encoder_dim), ("decoder", s.decoder_dim)):
            self.register_buffer(f"{name}_positions", sincos_positions(self.grid, dim)[None], persistent=False)

    def _positions(self, name: str, maps: Tensor, origin: tuple[int, int]) -> Tensor:
        """(1, N, dim) positions of the tokens of maps (B, C, H, W), whose first token is at `origin` of the whole."""
        rows, columns = (side // self.settings.patch for side in maps.shape[-2:])
        whole = self.get_buffer(f"{name}_positions").reshape(1, *self.grid, -1)
        part = whole[:, origin[0] : origin[0] + rows, origin[1] : origin[1] + columns]
        return part.reshape(1, rows * columns, -1)

    def _embedded(self, image: Tensor) -> tuple[Tensor, StemMaps | None]:
        """Tokens without positions, and the stem's features where there is one."""
        if isinstance(self.embed, ConvolutionalStem):
            return self.embed(image)  # type: ignore[no-any-return]
        return self.embed(image), None

    def encode(self, image: Tensor, tension: Tensor | None = None, origin: tuple[int, int] = (0, 0)) -> Encoding:
        """What the picture says of the skin.

        Args:
            image: (B, 4, S, S) RGB 0..1 with hidden texels filled, and visibility 0..1.
            tension: (B, 1, S, S) of the picture's own expression; with early fusion only.
            origin: row and column of the first token, for training on a crop of the maps.

        Raises:
            ValueError: early fusion without tension.
        """
        if self.settings.fusion == "early":
            if tension is None:
                raise ValueError("with early fusion the encoder needs the tension map")
            image = torch.cat([image, tension * TENSION_SCALE], dim=1)
        tokens, maps = self._embedded(image)
        tokens = tokens + self._positions("encoder", image, origin)
        return Encoding(self.encoder_norm(self.encoder(tokens)), *(maps or ()))

    def decode(self, encoding: Encoding, tension: Tensor, origin: tuple[int, int] = (0, 0)) -> Tensor:
        """(B, 1, S, S) millimetres: the relief of the encoded skin under a tension (B, 1, S, S)."""
        tokens = self.to_decoder(encoding.tokens)
        return self._from_tokens(tokens, encoding, tension, origin)

    def forward(self, image: Tensor, tension: Tensor) -> Tensor:
        """See the class. In training, `masking_ratio` of the encoder's tokens are left out."""
        if not (self.training and self.settings.masking_ratio):
            return self.decode(self.encode(image, tension), tension)
        return self._masked(image, tension)

    def amplify(self, gain: float) -> None:
        """Multiplies every answer from now on by `gain`."""
        last = self.refine.at_full[-1] if self.refine is not None else self.to_patches
        assert isinstance(last, nn.Conv2d | nn.Linear) and last.bias is not None
        with torch.no_grad():
            last.weight *= gain
            last.bias *= gain

    def _from_tokens(
        self, tokens: Tensor, encoding: Encoding, tension: Tensor, origin: tuple[int, int] = (0, 0)
    ) -> Tensor:
        scaled = tension * TENSION_SCALE
        grid = (tension.shape[-2] // self.settings.patch, tension.shape[-1] // self.settings.patch)
        if self.tension_embed is not None:
            tokens = tokens + self.tension_embed(scaled)
        tokens = self.decoder_norm(self.decoder(tokens + self._positions("decoder", tension, origin)))
        if self.refine is not None:
            return self.refine(tokens, encoding, scaled, grid) * OUTPUT_SCALE  # type: ignore[no-any-return]
        assert self.to_patches is not None
        return unpatchify(self.to_patches(tokens), self.settings.patch, grid) * OUTPUT_SCALE

    def _masked(self, image: Tensor, tension: Tensor) -> Tensor:
        """As `forward`, but the encoder sees a random part of the tokens and the decoder a learned one for the rest."""
        if self.settings.fusion == "early":
            image = torch.cat([image, tension * TENSION_SCALE], dim=1)
        tokens, maps = self._embedded(image)
        tokens = tokens + self._positions("encoder", image, (0, 0))
        batch, count, dim = tokens.shape
        kept = max(1, round(count * (1 - self.settings.masking_ratio)))
        order = torch.rand(batch, count, device=tokens.device).argsort(dim=1)[:, :kept, None]
        seen = self.encoder_norm(self.encoder(tokens.gather(1, order.expand(-1, -1, dim))))
        seen = self.to_decoder(seen)
        whole = self.mask_token.expand(batch, count, -1).to(seen.dtype)
        whole = whole.scatter(1, order.expand(-1, -1, seen.shape[2]), seen)
        return self._from_tokens(whole, Encoding(seen, *(maps or ())), tension)
