"""Losses on points in the picture."""

from __future__ import annotations

from torch import Tensor

INNER = slice(17, 68)
"""The 51 inner ones of the 68 landmarks; the first 17 are the contour."""

PAIRS: tuple[tuple[int, int], ...] = (
    # Upper and lower lid of the right and left eye, upper and lower lip outside and inside; counted from 0.
    (37, 41), (38, 40), (43, 47), (44, 46), (50, 58), (51, 57), (52, 56), (61, 67), (62, 66), (63, 65),
)  # fmt: skip


def landmark_loss(found: Tensor, wanted: Tensor, weights: Tensor | None = None) -> Tensor:
    """L_inL: mean L1 distance of projected landmarks.

    Args:
        found, wanted: (B, N, 2) crop coordinates.
        weights: (B, N) or (N,) share of each point, None for 1.
    """
    distance = (found - wanted).abs().sum(dim=2)
    if weights is None:
        return distance.mean()
    weights = weights.expand(distance.shape)
    return (distance * weights).sum() / weights.sum().clamp_min(1e-6)


def pair_loss(found: Tensor, wanted: Tensor, pairs: tuple[tuple[int, int], ...] = PAIRS) -> Tensor:
    """L_spL: mean L1 on the differences within landmark pairs, which tell how open eyes and mouth are.

    Args:
        found, wanted: (B, 68, 2) crop coordinates.
        pairs: indices from 0.
    """
    first, second = [p[0] for p in pairs], [p[1] for p in pairs]
    opening = found[:, first] - found[:, second]
    return (opening - (wanted[:, first] - wanted[:, second])).abs().sum(dim=2).mean()


def silhouette_loss(contour: Tensor, outline: Tensor, valid: Tensor) -> Tensor:
    """L_sil: mean distance from each contour landmark to the nearest silhouette vertex.

    Reconstruction after the supplement's section 4: one-directional; which vertex is nearest is not differentiated.

    Args:
        contour: (B, 17, 2) crop coordinates.
        outline: (B, M, 2) projected silhouette vertices, padded.
        valid: (B, M) True where a row of `outline` is a vertex; a face without any counts as zero.
    """
    distance = (contour[:, :, None] - outline[:, None]).square().sum(dim=3)
    distance = distance.masked_fill(~valid[:, None], float("inf"))
    nearest = distance.detach().argmin(dim=2)
    chosen = outline.gather(1, nearest[:, :, None].expand(-1, -1, 2))
    # The small constant keeps the slope finite where a landmark lies on the outline.
    length = ((contour - chosen).square().sum(dim=2) + 1e-10).sqrt()
    return (length * valid.any(dim=1, keepdim=True)).mean()
