"""Skin colour over the face UV: procedural people."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model.model import FaceModel
from models.geometry.rasterise import Raster, interpolate

Floats = NDArray[np.float32]


PHOTOGRAPHED = 0.5
"""Share of random people whose skin comes from the model's albedo basis, where it has one."""


def random_skin(model: FaceModel, rng: np.random.Generator, uv_raster: Raster) -> Floats:
    """(S, S, 3) skin of a random person, linear light: painted, or the model's albedo basis with hair painted on.

    Args:
        model: whose face UV it is.
        rng: source of all randomness.
        uv_raster: of the skin's UV layout, (S, S).
    """
    painted = skin_texture(model, rng, uv_raster)
    if model.albedo_basis is None or rng.random() >= PHOTOGRAPHED:
        return painted
    size = uv_raster.triangle.shape[0]
    photographed = model.albedo(rng.normal(0, 0.8, len(model.albedo_basis)))
    assert photographed is not None
    small = cv2.resize(photographed, (size, size), interpolation=cv2.INTER_AREA)
    tone = float(np.exp(rng.uniform(-1.3, 0.45)))
    scalp = np.clip(interpolate(uv_raster, model.regions["scalp"], model.faces), 0, 1)[:, :, None]
    return np.asarray(np.clip(small * tone, 0, 1) * (1 - scalp) + painted * scalp, np.float32)


def skin_texture(
    model: FaceModel,
    rng: np.random.Generator,
    uv_raster: Raster,
    tone: float | None = None,
) -> Floats:
    """A procedural skin (S, S, 3), linear light: tone, lips, brows, beard shadow, hair, blotches and pores.

    Args:
        model: whose regions it paints.
        rng: source of all randomness.
        uv_raster: of the skin's UV layout, (S, S).
        tone: 0 (very light) .. 1 (very dark); random by default.
    """
    size = uv_raster.triangle.shape[0]
    names = ("lips", "brows", "beard", "scalp", "nose", "lids")
    values = np.stack([model.regions[n] for n in names], axis=1).astype(np.float32)
    masks = dict(zip(names, np.moveaxis(interpolate(uv_raster, values, model.faces), -1, 0), strict=True))
    tone = float(rng.beta(1.2, 1.6)) if tone is None else tone
    light, dark = np.array([0.62, 0.40, 0.30]), np.array([0.075, 0.035, 0.02])
    skin = np.exp((1 - tone) * np.log(light) + tone * np.log(dark))
    texture = np.broadcast_to(skin, (size, size, 3)).astype(np.float32)
    blotch = np.zeros((size, size), np.float32)
    for cells, amount in ((6, 0.05), (24, 0.035), (128, 0.03)):
        blotch += _noise(rng, size, cells) * np.float32(amount)
    texture = texture * np.exp(blotch[:, :, None] * np.array([0.8, 1.1, 1.2], np.float32))
    lip = skin * np.array([0.95, 0.55, 0.6]) * rng.uniform(0.8, 1.05)
    hair = np.array([0.03, 0.02, 0.014]) * float(np.exp(rng.uniform(-1.2, 2.0)))
    beard = float(rng.random() < 0.35) * rng.uniform(0.1, 0.75)
    rough = 1 + 0.2 * _noise(rng, size, min(size // 2, 200))
    for name, colour, strength in (
        ("lips", lip, 0.85),
        ("beard", hair, beard),
        ("brows", hair, rng.uniform(0.55, 0.95)),
        ("scalp", hair, 1.0),
    ):
        weight = np.clip(masks[name] * strength * (rough if name in ("brows", "beard") else 1.0), 0, 1)[:, :, None]
        texture = texture * (1 - weight) + colour.astype(np.float32) * weight
    texture *= 1 - 0.18 * masks["lids"][:, :, None]
    return np.asarray(np.clip(texture, 0.002, 1), np.float32)


def _noise(rng: np.random.Generator, size: int, cells: int) -> Floats:
    """(size, size) smooth noise of unit spread with `cells` features across."""
    coarse = rng.standard_normal((cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
