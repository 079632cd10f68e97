"""Colours of the window, light and dark, and the contrast between them. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_CONTRAST = 4.5
"""Of text against what is behind it: WCAG 2.2, level AA."""
LEAST_EDGE_CONTRAST = 3.0
"""Of the focus ring and of marks that carry meaning."""


@dataclass(frozen=True, slots=True)
class Colours:
    """One theme, each colour as #rrggbb.

    Attributes:
        window: behind everything.
        panel: behind the content of docks.
        control, control_hover: buttons and fields.
        line: between things.
        text, muted: on window, panel and control.
        accent, on_accent: what is chosen or may be pressed first, and text on it.
        focus: ring around what has the keyboard.
        good, caution, bad: states, as text or mark on window and panel.
        caution_back, bad_back, info_back: behind `text` in banners.
        bar, bar_back: expression bars and their troughs.
    """

    window: str
    panel: str
    control: str
    control_hover: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str
    focus: str
    good: str
    caution: str
    bad: str
    caution_back: str
    bad_back: str
    info_back: str
    bar: str
    bar_back: str


DARK = Colours(
    window="#14161a",
    panel="#1b1e23",
    control="#282c33",
    control_hover="#333842",
    line="#2f343d",
    text="#e9ebef",
    muted="#a3abb8",
    accent="#2f6cd8",
    on_accent="#ffffff",
    focus="#7fb0ff",
    good="#4fd08b",
    caution="#f2b84b",
    bad="#ff8278",
    caution_back="#3d3014",
    bad_back="#451f1f",
    info_back="#1c2f4d",
    bar="#5b9cff",
    bar_back="#262a31",
)
LIGHT = Colours(
    window="#eceef1",
    panel="#f9fafb",
    control="#e6e9ee",
    control_hover="#d9dee6",
    line="#d2d7df",
    text="#181b20",
    muted="#535b68",
    accent="#1d62cf",
    on_accent="#ffffff",
    focus="#1d62cf",
    good="#12713f",
    caution="#875200",
    bad="#b3261e",
    caution_back="#fbe7bd",
    bad_back="#fbdcd9",
    info_back="#d8e6fb",
    bar="#2c73e0",
    bar_back="#e1e5eb",
)
THEMES = {"light": LIGHT, "dark": DARK}


def luminance(colour: str) -> float:
    """Relative luminance, 0..1, of #rrggbb, as WCAG defines it."""
    channels = [int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(first: str, second: str) -> float:
    """Contrast ratio, 1..21, of two colours."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def text_pairs(colours: Colours) -> list[tuple[str, str, str]]:
    """(what, text, background) for all text that the window shows."""
    c = colours
    pairs = [
        (f"{name} on {place}", getattr(c, name), getattr(c, place))
        for name in ("text", "muted")
        for place in ("window", "panel", "control")
    ]
    pairs += [(f"text on {place}", c.text, getattr(c, place)) for place in ("control_hover", "caution_back")]
    pairs += [(f"text on {place}", c.text, getattr(c, place)) for place in ("bad_back", "info_back", "bar_back")]
    pairs += [
        (f"{name} on {place}", getattr(c, name), getattr(c, place))
        for name in ("good", "caution", "bad")
        for place in ("window", "panel")
    ]
    pairs.append(("on_accent on accent", c.on_accent, c.accent))
    return pairs


def edge_pairs(colours: Colours) -> list[tuple[str, str, str]]:
    """(what, mark, background) for the focus ring and other marks that carry meaning."""
    c = colours
    marks = [("focus", place) for place in ("window", "panel", "control")] + [("bar", "panel"), ("bar", "bar_back")]
    return [(f"{mark} on {place}", getattr(c, mark), getattr(c, place)) for mark, place in marks]
