"""The square that the coarse network sees."""

from __future__ import annotations

import numpy as np
import pytest

from models.geometry.crop import LARGEST_SCALE, LARGEST_SHIFT, REACH, Crop, base_crop, random_crop


def gradient(height: int, width: int) -> np.ndarray:
    """A picture whose red is the column and whose green is the row, scaled to 0..200."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, :, 0] = np.linspace(0, 200, width)[None]
    image[:, :, 1] = np.linspace(0, 200, height)[:, None]
    return image


def test_crop_coordinates_go_there_and_back() -> None:
    crop = Crop(100.0, 50.0, 20.0)
    points = np.array([[80.0, 30.0], [100.0, 50.0], [120.0, 70.0]])
    assert crop.to_crop(points).tolist() == [[-1, -1], [0, 0], [1, 1]]
    assert np.allclose(crop.to_pixels(crop.to_crop(points)), points)


@pytest.mark.parametrize("half", [20.0, 64.0, 150.0, 380.0])
def test_samples_lie_where_the_coordinates_say(half: float) -> None:
    image = gradient(800, 1000)
    crop = Crop(480.0, 400.0, half)
    size = 64
    sample = crop.sample(image, size).astype(float)
    # Pixel i shows -1 + (2 i + 1) / size of the crop.
    for row, column in ((5, 9), (32, 32), (60, 50)):
        x, y = crop.to_pixels(np.array([[-1 + (2 * column + 1) / size, -1 + (2 * row + 1) / size]]))[0]
        assert sample[row, column, 0] == pytest.approx(200 * x / 999, abs=1.5)
        assert sample[row, column, 1] == pytest.approx(200 * y / 799, abs=1.5)


def test_outside_of_the_picture_is_black() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    sample = Crop(0.0, 50.0, 40.0).sample(white, 80)
    assert sample[40, 10].sum() == 0
    assert sample[40, 70].sum() == 765
    for far in (Crop(-500.0, 50.0, 40.0), Crop(50.0, 50.0, 5000.0), Crop(9000.0, 9000.0, 800.0)):
        assert far.sample(white, 32).shape == (32, 32, 3)


def test_the_base_crop_holds_the_landmarks_with_room() -> None:
    crop = base_crop(np.array([[10.0, 20.0], [110.0, 180.0]]))
    assert (crop.x, crop.y) == (60.0, 100.0)
    assert 80 < crop.half < 120
    assert base_crop(np.zeros((3, 2))).half >= 1


def test_augmentation_is_the_supplements() -> None:
    rng = np.random.default_rng(0)
    base = Crop(0.0, 0.0, 1.0)
    crops = [random_crop(base, rng) for _ in range(4000)]
    scales = np.array([c.half for c in crops])
    shifts = np.array([[-c.x * c.half, -c.y * c.half] for c in crops])
    assert scales.min() >= 1 and scales.max() <= LARGEST_SCALE
    assert np.abs(shifts).max() <= LARGEST_SHIFT + 1e-9
    # Truncated, not clipped: no heap of samples at either end.
    assert np.mean(scales == 1.0) < 0.01
    assert scales.mean() == pytest.approx(1.098, abs=0.01)
    assert abs(shifts.mean()) < 0.005
    # Everything stays within what is stored.
    assert all(abs(c.x) + c.half <= REACH for c in crops)
