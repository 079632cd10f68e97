"""Pictures and folders of pictures: kinds, order, damage, limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from tracking.sources import ImageSource, SourceError, images, load_image, open_source
from tracking.sources.images import natural_key


def save(path: Path, values: np.ndarray, **options: Any) -> Path:
    PillowImage.fromarray(values).save(path, **options)
    return path


def red_corner() -> np.ndarray:
    picture = np.zeros((30, 40, 3), np.uint8)
    picture[:15, :20, 0] = 255
    return picture


def test_colours_are_rgb(tmp_path: Path) -> None:
    image = load_image(save(tmp_path / "a.png", red_corner()))
    np.testing.assert_array_equal(image, red_corner())
    assert image.flags.c_contiguous
    assert image.dtype == np.uint8


def test_grey_becomes_three_channels(tmp_path: Path) -> None:
    grey = np.arange(120, dtype=np.uint8).reshape(10, 12)
    np.testing.assert_array_equal(load_image(save(tmp_path / "g.png", grey)), np.repeat(grey[..., None], 3, 2))


def test_black_and_white_palette_and_cmyk(tmp_path: Path) -> None:
    whole = PillowImage.fromarray(red_corner())
    whole.convert("1").save(tmp_path / "one.png")
    whole.convert("P").save(tmp_path / "palette.png")
    whole.convert("CMYK").save(tmp_path / "press.jpg", quality=95)
    assert load_image(tmp_path / "one.png").shape == (30, 40, 3)
    for name in ("palette.png", "press.jpg"):
        image = load_image(tmp_path / name).astype(int)
        assert image[5, 5, 0] > 200
        assert image[5, 5, 1] < 60
        assert image[25, 35].max() < 60


def test_transparent_parts_become_grey(tmp_path: Path) -> None:
    layer = np.zeros((4, 6, 4), np.uint8)
    layer[:, :3] = (10, 200, 30, 255)
    layer[:, 3:] = (255, 0, 255, 0)
    image = load_image(save(tmp_path / "alpha.png", layer))
    assert image[0, 0].tolist() == [10, 200, 30]
    assert image[0, 5].tolist() == [128, 128, 128]


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bits_become_eight(tmp_path: Path, kind: str) -> None:
    grey = np.array([[0, 257, 25700, 65535]], np.uint16)
    cv2.imwrite(str(tmp_path / f"grey.{kind}"), grey)
    assert load_image(tmp_path / f"grey.{kind}")[0, :, 0].tolist() == [0, 1, 100, 255]


def test_sixteen_bit_colour(tmp_path: Path) -> None:
    colour = np.zeros((2, 2, 3), np.uint16)
    colour[..., 2] = 25700  # red in OpenCV's order
    cv2.imwrite(str(tmp_path / "colour.png"), colour)
    np.testing.assert_allclose(load_image(tmp_path / "colour.png")[0, 0], [100, 0, 0], atol=1)


def test_fractions_are_taken_as_zero_to_one(tmp_path: Path) -> None:
    path = save(tmp_path / "f.tiff", np.array([[0.0, 0.5, 1.0]], np.float32))
    assert load_image(path)[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))])
def test_turns_pictures_as_their_exif_says(tmp_path: Path, orientation: int, corner: tuple[int, int]) -> None:
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    image = load_image(save(tmp_path / "phone.jpg", red_corner(), exif=exif, quality=95))
    assert image.shape == ((40, 30, 3) if orientation in (6, 8) else (30, 40, 3))
    corners = {(y, x): int(image[y, x, 0]) for y in (0, -1) for x in (0, -1)}
    assert [place for place, red in corners.items() if red > 200] == [corner]


def test_one_pixel(tmp_path: Path) -> None:
    image = load_image(save(tmp_path / "dot.png", np.array([[[1, 2, 3]]], np.uint8)))
    assert image.tolist() == [[[1, 2, 3]]]


def test_8k_stays_as_it_is_and_more_is_reduced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "8k.png", np.zeros((4320, 7680), np.uint8), compress_level=1)
    assert load_image(path).shape == (4320, 7680, 3)
    assert load_image(save(tmp_path / "long.png", np.zeros((10, 9000), np.uint8))).shape == (9, 8192, 3)
    monkeypatch.setattr(images, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(SourceError, match="too large"):
        load_image(save(tmp_path / "big.png", np.zeros((11, 10), np.uint8)))


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp", "webp"])
@pytest.mark.parametrize("keep", [0.0, 0.02, 0.6])
def test_damaged_pictures_give_one_sentence(tmp_path: Path, kind: str, keep: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    path = save(tmp_path / f"cut.{kind}", noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(SourceError) as caught:
        open_source(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_missing_and_wrong_files_give_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "letter.png").write_text("dear reader")
    with pytest.raises(SourceError, match="is not a picture"):
        load_image(tmp_path / "letter.png")
    with pytest.raises(SourceError, match="There is no picture"):
        load_image(tmp_path / "absent.png")


def numbered(folder: Path, names: list[str]) -> None:
    for n, name in enumerate(names):
        save(folder / name, np.full((4, 6, 3), n, np.uint8))


def test_a_folder_is_read_in_natural_order(tmp_path: Path) -> None:
    numbered(tmp_path, ["shot1.png", "shot2.png", "Shot10.png", "shot33.png"])
    (tmp_path / "notes.txt").write_text("no picture")
    save(tmp_path / ".hidden.png", np.zeros((2, 2), np.uint8))
    (tmp_path / "folder.png").mkdir()
    with ImageSource(tmp_path, fps=10.0) as source:
        frames = list(source)
        assert [p.name for p in source.files] == ["shot1.png", "shot2.png", "Shot10.png", "shot33.png"]
        assert source.warning is None
        assert source.read() is None
    assert [int(f.image[0, 0, 0]) for f in frames] == [0, 1, 2, 3]
    assert [f.index for f in frames] == [0, 1, 2, 3]
    assert [f.time_s for f in frames] == pytest.approx([0.0, 0.1, 0.2, 0.3])


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=20))
def test_natural_order_is_the_order_of_the_numbers(numbers: list[int]) -> None:
    paths = sorted((Path(f"take_{n}_left.png") for n in numbers), key=natural_key)
    assert [int(p.name.split("_")[1]) for p in paths] == sorted(numbers)


@given(st.sampled_from(["x²", "٣", "1", "", "a1b", "Ⅷ", "01", "é9"]), st.sampled_from(["x²", "٣", "1", "a", "a1b"]))
def test_natural_order_compares_any_two_names(a: str, b: str) -> None:
    key_a, key_b = natural_key(Path("x" + a)), natural_key(Path("x" + b))
    assert (key_a < key_b) + (key_a > key_b) + (key_a == key_b) == 1


def test_a_damaged_picture_among_others_is_left_out_and_named(tmp_path: Path) -> None:
    numbered(tmp_path, ["1.png", "3.png"])
    (tmp_path / "2.png").write_bytes(b"broken")
    with ImageSource(tmp_path) as source:
        assert [int(f.image[0, 0, 0]) for f in source] == [0, 1]
        assert source.warning == "1 of 3 pictures are damaged and were left out: 2.png."


def test_a_folder_without_good_pictures_gives_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="There is no picture in the folder"):
        ImageSource(tmp_path).open()
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(b"broken")
    with pytest.raises(SourceError, match="all damaged"):
        ImageSource(tmp_path).open()


def test_loop_and_unmirroring(tmp_path: Path) -> None:
    save(tmp_path / "a.png", red_corner())
    save(tmp_path / "b.png", np.zeros((30, 40, 3), np.uint8))
    with ImageSource(tmp_path, loop=True, mirrored=True) as source:
        frames = [source.read() for _ in range(5)]
    assert [f.index for f in frames if f] == [0, 1, 2, 3, 4]
    assert [int(f.image[0, -1, 0]) for f in frames if f] == [255, 0, 255, 0, 255]
    assert [f.time_s for f in frames if f] == pytest.approx([0.0, 0.04, 0.0, 0.04, 0.0])


def test_paced_pictures_keep_their_times(tmp_path: Path) -> None:
    numbered(tmp_path, ["1.png", "2.png", "3.png"])
    with ImageSource(tmp_path, fps=20.0, paced=True) as source:
        frames = list(source)
        assert source.live
    assert (frames[2].captured_ns - frames[0].captured_ns) / 1e9 >= 0.095
