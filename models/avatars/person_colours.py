"""Colours of hair and irises, read from the same pictures as the skin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from models.avatars.person_texture import LUMINANCE, PersonTexture, SkinView
from models.face_model.model import FaceModel
from models.synthesis.light import sh_basis, to_linear, to_srgb

__all__ = ["hair_colour", "hair_colour_of", "iris_colour"]

Colour = tuple[float, float, float]
"""sRGB, each 0..1."""
BALD_BRIGHTNESS, BALD_HUE = 0.3, 0.12
"""Differences of log luminance and log hue from the skin below which the scalp counts as bare."""
HAIRLINE = 0.018
"""Metres from the face within which the scalp may be forehead."""
HAIR_HUE = 0.6
"""Share of the hue seen that is believed: cameras make dark things colourful."""
SMALLEST_IRIS = 5.0
"""Radius in pixels below which an iris' colour is lost in its surroundings."""


def hair_colour(model: FaceModel, views: Sequence[SkinView], skin: PersonTexture) -> tuple[Colour, bool] | None:
    """The hair's colour and whether there is any; None where no picture shows the scalp.

    Args:
        model: the face model.
        views: pictures of the person.
        skin: made of them; tells the light.
    """
    places = model.mean
    scalp, face = model.regions["scalp"] > 0.95, model.regions["face"] > 0.5
    # Well inside the cap, for hairlines differ, and at its front, for further back its outline misses a hairdo's.
    inside_cap = np.zeros(len(places), bool)
    inside_cap[scalp] = cKDTree(places[face]).query(places[scalp])[0] > HAIRLINE
    scalp = inside_cap & (places[:, 2] > float(np.median(places[scalp, 2])))
    found = []
    for view in views:
        height, width = view.image.shape[:2]
        facing = -np.einsum("vk,vk->v", view.points, view.normals) / np.linalg.norm(view.points, axis=1)
        chosen = np.flatnonzero(scalp & (facing > 0.15))
        pixels = np.rint(view.pixels[chosen]).astype(int)
        inside = (pixels >= 0).all(axis=1) & (pixels[:, 0] < width) & (pixels[:, 1] < height)
        pixels, chosen = pixels[inside], chosen[inside]
        found.append(_unlit(view.image[pixels[:, 1], pixels[:, 0]], view.normals[chosen], skin))
    colours = np.concatenate(found) if found else np.zeros((0, 3))
    if len(colours) < 20:
        return None
    return _judged(colours, skin)


def hair_colour_of(
    colours: NDArray[np.uint8], normals: NDArray[np.floating], skin: PersonTexture
) -> tuple[Colour, bool]:
    """The hair's colour and whether it is any, from pixels of the head above the scalp.

    Args:
        colours: (N, 3) sRGB, N > 0.
        normals: (N, 3) unit, camera frame, which way the head faces there.
        skin: made of the same pictures; tells the light.
    """
    return _judged(_unlit(colours, np.asarray(normals, np.float32), skin), skin)


def _unlit(colours: NDArray[np.uint8], normals: NDArray[np.float32], skin: PersonTexture) -> NDArray[np.floating]:
    """(N, 3) linear light, brought to the exposure of the texture."""
    shade = np.maximum(sh_basis(normals) @ skin.light, 0.3)
    return np.asarray(to_linear(colours) / shade * skin.exposure)


def _judged(colours: NDArray[np.floating], skin: PersonTexture) -> tuple[Colour, bool]:
    """The hair's colour among (N, 3) in linear light, and whether it is hair rather than skin."""
    # The darker part: what is light among it is a highlight, the forehead, or the wall behind.
    bright = colours @ LUMINANCE
    low, high = np.quantile(bright, [0.05, 0.3])
    hair = np.maximum(np.median(colours[(bright >= low) & (bright <= high)], axis=0), 1e-3)
    own = np.maximum(np.median(to_linear(skin.texture)[skin.seen > 0.8], axis=0), 1e-3)
    logs = np.log(hair / own)
    bald = abs(logs @ LUMINANCE) < BALD_BRIGHTNESS and float(np.ptp(logs)) < BALD_HUE * 2
    level = float(hair @ LUMINANCE)
    return _srgb(level * (hair / level) ** HAIR_HUE), not bald


def iris_colour(
    pictures: Sequence[tuple[NDArray[np.uint8], NDArray[np.floating]]], skin: PersonTexture
) -> Colour | None:
    """The irises' colour; None where they are too small to see.

    Args:
        pictures: images (H, W, 3) with open eyes, and (2, 5, 2) pixels of both irises: centre, then four on the rim.
        skin: tells exposure and white.
    """
    found = []
    for image, irises in pictures:
        height, width = image.shape[:2]
        ys, xs = np.mgrid[:height, :width]
        for iris in irises:
            radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
            if radius < SMALLEST_IRIS:
                continue
            x, y = (xs - iris[0, 0]) / radius, (ys - iris[0, 1]) / radius
            r = np.hypot(x, y)
            # Beside the pupil and below the upper lid's shadow.
            ring = (r > 0.5) & (r < 0.85) & (y > -0.35) & (y < 0.6)
            if ring.any():
                found.append(np.median(to_linear(image[ring]), axis=0))
    if not found:
        return None
    colour = np.median(found, axis=0) * skin.exposure
    # Lids and lashes shade the eye, and the renderer darkens it again.
    return _srgb(np.clip(colour * 1.6, 0.01, 0.6))


def _srgb(linear: NDArray[np.floating]) -> Colour:
    r, g, b = (to_srgb(np.asarray(linear)[None])[0].astype(float) / 255).tolist()
    return round(r, 4), round(g, 4), round(b, 4)
