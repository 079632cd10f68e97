"""A person's skin: many pictures blended into one texture over the face map, with the light taken out.

Per picture the mesh is unwrapped; one light in second-order spherical harmonics is fitted to all pictures together
(the head turns, the light stays); what remains between pictures is a smooth gain. The blend is a weighted mean around
the weighted median, so that a hand, a highlight or a slipped landmark in one picture leaves no trace. What nobody saw
comes from the other side of the face, and after that from the model's mean skin in this person's tone.

Order and weights are a reconstruction; fitting the light after Ramamoorthi and Hanrahan, An Efficient Representation
for Irradiance Environment Maps, 2001.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatars.person_blend import robust_blend
from models.face_model.detail_map import DetailMap
from models.face_model.model import FaceModel
from models.geometry.depth_map import depth_map, facing_cosines
from models.geometry.rasterise import Raster, interpolate, rasterise_uv
from models.geometry.unwrap import fill_holes, unwrap
from models.synthesis.light import sh_basis, to_linear, to_srgb

__all__ = ["SKIN_LUMINANCE", "TEXTURE_SIZE", "PersonTexture", "SkinView", "blend_person", "unwrapped"]

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

TEXTURE_SIZE = 1024
"""Texels a side: half a millimetre over the face."""
LIGHT_SIZE = 128
"""Texels a side at which light and gains are fitted: both vary over centimetres."""
SKIN_LUMINANCE = 0.26
"""Luminance of average skin in the model's own colours, to which exposure is brought half-way."""
DARKEST_TONE, LIGHTEST_TONE = 0.25, 1.5
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
NATURAL = 0.6
"""Share of the difference between the pictures' skin colour and usual skin that is taken for the light's colour."""
HUE_DRIFT = 0.75
"""Share of slow changes of hue over the face that is taken for coloured light."""
MOST_DRIFT = 0.3
"""Natural logarithm of the largest factor by which left and right are made to match."""
FACING_LOW, FACING_HIGH = 0.15, 0.75
MOUTH_COLOUR, SOCKET_COLOUR = (0.147, 0.024, 0.022), (0.448, 0.147, 0.119)
"""Linear light: as the renderer paints them."""
_TROUBLED = ("brows", "lips", "beard", "scalp", "lids", "nose")
"""Regions whose own colour would pass for light."""


@dataclass(frozen=True, slots=True)
class SkinView:
    """One picture of the person.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        pixels: (V, 2) pixels of `image` of every vertex.
        points: (V, 3) metres, camera frame.
        normals: (V, 3) unit, camera frame.
        weight: how much the whole picture counts.
        mouth, eyes: 0..1, how much it counts about lips and lids: less where those are not at rest.
    """

    image: Image
    pixels: NDArray[np.float64]
    points: NDArray[np.float64]
    normals: Floats
    weight: float = 1.0
    mouth: float = 1.0
    eyes: float = 1.0


@dataclass(frozen=True, slots=True)
class PersonTexture:
    """The result.

    Attributes:
        texture: (S, S, 3) uint8 sRGB over the face map, without light.
        seen: (S, S) in 0..1, how well pictures showed each texel.
        light: (9, 3) spherical harmonics of the pictures' light, camera frame, relative to `exposure`.
        exposure: (3,) factors that brought the pictures' linear light, over `light`, to the texture's colours.
    """

    texture: Image
    seen: Floats
    light: Floats
    exposure: Floats


