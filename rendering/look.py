"""Scene settings as the renderers take them."""

from __future__ import annotations

from dataclasses import replace
from math import radians
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering.colour import linear, temperature_colour
from rendering.scene import Background, BackgroundPicture, Backing, Environment, Lamp, Light, Look, Radiance
from rendering.scene_picture import picture_of
from rendering.scene_settings import LampSettings, LightSettings, SceneSettings, load_scene

__all__ = ["environment_of", "look_of", "read_look"]

USUAL = Light()
SMALL = 64
"""Pixels of the longer side of the copy of a picture that its light is taken from."""
MIDDLE_GREY = 0.18
LEAST_BLUR, MOST_BLUR = 0.006, 0.055
"""Standard deviations, shares of the picture's width."""


def look_of(settings: SceneSettings, picture: BackgroundPicture | None = None) -> Look:
    """What settings stand for.

    Args:
        settings: the scene's.
        picture: that their background names; without it the colour stands in, and the sky gives the light.
    """
    return Look(
        background=_background(settings, picture),
        light=_light(settings.light, picture),
        fov=radians(settings.fov_deg),
        stay=settings.framing == "stay",
    )


def read_look(path: Path) -> Look:
    """What a file of scene settings stands for, with its picture.

    Raises:
        SceneFileError: the file cannot be used.
        PictureFileError: the picture cannot.
    """
    settings = load_scene(path)
    return look_of(settings, picture_of(settings))


def _background(settings: SceneSettings, picture: BackgroundPicture | None) -> Background:
    wanted = settings.background
    colour = _floats(wanted.colour)
    if wanted.kind == "studio":
        return Background()
    if wanted.kind == "transparent":
        return replace(Background(), alpha=0.0)
    if wanted.kind == "key":
        return Background.plain(_floats(wanted.key), Backing.KEY)
    if wanted.kind == "camera":
        blur = LEAST_BLUR + (MOST_BLUR - LEAST_BLUR) * wanted.blur
        return replace(Background.plain(colour, Backing.CAMERA), blur=blur)
    if wanted.kind == "picture" and picture is not None:
        return replace(Background.plain(colour, Backing.PICTURE), picture=picture)
    return Background.plain(colour)


def _light(settings: LightSettings, picture: BackgroundPicture | None) -> Light:
    around = settings.environment
    if around.source == "picture" and picture is not None:
        environment = environment_of(picture.pixels)
    else:
        sky, ground = (np.array(linear(_floats(colour))) for colour in (around.sky, around.ground))
        environment = Environment(_radiance((sky + ground) / 2), up=_radiance((sky - ground) / 2))
    return Light(
        key=_lamp(settings.key, USUAL.key),
        fill=_lamp(settings.fill, USUAL.fill),
        rim=_lamp(settings.rim, USUAL.rim),
        environment=replace(environment, strength=around.strength),
    )


def _lamp(settings: LampSettings, usual: Lamp) -> Lamp:
    """A lamp as bright as the usual one of its kind, in its own colour."""
    if settings.colour is None:
        white = np.array(temperature_colour(settings.temperature_k))
        light = white * (_luminance(usual.light) / _luminance(white))
    else:
        # As bright in its strongest part as a white one: a blue as bright to the eye would burn out.
        colour = np.array(linear(_floats(settings.colour)))
        light = colour * (max(usual.light) / max(float(colour.max()), 1e-3))
    return Lamp(radians(settings.yaw_deg), radians(settings.pitch_deg), _radiance(light), settings.strength)


def environment_of(pixels: NDArray[np.uint8]) -> Environment:
    """Light from a picture as if it were all around: its left lights from the left, its top from above.

    Args:
        pixels: (H, W, 3) uint8 sRGB.
    """
    rows, columns = pixels.shape[:2]
    scale = min(1.0, SMALL / max(rows, columns))
    size = max(2, round(columns * scale)), max(2, round(rows * scale))
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float64) / 255.0
    light = np.where(small <= 0.04045, small / 12.92, ((small + 0.055) / 1.055) ** 2.4)
    even = light.mean(axis=(0, 1))
    right, up = np.linspace(-1, 1, size[0]), np.linspace(1, -1, size[1])
    # The slope that fits best, and two thirds of it: what is left once every surface gathers half of the sphere.
    across = (light * right[None, :, None]).mean(axis=(0, 1)) / np.square(right).mean() * 2 / 3
    along = (light * up[:, None, None]).mean(axis=(0, 1)) / np.square(up).mean() * 2 / 3
    # Cameras make bright and dark places look alike: half of the difference is left, in stops.
    brightness = max(_luminance(even), 1e-3)
    level = _luminance(USUAL.environment.even) * (brightness / MIDDLE_GREY) ** 0.5 / brightness
    return Environment(_radiance(even * level), right=_radiance(across * level), up=_radiance(along * level))


def _luminance(light: Radiance | NDArray[np.floating]) -> float:
    return 0.2126 * float(light[0]) + 0.7152 * float(light[1]) + 0.0722 * float(light[2])


def _radiance(light: NDArray[np.floating]) -> Radiance:
    return float(light[0]), float(light[1]), float(light[2])


def _floats(colour: tuple[int, int, int]) -> tuple[float, float, float]:
    return colour[0] / 255.0, colour[1] / 255.0, colour[2] / 255.0
