"""Rendering beside the tracking: nothing is lost, and errors come back to whoever waits."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from app.jobs.track import fitted, pane_size
from app.jobs.video import VideoThread
from recordings.video import VideoWriter
from tests.helpers.tracked import no_face

pytestmark = pytest.mark.usefixtures("no_leaked_threads")


def test_every_frame_is_written(tmp_path: Path) -> None:
    video = VideoThread(lambda face: face.frame.image, VideoWriter(tmp_path / "a.mp4", 64, 48, 25))
    for _ in range(20):
        video.add(no_face())
    video.close()
    video.close()
    with av.open(str(tmp_path / "a.mp4")) as film:
        assert len(list(film.decode(video=0))) == 20


def test_errors_reach_the_caller_once(tmp_path: Path) -> None:
    def fail(face: object) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        raise RuntimeError("no more paint")

    video = VideoThread(fail, VideoWriter(tmp_path / "a.mp4", 64, 48, 25))
    with pytest.raises(RuntimeError, match="no more paint"):
        for _ in range(100):
            video.add(no_face())
    video.close()
    assert not (tmp_path / "a.mp4").exists()


def test_errors_at_the_end_are_not_lost(tmp_path: Path) -> None:
    video = VideoThread(lambda face: np.zeros((1, 1, 3), np.uint8), VideoWriter(tmp_path / "a.mp4", 64, 48, 25))
    video.add(no_face())
    with pytest.raises(ValueError, match="promised"):
        video.close()


def test_panes_keep_the_shape_and_stay_within_limits() -> None:
    assert pane_size((400, 300)) == (400, 300)
    assert pane_size((401, 301)) == (400, 300)
    assert pane_size((7680, 4320)) == (1920, 1080)
    assert pane_size((1, 1)) == (64, 64)
    width, height = pane_size((20, 4000))
    assert width >= 64 and height <= 1920


def test_pictures_are_fitted_with_bars() -> None:
    white = np.full((10, 40, 3), 255, np.uint8)
    result = fitted(white, (80, 60))
    assert result.shape == (60, 80, 3)
    assert result[30].min() == 255 and result[:15].max() == 0
