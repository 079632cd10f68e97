"""A session at a glance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recordings.overview import COLUMNS, overview, sound_outline
from recordings.reader import open_session
from tests.recordings.exporters.conftest import FRAMES, MakeSession, make_session
from tests.recordings.exporters.test_video import BEEP_S, clip_with_beep

__all__ = ["make_session"]


def test_pictures_sound_and_curves(make_session: MakeSession, tmp_path: Path) -> None:
    session = open_session(make_session("filmed", video=str(clip_with_beep(tmp_path / "clip.mkv"))))
    found = overview(session, pictures=5)
    assert [t for t, _ in found.thumbnails] == sorted(t for t, _ in found.thumbnails) and len(found.thumbnails) == 5
    assert found.thumbnails[0][1].shape == (54, 72, 3)
    span = float(session.track.time_s[-1] - session.track.time_s[0])
    loud = np.flatnonzero(found.sound > 0.1)
    assert loud[0] / COLUMNS * span == pytest.approx(BEEP_S, abs=0.01)
    assert found.sound[: loud[0] - 20].max() < 0.05 and found.sound[loud[0] + 20 :].min() > 0.3
    assert np.nanmax(found.curves[0]) == pytest.approx(0.8 * (FRAMES - 1) / FRAMES, abs=1e-4)


def test_long_sessions_are_summed_up_by_the_loudest(make_session: MakeSession, tmp_path: Path) -> None:
    """With columns longer than a block of sound: the beep fills those after its start."""
    session = open_session(make_session("filmed", video=str(clip_with_beep(tmp_path / "clip.mkv"))))
    few = sound_outline(session, columns=4)
    assert few[0] < 0.05 and few[1] < 0.05 and few[2:].min() > 0.3


def test_what_cannot_be_read_is_left_empty(make_session: MakeSession, tmp_path: Path) -> None:
    (tmp_path / "clip.mkv").write_bytes(b"nothing")
    found = overview(open_session(make_session("broken", video=str(tmp_path / "clip.mkv"))))
    assert found.thumbnails == () and not len(found.sound[found.sound > 0])
    assert found.seen.mean() == pytest.approx(0.9, abs=0.02)
    found = overview(open_session(make_session("none")), cancelled=lambda: True)
    assert found.thumbnails == () and not len(found.sound)
