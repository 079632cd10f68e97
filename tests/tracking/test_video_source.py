"""Video files: their own timestamps, upright square pixels, pacing, loops, seeking and damaged files."""

from __future__ import annotations

import shutil
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.media import turn_mp4, write_clip
from tracking.sources import SourceError, VideoSource

# H.264 at crf 4 changes a flat grey by a step or two.
GREY_TOLERANCE = 3


def number(image: np.ndarray) -> int:
    """Which picture of `tiny_clip` this is."""
    return round((float(image.mean()) - 10.0) / 10.0)


def corner_picture() -> np.ndarray:
    """64 x 48, black, the top left quarter red."""
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32, 0] = 255
    return picture


def red_corner(image: np.ndarray) -> tuple[str, str]:
    """Where the red quarter lies."""
    rows, columns = np.nonzero(image[..., 0] > 128)
    return (
        "top" if rows.mean() < image.shape[0] / 2 else "bottom",
        "left" if columns.mean() < image.shape[1] / 2 else "right",
    )


def test_gives_every_picture_with_its_index_time_and_colour(tiny_clip: Path) -> None:
    with VideoSource(tiny_clip) as source:
        frames = list(source)
    assert [frame.index for frame in frames] == list(range(20))
    assert [frame.time_s for frame in frames] == pytest.approx([n / 10 for n in range(20)], abs=1e-3)
    for n, frame in enumerate(frames):
        assert frame.image.shape == (48, 64, 3)
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous
        assert abs(float(frame.image.mean()) - (10 + 10 * n)) < GREY_TOLERANCE
    assert [f.captured_ns for f in frames] == sorted(f.captured_ns for f in frames)


def test_tells_size_rate_length_and_that_it_is_not_live(tiny_clip: Path) -> None:
    with VideoSource(tiny_clip) as source:
        assert (source.width, source.height) == (64, 48)
        assert source.fps == pytest.approx(10.0, rel=0.1)
        assert source.duration_s == pytest.approx(2.0, abs=0.15)
        assert source.frame_count == 20
        assert not source.live
        assert source.name == "tiny.mp4"
        assert source.warning is None
        list(source)
        assert source.warning is None
        assert source.read() is None


def test_keeps_the_timestamps_of_a_variable_frame_rate(tmp_path: Path) -> None:
    times = [0, 40, 50, 400, 410, 1000]
    pictures = [np.full((48, 64, 3), 100, np.uint8)] * len(times)
    path = write_clip(tmp_path / "vfr.mkv", pictures, 25, times_ms=times)
    with VideoSource(path) as source:
        assert [frame.time_s for frame in source] == pytest.approx([t / 1000 for t in times], abs=1e-3)
        assert source.warning is None


@pytest.mark.parametrize(
    ("degrees", "corner"), [(90, ("top", "right")), (180, ("bottom", "right")), (270, ("bottom", "left"))]
)
def test_turns_pictures_upright(tmp_path: Path, degrees: int, corner: tuple[str, str]) -> None:
    path = turn_mp4(write_clip(tmp_path / "phone.mp4", [corner_picture()] * 3), degrees)
    with VideoSource(path) as source:
        size = (48, 64) if degrees in (90, 270) else (64, 48)
        assert (source.width, source.height) == size
        frame = source.read()
    assert frame is not None
    assert frame.image.shape == (size[1], size[0], 3)
    assert red_corner(frame.image) == corner


def test_makes_pixels_square(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "wide.mkv", [corner_picture()] * 3, sample_aspect=Fraction(3, 2))
    with VideoSource(path) as source:
        assert (source.width, source.height) == (96, 48)


def test_unmirrors_on_request(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "mirrored.mp4", [corner_picture()] * 2)
    with VideoSource(path, mirrored=True) as source:
        frame = source.read()
    assert frame is not None
    assert red_corner(frame.image) == ("top", "right")
    assert frame.image.flags.c_contiguous


def test_loop_starts_over_and_goes_on_counting(tiny_clip: Path) -> None:
    with VideoSource(tiny_clip, loop=True) as source:
        frames = [source.read() for _ in range(45)]
    assert all(frame is not None for frame in frames)
    assert [f.index for f in frames if f] == list(range(45))
    assert [number(f.image) for f in frames if f] == [n % 20 for n in range(45)]
    assert [f.time_s for f in frames if f][20] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("target", [0, 3, 7, 19])
def test_seek_goes_to_the_picture_of_that_time(tiny_clip: Path, target: int) -> None:
    with VideoSource(tiny_clip) as source:
        for _ in range(12):
            source.read()
        source.seek(target / 10)
        frame = source.read()
        assert frame is not None
        assert number(frame.image) == target
        assert frame.index == 12
        following = source.read()
        assert (following is None) == (target == 19)


