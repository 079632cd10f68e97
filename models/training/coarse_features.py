"""L_id, L_emo and L_lr: the drawn face must look like the same person, in the same mood, with the same lips.

The drawn skin is laid over the photograph, faces are cut out of both in the same way, and a network that the user
brings compares the two, see `face_networks`. Cuts follow the detected landmarks: a similarity lays the eyes, the tip of
the nose and the corners of the mouth where that network's training had them (a reconstruction for emotion and lips,
whose papers publish no template).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (everyone's name for it)

from models.losses.face_networks import SIDES, FaceNetwork, FaceNetworkKind, load_face_network
from models.losses.mrf import FeatureFileError
from models.losses.pixels import emotion_loss, identity_loss, lip_loss

__all__ = ["FaceNetworkFiles", "FeatureTerms", "cut"]

_POINTS = ((33, 133), (362, 263), (1,), (61,), (291,))
"""Of the 478 landmarks: corners of the eye on the picture's left and right, tip of the nose, corners of the mouth."""
_ARCFACE = ((38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4), (70.7, 92.2))
"""Pixels of 112 where ArcFace's training had them."""
_LOSSES = {"identity": identity_loss, "emotion": emotion_loss, "lips": lip_loss}


class FaceNetworkFiles(BaseModel):
    """Safetensors files of the networks behind L_id, L_emo and L_lr; see docs/learned_core.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    identity: Path | None = None
    """ArcFace."""
    emotion: Path | None = None
    """A residual network of emotions."""
    lips: Path | None = None
    """A lip reader."""


def _templates() -> dict[FaceNetworkKind, Tensor]:
    """(5, 2) where the points lie, -1..1 of the square."""
    arcface = torch.tensor(_ARCFACE) / 56 - 1
    # The whole head with some background; and a mouth that fills the square as it does the lip reader's.
    mouth = arcface[3:].mean(dim=0)
    return {"identity": arcface, "emotion": arcface * 0.75, "lips": (arcface - mouth) * 2.0}


def cut(pictures: Tensor, landmarks: Tensor, kind: FaceNetworkKind) -> Tensor:
    """(B, 3, S, S) faces, laid as the network expects them.

    Args:
        pictures: (B, 3, H, H) crops.
        landmarks: (B, 478, 2) crop coordinates -1..1; no gradient goes there.
        kind: whose S and template.
    """
    points = torch.stack([landmarks[:, list(group)].mean(dim=1) for group in _POINTS], dim=1).detach().float()
    template = _templates()[kind].to(points)
    # The similarity from template to picture, least squares: with z = x + iy, z_picture = a z_template + b.
    z, w = torch.view_as_complex(template.contiguous()), torch.view_as_complex(points.contiguous())
    centred, moved = z - z.mean(), w - w.mean(dim=1, keepdim=True)
    a = (centred.conj() * moved).sum(dim=1) / centred.abs().square().sum()
    b = w.mean(dim=1) - a * z.mean()
    rows = [torch.stack([a.real, -a.imag, b.real], 1), torch.stack([a.imag, a.real, b.imag], 1)]
    side = SIDES[kind]
    grid = F.affine_grid(torch.stack(rows, 1), [len(pictures), 3, side, side], align_corners=False)
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)


class FeatureTerms(nn.Module):
    """The losses of the networks that there are files for.

    Args:
        files: of the networks.
        weights: of each loss; a network without weight is not read.

    Raises:
        FeatureFileError: a file cannot be used, or a loss has a weight and no network.
    """

    def __init__(self, files: FaceNetworkFiles, weights: Mapping[FaceNetworkKind, float]) -> None:
        super().__init__()
        self.weights = {kind: weight for kind, weight in weights.items() if weight > 0}
        networks: dict[str, FaceNetwork] = {}
        for kind in self.weights:
            path: Path | None = getattr(files, kind)
            if path is None:
                raise FeatureFileError(
                    f"The {kind} loss has a weight but no network: name its file in the table [stage.networks]."
                )
            networks[kind] = load_face_network(path, kind)
        self.networks = nn.ModuleDict(networks).eval().requires_grad_(False)

    def forward(self, pictures: Tensor, drawn: Tensor, masks: Tensor, landmarks: Tensor) -> dict[str, Tensor]:
        """Weighted losses by kind.

        Args:
            pictures: (B, 3, H, H) photographs 0..1.
            drawn: (B, 3, H, H) the answered faces.
            masks: (B, 1, H, H) where these show skin.
            landmarks: (B, 478, 2) detected, crop coordinates.
        """
        laid = drawn * masks + pictures * (1 - masks)
        terms: dict[str, Tensor] = {}
        for kind, weight in self.weights.items():
            network = self.networks[kind]
            with torch.no_grad():
                wanted = network(cut(pictures, landmarks, kind))
            terms[kind] = weight * _LOSSES[kind](wanted, network(cut(laid, landmarks, kind)))
        return terms
