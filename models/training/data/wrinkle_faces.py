"""Synthetic faces with known relief: what the detail networks learn from.

A person is an identity, a layout of wrinkles and a skin. Skin is the smooth part of a real neutral texture (or a
painted one), onto which the fine structure of a real *neutral* texture goes: nose, lids, brows, lips, stubble look like
relief and are none, and a network learns that only where it sees them beside a truth that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model.detail_map import DETAIL_SIZE, DetailMap
from models.synthesis.skin import skin_texture
from models.training.data.anatomy import landmark_texels, random_lines
from models.training.data.detail_shading import detail_normals, occlusion, random_light, shading
from models.training.data.expressions import random_expression
from models.training.data.habit import habitual_opening
from models.training.data.noise import random_warp, smooth_noise
from models.training.data.skin_marks import add_marks
from models.training.data.strain import SurfaceMaps, surface_maps
from models.training.data.textures import fill_from_mirror
from models.training.data.wrinkles import WrinkleLayout, displacement, random_layout

__all__ = ["DetailSample", "Person", "Skins", "View", "WrinkleFaces"]

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

HIGH_PASS = 6.0
"""Texels: structure finer than this is taken from another person than the smooth part."""
GAMMA = 2.2
CREASE_TINT = np.array([0.85, 1.05, 1.10], np.float32)
"""Creases are redder than the skin around them: red light comes from inside it."""


def log_colour(rgb: Image) -> Floats:
    """Logarithm of sRGB values 0..1 of (..., 3) uint8."""
    return np.log(np.maximum(rgb.astype(np.float32), 3.0) / np.float32(255))


class Skins:
    """The skins of some people, split into smooth and fine parts.

    Args:
        textures: (N, 256, 256, 3) uint8 sRGB of neutral faces over the detail window.
        window: the detail window.
        painted: number of painted skins beside them.
        seed: of the painted skins.
    """

    def __init__(self, textures: Sequence[Image], window: DetailMap, painted: int = 24, seed: int = 20000) -> None:
        rng = np.random.default_rng(seed)
        self.beard = window.region("beard")
        self.smooth: list[NDArray[np.float16]] = []
        self.fine: list[NDArray[np.float16]] = []
        for rgb in textures:
            self._add(log_colour(rgb), fine=True)
        for _ in range(painted):
            linear = skin_texture(window.model, rng, window.raster)
            painted_logs = np.log(np.maximum(linear, 0.002)) / np.float32(GAMMA)
            self._add(np.asarray(painted_logs, np.float32), fine=not len(textures))
        features = window.region("brows", "lids", "lips", "hidden", "nose", "ears", "scalp")
        features = np.maximum(features, (window.region("face") < 0.9).astype(np.float32))
        wide = cv2.GaussianBlur(cv2.dilate(features, np.ones((7, 7), np.uint8)), (0, 0), 3.0)
        self._features = np.clip(wide, 0, 1)[:, :, None]
        self._chin = self.beard[:, :, None]

    def _add(self, logs: Floats, fine: bool) -> None:
        low = cv2.GaussianBlur(logs, (0, 0), HIGH_PASS)
        self.smooth.append(np.asarray(low, np.float16))
        if fine:
            self.fine.append(np.asarray(logs - low, np.float16))

    def draw(self, rng: np.random.Generator) -> Floats:
        """(256, 256, 3) logarithm of a random person's skin, without relief."""
        base = self.smooth[rng.integers(len(self.smooth))].astype(np.float32)
        fine = self.fine[rng.integers(len(self.fine))].astype(np.float32)
        if rng.random() < 0.5:
            base = base[:, ::-1]
        if rng.random() < 0.5:
            fine = fine[:, ::-1]
        if rng.random() < 0.35:
            # A second person's, so that coincidences of the first one's are not learned.
            other = self.fine[rng.integers(len(self.fine))].astype(np.float32)
            share = np.clip(0.5 + smooth_noise(rng, DETAIL_SIZE, 4), 0, 1)[:, :, None]
            fine = fine * share + other * (1 - share)
        fine = random_warp(fine, rng, rng.uniform(0, 1.6))
        skin = rng.uniform(0.05, 0.75)
        chin = rng.uniform(0.7, 1.2) if rng.random() < 0.5 else skin
        gain = skin + (chin - skin) * self._chin
        gain = gain + (rng.uniform(0.75, 1.25) - gain) * self._features
        tone = rng.normal(0, 0.12) + rng.normal(0, 0.04, 3)
        return np.asarray(base + fine * gain + tone, np.float32)