def blend_person(
    model: FaceModel,
    views: Sequence[SkinView],
    size: int = TEXTURE_SIZE,
    step: Callable[[], None] = lambda: None,
    seen: Callable[[Image, Floats], None] = lambda colours, weight: None,
) -> PersonTexture:
    """The skin of one person.

    Args:
        model: whose face map it is.
        views: pictures of that person; some 12 bytes a texel of each are held.
        size: S, texels a side.
        step: called after every picture.
        seen: given each picture's colours (S, S, 3) and weights (S, S), as they come.

    Raises:
        ValueError: no picture, or none that shows the face.
    """
    if not views:
        raise ValueError("a texture needs at least one picture")
    raster = rasterise_uv(model.uv, model.uv_faces, size, subset=model.part_faces("skin"))
    regions = _Regions(model, raster)
    colours = np.empty((len(views), size, size, 3), np.uint8)
    weights = np.empty((len(views), size, size), np.float32)
    normals = []
    for n, view in enumerate(views):
        colours[n], weights[n] = unwrapped(model, raster, view)
        weights[n] *= view.weight * regions.shares(view)
        seen(colours[n], weights[n])
        small = cv2.resize(interpolate(raster, view.normals, model.faces), (LIGHT_SIZE, LIGHT_SIZE))
        normals.append(small / np.maximum(np.linalg.norm(small, axis=2, keepdims=True), 1e-6))
        step()
    if not float(weights.max()) > 0.05:
        raise ValueError("no picture shows the face")
    prior = _prior(model, size)
    gains, light = _relight(colours, weights, np.stack(normals).astype(np.float32), prior, regions)
    blended, total = robust_blend(colours, weights, gains, _LINEAR)
    certain = np.clip(total / (0.2 * float(np.percentile(total[total > 0], 90))), 0, 1).astype(np.float32)
    certain *= 1 - _foreign(blended, certain, regions)
    # An ear seen in part is worse than one that is made up.
    certain = np.where(regions.ears > 0.3, np.clip(certain * 2 - 1, 0, 1), certain).astype(np.float32)
    blended = _evened(blended, certain, regions)
    exposure, tone = _tone(blended, total, prior, regions)
    blended *= exposure
    filled = _filled(blended, certain, prior, tone, regions)
    return PersonTexture(to_srgb(filled), certain * regions.allowed, light, exposure)


def _foreign(blended: Floats, certain: Floats, regions: _Regions) -> Floats:
    """(S, S) in 0..1, where a texel has the colour of hair or a wall rather than of this skin: lighter, much
    darker, or of another hue."""
    plain = certain * regions.plain * (1 - regions.rim)
    skin = np.median(blended[plain > 0.5 * float(plain.max())], axis=0)
    logs = np.log(np.maximum(blended, 1e-3) / np.maximum(skin, 1e-3))
    hue = np.abs(logs[..., 0] - logs[..., 1]) + np.abs(logs[..., 2] - logs[..., 1])
    # Hair over the temples ends where nothing was seen any more: the hair cap does that better.
    sides = np.clip((regions.rim - 0.6) / 0.4, 0, 1)
    dark = np.maximum(-0.6 * logs[..., 1] - 0.1, 0) * sides
    off = regions.rim * np.maximum(np.maximum(logs[..., 1], 0) + 0.7 * hue, dark)
    return np.asarray(np.clip((cv2.GaussianBlur(off, (0, 0), len(off) / 120) - 0.3) / 0.2, 0, 1), np.float32)


_LINEAR = to_linear(np.arange(256, dtype=np.uint8)[None, :])[0]


