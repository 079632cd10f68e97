"""Draws the contact sheets of the documentation.

    python -m app.tools.demo_sheet --out docs/images

`demo.jpg`: moments of the bundled clip, cut around the face: picture, mesh over the picture, rendered head.
`views.jpg`: one moment in each view of the renderer.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import tyro
from numpy.typing import NDArray

from app.cli.demo import SCENE
from app.demo_clip import DEMO_CLIP
from rendering import OffscreenRenderer, View
from tracking import FaceTracker, TrackedFace, open_source, track_frames

Image = NDArray[np.uint8]
TILE = 300
MOMENTS = (12, 36, 100, 150, 222, 262, 318, 331, 420, 520, 585, 700)
SHOWN = 331
QUALITY = (cv2.IMWRITE_JPEG_QUALITY, 88)


def cut(image: Image, face: TrackedFace, width: int, height: int) -> Image:
    """The part of a picture, drawn at the frame's size times a factor, around the face: (TILE, TILE, 3)."""
    assert face.observation is not None
    factor = image.shape[1] / width
    left, top, right, bottom = (float(v) * factor for v in face.observation.box)
    side = 1.75 * max(right - left, bottom - top)
    x, y = (left + right - side) / 2, (top + bottom - side) / 2 - 0.05 * side
    shift = np.array([[TILE / side, 0, -x * TILE / side], [0, TILE / side, -y * TILE / side]])
    tile = cv2.warpAffine(image, shift, (TILE, TILE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(tile, np.uint8)


def main(out: Path) -> None:
    """Writes the sheets into `out`."""
    tiles: list[Image] = []
    views: list[Image] = []
    with (
        open_source(DEMO_CLIP) as source,
        FaceTracker() as tracker,
        OffscreenRenderer(tracker.model, SCENE, supersample=2) as gl,
    ):
        width, height = source.width, source.height
        for face in track_frames(source, tracker):
            if face.frame.index not in MOMENTS or not face.valid:
                continue
            size = (width * 3, height * 3)
            large = np.asarray(cv2.resize(face.frame.image, size, interpolation=cv2.INTER_CUBIC), np.uint8)
            over = gl.render(face, View.OVERLAY, size)
            head = gl.render(face, View.TEXTURED, (TILE, TILE))
            tiles.append(np.hstack([cut(large, face, width, height), cut(over, face, width, height), head]))
            if face.frame.index == SHOWN:
                for view in (View.TEXTURED, View.CLAY, View.WIREFRAME, View.TENSION, View.OVERLAY):
                    picture = gl.render(face, view, size if view is View.OVERLAY else (TILE, TILE))
                    views.append(cut(picture, face, width, height) if view is View.OVERLAY else picture)
    out.mkdir(parents=True, exist_ok=True)
    rows = [np.hstack(tiles[i : i + 2]) for i in range(0, len(tiles), 2)]
    sheet = cv2.resize(np.vstack(rows), None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(out / "demo.jpg"), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), QUALITY)
    cv2.imwrite(str(out / "views.jpg"), cv2.cvtColor(np.hstack(views), cv2.COLOR_RGB2BGR), QUALITY)


if __name__ == "__main__":
    tyro.cli(main)
