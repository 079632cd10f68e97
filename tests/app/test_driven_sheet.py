"""The sheet of driven people."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from app.tools.driven_sheet import TILE, lively_moments, sheet
from tracking.detail_settings import DetailSettings


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.gl
def test_a_person_is_driven_with_visible_relief(demo_clip: Path, data_dir: Path) -> None:
    photo = data_dir / "london_set" / "neutral" / "021.jpg"
    picture = sheet([photo], str(demo_clip), DetailSettings())
    rows = picture.reshape(3, TILE, -1, 3).astype(float)
    flat, creased = rows[1][:, TILE:], rows[2][:, TILE:]
    # The same heads, with relief: most pixels alike, those on folds clearly not. This clip's folds are few and faint.
    difference = np.abs(flat - creased).max(axis=2)
    assert np.median(difference) < 3
    assert np.quantile(difference, 0.999) > 8
    # Each moment has its own.
    tiles = np.split(creased - flat, 5, axis=1)
    assert all(np.abs(a - b).max() > 4 for a, b in pairwise(tiles))


@pytest.mark.slow
def test_moments_differ_and_keep_their_order(demo_clip: Path) -> None:
    moments = lively_moments(str(demo_clip), 3)
    times = [m.frame.time_s for m in moments]
    assert times == sorted(times) and min(np.diff(times)) >= 1.5
