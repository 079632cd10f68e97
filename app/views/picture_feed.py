"""Pictures of the head for others than the window: whoever draws the head draws these too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rendering import Scene
from tracking.types import TrackedFace


@dataclass(frozen=True, slots=True)
class PictureFeed:
    """What else to draw of every result.

    Attributes:
        size: (result, most pixels or None) -> width and height in pixels.
        scene: the window's scene -> the one to draw.
        take: given the result, its (H, W, 4) RGBA picture and the window's scene, on the thread that draws:
            milliseconds.
    """

    size: Callable[[TrackedFace, int | None], tuple[int, int]]
    scene: Callable[[Scene], Scene]
    take: Callable[[TrackedFace, NDArray[np.uint8], Scene], None]
