"""What the detail networks learn from.

Displacement maps are (B, 1, H, W) in millimetres, masks (B, 1, H, W) or (1, 1, H, W) in 0..1. Every loss is a scalar:
a mean over texels weighted by the mask, so that a weight means the same at every resolution.

The first group follows the supplement of Mao et al. (CVPR 2025), section 6.2; the second, which needs displacement that
is known, is our own and is what the shipped weights mostly learn from.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (everyone's name for it)

__all__ = [
    "animation_rule",
    "change_of_truth",
    "cosine_to_truth",
    "detail_photometric",
    "displacement_regularisation",
    "masked_mean",
    "slope_of_truth",
    "smoothness",
    "soft_symmetry",
    "teacher_student",
    "weighted_truth",
]

TRUTH_UNIT = 0.1
"""Millimetres: displacement of this size is one unit of the losses against truth."""
LARGEST_EMPHASIS = 6.0


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of values (B, C, H, W) weighted by a mask that broadcasts to (B, 1, H, W); 0 where the mask is empty."""
    weights = mask.expand(values.shape[0], 1, *values.shape[2:])
    return (values * weights).sum() / (weights.sum() * values.shape[1]).clamp(min=1e-6)


def detail_photometric(picture: Tensor, rendered: Tensor, skin: Tensor) -> Tensor:
    """L_phoD = || R (.) (I - I'_r) ||_1,1: pictures (B, 3, H, W) in 0..1, R the skin mask."""
    return masked_mean((picture - rendered).abs(), skin)


def smoothness(displacement: Tensor) -> Tensor:
    """L_smo = || grad D ||_1,1, millimetres a texel; the supplement applies it to teacher and student."""
    down = (displacement[..., 1:, :] - displacement[..., :-1, :]).abs().mean()
    right = (displacement[..., 1:] - displacement[..., :-1]).abs().mean()
    return down + right


def displacement_regularisation(displacement: Tensor) -> Tensor:
    """L_regD = mean |D|. Reconstruction after DECA (Feng et al. 2021): the supplement gives a weight and no formula."""
    return displacement.abs().mean()


def soft_symmetry(displacement: Tensor, skin: Tensor) -> Tensor:
    """L_sym = || R' (.) (D - flip D) ||_1,1 in UV, R' the complement of the skin mask that is seen."""
    return masked_mean((displacement - displacement.flip(-1)).abs(), 1 - skin)


def teacher_student(student: Tensor, teacher: Tensor, skin: Tensor) -> Tensor:
    """L_TchT = || R (.) (D(I, T) - stopgrad D_UNet(I)) ||_1,1. Reconstruction: its formula is in the main paper."""
    return masked_mean((student - teacher.detach()).abs(), skin)


def animation_rule(driven: Tensor, teacher_of_driver: Tensor, skin: Tensor) -> Tensor:
    """The part of L_dc that has a teacher: D(I, T') against D_UNet(I') of another picture I' of the same person.

    L_dc = L_animD(I', D_UNet(I'), D(I, T')) without its own L_dc; its photometric part is `detail_photometric` on I'.
    """
    return teacher_student(driven, teacher_of_driver, skin)


def weighted_truth(displacement: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Huber loss in units of TRUTH_UNIT, each texel weighted by 1 + 2 |d| / unit (at most LARGEST_EMPHASIS).

    Wrinkles cover little of a face: an even weight shrinks them until nobody sees them.
    """
    unit = truth / TRUTH_UNIT
    error = F.huber_loss(displacement / TRUTH_UNIT, unit, reduction="none")
    return masked_mean(error * (1 + 2 * unit.abs()).clamp(max=LARGEST_EMPHASIS), mask)


def slope_of_truth(displacement: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute error of the slopes, in units of TRUTH_UNIT a texel: it is the slopes that one sees."""
    error = (displacement - truth) / TRUTH_UNIT
    down = masked_mean((error[..., 1:, :] - error[..., :-1, :]).abs(), mask[..., 1:, :])
    right = masked_mean((error[..., 1:] - error[..., :-1]).abs(), mask[..., 1:])
    return down + right


def cosine_to_truth(displacement: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Mean over pictures of 1 - cosine between displacement and truth inside the mask.

    Scale drops out, so that shallow wrinkles count as much as deep ones; nearly smooth truths count less.
    """
    weights = mask.expand_as(truth)
    product = (weights * displacement * truth).sum(dim=(1, 2, 3))
    own = (weights * displacement.square()).sum(dim=(1, 2, 3))
    wanted = (weights * truth.square()).sum(dim=(1, 2, 3))
    area = weights.sum(dim=(1, 2, 3)).clamp(min=1e-6)
    # A tenth of a micrometre squared a texel keeps the root's slope finite for a network that answers zero.
    floor = 1e-6 * area
    cosine = product / ((own + floor).sqrt() * (wanted + floor).sqrt())
    importance = ((wanted / area).sqrt() / 0.02).clamp(max=1.0)
    return ((1 - cosine) * importance).mean()


def change_of_truth(driven: Tensor, own: Tensor, driven_truth: Tensor, own_truth: Tensor, mask: Tensor) -> Tensor:
    """How well the change between two tensions is met: D(I, T') - D(I, T) against the truth's change.

    Huber and cosine as above. Tension is ignored by a network unless something forces it to matter: of a wrinkled
    picture, copying what one sees is a good answer to any tension.
    """
    change, wanted = driven - own, driven_truth - own_truth
    return weighted_truth(change, wanted, mask) + 0.5 * cosine_to_truth(change, wanted, mask)


def clamp_displacement(displacement: Tensor, limit: float = 10.0) -> Tensor:
    """|D| <= 1 cm."""
    return torch.clamp(displacement, -limit, limit)
