"""What cameras do to pictures: exposure, colour, blur, noise, compression, low resolution."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

_STEPS = np.arange(256, dtype=np.float32) / 255


def degrade(image: Image, rng: np.random.Generator) -> Image:
    """A picture (S, S, 3) as some webcam, phone or film would have it; often left nearly alone."""
    size = image.shape[0]
    if rng.random() < 0.2:
        small = max(24, int(size * rng.uniform(0.2, 0.7)))
        lower = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(lower, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
    elif rng.random() < 0.25:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.6) * size / 256), np.uint8)
    elif rng.random() < 0.08:
        image = _moved(image, rng)
    image = cv2.LUT(image, _colour_table(rng))  # type: ignore[assignment]
    if rng.random() < 0.1:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        image = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
    if rng.random() < 0.5:
        sigma = float(rng.gamma(1.5, 3.0))
        noise = rng.standard_normal((size, size), dtype=np.float32) * sigma
        shifted = image + noise[:, :, None] * rng.uniform(0.6, 1.2, 3).astype(np.float32)
        image = np.asarray(shifted.clip(0, 255), np.uint8)
    if rng.random() < 0.25:
        quality = int(rng.integers(25, 90))
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return image


def _colour_table(rng: np.random.Generator) -> NDArray[np.uint8]:
    gamma = float(np.exp(rng.normal(0, 0.2)))
    gain = float(np.exp(rng.normal(0, 0.15))) * np.exp(rng.normal(0, 0.06, 3))
    lift = rng.normal(0, 0.03)
    table = (_STEPS[:, None] ** gamma * gain + lift).clip(0, 1) * 255
    return table.astype(np.uint8)[None]


def _moved(image: Image, rng: np.random.Generator) -> Image:
    length = max(3, int(image.shape[0] * rng.uniform(0.01, 0.04)) | 1)
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    middle, reach = length // 2, length / 2
    start = (round(middle - reach * np.cos(angle)), round(middle - reach * np.sin(angle)))
    end = (round(middle + reach * np.cos(angle)), round(middle + reach * np.sin(angle)))
    cv2.line(kernel, start, end, 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / max(float(kernel.sum()), 1.0)), np.uint8)
