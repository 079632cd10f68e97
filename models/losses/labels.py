"""Losses against exact labels of rendered faces: a reconstruction of ours, since the paper has no such data."""

from __future__ import annotations

import torch
from torch import Tensor


def channel_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean of 4 d^2 over (B, 52) channels.

    Channels are at rest most of the time: under |d| a young network answers their median, which is zero, and never
    leaves it.
    """
    return 4 * (found - wanted).square().mean()


def channel_lean_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean |d| over (B, 52) channels: added late, it keeps channels at zero that nothing moves, see `channel_loss`."""
    return (found - wanted).abs().mean()


def rotation_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean chordal distance |A - B|_F of (B, 3, 3) rotations, about 1.4 times the angle in radians."""
    return ((found - wanted).square().sum(dim=(1, 2)) + 1e-10).sqrt().mean()


def gaze_loss(found: Tensor, wanted: Tensor, seen: Tensor) -> Tensor:
    """Mean of 4 d^2 of (B, 2, 2) gaze in radians; an eye counts as much as it is seen, (B, 2) in 0..1."""
    return 4 * ((found - wanted).square().mean(dim=2) * seen).sum() / seen.sum().clamp_min(1e-6)


def point_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean distance in metres of (B, N, 3) points."""
    return ((found - wanted).square().sum(dim=2) + 1e-12).sqrt().mean()


def camera_loss(scale: Tensor, place: Tensor, wanted_scale: Tensor, wanted_place: Tensor) -> Tensor:
    """Mean L1 of log scale (B,) and of place (B, 2) in crop coordinates."""
    return (torch.log(scale) - torch.log(wanted_scale)).abs().mean() + (place - wanted_place).abs().sum(1).mean()
