"""A source that renders our own face model: every frame comes with its truth."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX, gaze_to_channels
from models.face_model import FaceModel, load_face_model
from models.geometry.camera import Camera
from models.geometry.rasterise import rasterise_uv
from models.geometry.rotations import from_euler
from models.synthesis.light import directional_light
from models.synthesis.portrait import Eyes, Look, paint
from models.synthesis.skin import random_skin
from tracking.sources.base import Source, SourceError
from tracking.types import FaceParameters, Frame

Floats = NDArray[np.float64]

# What a face does. Regions act at the same time and on their own, each with one action after another; an action is a
# set of channels that move together. "*" stands for Left and Right, which may also act alone.
REGIONS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("browDown*",), ("browOuterUp*",), ("browInnerUp",), ("browInnerUp", "browOuterUp*")),
    (("eyeSquint*",), ("eyeWide*",), ("eyeBlink*",), ("cheekSquint*", "eyeSquint*")),
    (("noseSneer*",), ("cheekPuff",), ("cheekSquint*",), ("mouthUpperUp*", "noseSneer*")),
    (
        ("mouthSmile*",), ("mouthFrown*",), ("mouthDimple*",), ("mouthStretch*",), ("mouthPress*",), ("mouthLeft",),
        ("mouthRight",), ("mouthFunnel",), ("mouthPucker",), ("mouthRollLower",), ("mouthRollUpper",),
        ("mouthShrugLower",), ("mouthShrugUpper",), ("mouthLowerDown*",), ("mouthUpperUp*",),
    ),
    (
        ("jawOpen",), ("jawOpen",), ("jawForward",), ("jawLeft",), ("jawRight",), ("jawOpen", "tongueOut"),
        ("jawOpen", "mouthClose"),
    ),
)  # fmt: skip
REST = 0.3
"""Share of an action's time that a region rests after it."""
ONE_SIDED = 0.3
TEXTURE = 512


class SyntheticSettings(BaseModel):
    """What the synthetic source shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 1
    """Decides the person, the motion, the light and the background."""
    frames: int = Field(300, ge=1)
    """Length of the clip."""
    width: int = Field(640, ge=16)
    """Picture width in pixels."""
    height: int = Field(480, ge=16)
    """Picture height in pixels."""
    fps: float = Field(30.0, gt=0)
    """Frames a second of media time."""
    fov_degrees: float = Field(56.0, gt=5, lt=150)
    """Field of view across the longer side."""
    yaw_degrees: float = Field(30.0, ge=0, le=90)
    """Largest turn of the head."""
    neutral_s: float = Field(1.0, ge=0)
    """Seconds of a still, neutral face at the start, as a person gives when asked to look into the camera."""


@dataclass(frozen=True, slots=True)
class _Script:
    """The whole clip's parameters, one row a frame."""

    expression: Floats
    angles: Floats
    place: Floats
    gaze: Floats


