"""Spherical-harmonics light and the transfer between linear light and sRGB."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

_SH = np.array([0.282095, *[0.488603] * 3, 1.092548, 1.092548, 0.315392, 1.092548, 0.546274], np.float32)
_COSINE_LOBE = np.array([1.0, *[2 / 3] * 3, *[0.25] * 5], np.float32)


def _harmonics(directions: NDArray[np.floating]) -> Floats:
    """(..., 9) real spherical harmonics up to second order at unit directions (..., 3)."""
    x, y, z = directions[..., 0], directions[..., 1], directions[..., 2]
    one = np.ones_like(x)
    return np.asarray(np.stack([one, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], -1) * _SH, np.float32)


def sh_basis(normals: NDArray[np.floating]) -> Floats:
    """(..., 9) irradiance basis at unit normals (..., 3): harmonics convolved with the cosine lobe.

    After Ramamoorthi and Hanrahan, An Efficient Representation for Irradiance Environment Maps, 2001. Irradiance is
    `sh_basis(n) @ light`, light (9, 3), both in one frame.
    """
    return np.asarray(_harmonics(normals) * _COSINE_LOBE, np.float32)


def directional_light(
    direction: NDArray[np.floating],
    strength: float = 0.7,
    ambient: float = 0.45,
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Floats:
    """(9, 3) light from one direction plus an even surround.

    Args:
        direction: (3,) towards the light, of any length but zero.
        strength: irradiance of a surface that faces the light (to 6 %: second order cannot do a sharp cosine).
        ambient: irradiance from everywhere.
        colour: of the directional part.
    """
    unit = np.asarray(direction, np.float32) / float(np.linalg.norm(direction))
    light = np.outer(np.pi * strength * _harmonics(unit), np.asarray(colour, np.float32))
    light[0] += ambient / _SH[0]
    return light.astype(np.float32)


def to_srgb(linear: NDArray[np.floating]) -> Image:
    """uint8 sRGB of linear light in 0..1."""
    clipped = np.clip(linear, 0, 1)
    encoded = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * np.power(clipped, 1 / 2.4) - 0.055)
    return np.asarray(np.round(encoded * 255), np.uint8)


def to_linear(srgb: Image) -> Floats:
    """Linear light in 0..1 of uint8 sRGB."""
    table = np.arange(256) / 255.0
    table = np.where(table <= 0.04045, table / 12.92, ((table + 0.055) / 1.055) ** 2.4)
    return np.asarray(table.astype(np.float32)[srgb])
