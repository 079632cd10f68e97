"""The colours of a head that has none of its own: skin, brows and lips over the face map, eyeballs, strands of hair.

All of it is painted once, in numpy, with fixed seeds: the same head looks the same everywhere.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel
from models.face_model.vertex_values import region, smoothed
from models.geometry.rasterise import interpolate, rasterise_uv
from models.geometry.unwrap import fill_holes
from rendering.scene import Background, Backing, Colour

__all__ = ["backdrop_texture", "encode_srgb", "eye_texture", "skin_albedo", "strand_texture"]

Floats = NDArray[np.float32]
Texture = NDArray[np.uint8]

PUPIL_SHARE = 0.36
BROW_HAIRS = 330
GRAIN = 256
"""Pixels of the backdrop's tile of grain."""
CHECK = 12
"""Pixels of a square of the pattern that stands for transparency."""
CHECKS = (84, 96)


def encode_srgb(light: NDArray[np.floating]) -> Texture:
    """uint8 sRGB of linear light in 0..1."""
    c = np.clip(light, 0.0, 1.0)
    return np.asarray(np.where(c <= 0.0031308, c * 12.92, 1.055 * c ** (1 / 2.4) - 0.055) * 255 + 0.5, np.uint8)


def backdrop_texture(background: Background, width: int, height: int) -> Texture:
    """(H, W, 4) uint8 sRGB, bottom row first, premultiplied: a picture, a chequered pattern, or a gradient with a soft
    vignette and just enough grain that dark tones do not band."""
    if background.kind is Backing.PICTURE and background.picture is not None:
        return _opaque(_covering(background.picture.pixels, width, height)[::-1])
    if background.kind is Backing.CHECKS:
        odd = (np.arange(height)[::-1, None] // CHECK + np.arange(width)[None] // CHECK) % 2
        shade = np.where(odd, *CHECKS).astype(np.uint8)
        return _opaque(np.repeat(shade[..., None], 3, axis=2))
    up = (np.arange(height, dtype=np.float32) + 0.5) / height
    across = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5
    painted = np.empty((height, width, 4), np.uint8)
    painted[..., 3] = round(background.alpha * 255)
    # One seed whatever the size; a tile is enough, since nobody sees grain of this strength repeat.
    tile = np.random.default_rng(3).random((GRAIN, GRAIN), np.float32)
    grain = np.tile(tile, (height // GRAIN + 1, width // GRAIN + 1))[:height, :width]
    for channel in range(3):
        colour = background.bottom[channel] * (1 - up) + background.top[channel] * up
        strength = (colour * background.alpha * 255).astype(np.float32)
        rows = strength * (1 - 0.35 * (up - 0.55) ** 2)
        # The vignette's horizontal part as an outer product: this is painted while a window is resized.
        plane = rows[:, None] - (0.35 * strength)[:, None] * (across**2)[None, :]
        plane += grain
        painted[..., channel] = plane
    return painted


def _covering(picture: Texture, width: int, height: int) -> Texture:
    """(height, width, 3): a picture scaled to fill that, what sticks out cut off on both sides alike."""
    rows, columns = picture.shape[:2]
    scale = max(width / columns, height / rows)
    wide, tall = min(columns, max(1, round(width / scale))), min(rows, max(1, round(height / scale)))
    left, top = (columns - wide) // 2, (rows - tall) // 2
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture[top : top + tall, left : left + wide], (width, height), interpolation=how))


def _opaque(picture: Texture) -> Texture:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2RGBA), np.uint8)