class SyntheticSource(Source):
    """Renders a random person; same settings, same pixels.

    `read` blocks for the rendering of one frame (some 20 to 40 ms at 640 x 480).

    Args:
        settings: see SyntheticSettings.
        model: the face model, by default the shipped head.
        identity: (<= K,) coefficients of the person, by default a random one's.
        skin: makes the skin that is shown, (S, S, 3) linear light over the face map, of the random one.
    """

    def __init__(
        self,
        settings: SyntheticSettings | None = None,
        model: FaceModel | None = None,
        identity: NDArray[np.floating] | None = None,
        skin: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None,
    ) -> None:
        self.settings = settings or SyntheticSettings()
        self.model = model or load_face_model()
        rng = np.random.default_rng(self.settings.seed)
        self.camera = Camera.from_fov(
            self.settings.width, self.settings.height, float(np.radians(self.settings.fov_degrees))
        )
        self.identity = rng.normal(0, 0.8, self.model.identity_count).astype(np.float32)
        self._script = _write_script(self.settings, rng)
        self._look = self._random_look(rng)
        if identity is not None:
            self.identity = self.model.identity(identity)
        if skin is not None:
            self._look = replace(self._look, texture=skin(self._look.texture))
        self._next: int | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """`synthetic:SEED`."""
        return f"synthetic:{self.settings.seed}"

    @property
    def width(self) -> int:
        """Pixels."""
        return self.settings.width

    @property
    def height(self) -> int:
        """Pixels."""
        return self.settings.height

    @property
    def fps(self) -> float:
        """Frames a second of media time."""
        return self.settings.fps

    @property
    def live(self) -> bool:
        """False: frames wait for the reader."""
        return False

    def open(self) -> None:
        """Starts at the first frame, unless it is open already."""
        if self._next is None:
            self._next = 0
        self._closed = False

    def read(self) -> Frame | None:
        """The next rendered frame, None at the end or once it is closed.

        Raises:
            SourceError: the source was never opened.
        """
        if self._closed:
            return None
        if self._next is None:
            raise SourceError("The synthetic source is not open; open it first.")
        if self._next >= self.settings.frames:
            return None
        index = self._next
        self._next += 1
        return Frame(index, index / self.settings.fps, time.monotonic_ns(), self.render(index))

    def close(self) -> None:
        """Ends the clip."""
        self._closed = True
        self._next = None

    def truth(self, index: int) -> FaceParameters:
        """The parameters that frame `index` was rendered from.

        Raises:
            IndexError: the clip has no such frame.
        """
        if not 0 <= index < self.settings.frames:
            raise IndexError(f"the clip has frames 0 to {self.settings.frames - 1}, not {index}")
        script = self._script
        gaze = script.gaze[index]
        expression = np.maximum(script.expression[index], gaze_to_channels(gaze)).astype(np.float32)
        return FaceParameters(
            self.identity,
            expression,
            from_euler(*script.angles[index]),
            script.place[index],
            gaze.astype(np.float32),
            self.camera,
        )

    def render(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB picture of frame `index`, with a little camera noise."""
        truth = self.truth(index)
        posed = self.model.pose(truth.identity, truth.expression, truth.gaze)
        picture = paint(self.model, posed, truth.rotation, truth.translation, self.camera, self._look).image
        noise = np.random.default_rng((self.settings.seed, index)).normal(0, 2.0, picture.shape)
        return np.clip(picture + noise, 0, 255).astype(np.uint8)

    def _random_look(self, rng: np.random.Generator) -> Look:
        raster = rasterise_uv(self.model.uv, self.model.uv_faces, TEXTURE, subset=self.model.part_faces("skin"))
        texture = random_skin(self.model, rng, raster)
        direction = np.array([rng.uniform(-1, 1), rng.uniform(-1, 0.1), -1.0])
        light = directional_light(direction, rng.uniform(0.35, 0.8), rng.uniform(0.35, 0.6))
        iris = np.array([0.12, 0.09, 0.06]) * rng.uniform(0.5, 1.8) * rng.uniform(0.7, 1.3, 3)
        return Look(texture, light, self._background(rng), Eyes(iris=tuple(float(v) for v in iris)))  # type: ignore[arg-type]

    def _background(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Soft coloured shapes, out of focus as a room behind a desk is."""
        cells = rng.uniform(30, 210, (6, 8, 3)).astype(np.float32)
        return np.asarray(
            cv2.resize(cells, (self.settings.width, self.settings.height), interpolation=cv2.INTER_CUBIC).clip(0, 255),
            np.uint8,
        )


def _write_script(settings: SyntheticSettings, rng: np.random.Generator) -> _Script:
    count = settings.frames
    seconds = np.arange(count) / settings.fps
    still = np.clip((seconds - settings.neutral_s) / 0.5, 0, 1)
    expression = np.zeros((count, CHANNEL_COUNT))
    for region in REGIONS:
        deck: list[tuple[str, ...]] = []
        start = settings.neutral_s + rng.uniform(0, 1)
        while start < seconds[-1]:
            # A shuffled deck, so that every action has its turn before one comes again.
            deck = deck or [region[i] for i in rng.permutation(len(region))]
            duration = rng.uniform(0.6, 1.5)
            shape = _bump(seconds, start, duration)
            for channel, amount in _act(deck.pop(), rng).items():
                values = expression[:, CHANNEL_INDEX[channel]]
                np.maximum(values, amount * shape, out=values)
            start += duration * (1 + rng.uniform(0, 2 * REST))
    for blink in np.arange(settings.neutral_s + 1.5, seconds[-1], 3.1):
        shape = _bump(seconds, float(blink), 0.25)
        for name in ("eyeBlinkLeft", "eyeBlinkRight"):
            expression[:, CHANNEL_INDEX[name]] = np.maximum(expression[:, CHANNEL_INDEX[name]], shape)
    limits = np.array([np.radians(settings.yaw_degrees), np.radians(15), np.radians(10)])
    angles = np.stack([_wander(rng, seconds) for _ in range(3)], axis=1) * limits * still[:, None]
    place = np.stack([_wander(rng, seconds) for _ in range(3)], axis=1) * np.array([0.04, 0.03, 0.06]) * still[:, None]
    gaze = np.stack([_wander(rng, seconds), _wander(rng, seconds)], axis=1) * np.array([0.35, 0.2]) * still[:, None]
    return _Script(expression, angles, place + np.array([0.0, 0.0, 0.55]), np.repeat(gaze[:, None], 2, axis=1))


def _act(names: tuple[str, ...], rng: np.random.Generator) -> dict[str, float]:
    """Channel values of one action at its height."""
    amount = float(rng.uniform(0.35, 1.0))
    sides = ["Left", "Right"]
    if rng.random() < ONE_SIDED:
        sides.pop(int(rng.integers(2)))
    expanded = [name.replace("*", side) for name in names for side in (sides if "*" in name else [""])]
    return dict.fromkeys(expanded, amount)


def _bump(seconds: Floats, start: float, duration: float) -> Floats:
    """Rises, stays and falls smoothly within start .. start + duration."""
    t = np.clip((seconds - start) / duration, 0, 1)
    edge = np.clip(np.minimum(t, 1 - t) / 0.35, 0, 1)
    return np.asarray(edge * edge * (3 - 2 * edge))


def _wander(rng: np.random.Generator, seconds: Floats) -> Floats:
    """Smooth motion within -1..1."""
    waves = [(rng.uniform(0.05, 0.35), rng.uniform(0, 2 * np.pi)) for _ in range(3)]
    total = sum(np.sin(2 * np.pi * rate * seconds + phase) for rate, phase in waves)
    return np.asarray(total / 3.0 * 1.15).clip(-1, 1)
