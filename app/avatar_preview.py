"""Small pictures of an avatar while it is made, cheap enough to take none of its time: some 15 ms each."""

from __future__ import annotations

import base64
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel
from models.geometry.camera import Camera
from models.geometry.rotations import from_euler
from models.synthesis.light import directional_light, to_linear
from models.synthesis.portrait import Look, paint

__all__ = ["SIDE", "AvatarPreview", "picture_of_text", "text_of_picture"]

SIDE = 144
"""Pixels."""
_SKIN_SIDE = 256
_CLAY = 0.5
_BACK = np.array([38, 42, 49], np.uint8)
_EVERY = 3
"""Pictures that are painted between two previews of the skin."""
_QUALITY = 85
_LONGEST = 400_000

Image = NDArray[np.uint8]


class AvatarPreview:
    """Shows who is emerging: a photograph, then the shape as it is learned, then the skin as it is painted.

    Args:
        model: the face model.
        show: given each picture, (SIDE, SIDE, 3); None draws none.
    """

    def __init__(self, model: FaceModel, show: Callable[[Image], None] | None) -> None:
        self._model = model
        self._show = show
        self._identity = model.identity(None)
        self._skin = np.zeros((_SKIN_SIDE, _SKIN_SIDE, 3), np.float32)
        self._weight = np.zeros((_SKIN_SIDE, _SKIN_SIDE, 1), np.float32)
        self._painted = 0

    def photograph(self, image: Image) -> None:
        """The best picture (H, W, 3) of the person; its middle is shown."""
        if self._show is None:
            return
        side = min(image.shape[:2])
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        part = image[top : top + side, left : left + side]
        self._show(np.asarray(cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8))

    def shape(self, identity: NDArray[np.floating]) -> None:
        """The person as far as they are known by now: (K,) coefficients."""
        if self._show is not None:
            self._identity = self._model.identity(identity)
            self._draw(np.full((8, 8, 3), _CLAY, np.float32))

    def skin(self, colours: Image, weight: NDArray[np.float32]) -> None:
        """One picture's share of the skin: (S, S, 3) sRGB over the face map and (S, S) how well it is seen."""
        if self._show is None:
            return
        size = (_SKIN_SIDE, _SKIN_SIDE)
        share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)[..., None]
        self._skin += share * to_linear(np.asarray(cv2.resize(colours, size, interpolation=cv2.INTER_AREA), np.uint8))
        self._weight += share
        self._painted += 1
        if self._painted % _EVERY == 1:
            plain = self._skin.sum(axis=(0, 1)) / max(float(self._weight.sum()), 1e-6)
            self._draw((self._skin + 1e-2 * plain) / (self._weight + 1e-2))

    def finished(self, thumbnail: Image) -> None:
        """The avatar's own thumbnail, (S, S, 3)."""
        self.photograph(thumbnail)

    def _draw(self, texture: NDArray[np.float32]) -> None:
        assert self._show is not None
        posed = self._model.pose(self._identity, np.zeros(52, np.float32), np.zeros((2, 2), np.float32))
        look = Look(np.asarray(texture, np.float32), directional_light(np.array([0.4, -0.5, -0.8])), _BACK)
        camera = Camera.from_fov(SIDE, SIDE, 0.32)
        place = np.array([0.0, 0.012, 0.72])
        self._show(paint(self._model, posed, from_euler(-0.25, 0.0, 0.0), place, camera, look).image)


def text_of_picture(picture: Image) -> str:
    """A small picture (H, W, 3) as one word of text, for a line of progress."""
    ok, encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    assert ok
    return base64.b64encode(encoded.tobytes()).decode()


def picture_of_text(text: str) -> Image | None:
    """The picture (H, W, 3) in a word that `text_of_picture` made; None where it holds none."""
    try:
        content = np.frombuffer(base64.b64decode(text[:_LONGEST], validate=True), np.uint8)
        found = cv2.imdecode(content, cv2.IMREAD_COLOR)
    except (ValueError, cv2.error):
        return None
    return None if found is None else np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), np.uint8)