@dataclass(frozen=True, slots=True)
class Person:
    """A synthetic person: identity (K,), wrinkles, (256, 256, 3) logarithm of the skin's colour."""

    identity: Floats
    layout: WrinkleLayout
    skin: Floats


@dataclass(frozen=True, slots=True)
class View:
    """How a picture is taken.

    Attributes:
        light: (9, 3) head frame.
        towards: (3,) unit, from the face to the camera, head frame.
        relight: share of the coarse shading that colours the smooth skin.
        sky: strength of occlusion.
        blur: texels.
        reduction: factor by which the picture is coarser than a texel.
        noise: grey values 0..255.
        jpeg: quality, 0 for none.
        contrast: of the relief's shading; 1 is physical.
    """

    light: Floats = field(default_factory=lambda: random_light(np.random.default_rng(0)))
    towards: Floats = field(default_factory=lambda: np.array([0, 0, 1], np.float32))
    relight: float = 0.3
    sky: float = 1.3
    blur: float = 0.0
    reduction: float = 1.0
    noise: float = 0.0
    jpeg: int = 0
    contrast: float = 1.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> View:
        """A random one: half of all are sharp and frontal."""
        yaw, pitch = rng.normal(0, 0.28), rng.normal(0, 0.14)
        poor = rng.random() < 0.45
        return cls(
            light=random_light(rng),
            towards=np.array([np.sin(yaw) * np.cos(pitch), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)], np.float32),
            relight=float(rng.uniform(0, 0.7)),
            sky=float(rng.uniform(0.5, 1.9)),
            blur=float(rng.uniform(0, 1.3)) if poor else float(rng.uniform(0, 0.5)),
            reduction=float(rng.uniform(1, 2.6)) if poor and rng.random() < 0.6 else 1.0,
            noise=float(rng.uniform(0, 7)) if poor else float(rng.uniform(0, 2)),
            jpeg=int(rng.integers(35, 95)) if rng.random() < 0.5 else 0,
            contrast=float(rng.uniform(0.9, 1.5)),
        )


@dataclass(frozen=True, slots=True)
class DetailSample:
    """One picture, and the relief of its own and of another expression of the same person.

    Attributes:
        image: (4, 256, 256) float32: RGB 0..1 with hidden texels filled, and visibility.
        tension, truth: (256, 256) of the picture's expression; truth in millimetres.
        other_tension, other_truth: of the other one.
    """

    image: Floats
    tension: Floats
    truth: Floats
    other_tension: Floats
    other_truth: Floats


