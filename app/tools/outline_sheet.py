"""Draws what silhouette vertices are: those of our method beside a contour that is fixed beforehand.

    python -m app.tools.outline_sheet --out docs/images/outline.png

Green: our silhouette vertices, found anew for each mesh. Red: seventeen vertices that were picked beforehand for the
head's yaw alone, as FLAME's contour landmarks are (78 sets, a degree apart, up to 39 degrees either way). Rows: turned
from 60 degrees left to 60 degrees right; from straight ahead to 60 degrees down; from neutral to happy.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import tyro
from numpy.typing import NDArray

from models.channels import CHANNEL_INDEX
from models.face_model import FaceModel, load_face_model
from models.geometry.camera import Camera
from models.geometry.outline import FaceOutline
from models.geometry.rasterise import interpolate, rasterise
from models.geometry.rotations import HEAD_TO_CAMERA, from_euler
from models.synthesis.light import directional_light, sh_basis, to_srgb

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

WIDTH, HEIGHT, LARGER = 212, 250, 3
COLUMNS = 7
MIDDLE, DISTANCE = np.array([0.0, -0.004, -0.075]), 0.95
"""Of the head, metres, head frame; it stays in the middle of the tile however the head turns."""
CAMERA = Camera(WIDTH * LARGER, HEIGHT * LARGER, HEIGHT * LARGER * 3.35)
CLAY = np.array([0.56, 0.545, 0.53], np.float32)
LIGHT = directional_light(np.array([0.4, -0.7, -0.75]), 0.62, 0.36)
PAPER, INK = (255, 255, 255), (60, 60, 60)
GREEN, RED = (20, 165, 70), (225, 45, 40)
FIXED_LIMIT = 39
"""Degrees of yaw beyond which FLAME keeps the last set."""
HAPPY = {
    "mouthSmileLeft": 1.0, "mouthSmileRight": 1.0, "cheekSquintLeft": 0.8, "cheekSquintRight": 0.8, "jawOpen": 0.3,
    "mouthUpperUpLeft": 0.3, "mouthUpperUpRight": 0.3, "eyeSquintLeft": 0.4, "eyeSquintRight": 0.4,
}  # fmt: skip


class FixedContour:
    """Contour vertices by yaw, fixed beforehand on the mean face at rest."""

    def __init__(self, model: FaceModel, finder: FaceOutline) -> None:
        self._model, self._finder = model, finder
        corners = model.faces[model.landmarks68.triangles[:17]]
        nearest = model.landmarks68.barycentrics[:17].argmax(axis=1)
        self._start = corners[np.arange(17), nearest]
        self._known: dict[int, NDArray[np.int32]] = {}

    def of_yaw(self, degrees: float) -> NDArray[np.int32]:
        """(17,) vertices for a yaw; pitch, expression and the person's shape do not count."""
        key = int(np.clip(round(degrees), -FIXED_LIMIT, FIXED_LIMIT))
        if key not in self._known:
            self._known[key] = self._pick(np.radians(key))
        return self._known[key]

    def _pick(self, yaw: float) -> NDArray[np.int32]:
        rotation, mean = from_euler(yaw, 0.0, 0.0), self._model.mean
        at = place_of(rotation)
        outline = self._finder.vertices(mean, rotation, at, CAMERA, eps=0.25)
        pixels = CAMERA.project_head(mean, rotation, at)
        picked = self._start.copy()
        for number, vertex in enumerate(self._start):
            # Along the row of the landmark's height, as far out as the face goes; the near side keeps its vertices.
            far_side = (number < 8) == (yaw > 0) if number != 8 else True
            if not far_side and abs(yaw) > 0.05:
                continue
            away = np.linalg.norm(mean[outline][:, 1:2] - mean[vertex][1:2], axis=1)
            side = (
                np.sign(mean[outline][:, 0]) == np.sign(mean[vertex][0]) if number != 8 else np.ones(len(outline), bool)
            )
            if (usable := side & (away < 0.012)).any():
                candidates = outline[usable]
                picked[number] = candidates[np.abs(pixels[candidates] - pixels[vertex]).sum(axis=1).argmin()]
        return np.asarray(picked, np.int32)


