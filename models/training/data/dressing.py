"""What covers and surrounds a face in training pictures: backgrounds, hair, clothes, glasses, hands, things."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]


def random_background(size: int, rng: np.random.Generator) -> Image:
    """(size, size, 3) a room out of focus: colours in soft cells, some hard-edged boxes, sometimes one plain tone."""
    if rng.random() < 0.2:
        tone = rng.uniform(10, 245, 3) if rng.random() < 0.4 else np.repeat(rng.uniform(10, 245), 3)
        slope = np.linspace(-1, 1, size, dtype=np.float32)[:, None, None] * rng.uniform(-30, 30)
        return np.asarray(np.broadcast_to(tone + slope, (size, size, 3)).clip(0, 255), np.uint8)
    cells = int(rng.integers(3, 12))
    grey = rng.uniform(15, 230, (cells, cells, 1))
    colour = grey + rng.normal(0, 25, (cells, cells, 3))
    picture = cv2.resize(colour.astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 255)
    image = np.ascontiguousarray(picture, np.uint8)
    for _ in range(int(rng.integers(0, 9))):
        corner = rng.integers(-size // 4, size, 2)
        extent = rng.integers(size // 20, size // 2, 2)
        shade = rng.uniform(5, 250) + rng.normal(0, 20, 3)
        end = corner + extent
        cv2.rectangle(image, corner.tolist(), end.tolist(), shade.clip(0, 255).tolist(), -1, cv2.LINE_AA)
    if rng.random() < 0.6:
        blur = float(rng.uniform(0.5, 5))
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), blur), np.uint8)
    return image


def draw_body(image: Image, neck: Floats, head: Floats, colour: Floats, rng: np.random.Generator) -> None:
    """Shoulders and clothes below the neck.

    Args:
        image: (S, S, 3), drawn on.
        neck: (2,) pixel of the neck's middle.
        head: (2,) pixel of the middle between the eyes; tells the size.
        colour: (3,) of the clothes, 0..255.
        rng: randomness.
    """
    length = float(np.linalg.norm(neck - head))
    if length < 2:
        return
    down = (neck - head) / length
    across = np.array([-down[1], down[0]], np.float32)
    width = length * rng.uniform(1.1, 1.7)
    points = [
        neck + across * 0.35 * length, neck - across * 0.35 * length,
        neck - across * width + down * length * rng.uniform(0.35, 0.7),
        neck - across * width * 1.15 + down * length * 4, neck + across * width * 1.15 + down * length * 4,
        neck + across * width + down * length * rng.uniform(0.35, 0.7),
    ]  # fmt: skip
    cv2.fillPoly(image, [np.round(np.array(points)).astype(np.int32)], colour.tolist(), cv2.LINE_AA)


def long_hair(image: Image, outline: Floats, colour: Floats, rng: np.random.Generator) -> None:
    """Hair that falls behind the head: an enlarged outline, longer downwards.

    Args:
        image: (S, S, 3), drawn on before the head.
        outline: (N, 2) pixels of the scalp.
        colour: (3,) 0..255.
        rng: randomness.
    """
    middle = outline.mean(axis=0)
    spread = outline - middle
    grown = middle + spread * rng.uniform(1.05, 1.35)
    low = grown.copy()
    low[:, 1] += float(np.ptp(outline[:, 1])) * rng.uniform(0.3, 1.2)
    hull = cv2.convexHull(np.concatenate([grown, low]).astype(np.float32))
    cv2.fillPoly(image, [np.round(hull).astype(np.int32)], colour.tolist(), cv2.LINE_AA)


class HairCaps:
    """Hair as volume: the scalp grows outwards.

    Args:
        model: the face model.
    """

    def __init__(self, model: FaceModel) -> None:
        self._scalp = np.clip(model.regions["scalp"] - 0.3, 0, 1).astype(np.float32)
        self._places = (model.mean * 25.0).astype(np.float32)

    def grow(self, vertices: Floats, normals: Floats, rng: np.random.Generator) -> Floats:
        """(V, 3) vertices with the scalp moved outwards by up to some centimetres, unevenly."""
        waves = np.zeros(len(vertices), np.float32)
        for _ in range(3):
            waves += np.sin(self._places @ rng.normal(0, 1, 3) + rng.uniform(0, 6.3)).astype(np.float32)
        thickness = float(rng.gamma(1.6, 0.009)) * (1 + 0.25 * waves)
        return np.asarray(vertices + normals * (self._scalp * thickness)[:, None], np.float32)


def fringe(texture: Floats, forehead: Floats, scalp: Floats, rng: np.random.Generator) -> Floats:
    """A skin texture with hair over part of the forehead.

    Args:
        texture: (S, S, 3) linear light.
        forehead, scalp: (S, S) region masks in UV.
        rng: randomness.
    """
    size = texture.shape[0]
    colour = np.median(texture[scalp > 0.8], axis=0) if (scalp > 0.8).any() else np.full(3, 0.02, np.float32)
    strands = cv2.resize(rng.uniform(0, 1, (3, 40)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    rows = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    depth = rng.uniform(0.05, 0.25)
    cover = np.clip((depth + 0.12 * (strands - 0.5) - rows) / 0.01, 0, 1) * np.clip(forehead + scalp, 0, 1)
    shade = (colour * (0.7 + 0.6 * strands[:, :, None])).astype(np.float32)
    return np.asarray(texture * (1 - cover[:, :, None]) + shade * cover[:, :, None], np.float32)


def glasses_points(eye_left: Floats, eye_right: Floats, rng: np.random.Generator) -> tuple[list[Floats], Floats]:
    """Frames in the head frame: two closed rims (N, 3), and six points of bridge and temples as three lines (6, 3).

    Args:
        eye_left, eye_right: (3,) eyeball centres, metres.
        rng: shape and size.
    """
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    wide, high = rng.uniform(0.021, 0.029), rng.uniform(0.015, 0.024)
    power = rng.uniform(0.5, 1.0)
    rims = []
    for eye in (eye_left, eye_right):
        middle = eye + np.array([np.sign(eye[0]) * 0.002, rng.uniform(-0.006, -0.001), 0.026])
        x, y = np.cos(turns), np.sin(turns)
        ring = np.stack([
            middle[0] + wide * np.sign(x) * abs(x) ** power, middle[1] + high * np.sign(y) * abs(y) ** power,
            middle[2] - 0.25 * abs(wide * x) * (np.sign(x) == np.sign(eye[0])),
        ], axis=1)  # fmt: skip
        rims.append(ring.astype(np.float32))
    left, right = rims
    lines = np.array([
        left[left[:, 0].argmin()], right[right[:, 0].argmax()],
        left[left[:, 0].argmax()], left[left[:, 0].argmax()] + [0.018, 0.0, -0.1],
        right[right[:, 0].argmin()], right[right[:, 0].argmin()] + [-0.018, 0.0, -0.1],
    ], np.float32)  # fmt: skip
    return rims, lines


def draw_glasses(image: Image, rims: list[Floats], lines: Floats, yaw: float, rng: np.random.Generator) -> None:
    """Draws projected glasses.

    Args:
        image: (S, S, 3), drawn on.
        rims: two (N, 2) rings in pixels.
        lines: (6, 2) pixels, see `glasses_points`.
        yaw: radians; the temple on the far side is hidden.
        rng: colours.
    """
    shade = rng.uniform(0, 60) if rng.random() < 0.75 else rng.uniform(60, 220)
    colour = (shade + rng.normal(0, 12, 3)).clip(0, 255).tolist()
    width = max(1, round(image.shape[0] * rng.uniform(0.003, 0.014)))
    kind = rng.random()
    if kind < 0.6:
        tint, opacity = rng.uniform(0, 60, 3), (rng.uniform(0.5, 0.97) if kind < 0.15 else rng.uniform(0.0, 0.15))
        cover = image.copy()
        for rim in rims:
            cv2.fillPoly(cover, [np.round(rim).astype(np.int32)], tint.tolist(), cv2.LINE_AA)
        cv2.addWeighted(cover, opacity, image, 1 - opacity, 0, dst=image)
    corners = np.round(lines).astype(np.int32)
    cv2.line(image, corners[0].tolist(), corners[1].tolist(), colour, width, cv2.LINE_AA)
    if yaw > -0.2:
        cv2.line(image, corners[4].tolist(), corners[5].tolist(), colour, width, cv2.LINE_AA)
    if yaw < 0.2:
        cv2.line(image, corners[2].tolist(), corners[3].tolist(), colour, width, cv2.LINE_AA)
    for rim in rims:
        cv2.polylines(image, [np.round(rim).astype(np.int32)], True, colour, width, cv2.LINE_AA)


def draw_hand(image: Image, colour: Floats, rng: np.random.Generator) -> None:
    """A hand before the face: a palm with fingers, softly shaded, in the colour (3,) 0..255 of the person's skin."""
    size = image.shape[0]
    start = np.array([rng.uniform(0.05, 0.95), rng.uniform(0.45, 1.05)]) * size
    heading = rng.uniform(-np.pi * 0.8, -np.pi * 0.2)
    length, width = size * rng.uniform(0.15, 0.3), size * rng.uniform(0.018, 0.035)
    mask = np.zeros((size, size), np.uint8)
    fingers = int(rng.integers(2, 6))
    across = np.array([-np.sin(heading), np.cos(heading)])
    for index in range(fingers):
        base = start + across * (index - fingers / 2) * width * 2.1
        turn = heading + (index - fingers / 2) * rng.uniform(0.0, 0.2)
        tip = base + length * rng.uniform(0.7, 1.0) * np.array([np.cos(turn), np.sin(turn)])
        cv2.line(mask, base.astype(int).tolist(), tip.astype(int).tolist(), 255, max(2, int(2 * width)), cv2.LINE_AA)
    palm = (start - 0.2 * length * np.array([np.cos(heading), np.sin(heading)])).astype(int)
    cv2.ellipse(mask, palm.tolist(), (int(width * fingers * 1.1), int(0.45 * length)), float(np.degrees(heading)) + 90,
                0, 360, 255, -1, cv2.LINE_AA)  # fmt: skip
    soft = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3) / max(width, 1)
    shade = (0.55 + 0.5 * np.clip(soft, 0, 1))[:, :, None] * colour
    share = mask[:, :, None].astype(np.float32) / 255
    image[:] = (image * (1 - share) + shade.clip(0, 255) * share).astype(np.uint8)


def draw_thing(image: Image, rng: np.random.Generator) -> None:
    """Something in the way: a microphone, a cup, a scarf, a screen's corner; a polygon or an ellipse of any colour."""
    size = image.shape[0]
    middle = rng.uniform(0.05, 0.95, 2) * size
    reach = size * rng.uniform(0.06, 0.28)
    colour = (rng.uniform(5, 250) + rng.normal(0, 25, 3)).clip(0, 255).tolist()
    if rng.random() < 0.5:
        axes = (int(reach), int(reach * rng.uniform(0.3, 1)))
        cv2.ellipse(image, middle.astype(int).tolist(), axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
        return
    turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 7))))
    points = middle + reach * rng.uniform(0.6, 1.3, (len(turns), 1)) * np.stack([np.cos(turns), np.sin(turns)], 1)
    cv2.fillPoly(image, [points.astype(np.int32)], colour, cv2.LINE_AA)
