"""Close looks at eyes, mouth and middle of a face, cut upright and to size at points that a network found before.

What tells most expressions apart, a lid's height, a curled lip, an iris in its corner, is a pixel or two of a crop
that holds the whole head, at another place, angle and size in every picture. Cut out along the face's own axis, the
same thing lies at the same place, and a small network learns it from a fraction of the pictures (a cascade, after
Sun et al., Deep Convolutional Network Cascade for Facial Point Detection, CVPR 2013). The paper has nothing like it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.networks.transformer import Residual, halving

RIGHT_EYE, LEFT_EYE, MOUTH = slice(36, 42), slice(42, 48), slice(48, 68)
"""Of the 68 landmarks; right is the person's, on the left of the picture."""
LANDMARKS, MESH = 68, 478
EYE_HALF, MOUTH_HALF, MIDDLE_HALF = 0.45, 0.7, 0.7
"""Half sides of the windows, shares of the distance between the eyes and the mouth, which is some 67 mm."""
EYE_RISE = 0.12
"""How far above the eye its window's centre lies, so that the brow is in it, share of the same distance."""
SHORTEST = 0.08
"""Of that distance in crop coordinates, below which an upright face is taken: a network that is not trained yet puts
all points on one place, and which way it faces would be chance."""
WINDOW = 128
"""Features of one window."""
WINDOWS = 4 * WINDOW


class Glimpses(nn.Module):
    """Corrects a first answer by what windows of the full-resolution crop show.

    It first finds the face's 478 landmarks, which teaches it where lids, lips and brows are, and reads the correction
    off them and the windows. Both eyes share one network, the right one's window mirrored. A person's adapter, where
    there is one, sits behind the windows.

    Args:
        side: of a window in pixels, a multiple of 8.
        dim: channels of the features that the first answer was read from.
        size: numbers of the answer.
    """

    def __init__(self, side: int, dim: int, size: int) -> None:
        super().__init__()
        if side % 8:
            raise ValueError(f"a window's side must be a multiple of 8 pixels, not {side}")
        self.side = side
        self.eye, self.mouth, self.middle = (_encoder(side) for _ in range(3))
        self.adapter: nn.Module | None = None
        width = WINDOWS + dim + 2 * LANDMARKS
        self.spread = nn.Linear(2 * LANDMARKS, 2 * MESH)
        self.sharpen = _perceptron(width, 2 * dim, 2 * MESH, 0.01)
        self.mix = _perceptron(width + 2 * MESH, 2 * dim, size, 0.01)

    def forward(self, crops: Tensor, points: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """What to add to the first answer (B, size), and the 478 landmarks (B, 478, 2) in crop coordinates.

        Args:
            crops: (B, 3, S, S).
            points: (B, P, 2) in crop coordinates, the first 68 the landmarks; no gradient goes back through them.
            features: (B, dim).
        """
        points = points[:, :LANDMARKS].detach().float()
        right, left, mouth = (points[:, part].mean(dim=1) for part in (RIGHT_EYE, LEFT_EYE, MOUTH))
        between = (right + left) / 2
        down = mouth - between
        length = down.norm(dim=1, keepdim=True)
        # As long as the face. `across` points to the picture's right where the head is upright, to the left eye.
        down = torch.where(length < SHORTEST, down.new_tensor([0.0, SHORTEST]), down)
        length = length.clamp_min(SHORTEST)
        across = torch.stack([down[:, 1], -down[:, 0]], dim=1)
        rise = down * -EYE_RISE
        windows = [
            self.eye(_window(crops, right + rise, -across * EYE_HALF, down * EYE_HALF, self.side)),
            self.eye(_window(crops, left + rise, across * EYE_HALF, down * EYE_HALF, self.side)),
            self.mouth(_window(crops, mouth, across * MOUTH_HALF, down * MOUTH_HALF, self.side)),
            self.middle(
                _window(crops, (between + mouth) / 2, across * MIDDLE_HALF, down * MIDDLE_HALF, self.side)
            ),
        ]  # fmt: skip
        axes = torch.stack([across, down], dim=1)
        upright = ((points - between[:, None]) @ axes.transpose(1, 2) / length[:, None].square()).flatten(1)
        closely = torch.cat(windows, dim=1)
        if self.adapter is not None:
            closely = closely + self.adapter(closely)
        seen = torch.cat([closely, features, upright], dim=1)
        found = self.spread(upright) + self.sharpen(seen)
        mesh = between[:, None] + found.float().reshape(-1, MESH, 2) @ axes
        return self.mix(torch.cat([seen, found], dim=1)), mesh


def _perceptron(before: int, hidden: int, after: int, std: float) -> nn.Sequential:
    last = nn.Linear(hidden, after)
    nn.init.normal_(last.weight, std=std)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.LayerNorm(before), nn.Linear(before, hidden), nn.GELU(), last)


def _encoder(side: int) -> nn.Module:
    return nn.Sequential(
        halving(3, 32), halving(32, 64), Residual(64), halving(64, 128), Residual(128), nn.ReLU(),
        nn.Flatten(), nn.Linear(128 * (side // 8) ** 2, WINDOW),
    )  # fmt: skip


def _window(crops: Tensor, centre: Tensor, x: Tensor, y: Tensor, side: int) -> Tensor:
    """(B, 3, side, side) of the crops around `centre`, with mean 0 and about unit contrast.

    Args:
        crops: (B, 3, S, S).
        centre: (B, 2) in crop coordinates.
        x, y: (B, 2) from the centre to the right and the lower edge.
        side: in pixels.
    """
    steps = (torch.arange(side, device=crops.device) + 0.5) * (2 / side) - 1
    places = centre[:, None, None] + x[:, None, None] * steps[:, None] + y[:, None, None] * steps[:, None, None]
    seen = nn.functional.grid_sample(crops, places.to(crops.dtype), padding_mode="border", align_corners=False)
    mean = seen.mean(dim=(1, 2, 3), keepdim=True)
    contrast = (seen - mean).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return (seen - mean) / (contrast + 0.05)
