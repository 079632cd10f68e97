"""Videos and pictures of a session, read through PyAV and OpenCV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from recordings.exporters import ExportError, ExportOptions, export_session
from recordings.exporters.base import FrameView
from recordings.reader import Session, open_session
from tests.helpers.media import write_clip
from tests.recordings.exporters.conftest import FPS, FRAMES, MakeSession

BEEP_S = 0.4


def clip_with_beep(path: Path) -> Path:
    """A second of pictures that grow brighter; a tone that begins at BEEP_S."""
    silent = write_clip(
        path.with_name("silent.mkv"), [np.full((48, 64, 3), 10 * n, np.uint8) for n in range(FRAMES)], FPS
    )
    rate = 44_100
    at = np.arange(rate) / rate
    sound = (np.sin(2 * np.pi * 880 * at) * (at >= BEEP_S) * 20_000).astype(np.int16)
    with av.open(str(silent)) as pictures, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(pictures.streams.video[0])
        heard = out.add_stream("pcm_s16le", rate=rate, layout="mono")
        for packet in pictures.demux(pictures.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
        frame = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
        frame.rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        out.mux(heard.encode(frame))
        out.mux(heard.encode(None))
    return path


@pytest.fixture
def filmed(make_session: MakeSession, tmp_path: Path) -> Session:
    return open_session(make_session("filmed", video=str(clip_with_beep(tmp_path / "clip.mkv"))))


def beep_of(path: Path) -> float:
    """When the tone of a file begins, in seconds of the file."""
    with av.open(str(path)) as container:
        loud = []
        for frame in container.decode(audio=0):
            values = np.abs(frame.to_ndarray().astype(np.float64)).max(axis=0)
            limit = 0.1 * (32768 if frame.format.name.startswith("s16") else 1)
            found = np.flatnonzero(values > limit)
            if len(found):
                loud.append(float(frame.time or 0) + float(found[0]) / frame.sample_rate)
        return min(loud)


@pytest.mark.parametrize(("name", "codec", "sound"), [("mp4", "h264", "aac"), ("webm", "vp9", "opus")])
def test_a_video_keeps_times_and_sound(filmed: Session, tmp_path: Path, name: str, codec: str, sound: str) -> None:
    out = tmp_path / f"out.{name}"
    export_session(filmed, name, out, ExportOptions(view="input", start_s=0.12))
    with av.open(str(out)) as container:
        assert container.streams.video[0].codec_context.name.startswith(codec)
        assert container.streams.audio[0].codec_context.name.startswith(sound)
        frames = [(float(f.time), float(f.to_ndarray(format="gray").mean())) for f in container.decode(video=0)]
    assert [t for t, _ in frames] == pytest.approx([n / FPS for n in range(FRAMES - 3)], abs=2e-3)
    # The first picture is the session's fourth.
    assert frames[0][1] == pytest.approx(30, abs=4) and frames[-1][1] == pytest.approx(190, abs=4)
    assert beep_of(out) == pytest.approx(BEEP_S - 0.12, abs=0.03)
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_without_sound(filmed: Session, tmp_path: Path) -> None:
    export_session(filmed, "mp4", tmp_path / "out.mp4", ExportOptions(view="input", audio=False))
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


def test_views_that_need_pictures_say_so(session: Session, tmp_path: Path) -> None:
    views: tuple[FrameView, ...] = ("overlay", "input")
    for view in views:
        with pytest.raises(ExportError, match="has no pictures"):
            export_session(session, "mp4", tmp_path / "out.mp4", ExportOptions(view=view))
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.gl
def test_rendered_pictures_are_transparent_around_the_head(session: Session, tmp_path: Path) -> None:
    export_session(session, "png", tmp_path / "png", ExportOptions(end_s=0.1, size=(160, 120)))
    assert sorted(p.name for p in (tmp_path / "png").iterdir()) == [f"frame_{n:06d}.png" for n in range(3)]
    picture = cv2.imread(str(tmp_path / "png" / "frame_000001.png"), cv2.IMREAD_UNCHANGED)
    assert picture is not None and picture.shape == (120, 160, 4)
    assert picture[2, 2, 3] == 0 and picture[60, 80, 3] == 255
    export_session(session, "png", tmp_path / "solid", ExportOptions(end_s=0.1, size=(160, 120), transparent=False))
    solid = cv2.imread(str(tmp_path / "solid" / "frame_000001.png"), cv2.IMREAD_UNCHANGED)
    assert solid is not None and solid.shape == (120, 160, 3)


@pytest.mark.gl
def test_the_overlay_lies_on_the_recorded_picture(filmed: Session, tmp_path: Path) -> None:
    export_session(filmed, "mp4", tmp_path / "out.mp4", ExportOptions(view="overlay", start_s=0.4, end_s=0.5))
    with av.open(str(tmp_path / "out.mp4")) as container:
        frames = [f.to_ndarray(format="gray") for f in container.decode(video=0)]
    assert frames[0].shape == (480, 640)
    assert frames[0][5, 5] == pytest.approx(100, abs=6)
    assert frames[0].std() > 5, "something is drawn over the even picture"


def test_sizes_that_cannot_be(session: Session, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="cannot be made"):
        export_session(session, "png", tmp_path / "png", ExportOptions(size=(20_000, 10)))
