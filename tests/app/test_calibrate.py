"""`calibrate`: storing a neutral face from a clip."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.calibrate import Options, capture_neutral
from app.errors import CommandError
from tracking.calibration import CalibrationError, CaptureSettings
from tracking.calibration_store import CalibrationStore


def test_a_calm_second_of_a_clip_is_stored(demo_clip: Path, tmp_path: Path) -> None:
    store = CalibrationStore(tmp_path)
    capture = CaptureSettings(duration_s=0.4, max_expression_change=0.9)
    path = capture_neutral(Options(person="Ada", input=str(demo_clip), start=0.4, capture=capture), store)
    assert path.is_file()
    stored = store.load("Ada")
    assert stored is not None
    assert stored.frames >= 8
    assert 0.3 < stored.head_position_m[2] < 1.5


def test_a_clip_without_a_face_stores_nothing(tiny_clip: Path, tmp_path: Path) -> None:
    store = CalibrationStore(tmp_path)
    with pytest.raises(CalibrationError):
        capture_neutral(Options(person="Ada", input=str(tiny_clip), start=0.2), store)
    assert store.people() == []


def test_a_clip_that_is_too_short_is_refused(tiny_clip: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="longer"):
        capture_neutral(Options(person="Ada", input=str(tiny_clip), start=1.8), CalibrationStore(tmp_path))