def test_seek_works_after_the_end_and_beyond_it(tiny_clip: Path) -> None:
    with VideoSource(tiny_clip) as source:
        list(source)
        source.seek(0.5)
        frame = source.read()
        assert frame is not None
        assert number(frame.image) == 5
        source.seek(100.0)
        assert source.read() is None
        assert source.warning is None


def test_paced_reading_takes_as_long_as_the_video(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "short.mp4", [np.zeros((48, 64, 3), np.uint8)] * 6, 20)
    with VideoSource(path, paced=True) as source:
        assert source.live
        start = time.monotonic()
        frames = list(source)
    # The first picture is due at once, the sixth a quarter of a second later; a slow machine may only be later.
    assert time.monotonic() - start >= 0.24
    for frame in frames:
        assert (frame.captured_ns - frames[0].captured_ns) / 1e9 >= frame.time_s - 0.005


def test_close_ends_a_paced_read_at_once(tmp_path: Path, no_leaked_threads: None) -> None:
    pictures = [np.zeros((48, 64, 3), np.uint8)] * 3
    path = write_clip(tmp_path / "slow.mkv", pictures, 25, times_ms=[0, 60_000, 120_000])
    source = VideoSource(path, paced=True)
    source.open()
    assert source.read() is not None
    results: list[object] = []
    reader = threading.Thread(target=lambda: results.append(source.read()))
    reader.start()
    time.sleep(0.05)
    start = time.monotonic()
    source.close()
    reader.join(5.0)
    assert results == [None]
    assert time.monotonic() - start < 1.0


def test_seek_ends_a_paced_wait(tmp_path: Path) -> None:
    pictures = [np.full((48, 64, 3), v, np.uint8) for v in (10, 100, 200)]
    path = write_clip(tmp_path / "slow.mkv", pictures, 25, times_ms=[0, 60_000, 120_000])
    with VideoSource(path, paced=True) as source:
        source.read()
        threading.Timer(0.05, lambda: source.seek(110.0)).start()
        frame = source.read()
    assert frame is not None
    assert frame.time_s == pytest.approx(120.0, abs=1e-3)


def test_can_be_opened_again(tiny_clip: Path) -> None:
    source = VideoSource(tiny_clip)
    for _ in range(2):
        with source:
            assert len(list(source)) == 20
    assert source.read() is None


def truncated(path: Path, keep: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    return path


def noise_clip(path: Path) -> Path:
    rng = np.random.default_rng(0)
    return write_clip(path, [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(40)], 10)


def test_truncated_video_gives_what_it_has_and_a_warning(tmp_path: Path) -> None:
    with VideoSource(truncated(noise_clip(tmp_path / "cut.mkv"), 0.5)) as source:
        frames = list(source)
        assert 10 <= len(frames) <= 30
        assert source.warning is not None
        assert "cut short" in source.warning
        assert f"{len(frames)} pictures" in source.warning


def test_damage_in_the_middle_is_skipped(tmp_path: Path) -> None:
    path = noise_clip(tmp_path / "damaged.mkv")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = bytes(4000)
    path.write_bytes(content)
    with VideoSource(path) as source:
        frames = list(source)
        assert 5 <= len(frames) <= 40
        assert source.warning is not None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"this is a letter, not a film\n" * 50, "is not a video"),
        (bytes(range(256)) * 100, "is not a video"),
    ],
)
def test_no_video_gives_one_sentence(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=expected) as caught:
        VideoSource(path).open()
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_mp4_cut_before_its_index_gives_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not a video, or it is damaged or cut short"):
        VideoSource(truncated(noise_clip(tmp_path / "cut.mp4"), 0.5)).open()


def test_missing_file_folder_and_unopened_source_give_one_sentence(tmp_path: Path, tiny_clip: Path) -> None:
    with pytest.raises(SourceError, match="There is no file"):
        VideoSource(tmp_path / "absent.mp4").open()
    with pytest.raises(SourceError, match="is a folder"):
        VideoSource(tmp_path).open()
    with pytest.raises(SourceError, match="not open"):
        VideoSource(tiny_clip).read()


def test_sound_without_pictures_gives_one_sentence(tmp_path: Path) -> None:
    import wave

    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    shutil.copy(tmp_path / "sound.wav", tmp_path / "sound.mp4")
    with pytest.raises(SourceError, match="no pictures"):
        VideoSource(tmp_path / "sound.mp4").open()
