"""Colours of people in linear light."""

from __future__ import annotations

from math import log

from rendering.scene import Colour, Radiance

__all__ = ["linear", "temperature_colour"]


def linear(colour: Colour) -> tuple[float, float, float]:
    """An sRGB colour in linear light."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return r, g, b


def temperature_colour(kelvin: float) -> Radiance:
    """Linear sRGB of a black body's white, its largest part 1; a fit to 1,500 to 15,000 K (T. Helland, "How to Convert
    Temperature (K) to RGB", 2012)."""
    t = kelvin / 100.0
    if t <= 66.0:
        red, green = 255.0, 99.4708 * log(t) - 161.1196
        blue = 0.0 if t <= 19.0 else 138.5177 * log(t - 10.0) - 305.0448
    else:
        red, green = 329.6987 * (t - 60.0) ** -0.13320, 288.1222 * (t - 60.0) ** -0.07551
        blue = 255.0
    r, g, b = (min(max(c / 255.0, 0.0), 1.0) for c in (red, green, blue))
    return linear((r, g, b))
