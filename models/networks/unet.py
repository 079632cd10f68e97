"""The teacher: a shallow UNet that reads relief off an unwrapped picture alone.

Blocks are the supplement's: one encoder block (two convolutions), a bottleneck (a convolution and a transposed
convolution), one decoder block (four convolutions). Widths, activations and the pooling between are a reconstruction.
Its smallness is the point: it sees some fifteen texels around each: smooth skin gives it nothing to invent from.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (everyone's name for it)

from models.networks.presets import UNetSettings

__all__ = ["IMAGE_CHANNELS", "OUTPUT_SCALE", "PREPARED_CHANNELS", "TeacherUNet", "with_contrast"]

IMAGE_CHANNELS = 4
"""RGB in 0..1 and visibility."""
PREPARED_CHANNELS = 7
CONTRAST_REACH = 9
"""Texels a side of the surroundings that a texel's brightness is compared with."""
OUTPUT_SCALE = 1.0
"""Millimetres of displacement per unit of the last layer. Much smaller, and wrinkles take long to reach their depth."""


def with_contrast(image: Tensor) -> Tensor:
    """(B, 4, H, W) picture and visibility -> (B, 7, H, W): the picture about zero, visibility, and the logarithm of
    each colour over that of its surroundings, which is of order one at a wrinkle whatever the skin and the light.

    A reconstruction of ours: networks that learn for an hour would spend it on finding such filters.
    """
    logs = torch.log(image[:, :3].clamp(min=0.0) + 0.03)
    half = CONTRAST_REACH // 2
    rows = F.avg_pool2d(logs, (1, CONTRAST_REACH), stride=1, padding=(0, half), count_include_pad=False)
    around = F.avg_pool2d(rows, (CONTRAST_REACH, 1), stride=1, padding=(half, 0), count_include_pad=False)
    return torch.cat([image[:, :3] * 2 - 1, image[:, 3:], (logs - around) * 5], dim=1)


def _convolution(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True))


class TeacherUNet(nn.Module):
    """D_UNet(I): (B, 4, H, W) picture and visibility -> (B, 1, H, W) millimetres along the outward normal.

    H and W are even; the network is convolutional, so that it may learn from crops.
    """

    def __init__(self, settings: UNetSettings | None = None) -> None:
        super().__init__()
        width = (settings or UNetSettings()).width
        self.encoder = nn.Sequential(_convolution(PREPARED_CHANNELS, width), _convolution(width, width))
        self.pool = nn.MaxPool2d(2)
        self.bottleneck = nn.Sequential(
            _convolution(width, 2 * width), nn.ConvTranspose2d(2 * width, width, 2, stride=2), nn.ReLU(inplace=True)
        )
        self.decoder = nn.Sequential(
            _convolution(2 * width, width),
            _convolution(width, width),
            _convolution(width, width),
            nn.Conv2d(width, 1, 3, padding=1),
        )

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        fine = self.encoder(with_contrast(image))
        coarse = self.bottleneck(self.pool(fine))
        return self.decoder(torch.cat([fine, coarse], dim=1)) * OUTPUT_SCALE  # type: ignore[no-any-return]
