"""The square crop that the coarse network sees, the same in training and at run time.

The supplement fixes 256 px and the augmentation: scale k ~ N(1, 0.3) within [1, 1.2], shifts n ~ N(0, 0.125) within
[-0.1, 0.1], a square of side 256 k whose centre lies at 1 - n / k of ... it does not say of what. Reconstruction: of
half the base crop's side, so that n = 0 is its centre; and `within` is taken as truncation of the distribution, since
clipping would put half of all samples at k = 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

BASE_MARGIN = 1.35
"""Side of the base crop as a multiple of the longer side of the box around the landmarks."""
TYPICAL_SCALE = 1.09
"""Mean of k, used wherever nothing is random."""
LARGEST_SCALE, LARGEST_SHIFT = 1.2, 0.1
REACH = LARGEST_SCALE + LARGEST_SHIFT
"""Half side of the square that holds every augmented crop, in half sides of the base crop."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A square of a picture.

    Attributes:
        x, y: centre in pixels; the centre of the top-left pixel is (0, 0).
        half: half of the side in pixels.
    """

    x: float
    y: float
    half: float

    def to_crop(self, pixels: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, 2) pixels as crop coordinates: -1 .. 1 inside, x right, y down."""
        return np.asarray((pixels - (self.x, self.y)) / self.half, np.float64)

    def to_pixels(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """The inverse of `to_crop`."""
        return np.asarray(points * self.half + (self.x, self.y), np.float64)

    def scaled(self, factor: float) -> Crop:
        """The same centre, another size."""
        return Crop(self.x, self.y, self.half * factor)

    def augmented(self, scale: float, shift_x: float, shift_y: float) -> Crop:
        """The supplement's crop for k and (n_x, n_y), see the module."""
        return Crop(
            self.x - self.half * shift_x / scale, self.y - self.half * shift_y / scale, self.half * scale
        )  # fmt: skip

    def matrix(self, size: int) -> NDArray[np.float64]:
        """(2, 3) affine map from pixels of the picture to those of the crop drawn with `size` pixels a side.

        Pixel centres: pixel i of the crop lies at -1 + (2 i + 1) / size.
        """
        ratio, middle = size / (2 * self.half), (size - 1) / 2
        return np.array([[ratio, 0, middle - ratio * self.x], [0, ratio, middle - ratio * self.y]], np.float64)

    def sample(self, image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """(size, size, 3) of a (H, W, 3) picture; what lies outside of it is black."""
        ratio = size / (2 * self.half)
        x, y, half = self.x, self.y, self.half
        if ratio < 0.5:
            # Averaged first, because a bilinear sample of every third pixel would flicker.
            step = int(0.9 / ratio)
            left, top = max(0, int(x - half) - step), max(0, int(y - half) - step)
            part = image[top : max(int(y + half) + step, top + step), left : max(int(x + half) + step, left + step)]
            if part.shape[0] >= step and part.shape[1] >= step:
                height, width = part.shape[0] // step, part.shape[1] // step
                part = part[: height * step, : width * step]
                image = np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
                x, y, half = (x - left + 0.5) / step - 0.5, (y - top + 0.5) / step - 0.5, half / step
        return np.asarray(
            cv2.warpAffine(image, Crop(x, y, half).matrix(size), (size, size), flags=cv2.INTER_LINEAR), np.uint8
        )


def base_crop(points: NDArray[np.floating]) -> Crop:
    """The base crop of a face.

    Args:
        points: (N, 2) pixels of MediaPipe's 478 landmarks, detected or projected from the mesh, or the two corners of
            their box.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    x, y = (low + high) / 2
    return Crop(float(x), float(y), max(1.0, float((high - low).max()) / 2 * BASE_MARGIN))


def random_crop(crop: Crop, rng: np.random.Generator) -> Crop:
    """The supplement's augmentation of a base crop."""
    scale = _truncated(rng, 1.0, 0.3, 1.0, LARGEST_SCALE)
    shift_x, shift_y = (_truncated(rng, 0.0, 0.125, -LARGEST_SHIFT, LARGEST_SHIFT) for _ in range(2))
    return crop.augmented(scale, shift_x, shift_y)


def _truncated(rng: np.random.Generator, mean: float, sigma: float, low: float, high: float) -> float:
    while True:
        value = float(rng.normal(mean, sigma))
        if low <= value <= high:
            return value
