"""Colours: text can be read, in both themes."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from app.theme import LEAST_CONTRAST, LEAST_EDGE_CONTRAST, THEMES, contrast, edge_pairs, luminance, text_pairs


def test_the_formula_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert luminance("#ff0000") == pytest.approx(0.2126)


@pytest.mark.parametrize("name", sorted(THEMES))
def test_all_text_has_enough_contrast(name: str) -> None:
    poor = {
        what: round(contrast(a, b), 2) for what, a, b in text_pairs(THEMES[name]) if contrast(a, b) < LEAST_CONTRAST
    }
    assert not poor


@pytest.mark.parametrize("name", sorted(THEMES))
def test_focus_and_bars_stand_out(name: str) -> None:
    poor = [what for what, a, b in edge_pairs(THEMES[name]) if contrast(a, b) < LEAST_EDGE_CONTRAST]
    assert not poor


@pytest.mark.parametrize("name", sorted(THEMES))
def test_every_colour_is_one(name: str) -> None:
    for colour in asdict(THEMES[name]).values():
        assert len(colour) == 7 and int(colour[1:], 16) >= 0
