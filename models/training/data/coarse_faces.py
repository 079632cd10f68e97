"""Rendered training pictures for the coarse network, with exact labels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel, load_face_model
from models.geometry.crop import REACH, Crop, base_crop
from models.geometry.rasterise import empty_raster, interpolate, rasterise, rasterise_uv
from models.geometry.rotations import HEAD_TO_CAMERA, to_euler
from models.synthesis.light import to_srgb
from models.synthesis.portrait import Eyes
from models.synthesis.shade import FaceShader, Shine
from models.synthesis.skin import random_skin
from models.training.data import dressing
from models.training.data.faces import (
    Placing,
    random_expression,
    random_gaze,
    random_light,
    random_placing,
    with_gaze,
)

Floats = NDArray[np.float32]

PICTURE = 320
"""Side of a stored picture in pixels; it shows REACH base crops, so that every augmented crop lies within it."""
FOCAL = 1000.0
TEXTURE = 256
SKINS = 48
"""Skins that are kept at hand; one of them is replaced with each person."""


@dataclass(frozen=True, slots=True)
class CoarseSample:
    """A picture and what is in it.

    Attributes:
        image: (PICTURE, PICTURE, 3) uint8 RGB, the square of REACH base crops around the face.
        identity: (K,) standard deviations.
        expression: (52,).
        gaze: (2, 2) radians.
        seen: (3, 3) rotation of the head as seen along the ray to it.
        translation: (3,) metres, camera frame.
        light: (9, 3).
        base: (3,) x, y relative to the principal point and half side of the base crop, in pixels of a camera with
            `focal`.
        focal: focal length in those pixels.
    """

    image: NDArray[np.uint8]
    identity: Floats
    expression: Floats
    gaze: Floats
    seen: NDArray[np.float64]
    translation: NDArray[np.float64]
    light: Floats
    base: Floats
    focal: float


class CoarseFaces:
    """Renders people. Not thread-safe.

    Args:
        seed: of the first person.
        model: the face model.
        textures: (T, S, S, 3) uint8 sRGB skins unwrapped from photographs, used for half of the people; may be empty.
    """

    def __init__(self, seed: int, model: FaceModel | None = None, textures: NDArray[np.uint8] | None = None) -> None:
        self._model = model or load_face_model()
        self._seed = seed
        self._photographed = textures if textures is not None else np.zeros((0, TEXTURE, TEXTURE, 3), np.uint8)
        self._uv_raster = rasterise_uv(
            self._model.uv, self._model.uv_faces, TEXTURE, subset=self._model.part_faces("skin")
        )
        masks = [self._model.regions[name] for name in ("forehead", "scalp", "face")]
        self._masks = np.moveaxis(
            interpolate(self._uv_raster, np.stack(masks, 1).astype(np.float32), self._model.faces), -1, 0
        )
        self._raster = empty_raster(PICTURE, PICTURE)
        self._shade = FaceShader(self._model)
        self._caps = dressing.HairCaps(self._model)
        self._scalp = np.flatnonzero(self._model.regions["scalp"] > 0.8)
        self._neck = np.flatnonzero(self._model.regions["neck"] > 0.9)
        self._skins: list[Floats] = []

    @property
    def next_seed(self) -> int:
        """Seed of the next person."""
        return self._seed

    def person(self, count: int) -> list[CoarseSample]:
        """`count` pictures of the next person: one identity and skin, everything else different in each."""
        rng = np.random.default_rng(self._seed)
        self._seed += 1
        identity = rng.normal(0, 0.85, self._model.identity_count).astype(np.float32)
        texture = self._skin(rng)
        iris = np.array([0.12, 0.09, 0.06]) * rng.uniform(0.4, 2.0) * rng.uniform(0.7, 1.4, 3)
        red, green, blue = (float(v) for v in iris)
        eyes = Eyes(iris=(red, green, blue), iris_radius=float(rng.uniform(0.40, 0.47)),
                    pupil_radius=float(rng.uniform(0.13, 0.26)))  # fmt: skip
        bald = rng.random() < 0.15
        samples: list[CoarseSample] = []
        while len(samples) < count:
            sample = self._picture(identity, texture, eyes, bald, rng)
            if sample is not None:
                samples.append(sample)
        return samples

    def _skin(self, rng: np.random.Generator) -> Floats:
        if len(self._skins) < SKINS:
            self._skins.append(self._new_skin(rng))
            texture = self._skins[-1]
        else:
            index = int(rng.integers(SKINS))
            if rng.random() < 0.35:
                self._skins[index] = self._new_skin(rng)
            # The same skin lighter or darker, redder or paler is another person's.
            tone = np.exp(rng.normal(0, 0.15)) * np.exp(rng.normal(0, 0.05, 3))
            texture = np.clip(self._skins[index] * tone, 0, 1).astype(np.float32)
        if rng.random() < 0.25:
            texture = dressing.fringe(texture, self._masks[0], self._masks[1], rng)
        return np.ascontiguousarray(texture, np.float32)

    def _new_skin(self, rng: np.random.Generator) -> Floats:
        skin = random_skin(self._model, rng, self._uv_raster)
        if not len(self._photographed) or rng.random() < 0.35:
            return skin
        photographed = self._photographed[int(rng.integers(len(self._photographed)))].astype(np.float32) / 255
        if rng.random() < 0.5:
            photographed = photographed[:, ::-1]
        linear = photographed**2.2 * float(np.exp(rng.uniform(-1.0, 0.3)))
        face, scalp = self._masks[2][:, :, None], self._masks[1][:, :, None]
        share = np.clip(face * 1.5, 0, 1) * (1 - scalp)
        tone = np.median(linear[self._masks[2] > 0.9], axis=0) / np.median(skin[self._masks[2] > 0.9], axis=0)
        return np.asarray(
            np.clip(linear * share + skin * (scalp + (1 - scalp) * tone) * (1 - share), 0.002, 1), np.float32
        )

    def _picture(
        self, identity: Floats, texture: Floats, eyes: Eyes, bald: bool, rng: np.random.Generator
    ) -> CoarseSample | None:
        model = self._model
        gaze = random_gaze(rng)
        expression = with_gaze(random_expression(rng), gaze)
        placing = random_placing(rng)
        posed = model.pose(identity, expression, gaze)
        base = self._base(posed.vertices, placing)
        if base is None:
            return None
        square = base.scaled(REACH)
        vertices = posed.vertices if bald else self._caps.grow(posed.vertices, posed.normals, rng)
        to_camera = HEAD_TO_CAMERA @ placing.rotation
        points = vertices @ to_camera.T + placing.translation
        pixels = _to_picture(points, square)
        raster = rasterise(
            pixels.astype(np.float32), points[:, 2].astype(np.float32), model.faces, PICTURE, PICTURE, out=self._raster
        )
        light, main = random_light(rng)
        skin_tone = to_srgb(np.median(texture[self._masks[2] > 0.9], axis=0) * light[0] * 0.28).astype(np.float32)
        hair = to_srgb(np.median(texture[self._masks[1] > 0.8], axis=0) * light[0] * 0.25).astype(np.float32)
        image = dressing.random_background(PICTURE, rng)
        if not bald and rng.random() < 0.35:
            dressing.long_hair(image, pixels[self._scalp].astype(np.float32), hair, rng)
        origin = _to_picture(placing.translation[None], square)[0].astype(np.float32)
        clothes = rng.uniform(5, 245) + rng.normal(0, 25, 3)
        dressing.draw_body(image, pixels[self._neck].mean(axis=0).astype(np.float32), origin, clothes.clip(0, 255), rng)
        normals = posed.normals @ to_camera.T.astype(np.float32)
        shine = Shine(main, float(abs(rng.normal(0, 0.05))), float(rng.uniform(6, 40)))
        self._shade(raster, normals, texture, light, eyes, shine, image)
        self._cover(image, identity, placing, square, skin_tone, rng)
        return CoarseSample(
            image, identity, expression, gaze, placing.seen, placing.translation, light,
            np.array([base.x, base.y, base.half], np.float32), FOCAL,
        )  # fmt: skip

    def _base(self, vertices: Floats, placing: Placing) -> Crop | None:
        landmarks = self._model.embed(vertices, self._model.landmarks478)
        points = landmarks @ (HEAD_TO_CAMERA @ placing.rotation).T + placing.translation
        if points[:, 2].min() < 0.05:
            return None
        return base_crop(points[:, :2] / points[:, 2:] * FOCAL)

    def _cover(
        self, image: NDArray[np.uint8], identity: Floats, placing: Placing, square: Crop, skin: Floats,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        if rng.random() < 0.25:
            joints = self._model.joints(identity)
            rims, lines = dressing.glasses_points(joints[2], joints[3], rng)
            to_camera = HEAD_TO_CAMERA @ placing.rotation

            def project(points: Floats) -> Floats:
                return _to_picture(points @ to_camera.T + placing.translation, square).astype(np.float32)

            yaw = float(to_euler(placing.seen)[0])
            dressing.draw_glasses(image, [project(rim) for rim in rims], project(lines), yaw, rng)
        if rng.random() < 0.08:
            dressing.draw_hand(image, skin, rng)
        if rng.random() < 0.12:
            dressing.draw_thing(image, rng)


def _to_picture(points: NDArray[np.floating], square: Crop) -> NDArray[np.float64]:
    """(N, 2) pixels of the stored picture of (N, 3) camera-frame points."""
    crop = square.to_crop(points[:, :2] / points[:, 2:] * FOCAL)
    return np.asarray((crop + 1) * (PICTURE / 2) - 0.5, np.float64)


def encode(image: NDArray[np.uint8], quality: int = 93) -> NDArray[np.uint8]:
    """JPEG bytes of an RGB picture: what shards hold."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the picture cannot be encoded")
    return np.asarray(data, np.uint8).ravel()


def decode(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The RGB picture of JPEG bytes."""
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("the stored picture is damaged: delete its file and start again")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