@lru_cache(maxsize=4)
def skin_albedo(model: FaceModel, skin: Colour, hair: Colour, size: int = 512) -> Texture:
    """(S, S, 3) uint8 sRGB over the face map: skin with the unevenness that skin has, lips, brows, mouth.

    Remembered for the last few: do not write to it.
    """
    raster = rasterise_uv(model.uv, model.uv_faces, size, subset=model.part_faces("skin"))

    def over(values: Floats) -> Floats:
        return interpolate(raster, values, model.faces)

    places = over(model.mean)
    base = np.array(skin, np.float32)
    colour = np.broadcast_to(base, (size, size, 3)).copy()
    random = np.random.default_rng(7)

    def noise(sigma: float) -> Floats:
        field = cv2.GaussianBlur(random.normal(size=(size, size)).astype(np.float32), (0, 0), sigma * size / 512)
        return np.asarray(field / field.std(), np.float32)

    # Blood near the surface: cheeks, nose, ears, chin. Thin skin at the lids is darker and cooler.
    cheeks = np.exp(-(((np.abs(places[..., 0]) - 0.040) / 0.022) ** 2 + ((places[..., 1] + 0.034) / 0.022) ** 2))
    blood = 0.75 * cheeks + 0.55 * over(smoothed(model, region(model, "nose"), 3)) + 0.8 * over(region(model, "ears"))
    blood = blood * (1 + 0.18 * noise(5)) + 0.13 * noise(22)
    colour += blood[..., None] * np.array([-0.005, -0.052, -0.042], np.float32)
    lids = over(smoothed(model, region(model, "lids"), 2))
    colour += lids[..., None] * np.array([-0.050, -0.060, -0.045], np.float32)
    melanin = 0.008 * noise(1.2) + 0.010 * noise(3.5) + 0.012 * noise(40)
    colour *= 1 + melanin[..., None]
    beard = over(smoothed(model, region(model, "beard"), 3))
    stubble = np.clip(beard * (0.55 + 0.25 * noise(0.8)), 0, 1)
    colour += stubble[..., None] * (np.array(hair, np.float32) - base) * 0.055

    lips = over(smoothed(model, region(model, "lips"), 1))
    red = np.clip((lips - 0.25) / 0.55, 0, 1)
    lip_colour = base * np.array([0.87, 0.64, 0.655], np.float32)
    folds = (
        1 + 0.035 * cv2.GaussianBlur(random.normal(size=(size, size)).astype(np.float32), (0, 0), 0.9, sigmaY=4.0) * 4
    )
    colour = colour * (1 - red[..., None]) + (lip_colour * folds[..., None]) * red[..., None]

    hidden = over(region(model, "hidden"))
    mouth = hidden * (places[..., 1] < -0.025)
    colour = colour * (1 - mouth[..., None]) + mouth[..., None] * np.array([0.42, 0.17, 0.16], np.float32)
    socket = np.clip(hidden - mouth, 0, 1)
    colour = colour * (1 - socket[..., None]) + socket[..., None] * np.array([0.70, 0.42, 0.38], np.float32)

    brows = _brow_hairs(model, places, over(smoothed(model, region(model, "brows"), 1)), random)
    colour = colour * (1 - brows[..., None]) + np.array(hair, np.float32) * 0.8 * brows[..., None]
    # The colours run on past the layout's border, so that bilinear samples there find skin.
    filled = fill_holes(np.ascontiguousarray(colour, np.float32), raster.covered.astype(np.float32))
    return np.asarray(np.clip(filled, 0, 1) * 255 + 0.5, np.uint8)


def _brow_hairs(model: FaceModel, places: Floats, weight: Floats, random: np.random.Generator) -> Floats:
    """(S, S) cover of brow hairs, drawn one by one: upright at the inner end, lying outwards along the brow."""
    size = len(weight)
    fine = 2
    canvas = np.zeros((size * fine, size * fine), np.uint8)
    if weight.max() < 0.3:
        return np.zeros((size, size), np.float32)
    across = np.linalg.norm(np.diff(places, axis=1), axis=2)[weight[:, 1:] > 0.3]
    texel = float(np.median(across[across > 0])) if (across > 0).any() else 1e-3
    for side in (-1, 1):
        chance = np.where(places[..., 0] * side > 0, np.clip(weight - 0.40, 0, 1), 0).reshape(-1)
        if chance.sum() <= 0:
            continue
        roots = random.choice(size * size, BROW_HAIRS, p=chance / chance.sum())
        row, column = np.divmod(roots, size)
        x = np.abs(places[row, column, 0])
        inner, outer = np.percentile(x, 2), np.percentile(x, 98)
        along = np.clip((x - inner) / max(outer - inner, 1e-6), 0, 1)
        lean = np.radians(72 - 88 * along**0.75) + random.normal(size=BROW_HAIRS) * 0.16
        length = random.uniform(0.0040, 0.0078, BROW_HAIRS) / texel
        start = np.stack([column, row], axis=1) + random.uniform(-0.5, 0.5, (BROW_HAIRS, 2))
        step = np.stack([np.cos(lean) * side, -np.sin(lean)], axis=1) * length[:, None]
        for a, b, shade in zip(
            start - 0.35 * step, start + 0.65 * step, random.uniform(90, 210, BROW_HAIRS), strict=True
        ):
            p, q = ((c * fine * 16).astype(int).tolist() for c in (a, b))
            cv2.line(canvas, p, q, int(shade), 1, cv2.LINE_AA, 4)
    drawn = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    shadow = np.clip(cv2.GaussianBlur(weight, (0, 0), size / 256) - 0.35, 0, 1)
    return np.asarray(np.clip(drawn * 1.1 + shadow * 0.30, 0, 0.88), np.float32)


