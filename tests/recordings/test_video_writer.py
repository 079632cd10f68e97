"""Rendered videos, read back."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from recordings.video import CODECS, Codec, VideoWriter, VideoWriterError
from tracking.threads import no_real_time


def picture(value: int, width: int = 64, height: int = 48) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize(("codec", "suffix"), [("h264", "mp4"), ("vp9", "webm"), ("av1", "mkv")])
def test_every_codec(tmp_path: Path, codec: Codec, suffix: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"film.{suffix}"
    with VideoWriter(path, 64, 48, 25, codec) as writer:
        for n in range(10):
            writer.add(picture(20 * n), n / 25)
        assert not path.exists()  # a crash leaves nothing that looks finished
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    with av.open(str(path)) as film:
        assert film.streams.video[0].codec_context.name.startswith({"h264": "h264", "vp9": "vp9"}.get(codec, "lib"))
        pictures = list(film.decode(video=0))
    assert [p.time for p in pictures] == pytest.approx([n / 25 for n in range(10)], abs=1e-3)
    levels = [float(p.to_ndarray(format="rgb24").mean()) for p in pictures]
    assert levels == pytest.approx([20 * n for n in range(10)], abs=6)  # lossy
    assert capfd.readouterr().err == ""
    assert set(CODECS) == {"h264", "vp9", "av1"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone has threads with policies of their own")
@pytest.mark.parametrize("codec", CODECS)
def test_no_encoder_makes_threads_real_time(tmp_path: Path, codec: Codec) -> None:
    """SVT-AV1 does where the user is root: then the tracking's threads would stop everything else."""
    assert sys.platform == "linux"
    with VideoWriter(tmp_path / "film.mkv" if codec != "vp9" else tmp_path / "film.webm", 64, 48, 25, codec) as writer:
        writer.add(picture(100), 0)
        policies = {os.sched_getscheduler(int(task.name)) for task in Path("/proc/self/task").iterdir()}
        assert not policies & {os.SCHED_FIFO, os.SCHED_RR}


def test_real_time_threads_are_usual_ones_again() -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("Linux alone has threads with policies of their own")
    assert sys.platform == "linux"
    try:
        with no_real_time():
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
            assert os.sched_getscheduler(0) == os.SCHED_FIFO
    except PermissionError:
        pytest.skip("this user may not make real-time threads")
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_variable_times_and_a_late_start(tmp_path: Path) -> None:
    times = [5.0, 5.04, 5.2, 5.2, 5.5]
    with VideoWriter(tmp_path / "a.mp4", 64, 48, 25) as writer:
        for time_s in times:
            writer.add(picture(100), time_s)
    with av.open(str(tmp_path / "a.mp4")) as film:
        read = [p.time for p in film.decode(video=0)]
    assert read == pytest.approx([0, 0.04, 0.2, 0.24, 0.5], abs=1e-3)  # what stands still follows at the nominal rate


def test_odd_sizes_lose_a_line(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", 65, 49, 25) as writer:
        writer.add(picture(100, 65, 49), 0)
        with pytest.raises(ValueError, match="promised"):
            writer.add(picture(100, 32, 32), 1)
    with av.open(str(tmp_path / "a.mp4")) as film:
        assert (film.streams.video[0].width, film.streams.video[0].height) == (64, 48)


def test_without_a_picture_there_is_no_file(tmp_path: Path) -> None:
    VideoWriter(tmp_path / "a.mp4", 64, 48, 25).close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "codec", "words"),
    [("a.gif", "h264", "not a name for a video"), ("a", "h264", "not a name"), ("a.webm", "h264", "vp9 or av1")],
)
def test_names_that_do_not_fit(tmp_path: Path, name: str, codec: Codec, words: str) -> None:
    with pytest.raises(VideoWriterError, match=words):
        VideoWriter(tmp_path / name, 64, 48, 25, codec)


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VideoWriterError, match="cannot be written"):
        VideoWriter(tmp_path / "file" / "a.mp4", 64, 48, 25)


def test_a_codec_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CODECS, "h264", ("libnowhere", {}))
    with pytest.raises(VideoWriterError, match="--codec"):
        VideoWriter(tmp_path / "a.mp4", 64, 48, 25)
    assert not list(tmp_path.iterdir())
