"""A learned first guess of the expression from what the detector reports.

MediaPipe's own scores were made for other faces and leave several channels near zero. This small network reads the same
detector's landmarks (freed of pose) and scores, as they are and as they differ from the person's face at rest, and
answers with our 52 channels and the gaze. It was trained on renders of our own face model alone
(`app/tools/train_regressor.py`), so that its answer is what our channels mean. The model fit takes it as a prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from models.channels import CHANNEL_COUNT
from models.face_model import ModelFileError
from models.geometry.rotations import from_euler, to_euler
from tracking.fit.features import align
from tracking.types import FaceObservation

Floats = NDArray[np.float64]

WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights" / "expression_regressor.safetensors"
DETECTOR_TO_HEAD = np.array([1.0, -1.0, -1.0])
"""MediaPipe's landmarks are x right, y down, z away; the head frame is x left of the subject, y up, z out."""
DIFFERENCE_GAIN = 2.0
ANGLE_SCALE = 2.0
"""The network's angles are in half radians, to be of the size of the channels."""
REST_FRAMES = 25
"""Frames at a session's start whose mean is the face at rest, until calmer ones refine it."""
EARLY = 6
"""Frames after which a first idea of the face at rest is used."""
CALM = 0.7
"""Sum of all channels below which a later frame counts as at rest."""
CALM_SHARE = 1 / 200


@dataclass(frozen=True, slots=True)
class Features:
    """What one frame says, freed of pose: (K,) shape components, (52,) scores, (3,) yaw, pitch, roll in radians."""

    shape: Floats
    scores: Floats
    angles: Floats


@dataclass(frozen=True, slots=True)
class Guess:
    """The network's answer.

    Attributes:
        expression: (52,) channels in 0..1.
        sigma: (52,) their standard deviations.
        gaze: (2, 2) radians, rows left and right eye, columns yaw and pitch.
        rotation: (3, 3) head rotation as the camera sees it, that is relative to the ray to the head.
        rotation_sigma: radians, standard deviation of each of its angles.
    """

    expression: Floats
    sigma: Floats
    gaze: Floats
    rotation: Floats
    rotation_sigma: float


@dataclass(frozen=True, slots=True)
class RestingLook:
    """How the detector sees a person's face at rest.

    Attributes:
        points: (478, 3) landmarks, head frame, laid onto the regressor's mean face, which has unit size.
        scores: (52,).
    """

    points: Floats
    scores: Floats


class ExpressionRegressor:
    """The network and its idea of the person's face at rest. Not thread-safe.

    Args:
        path: the weights.

    Raises:
        ModelFileError: the file is missing or damaged.
    """

    def __init__(self, path: Path = WEIGHTS) -> None:
        if not path.is_file():
            raise ModelFileError(f"The model file {path} is missing; install Mien again.")
        try:
            arrays = load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise ModelFileError(f"The model file {path} is damaged ({error}); install Mien again.") from error
        try:
            self.reference = arrays["reference"].astype(np.float64)
            self._mean = arrays["mean"].astype(np.float64)
            self._components = arrays["components"].astype(np.float64)
            count = max(1, sum(name.startswith("weight") for name in arrays))
            self._layers = [
                (arrays[f"weight{i}"].astype(np.float32), arrays[f"bias{i}"].astype(np.float32)) for i in range(count)
            ]
            self._threshold = arrays["threshold"].astype(np.float64)
            self._rotation_sigma = float(arrays["rotation_sigma"][0])
            self._sigma = {True: arrays["sigma_rest"], False: arrays["sigma_alone"]}
        except KeyError as error:
            raise ModelFileError(f"The model file {path} lacks {error}; install Mien again.") from error
        self.reset()

    def reset(self) -> None:
        """Forgets the face at rest."""
        self._rest: Features | None = None
        self._count = 0

    def resting_look(self, observations: Sequence[FaceObservation]) -> RestingLook:
        """The mean of pictures of one face at rest.

        Raises:
            ValueError: no picture.
        """
        if not observations:
            raise ValueError("a face at rest needs at least one picture")
        laid = [align(o.landmarks.astype(np.float64) * DETECTOR_TO_HEAD, self.reference)[0] for o in observations]
        return RestingLook(np.mean(laid, axis=0), np.mean([o.scores for o in observations], axis=0, dtype=np.float64))

    def remember(self, look: RestingLook) -> None:
        """Takes this as the face at rest; calm frames refine it."""
        points, rotation = align(look.points, self.reference)
        self._rest = Features(self._shape(points), look.scores, to_euler(rotation.T))
        self._count = REST_FRAMES

    def features(self, observation: FaceObservation) -> Features:
        """The frame's features; see Features."""
        points, rotation = align(observation.landmarks.astype(np.float64) * DETECTOR_TO_HEAD, self.reference)
        return Features(self._shape(points), observation.scores.astype(np.float64), to_euler(rotation.T))

    def __call__(self, observation: FaceObservation) -> Guess:
        """The guess for one frame of a session; learns the face at rest as it goes."""
        features = self.features(observation)
        guess = self.guess(features, self._rest if self._count >= EARLY else None)
        if self._count < REST_FRAMES:
            self._learn(features, 1 / (self._count + 1))
        elif float(guess.expression.sum()) < CALM:
            self._learn(features, CALM_SHARE)
        return guess

    def guess(self, features: Features, rest: Features | None) -> Guess:
        """The guess from features, with or without knowledge of the face at rest."""
        known = rest is not None
        shape_change = (features.shape - rest.shape) * DIFFERENCE_GAIN if rest is not None else 0 * features.shape
        score_change = features.scores - rest.scores if rest is not None else 0 * features.scores
        # Single precision: most of the time goes into fetching the weights.
        x = np.concatenate(
            [features.shape, shape_change, features.scores, score_change, features.angles, [float(known)]]
        ).astype(np.float32)
        for index, (weight, bias) in enumerate(self._layers):
            x = weight @ x + bias
            if index < len(self._layers) - 1:
                x = gelu(x)
        answer = x.astype(np.float64)
        values = (answer[:CHANNEL_COUNT] - self._threshold) / (1 - self._threshold)
        angles = answer[CHANNEL_COUNT:] / ANGLE_SCALE
        return Guess(
            np.clip(values, 0.0, 1.0),
            self._sigma[known].astype(np.float64),
            angles[:4].reshape(2, 2),
            from_euler(*(features.angles + angles[4:])),
            self._rotation_sigma,
        )

    def _shape(self, points: Floats) -> Floats:
        """(K,) components of points (478, 3) that were laid onto the mean face."""
        return np.asarray(self._components @ ((points - self.reference).ravel() - self._mean))

    def _learn(self, features: Features, share: float) -> None:
        self._count += 1
        if self._rest is None:
            self._rest = features
            return
        rest = self._rest
        self._rest = Features(
            rest.shape + share * (features.shape - rest.shape),
            rest.scores + share * (features.scores - rest.scores),
            rest.angles,
        )


def gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gaussian error linear unit, in the tanh form that the training uses."""
    inner = np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x * x * x)
    return np.asarray(np.float32(0.5) * x * (1 + np.tanh(inner)), np.float32)