class _Regions:
    """The model's regions over one raster, (S, S) in 0..1 each."""

    def __init__(self, model: FaceModel, raster: Raster) -> None:
        size = raster.triangle.shape[0]

        def over(*names: str) -> Floats:
            values = np.max([model.regions[name] for name in names], axis=0)
            return np.asarray(np.clip(interpolate(raster, values, model.faces), 0, 1), np.float32)

        blur = size / 256
        self.covered = raster.covered
        self.plain = np.clip(over("face") - over(*_TROUBLED), 0, 1)
        self.allowed = np.clip(
            np.maximum(over("face", "nose", "lips", "lids", "forehead"), 0.9 * over("ears"))
            - 0.6 * over("scalp")
            - 2 * cv2.dilate(over("neck"), np.ones((size // 32, size // 32), np.uint8)),
            0,
            1,
        )
        self.allowed = np.minimum(self.allowed, cv2.GaussianBlur(self.allowed, (0, 0), 4 * blur) * 1.15).clip(0, 1)
        self.hidden, self.ears = over("hidden"), over("ears")
        self.lips, self.lids = over("lips"), over("lids")
        self.mouth = cv2.GaussianBlur(cv2.dilate(self.lips, np.ones((5, 5), np.uint8)), (0, 0), 6 * blur)
        self.eyes = cv2.GaussianBlur(cv2.dilate(self.lids, np.ones((5, 5), np.uint8)), (0, 0), 3 * blur)
        places = interpolate(raster, model.mean, model.faces)
        # Of what is hidden, the sockets lie behind the eyes and the mouth's inside in the middle and below them.
        eye_x = float(np.abs(model.joints(model.identity())[2:4, 0]).mean())
        self.is_mouth = ((np.abs(places[..., 0]) < 0.4 * eye_x) | (places[..., 1] < -0.7 * eye_x)).astype(np.float32)
        facing = interpolate(raster, model.normals(model.mean), model.faces)[..., 2]
        self.rim = np.asarray(np.clip((0.85 - facing) / 0.4, 0, 1) * (1 - over("nose", "lips", "lids")), np.float32)
        nostrils = DetailMap.whole(DetailMap(model).nostrils).astype(np.float32)
        self.nostrils = np.asarray(cv2.resize(nostrils, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)

    def shares(self, view: SkinView) -> Floats:
        """What a picture may say about lips and lids."""
        mouth = 1 - (1 - view.mouth) * np.clip(self.mouth * 1.5, 0, 1)
        eyes = 1 - (1 - view.eyes) * np.clip(self.eyes * 1.5, 0, 1)
        return np.asarray(mouth * eyes, np.float32)


def unwrapped(model: FaceModel, raster: Raster, view: SkinView) -> tuple[Image, Floats]:
    """Colours (S, S, 3) over a raster of the face map, and how well each texel is seen, (S, S) in 0..1: straight on, in
    many pixels, and nothing in between."""
    facing = facing_cosines(view.points, view.normals)
    seen = depth_map(view.pixels, view.points[:, 2], model.faces, size=512)
    colour, visible = unwrap(view.image, raster, model.faces, view.pixels, view.points[:, 2], facing, seen)
    turned = np.clip((interpolate(raster, facing, model.faces) - FACING_LOW) / (FACING_HIGH - FACING_LOW), 0, 1)
    weight = visible * turned * turned
    # A seam between seen and hidden is soft, so that no line shows where one picture ends.
    side = max(3, raster.triangle.shape[0] // 400 * 2 + 1)
    inner = cv2.erode(weight, np.ones((side, side), np.uint8))
    return colour, np.asarray(cv2.GaussianBlur(inner, (0, 0), side / 3), np.float32) * (weight > 0)


def _prior(model: FaceModel, size: int) -> Floats:
    """(S, S, 3) the model's mean skin, linear light; even where the model has none."""
    if model.albedo_mean is None:
        return np.full((size, size, 3), (0.42, 0.24, 0.17), np.float32)
    mean = model.albedo_mean
    return np.asarray(cv2.resize(mean, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def _relight(
    colours: Image, weights: Floats, normals: Floats, prior: Floats, regions: _Regions
) -> tuple[Floats, Floats]:
    """Gains (N, L, L, 3) that take light and exposure out of each picture, and the light (9, 3)."""
    count = len(colours)
    small_size = (LIGHT_SIZE, LIGHT_SIZE)

    def small(values: NDArray[np.generic]) -> Floats:
        return np.asarray(cv2.resize(values.astype(np.float32), small_size, interpolation=cv2.INTER_AREA), np.float32)

    plain = small(regions.plain)
    model_skin = np.maximum(small(prior), 1e-3)
    pictures = np.empty((count, *small_size, 3), np.float32)
    shares = np.empty((count, *small_size), np.float32)
    for n in range(count):
        share = small(weights[n])
        weighted = small(_LINEAR[colours[n]] * weights[n][:, :, None])
        pictures[n] = weighted / np.maximum(share, 1e-4)[:, :, None]
        shares[n] = share
    basis = sh_basis(normals)
    albedo, light = model_skin.copy(), np.zeros((9, 3), np.float32)
    exposure = np.ones(count, np.float32)
    for _ in range(3):
        light = _fit_light(pictures, shares * plain, basis, albedo, exposure)
        shade = np.maximum(basis @ light, 0.25 * float((basis @ light)[shares > 0.1].mean()))
        # Exposure drifts while a camera looks for its own: one factor a picture, to the light of all.
        skin = shares * plain
        for n in range(count):
            ratio = (pictures[n] @ LUMINANCE) / np.maximum((albedo * shade[n]) @ LUMINANCE, 1e-4)
            good = skin[n] > 0.3 * max(float(skin[n].max()), 1e-6)
            exposure[n] = float(np.median(ratio[good])) if good.any() else 1.0
        exposure /= np.median(exposure)
        flat = pictures / shade / exposure[:, None, None, None]
        mixed = (flat * shares[..., None]).sum(axis=0) / np.maximum(shares.sum(axis=0), 1e-4)[..., None]
        # Half-way to the person's own colours, smooth: what is symmetric is skin, what is not is light.
        mixed = np.asarray(fill_holes(mixed.astype(np.float32), np.clip(shares.sum(axis=0) * 4, 0, 1)), np.float32)
        symmetric = (mixed + mixed[:, ::-1]) / 2
        blurred = np.asarray(cv2.GaussianBlur(symmetric, (0, 0), 3), np.float32)
        level = _mean(blurred @ LUMINANCE, plain) / _mean(model_skin @ LUMINANCE, plain)
        albedo = np.sqrt(np.maximum(blurred, 1e-4) * model_skin * max(level, 1e-3))
    gains = 1 / (shade * exposure[:, None, None, None])
    reference = (pictures * gains * shares[..., None]).sum(axis=0) / np.maximum(shares.sum(axis=0), 1e-4)[..., None]
    for n in range(count):
        ratio = reference / np.maximum(pictures[n] * gains[n], 1e-4)
        smooth = fill_holes(np.clip(ratio, 0.4, 2.5).astype(np.float32), np.clip(shares[n] * 4, 0, 1))
        gains[n] *= cv2.GaussianBlur(smooth.astype(np.float32), (0, 0), 6)
    return np.ascontiguousarray(gains, np.float32), light


def _fit_light(pictures: Floats, shares: Floats, basis: Floats, albedo: Floats, exposure: Floats) -> Floats:
    """(9, 3) light, robustly: moles, hair and highlights must not count as light."""
    chosen = shares > 0.05 * float(shares.max())
    system = basis[chosen].astype(np.float64)
    skin = np.broadcast_to(albedo, pictures.shape)[chosen].astype(np.float64)
    target = (pictures / exposure[:, None, None, None])[chosen] / skin
    base = shares[chosen].astype(np.float64)
    light = np.zeros((9, 3))
    # Finer parts of the light and its colours are held small: what they explain is as likely skin.
    stiff = np.array([1e-3, *[0.004] * 3, *[0.03] * 5]) * float(base.sum())
    for channel in range(3):
        weight = base.copy()
        for _ in range(4):
            weighted = system * weight[:, None]
            light[:, channel] = np.linalg.solve(weighted.T @ system + np.diag(stiff), weighted.T @ target[:, channel])
            fitted = system @ light[:, channel]
            error = np.abs(target[:, channel] - fitted) / np.maximum(fitted, 1e-3)
            weight = base / (1 + (error / 0.12) ** 2)
    # The colour of the light as a whole cannot be told from that of skin: the camera's white balance is believed.
    level = light[0] / max(float(light[0] @ LUMINANCE), 1e-6)
    return np.asarray(light / np.maximum(level, 1e-3), np.float32)


def _evened(blended: Floats, certain: Floats, regions: _Regions) -> Floats:
    """Takes out what is left of coloured and one-sided light: hue that drifts over centimetres, and brightness that
    differs between left and right. Redness of cheeks stays in part, moles and freckles stay."""
    size = len(blended)
    plain = np.clip(certain * regions.plain * (1 - 0.7 * regions.rim), 0, 1)
    logs = np.log(np.maximum(blended, 2e-3))
    # A fringe or a beard is no shadow.
    skin = np.median(logs[plain > 0.5 * float(plain.max())], axis=0)
    plain = plain / (1 + (np.abs(logs[..., 1] - skin[1]) / 0.5) ** 4)
    side = size // 8
    small = cv2.resize(logs * plain[..., None], (side, side), interpolation=cv2.INTER_AREA)
    share = cv2.resize(plain, (side, side), interpolation=cv2.INTER_AREA)
    filled = fill_holes(np.asarray(small / np.maximum(share, 1e-4)[..., None], np.float32), np.clip(share * 1.3, 0, 1))
    smooth = np.asarray(cv2.GaussianBlur(filled.astype(np.float32), (0, 0), side / 16), np.float32)
    middle = np.average(smooth.reshape(-1, 3), axis=0, weights=np.maximum(share, 1e-6).ravel())
    bright = smooth[..., 1:2]
    off = HUE_DRIFT * ((smooth - bright) - (middle - middle[1]))
    off = off + np.clip((bright - bright[:, ::-1]) / 2, -MOST_DRIFT, MOST_DRIFT)
    drift = cv2.resize(np.asarray(off, np.float32), (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(blended * np.exp(-drift), np.float32)


def _tone(blended: Floats, total: Floats, prior: Floats, regions: _Regions) -> tuple[Floats, Floats]:
    """Factors (3,) that bring the pictures' exposure and white to skin's, and this person's skin colour (3,) after
    that, linear light."""
    weight = regions.plain * np.clip(total / max(float(total.max()), 1e-6), 0, 1)
    good = weight > 0.3 * float(weight.max())
    skin = np.maximum(np.median(blended[good], axis=0), 1e-4)
    usual = np.maximum(np.median(prior[good], axis=0), 1e-4)
    level = float(skin @ LUMINANCE)
    # A lamp is no skin tone, but tones differ: most of the brightness seen is believed, and part of the hue.
    wanted = SKIN_LUMINANCE * float(np.clip((level / SKIN_LUMINANCE) ** 0.7, DARKEST_TONE, LIGHTEST_TONE))
    colour = skin ** (1 - NATURAL) * usual**NATURAL
    colour *= wanted / float(colour @ LUMINANCE)
    return np.asarray(colour / skin, np.float32), np.asarray(colour, np.float32)


def _filled(blended: Floats, certain: Floats, prior: Floats, tone: Floats, regions: _Regions) -> Floats:
    """What was seen, then the other side of the face, then the neighbourhood's colours, and far from those this
    person's plain skin with the unevenness of the model's."""
    size = len(blended)
    weight = certain * regions.allowed * (1 - np.clip(regions.hidden * 2, 0, 1))
    mirrored, mirrored_weight = blended[:, ::-1], weight[:, ::-1]
    share = weight / np.maximum(weight + 0.3 * (1 - weight) * mirrored_weight, 1e-4)
    both = np.asarray(blended * share[..., None] + mirrored * (1 - share[..., None]), np.float32)
    known = np.clip(np.maximum(weight, (1 - weight) * mirrored_weight), 0, 1)
    around = fill_holes(both, np.clip(known * 1.6 - 0.6, 0, 1))
    near = np.clip(cv2.GaussianBlur(known, (0, 0), size / 40) * 3, 0, 1)[..., None]
    uneven = np.clip(prior / np.maximum(cv2.GaussianBlur(prior, (0, 0), size / 12), 1e-3), 0.6, 1.1)
    guess = around * near + tone * uneven * (1 - near)
    colour = both * known[..., None] + guess * (1 - known[..., None])
    hidden = regions.hidden[..., None]
    inside = regions.is_mouth[..., None] * np.array(MOUTH_COLOUR, np.float32) + (
        1 - regions.is_mouth[..., None]
    ) * np.array(SOCKET_COLOUR, np.float32)
    colour = colour * (1 - hidden) + inside * hidden
    # The colours run on past the layout's border, so that bilinear samples there find skin.
    return np.asarray(np.clip(fill_holes(colour.astype(np.float32), regions.covered.astype(np.float32)), 0, 1))


def _mean(values: Floats, weights: Floats) -> float:
    return float((values * weights).sum() / max(float(weights.sum()), 1e-6))
