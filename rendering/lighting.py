"""A scene's light as the shaders' uniforms."""

from __future__ import annotations

from math import cos, sin, sqrt
from typing import Any

from rendering.scene import Environment, Lamp, Light, Radiance, Scene

__all__ = ["direction", "light_uniforms"]

Vector = tuple[float, float, float]

USUAL = Light()
KEY_SHARE = 0.62
"""Of the key light in what lights a drawn (two-toned) surface; the rest is the environment's."""


def direction(lamp: Lamp) -> Vector:
    """Unit vector towards a lamp in the view's frame: x right, y up, z to the viewer."""
    return sin(lamp.yaw) * cos(lamp.pitch), sin(lamp.pitch), cos(lamp.yaw) * cos(lamp.pitch)


def light_uniforms(scene: Scene) -> dict[str, Any]:
    """Values by the names that `light.glsl` and the surfaces give them; a light that is off is black."""
    light = scene.light
    around = light.environment
    # A mirrored picture is drawn from the same view frame and flipped last; its background is not.
    side = -1.0 if scene.mirror else 1.0
    rim = direction(light.rim)
    key = direction(light.key)
    toward = (key[0], key[1], key[2] + 0.6)
    long = sqrt(sum(v * v for v in toward)) or 1.0
    return {
        "u_key_direction": key,
        "u_fill_direction": direction(light.fill),
        "u_rim_direction": (abs(rim[0]), rim[1], rim[2]),
        "u_key_light": _scaled(light.key.light, light.key.strength),
        "u_fill_light": _scaled(light.fill.light, light.fill.strength),
        "u_rim_light": _scaled(light.rim.light, light.rim.strength),
        **{f"u_sky_{name}": _sky(around, channel, side) for channel, name in enumerate(("red", "green", "blue"))},
        "u_toward": (toward[0] / long, toward[1] / long, toward[2] / long),
        "u_drawn_light": _drawn(light),
    }


def _scaled(colour: Radiance, strength: float) -> Radiance:
    return colour[0] * strength, colour[1] * strength, colour[2] * strength


def _sky(around: Environment, channel: int, side: float) -> tuple[float, float, float, float]:
    parts = side * around.right[channel], around.up[channel], around.near[channel], around.even[channel]
    return tuple(part * around.strength for part in parts)  # type: ignore[return-value]


def _drawn(light: Light) -> Radiance:
    """What lights a two-toned surface, which has its own colours under the usual light: white there."""
    key = (light.key.strength * a / b for a, b in zip(light.key.light, USUAL.key.light, strict=True))
    around = light.environment
    even = (around.strength * a / b for a, b in zip(around.even, USUAL.environment.even, strict=True))
    red, green, blue = (KEY_SHARE * k + (1.0 - KEY_SHARE) * e for k, e in zip(key, even, strict=True))
    return red, green, blue