class WrinkleFaces:
    """Draws people and pictures of them.

    Args:
        window: the detail window.
        skins: whose skin they have.
    """

    def __init__(self, window: DetailMap, skins: Skins) -> None:
        self.window = window
        self.skins = skins
        self._landmarks = landmark_texels(window)
        self._open = 1 - window.region("hidden")
        self._habit = habitual_opening(window)

    def person(self, rng: np.random.Generator, age: float | None = None) -> Person:
        """A random person; `age` 0 (smooth) .. 1 (deeply lined), random by default."""
        age = float(rng.beta(1.2, 1.1)) if age is None else age
        model = self.window.model
        identity = np.clip(rng.normal(0, 0.8, model.identity_count), -2.5, 2.5).astype(np.float32)
        layout = random_layout(rng, random_lines(rng, self._landmarks, age), age)
        skin = self.skins.draw(rng)
        add_marks(skin, rng, self.skins.beard)
        return Person(identity, layout, skin)

    def maps(self, person: Person, expression: Floats, like: SurfaceMaps | None = None) -> SurfaceMaps:
        """The person's face in an expression; `like`, another of the same person's, saves time."""
        posed = self.window.model.pose(person.identity, expression)
        return surface_maps(self.window, posed, None if like is None else like.neutral_metric)

    def relief(self, person: Person, maps: SurfaceMaps) -> Floats:
        """(256, 256) millimetres: the person's displacement in that expression."""
        return displacement(person.layout, maps, self.window.mask, self._habit)

    def picture(
        self, person: Person, maps: SurfaceMaps, relief: Floats, view: View, rng: np.random.Generator
    ) -> tuple[Image, Floats]:
        """The unwrapped picture (256, 256, 3) uint8 sRGB, hidden texels filled, and visibility (256, 256)."""
        coarse = shading(maps.normals, view.light)
        ratio = np.log(shading(detail_normals(relief, maps), view.light) / coarse)
        ratio += occlusion(relief, view.sky)[:, :, None]
        logs = person.skin + ratio * (CREASE_TINT * np.float32(view.contrast / GAMMA))
        if view.relight:
            logs += np.float32(view.relight / GAMMA) * np.log(coarse / coarse[self.window.mask > 0.5].mean())
        rgb = _taken(logs, view, rng)
        facing = maps.normals @ view.towards
        part = np.clip((facing - 0.1) / 0.4, 0, 1)
        visibility = (part * part * (3 - 2 * part) * self._open).astype(np.float32)
        return fill_from_mirror(rgb, visibility), visibility

    def sample(self, seed: int) -> DetailSample:
        """The sample of a seed, always the same."""
        rng = np.random.default_rng(seed)
        person = self.person(rng)
        own = self.maps(person, random_expression(rng))
        other = self.maps(person, random_expression(rng), own)
        truth, other_truth = self.relief(person, own), self.relief(person, other)
        rgb, visibility = self.picture(person, own, truth, View.random(rng), rng)
        return DetailSample(
            network_image(rgb, visibility), _doubted(own.tension, rng), truth, _doubted(other.tension, rng), other_truth
        )


def network_image(rgb: Image, visibility: Floats) -> Floats:
    """(4, 256, 256) float32: RGB 0..1 and visibility, as the networks take it."""
    out = np.empty((4, *visibility.shape), np.float32)
    np.multiply(rgb.transpose(2, 0, 1), np.float32(1 / 255), out=out[:3])
    out[3] = visibility
    return out


def _taken(logs: Floats, view: View, rng: np.random.Generator) -> Image:
    """What a camera makes of it: blur, coarseness, noise, compression."""
    values: Floats = np.exp(np.clip(logs, -5.5, 0.15)) * np.float32(255)
    if view.reduction > 1.05:
        small = round(DETAIL_SIZE / view.reduction)
        reduced = cv2.resize(values, (small, small), interpolation=cv2.INTER_AREA)
        back = cv2.resize(reduced, (DETAIL_SIZE, DETAIL_SIZE), interpolation=cv2.INTER_LINEAR)
        values = np.asarray(back, np.float32)
    if view.blur > 0.25:
        values = np.asarray(cv2.GaussianBlur(values, (0, 0), view.blur), np.float32)
    if view.noise > 0.3:
        values = values + rng.standard_normal(values.shape, np.float32) * np.float32(view.noise)
    rgb = np.asarray(np.clip(values, 0, 255), np.uint8)
    if view.jpeg:
        coded = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, view.jpeg])[1]
        rgb = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return rgb


def _doubted(tension: Floats, rng: np.random.Generator) -> Floats:
    """A fit is never exact: its expressions come out too strong or too weak here and there."""
    factor = float(np.exp(rng.normal(0, 0.12)))
    return np.asarray(np.clip(tension * factor * (1 + 0.12 * smooth_noise(rng, DETAIL_SIZE, 4)), -0.5, 0.5), np.float32)
