"""Figures that tell how good displacement is, where the truth is known.

Maps are (N, H, W) in millimetres, masks (H, W) or (N, H, W). Correlations are pooled: all texels of all pictures inside
the mask count alike, so that a picture without wrinkles weighs little.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["amplitude", "border_ratio", "correlation", "spectrum"]

Floats = NDArray[np.floating]
INSIDE = 0.5
SPECTRUM_BANDS = ((8, 16), (16, 32), (32, 64), (64, 128))
"""Cycles per map."""


def _inside(maps: Floats, mask: Floats) -> NDArray[np.bool_]:
    return np.broadcast_to(np.asarray(mask) > INSIDE, maps.shape)


def correlation(found: Floats, truth: Floats, mask: Floats) -> float:
    """Pearson's correlation inside the mask; 0 where either map is flat."""
    inside = _inside(truth, mask)
    a, b = found[inside].astype(np.float64), truth[inside].astype(np.float64)
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / spread if spread > 1e-12 else 0.0


def amplitude(found: Floats, truth: Floats, mask: Floats) -> float:
    """Standard deviation of what was found as a share of the truth's, inside the mask."""
    inside = _inside(truth, mask)
    return float(found[inside].std() / max(float(truth[inside].std()), 1e-9))


def border_ratio(maps: Floats, patch: int = 16) -> float:
    """Mean |dD| across the borders of patches over that everywhere: above 1.1 blocks begin to show."""
    down, right = np.abs(np.diff(maps, axis=-2)), np.abs(np.diff(maps, axis=-1))
    borders = np.concatenate([down[..., patch - 1 :: patch, :].ravel(), right[..., :, patch - 1 :: patch].ravel()])
    everywhere = (down.sum() + right.sum()) / (down.size + right.size)
    return float(borders.mean() / max(float(everywhere), 1e-12))


def spectrum(maps: Floats) -> dict[str, float]:
    """Share of the power in bands of cycles per map, of all power from 8 cycles on; Hann window, pooled over maps."""
    height, width = maps.shape[-2:]
    window = np.outer(np.hanning(height), np.hanning(width))
    centred = maps - maps.mean(axis=(-2, -1), keepdims=True)
    power = (np.abs(np.fft.fft2(centred * window)) ** 2).reshape(-1, height, width).sum(axis=0)
    rows, columns = np.meshgrid(np.fft.fftfreq(height) * height, np.fft.fftfreq(width) * width, indexing="ij")
    radius = np.hypot(rows, columns)
    total = float(power[radius >= SPECTRUM_BANDS[0][0]].sum()) or 1.0
    shares = {}
    for low, high in SPECTRUM_BANDS:
        last = high == SPECTRUM_BANDS[-1][1]
        inside = (radius >= low) & ((radius < high) | last)
        shares[f"{low}-{high}"] = float(power[inside].sum() / total)
    return shares