@lru_cache(maxsize=8)
def eye_texture(iris: Colour, share: float, size: int = 256) -> Texture:
    """(S, S, 3) uint8 sRGB of an eyeball over its frontal plane: sclera with veins, limbal ring, iris, pupil.

    `share` is the iris' radius as a share of the eyeball's. Remembered for the last few: do not write to it.
    """
    ys, xs = np.mgrid[:size, :size]
    x, y = ((xs + 0.5) / size - 0.5) * 2, (0.5 - (ys + 0.5) / size) * 2
    r, turn = np.hypot(x, y), np.arctan2(y, x)
    random = np.random.default_rng(11)
    sclera = np.broadcast_to(np.array([0.845, 0.815, 0.795]), (size, size, 3)).copy()
    veins = cv2.GaussianBlur(random.normal(size=(size, size)), (0, 0), 2.5 * size / 256)
    thin = np.exp(-((veins / veins.std()) ** 2) * 18)
    redness = np.clip((r - 0.48) / 0.5, 0, 1)
    sclera -= (redness * (0.10 + 0.10 * thin))[..., None] * np.array([0.35, 1.0, 1.0])
    at = r / share
    fibres = _fibres(turn, at, random)
    base = np.array(iris)
    collar = np.exp(-(((at - PUPIL_SHARE - 0.10) / 0.13) ** 2))
    tone = (0.62 + 0.52 * fibres)[..., None] * base * (1.15 - 0.45 * np.clip(at, 0, 1) ** 3)[..., None]
    tone = tone + collar[..., None] * np.array([0.16, 0.10, 0.02]) * (0.4 + fibres[..., None])
    limbus = np.clip((at - 0.80) / 0.20, 0, 1)[..., None]
    tone = tone * (1 - 0.78 * limbus**1.5)
    soft = 3.0 / size / share
    pupil = np.clip((at - PUPIL_SHARE) / (2 * soft) + 0.5, 0, 1)[..., None]
    tone = tone * pupil + 0.012 * (1 - pupil)
    ring = np.clip((at - 1.0) / 0.13 + 0.5, 0, 1)[..., None]
    ring = ring * ring * (3 - 2 * ring)
    return np.asarray(np.clip(tone * (1 - ring) + sclera * ring, 0, 1) * 255 + 0.5, np.uint8)


def _fibres(turn: NDArray[np.float64], at: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Radial streaks of an iris, 0..1."""
    total = np.zeros_like(turn)
    for count, weight in ((9, 0.5), (23, 0.8), (47, 1.0), (83, 0.8)):
        phase, swing = random.uniform(0, 6.28), random.uniform(0.5, 1.5)
        total += weight * np.sin(turn * count + phase + swing * np.sin(turn * 5 + at * 6))
    return np.asarray(0.5 + 0.5 * np.tanh(total / 1.6), np.float64)


@lru_cache(maxsize=1)
def strand_texture(size: int = 256) -> Texture:
    """(S, S, 4) uint8 tiling noise for hair, columns across the strands and rows along them: locks, fine strands, the
    locks' tilt, and their unevenness at the hairline."""
    random = np.random.default_rng(5)

    def streaks(across: float, along: float) -> NDArray[np.float64]:
        # Filtered by FFT, so that the edges meet.
        fx, fy = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size))
        keep = np.exp(-2 * np.pi**2 * ((fx * across) ** 2 + (fy * along) ** 2))
        field = np.fft.ifft2(np.fft.fft2(random.normal(size=(size, size))) * keep).real
        field -= field.mean()
        return np.asarray(np.clip(0.5 + field / field.std() * 0.22, 0, 1), np.float64)

    locks = 0.6 * streaks(5.0, 60.0) + 0.4 * streaks(2.0, 40.0)
    strands = streaks(1.3, 30.0)
    layers = np.stack([locks, strands, streaks(9.0, 45.0), streaks(4.0, 12.0)], axis=2)
    layers = (layers - layers.min(axis=(0, 1))) / np.ptp(layers, axis=(0, 1))
    return np.asarray(layers * 255 + 0.5, np.uint8)
