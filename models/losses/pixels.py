"""Losses on rendered pictures and on the coefficients behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

__all__ = [
    "emotion_loss",
    "identity_loss",
    "lip_loss",
    "photometric_loss",
    "regularisation_loss",
    "shape_consistency_loss",
]


def photometric_loss(image: Tensor, rendered: Tensor, mask: Tensor) -> Tensor:
    """L_pho: mean L1 colour distance inside the skin mask R.

    Args:
        image, rendered: (B, 3, H, W) in 0..1.
        mask: (B, 1, H, W) in 0..1; a picture without skin counts as zero.
    """
    distance = (image - rendered).abs().sum(dim=1, keepdim=True) * mask
    return (distance.sum(dim=(1, 2, 3)) / mask.sum(dim=(1, 2, 3)).clamp_min(1.0)).mean()


def identity_loss(image: Tensor, rendered: Tensor) -> Tensor:
    """L_id: 1 - cosine of (B, N) face-recognition features of the picture and of its rendering, mean over B."""
    return (1 - F.cosine_similarity(image, rendered, dim=1)).mean()


def emotion_loss(image: Tensor, rendered: Tensor) -> Tensor:
    """L_emo: mean Euclidean distance of (B, N) emotion features."""
    return ((image - rendered).square().sum(dim=1) + 1e-12).sqrt().mean()


def lip_loss(image: Tensor, rendered: Tensor) -> Tensor:
    """L_lr: 1 - cosine of (B, N) lip-reading features of the mouth's crop, mean over B."""
    return (1 - F.cosine_similarity(image, rendered, dim=1)).mean()


def regularisation_loss(*coefficients: Tensor) -> Tensor:
    """L_reg: sum of the squared norms of (B, N) coefficients (shape, expression, albedo), mean over B."""
    return torch.stack([values.square().sum(dim=1).mean() for values in coefficients]).sum()


def shape_consistency_loss(coarse_loss: Callable[[Tensor], Tensor], identity: Tensor, people: Sequence[int]) -> Tensor:
    """L_sc: the coarse loss with each picture's identity taken from another picture of the same person.

    After the supplement, which takes it from DECA: the new parameters must still explain the picture.

    Args:
        coarse_loss: L_c without L_sc as a function of (B, K) identities, everything else held.
        identity: (B, K) as estimated.
        people: who each picture shows; a person with one picture keeps the own identity.
    """
    return coarse_loss(identity[swapped(people)])


def swapped(people: Sequence[int]) -> list[int]:
    """For each picture the index of the next one of the same person, around in a circle."""
    members: dict[int, list[int]] = {}
    for index, person in enumerate(people):
        members.setdefault(person, []).append(index)
    following = {own: group[(place + 1) % len(group)] for group in members.values() for place, own in enumerate(group)}
    return [following[index] for index in range(len(people))]
