"""The coarse network at run time: all parameters of a face from one crop, without landmarks."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT, GAZE_CHANNELS, gaze_to_channels
from models.engines.base import Floats, NetworkSpec
from models.engines.choose import ChosenEngine, load_engine
from models.face_model import FaceModel
from models.geometry.camera import Camera
from models.geometry.crop import TYPICAL_SCALE, Crop, base_crop
from models.geometry.rotations import HEAD_TO_CAMERA, facing
from models.networks.presets import PresetName, ViTSettings
from models.networks.stored import WeightsHeader, check_header, read_header, read_weights, weights_hash
from tracking.coarse_example import example_crop
from tracking.coarse_person import CoarsePerson
from tracking.coarse_settings import CoarseSettings
from tracking.fit.regressor import Guess
from tracking.types import FaceObservation, FaceParameters, Image

if TYPE_CHECKING:
    from torch import nn

    from models.networks.vit import CoarseViT

WEIGHTS = Path(__file__).parents[1] / "models" / "weights"
NETWORK = "coarse-vit"
MOST_THREADS = 4
"""So small a network gains nothing from more."""


@dataclass(frozen=True, slots=True)
class CoarseAnswer:
    """What the network says of one crop.

    Attributes:
        parameters: in the camera of the whole picture; identity as answered, or that of the known person; expression
            as answered, clipped to 0..1.
        seen: (3, 3) rotation of the head as seen along the ray to it.
        light: (9, 3) spherical harmonics, camera frame.
        albedo: (A,) coefficients.
        landmarks: (478, 2) pixels of the whole picture that the network's close looks found, None for a network that
            takes none. The mesh of `parameters` lies near them, and nearer once a fit has followed them.
    """

    parameters: FaceParameters
    seen: NDArray[np.float64]
    light: Floats
    albedo: Floats
    landmarks: Floats | None = None

    def observation(self) -> FaceObservation | None:
        """The landmarks as a detector would report them, without depth and scores."""
        if self.landmarks is None:
            return None
        landmarks = np.column_stack([self.landmarks, np.zeros(len(self.landmarks), np.float32)])
        box = np.concatenate([self.landmarks.min(axis=0), self.landmarks.max(axis=0)])
        return FaceObservation(landmarks, np.zeros(CHANNEL_COUNT, np.float32), box.astype(np.float32), 1.0)


def coarse_weights(preset: PresetName = "lite") -> Path:
    """The shipped weights of a preset."""
    return WEIGHTS / f"coarse_{preset}.safetensors"


def chosen_weights(settings: CoarseSettings) -> Path:
    """The file that settings name, or the shipped weights of their preset."""
    return settings.weights or coarse_weights(settings.preset)


def coarse_spec(path: Path, header: WeightsHeader, person: CoarsePerson | None = None) -> NetworkSpec:
    """The stored network as engines take it: one crop in, what `CoarseReader` answers out."""
    size = int(header.extra["crop_pixels"])
    weights = weights_hash(path)
    if person is not None:
        person.check(weights, header.face_model)
    return NetworkSpec(
        name=f"coarse-{header.preset}",
        weights=weights if person is None else f"{weights}{person.key()}",
        inputs={"crop": (1, 3, size, size)},
        outputs=ViTSettings.model_validate(header.settings).answers,
        build=_builder(path, header, person),
        sample=lambda: (example_crop(size),),
    )


def coarse_network(path: Path, header: WeightsHeader) -> CoarseViT:
    """The stored network in torch.

    Raises:
        WeightsError: the weights cannot be used.
    """
    from models.networks.vit import CoarseLayout, CoarseViT

    network = CoarseViT(ViTSettings.model_validate(header.settings), CoarseLayout(**header.extra["layout"]))
    read_weights(path, network)
    return network


def _builder(path: Path, header: WeightsHeader, person: CoarsePerson | None) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        from models.networks.vit import CoarseReader

        network = coarse_network(path, header)
        if person is not None:
            person.apply(network)
        return CoarseReader(network)

    return build


class CoarsePredictor:
    """Reads faces off crops. Not thread-safe.

    Args:
        model: the face model; its name must be the one that the weights were trained for.
        weights: file; by default the shipped `lite` ones.
        engine: see `load_engine`.
        threads: of the processor; None takes as many as pay, see `paying_threads`.
        person: who is seen; None for anybody.

    Raises:
        WeightsError: the weights cannot be used, or the person's adapters belong to others.
        EngineError: no engine runs them.
    """

    def __init__(
        self,
        model: FaceModel,
        weights: Path | None = None,
        engine: str = "auto",
        threads: int | None = None,
        person: CoarsePerson | None = None,
    ) -> None:
        path = weights or coarse_weights()
        self.header = read_header(path)
        check_header(path, self.header, NETWORK, face_model=model.name)
        self.spec = coarse_spec(path, self.header, person)
        self.chosen: ChosenEngine = load_engine(self.spec, engine, threads or paying_threads())
        self.size = self.spec.inputs["crop"][2]
        self._model = model
        self._identity = None if person is None else model.identity(person.identity)

    @property
    def finds_landmarks(self) -> bool:
        """Whether its answers hold landmarks of the network's own."""
        return bool(self.header.settings.get("glimpses"))

    def predict(
        self, image: Image, crop: Crop, camera: Camera, kept: Callable[[Crop], Crop] = lambda square: square
    ) -> CoarseAnswer:
        """The face in a crop.

        Args:
            image: (H, W, 3) uint8 RGB, the whole picture.
            crop: the square that is looked at, see `crop_of_landmarks`.
            camera: of the whole picture.
            kept: where a square of the whole picture lies in `image`, should that be only a part of it.

        Raises:
            EngineError: the device failed.
        """
        pixels = kept(crop).sample(image, self.size)
        given = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)
        given *= np.float32(1 / 255)
        answered = [a[0] for a in self.chosen.engine.run(given)]
        identity, expression, seen, gaze, scale, place, albedo, light = answered[:8]
        landmarks = crop.to_pixels(answered[8]).astype(np.float32) if len(answered) > 8 else None
        depth = camera.focal / (float(scale) * crop.half)
        centre = np.asarray(camera.centre)
        origin = np.array([crop.x, crop.y]) + place.astype(np.float64) * crop.half - centre
        translation = np.append(origin / camera.focal * depth, depth)
        rotation = HEAD_TO_CAMERA @ facing(translation) @ HEAD_TO_CAMERA @ seen.astype(np.float64)
        channels = np.clip(expression, 0.0, 1.0)
        channels[list(GAZE_CHANNELS)] = 0.0
        channels = np.maximum(channels, gaze_to_channels(gaze))
        parameters = FaceParameters(
            self._model.identity(identity) if self._identity is None else self._identity,
            channels.astype(np.float32),
            rotation,
            translation,
            gaze,
            camera,
        )
        return CoarseAnswer(parameters, seen.astype(np.float64), light, albedo, landmarks)

    def opinion(self, answer: CoarseAnswer) -> Guess:
        """The answer as a guess that the fit weighs by the errors that the network makes on people it never saw."""
        extra = self.header.extra
        return Guess(
            expression=answer.parameters.expression.astype(np.float64),
            sigma=np.maximum(np.asarray(extra["channel_sigma"], np.float64), 0.01),
            gaze=answer.parameters.gaze.astype(np.float64),
            rotation=answer.seen,
            rotation_sigma=float(extra["rotation_sigma"]),
        )


def paying_threads(taken: int = 0) -> int:
    """Threads with which the network is fastest.

    Args:
        taken: processor cores that work on something else all the time.
    """
    return max(1, min(MOST_THREADS, (os.cpu_count() or 1) - taken))


def crop_of_landmarks(landmarks: NDArray[np.floating]) -> Crop:
    """The crop around detected or projected landmarks (N, 2 or 3), pixels."""
    return base_crop(landmarks[:, :2]).scaled(TYPICAL_SCALE)