def place_of(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) translation that keeps the middle of the head where it is."""
    return np.asarray(np.array([0.0, 0.0, DISTANCE]) - HEAD_TO_CAMERA @ rotation @ MIDDLE)


def tile(model: FaceModel, finder: FaceOutline, fixed: FixedContour, yaw: float, pitch: float, happy: float) -> Image:
    """(HEIGHT, WIDTH, 3): one head, angles in degrees, happiness in 0..1."""
    expression = np.zeros(len(CHANNEL_INDEX), np.float32)
    for name, value in HAPPY.items():
        expression[CHANNEL_INDEX[name]] = value * happy
    posed = model.pose(model.identity(), expression)
    rotation = from_euler(np.radians(yaw), np.radians(pitch), 0.0)
    at = place_of(rotation)
    image = clay(model, posed.vertices, posed.normals, rotation)
    pixels = CAMERA.project_head(posed.vertices, rotation, at)
    own = finder.vertices(posed.vertices, rotation, at, CAMERA, normals=posed.normals, eps=0.2)
    for indices, colour, radius in ((own, GREEN, 2.1), (fixed.of_yaw(yaw), RED, 2.9)):
        for x, y in pixels[indices]:
            place = (round(float(x)), round(float(y)))
            cv2.circle(image, place, round((radius + 0.6) * LARGER), PAPER, -1, cv2.LINE_AA)
            cv2.circle(image, place, round(radius * LARGER), colour, -1, cv2.LINE_AA)
    return np.asarray(cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def clay(model: FaceModel, vertices: Floats, normals: Floats, rotation: NDArray[np.float64]) -> Image:
    """(LARGER HEIGHT, LARGER WIDTH, 3): the head in clay on white."""
    points = CAMERA.to_camera(vertices, rotation, place_of(rotation))
    raster = rasterise(CAMERA.project(points, DISTANCE), points[:, 2], model.faces, CAMERA.width, CAMERA.height)
    smooth = interpolate(raster, normals, model.faces)
    smooth /= np.maximum(np.linalg.norm(smooth, axis=2, keepdims=True), 1e-6)
    seen = smooth @ (HEAD_TO_CAMERA @ rotation).T.astype(np.float32)
    image = to_srgb(CLAY * np.maximum(sh_basis(seen) @ LIGHT, 0.0))
    image[~raster.covered] = PAPER
    return np.ascontiguousarray(image)


def sheet(model: FaceModel) -> Image:
    """The three rows with their titles and a legend."""
    finder = FaceOutline(model.faces, model.vertex_count, model.regions["outline"], map_size=512)
    fixed = FixedContour(model, finder)
    steps = np.linspace(0, 1, COLUMNS)
    # Yaw is positive to the subject's left, which is the picture's right.
    rows = (
        ("Head turned from 60\u00b0 left to 60\u00b0 right", [(60 - 120 * s, 0.0, 0.0) for s in steps]),
        ("Head tilted from straight ahead to 60\u00b0 down", [(0.0, 60 * s, 0.0) for s in steps]),
        ("From neutral to happy", [(0.0, 0.0, float(s)) for s in steps]),
    )
    parts = []
    for title, views in rows:
        parts += [strip(title), np.hstack([tile(model, finder, fixed, *view) for view in views])]
    return np.vstack([*parts, legend()])


def strip(title: str) -> Image:
    """A line of text as wide as the sheet."""
    out = np.full((30, WIDTH * COLUMNS, 3), 255, np.uint8)
    write(out, title, 14)
    return out


def legend() -> Image:
    """What the colours mean."""
    out = np.full((40, WIDTH * COLUMNS, 3), 255, np.uint8)
    x = 14
    for colour, text in (
        (GREEN, "our silhouette vertices"),
        (RED, "17 contour vertices fixed beforehand, by yaw alone"),
    ):
        cv2.circle(out, (x + 6, 19), 6, colour, -1, cv2.LINE_AA)
        x = write(out, text, x + 20) + 40
    return out


def write(image: Image, text: str, x: int) -> int:
    """Text at a place; returns where it ends. OpenCV's letters know no degree sign."""
    import matplotlib.font_manager as fonts
    from PIL import Image as Picture
    from PIL import ImageDraw, ImageFont

    font = ImageFont.truetype(fonts.findfont("DejaVu Sans"), 17)
    picture = Picture.fromarray(image)
    draw = ImageDraw.Draw(picture)
    draw.text((x, 8), text, INK, font=font)
    image[:] = np.asarray(picture)
    return x + int(draw.textlength(text, font=font))


def main(out: Path = Path("outline.png")) -> None:
    """Writes the sheet, in 128 colours: few, and more than one sees here."""
    from PIL import Image as Picture

    picture = Picture.fromarray(sheet(load_face_model())).quantize(128, dither=Picture.Dither.NONE)
    out.parent.mkdir(parents=True, exist_ok=True)
    picture.save(out, optimize=True)
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB.")


if __name__ == "__main__":
    tyro.cli(main)
