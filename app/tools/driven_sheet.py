"""Draws people whose faces are driven by somebody else's expressions, with their own wrinkles.

    python -m app.tools.driven_sheet PHOTO [...] --clip app/assets/cap13_edit2.mp4 --out docs/images/driven.jpg

Each photo is one person, looking into the camera with the face at rest: the skin is encoded once. The clip is tracked,
and its liveliest moments are put on each person: expression and gaze of the clip, shape and skin of the photo.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS
from models.face_model import FaceModel, load_face_model
from rendering import Light, OffscreenRenderer, Scene, View
from tracking import FaceTracker, Frame, TrackedFace, open_source
from tracking.detail import DetailStage
from tracking.detail_settings import DetailSettings
from tracking.detailed import stage_for
from tracking.sources import load_image
from tracking.still_frames import StillFrameTracker

Image = NDArray[np.uint8]
TILE = 320
MOMENTS = 5
CREASING = np.array([
    0.0 if name.startswith(("eyeLook", "eyeBlink")) else 0.3 if name.startswith("jaw") else 1.0
    for name in ARKIT_CHANNELS
])  # fmt: skip
"""How much each channel counts when moments are chosen: looks and blinks crease nothing, the jaw little."""
SIDE_LIGHT = Light.portrait(yaw=-1.1, pitch=0.5, key=1.3, fill=0.5)
"""From the side, as one lights relief."""
APART_S = 1.5
"""Seconds between two chosen moments at least."""


def lively_moments(clip: str, count: int = MOMENTS) -> list[TrackedFace]:
    """The frames of a clip whose expressions are strongest and differ most from one another, in their order.

    Raises:
        SourceError: the clip cannot be read.
        ValueError: it shows no face.
    """
    with open_source(clip) as source, FaceTracker() as tracker:
        faces = [face for face in (tracker.process(frame) for frame in source) if face.valid]
    if not faces:
        raise ValueError(f"{clip} shows no face")
    moving = np.stack([_muscles(face) for face in faces])
    chosen: list[int] = []
    strength = np.linalg.norm(moving, axis=1)
    times = np.array([face.frame.time_s for face in faces])
    while len(chosen) < count and np.isfinite(strength).any() and strength.max() > 0:
        best = int(strength.argmax())
        chosen.append(best)
        # What is like a chosen moment, or near it, is not chosen again.
        strength = np.minimum(strength, np.linalg.norm(moving - moving[best], axis=1))
        strength[np.abs(times - times[best]) < APART_S] = 0
    return [faces[i] for i in sorted(chosen)]


def _muscles(face: TrackedFace) -> NDArray[np.float32]:
    assert face.parameters is not None
    return np.asarray(face.parameters.expression * CREASING, np.float32)


def driven(
    person: TrackedFace, driver: TrackedFace, model: FaceModel, stage: DetailStage, time_s: float
) -> TrackedFace:
    """The person at rest in front of the camera with the driver's expression and gaze, as a frame of this time."""
    assert person.parameters is not None and driver.parameters is not None
    parameters = replace(
        person.parameters, expression=driver.parameters.expression, gaze=driver.parameters.gaze, rotation=np.eye(3)
    )
    posed = model.pose(parameters.identity, parameters.expression, parameters.gaze)
    moved = replace(person, parameters=parameters, vertices=posed.vertices, normals=posed.normals)
    moved = replace(moved, frame=replace(person.frame, time_s=time_s))
    return replace(moved, displacement=stage.process(moved).displacement)


def sheet(photos: list[Path], clip: str, settings: DetailSettings) -> Image:
    """The picture: a row of the clip's moments, then two rows for each person: without and with wrinkles.

    Raises:
        SourceError: a picture cannot be read.
        ValueError: a photo shows no face, or one that is too small.
    """
    model = load_face_model()
    stage = stage_for(model, settings)
    moments = lively_moments(clip)
    rows = [[np.full((TILE, TILE, 3), 24, np.uint8), *(_square(face.frame.image, face) for face in moments)]]
    with OffscreenRenderer(model, Scene(light=SIDE_LIGHT)) as renderer, StillFrameTracker(model=model) as tracker:
        for index, photo in enumerate(photos):
            image = load_image(photo)
            person = tracker.process(Frame(index, 0.0, 0, image))
            stage.reset()
            found = stage.process(person)
            if found.displacement is None:
                raise ValueError(f"{photo} gives no skin to see wrinkles on: {found.reason}")
            # Jumps in time, so that each relief shows at once and does not glide there.
            faces = [driven(person, m, model, stage, APART_S * (i + 1)) for i, m in enumerate(moments)]
            flat = [_draw(renderer, replace(face, displacement=None)) for face in faces]
            rows.append([_square(image, person), *flat])
            rest = _draw(renderer, replace(person, displacement=found.displacement))
            rows.append([rest, *(_draw(renderer, face) for face in faces)])
    return np.concatenate([np.concatenate(row, axis=1) for row in rows], axis=0)


def _draw(renderer: OffscreenRenderer, face: TrackedFace) -> Image:
    # Drawn large and cut out, because the viewpoint keeps room around the head.
    drawn = renderer.render(face, View.CLAY, (TILE * 2, TILE * 2))
    return np.ascontiguousarray(drawn[TILE // 2 - 20 : 3 * TILE // 2 - 20, TILE // 2 : 3 * TILE // 2, :3])


def _square(image: Image, face: TrackedFace) -> Image:
    assert face.observation is not None
    left, top, right, bottom = (float(v) for v in face.observation.box)
    half = max(right - left, bottom - top) * 0.72
    x, y = (left + right) / 2, (top + bottom) / 2 - 0.08 * half
    scale = TILE / (2 * half)
    matrix = np.array([[scale, 0, TILE / 2 - scale * x], [0, scale, TILE / 2 - scale * y]])
    cut = cv2.warpAffine(image, matrix, (TILE, TILE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m app.tools.driven_sheet", description=__doc__.split("\n")[0])
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--clip", default=str(Path(__file__).parents[1] / "assets" / "cap13_edit2.mp4"))
    parser.add_argument("--weights", type=Path, default=None, help="instead of the shipped ones")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    picture = sheet(options.photos, options.clip, DetailSettings(weights=options.weights))
    cv2.imwrite(str(options.out), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
