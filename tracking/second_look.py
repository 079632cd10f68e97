"""A second observer of one person's pictures: the coarse network, whose landmarks err otherwise than the detector's.

Each has habits of its own on a face; the middle of both lies nearer to the truth, and two pictures of one person agree
better on who that is (docs/measurements.md, "Models of one person"). Reconstruction, no published source.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracking.coarse import CoarsePredictor, crop_of_landmarks
from tracking.fit.regressor import Guess
from tracking.person_capture import CapturedFrame
from tracking.types import FaceObservation

__all__ = ["SHARE", "SecondLook", "between", "second_look"]

SHARE = 0.5
"""Of the network's landmarks in what both see together, where nothing tells who sees better."""


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What the network sees in one picture.

    Attributes:
        landmarks: (478, 2) pixels of the whole picture.
        opinion: on expression, gaze and rotation.
    """

    landmarks: NDArray[np.float32]
    opinion: Guess


def second_look(predictor: CoarsePredictor, frame: CapturedFrame) -> SecondLook | None:
    """Lets the network look at a kept picture; None where it finds no landmarks.

    Args:
        predictor: the network.
        frame: the picture.

    Raises:
        EngineError: the device failed.
    """
    crop = crop_of_landmarks(frame.observation.landmarks[:, :2])
    answer = predictor.predict(frame.image, crop, frame.parameters.camera, frame.place)
    if answer.landmarks is None:
        return None
    return SecondLook(np.asarray(answer.landmarks, np.float32), predictor.opinion(answer))


def between(observation: FaceObservation, look: SecondLook, share: float) -> NDArray[np.float32]:
    """(478, 2) pixels: where both see the landmarks together.

    Args:
        observation: the detector's.
        look: the network's.
        share: of the network, 0..1.
    """
    detected = observation.landmarks[:, :2]
    return np.asarray(detected + share * (look.landmarks - detected), np.float32)
