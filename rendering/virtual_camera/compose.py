"""The picture that goes out, from what was drawn and what the camera saw. Pixels only: no OpenGL, no state."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering.virtual_camera.settings import VirtualCameraSettings

Pixels = NDArray[np.uint8]


def compose(picture: Pixels | None, view: Pixels, settings: VirtualCameraSettings) -> Pixels:
    """One picture of the size that goes out.

    Args:
        picture: (H, W, 3) RGB, what the camera saw, unmirrored; None where there is none.
        view: (h, w, 3) RGB, or (h, w, 4) with transparency behind the avatar, colours multiplied by it. In the overlay
            layout it is drawn as the camera sees the face: either with the picture already under it, or transparent, to
            lie on `picture`.
        settings: layout, fit, mirror, background.

    Returns:
        (height, width, 3) uint8 RGB, contiguous, a new array.
    """
    canvas = np.empty((settings.height, settings.width, 3), np.uint8)
    if settings.layout == "split":
        halves = canvas[:, : settings.width // 2], canvas[:, settings.width // 2 :]
        avatar, camera = halves if settings.avatar_side == "left" else halves[::-1]
        _paint(avatar, view, settings)
        _paint(camera, np.array([[settings.fill]], np.uint8) if picture is None else picture, settings)
    elif settings.layout == "overlay" and view.shape[2] == 4 and picture is not None:
        under = picture
        if picture.shape[:2] != view.shape[:2]:
            under = np.asarray(cv2.resize(picture, view.shape[1::-1], interpolation=cv2.INTER_AREA), np.uint8)
        _paint(canvas, _blend(view, under), settings)
    else:
        _paint(canvas, view, settings)
    return canvas


def fit(picture: Pixels, size: tuple[int, int], how: str, fill: tuple[int, int, int], *, hard: bool = False) -> Pixels:
    """A picture scaled into (width, height) without distortion: (height, width, 3).

    Args:
        picture: (H, W, 3).
        size: width and height.
        how: `letterbox` adds bars of `fill` where the shape differs, `crop` cuts off what sticks out.
        fill: RGB of the bars.
        hard: mix no neighbours: for key colours.
    """
    width, height = size
    if picture.shape[1::-1] == size:
        return picture
    ratios = width / picture.shape[1], height / picture.shape[0]
    scale = max(ratios) if how == "crop" else min(ratios)
    inner = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    # Averaging areas costs ten times as much, and shows only where more than every other pixel is left out.
    interpolation = cv2.INTER_NEAREST if hard else cv2.INTER_AREA if scale <= 0.5 else cv2.INTER_LINEAR
    scaled = np.asarray(cv2.resize(picture, inner, interpolation=interpolation), np.uint8)
    if how == "crop":
        left, top = (inner[0] - width) // 2, (inner[1] - height) // 2
        return scaled[top : top + height, left : left + width]
    canvas = _solid(width, height, fill).copy()
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = scaled
    return canvas


def plain(settings: VirtualCameraSettings) -> Pixels:
    """The privacy picture: (height, width, 3) of one colour."""
    return _solid(settings.width, settings.height, settings.privacy).copy()


def over_fill(view: Pixels, settings: VirtualCameraSettings) -> Pixels:
    """(h, w, 3): the view over the background, where it is transparent."""
    if view.shape[2] == 3:
        return view
    under = _solid(view.shape[1], view.shape[0], settings.fill)
    if settings.background != "key":
        return _blend(view, under)
    # A soft edge would mix the key colour into hair and cheeks: each pixel is one or the other.
    alpha = view[..., 3]
    out = np.asarray(cv2.copyTo(_colours(view), (alpha >= 128).astype(np.uint8), under.copy()), np.uint8)
    rows, columns = np.nonzero((alpha >= 128) & (alpha < 255))
    straight = view[rows, columns, :3] * (255.0 / view[rows, columns, 3:])
    out[rows, columns] = np.minimum(straight + 0.5, 255.0).astype(np.uint8)
    return out


def _blend(view: Pixels, under: Pixels) -> Pixels:
    through = 255 - np.asarray(cv2.extractChannel(view, 3), np.uint8)
    behind = cv2.multiply(np.ascontiguousarray(under), cv2.merge((through, through, through)), scale=1 / 255)
    return np.asarray(cv2.add(_colours(view), behind), np.uint8)


@lru_cache(maxsize=8)
def _solid(width: int, height: int, fill: tuple[int, int, int]) -> Pixels:
    """(height, width, 3) of one colour, read-only: numpy fills three bytes at a time, slower than it copies."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[...] = fill
    picture.flags.writeable = False
    return picture


def _colours(view: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(view, cv2.COLOR_RGBA2RGB), np.uint8)


def _paint(target: Pixels, picture: Pixels, settings: VirtualCameraSettings) -> None:
    """Fit a picture, with or without transparency, into a part of the canvas."""
    height, width = target.shape[:2]
    hard = settings.background == "key" and picture.shape[2] == 4
    fitted = fit(over_fill(picture, settings), (width, height), settings.fit, settings.fill, hard=hard)
    target[...] = fitted[:, ::-1] if settings.mirror else fitted
