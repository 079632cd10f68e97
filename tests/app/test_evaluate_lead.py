"""`evaluate lead` on the clip that ships."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.app.conftest import Run
from tests.helpers.media import write_clip
from tracking.sources import VideoSource


@pytest.fixture(scope="module")
def short_clip(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with VideoSource(demo_clip) as source:
        images = [frame.image for frame, _ in zip(source, range(75), strict=False)]
    path = tmp_path_factory.mktemp("clips") / "short.mp4"
    write_clip(path, images)
    return path


def test_the_shipped_network_leads_near_detector_and_fit(run: Run, short_clip: Path, tmp_path: Path) -> None:
    result = run("evaluate", "lead", short_clip, "--out", tmp_path)
    assert result.status == 0, result.err
    figures = json.loads((tmp_path / "report.json").read_text())["clips"]["short.mp4"]
    assert figures["frames"] == 45 and 0.7 < figures["led"] < 0.9
    assert figures["distance_percent"] < 3
    assert "short.mp4" in result.out


def test_what_cannot_be_compared_is_said(run: Run, short_clip: Path, tmp_path: Path) -> None:
    wrong = run("evaluate", "lead", short_clip, "--out", tmp_path, "--coarse.mode", "off")
    assert wrong.status == 2 and "leading network" in wrong.sentence()
    path = tmp_path / "nobody.mp4"
    write_clip(path, [np.full((120, 160, 3), 90, np.uint8)] * 70)
    nobody = run("evaluate", "lead", path, "--out", tmp_path)
    assert nobody.status == 2 and "take a longer clip" in nobody.sentence()
    mixed = run("evaluate", "lead", path, short_clip, "--out", tmp_path)
    assert mixed.status == 1 and "nobody.mp4" in mixed.sentence() and "short.mp4" in mixed.out
