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

__all__ = ["SHARE", "SecondLook", "second_look"]

SHARE = 0.5
"""Of the network's landmarks in the middle of both observers'."""


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What detector and network together see in one picture.

    Attributes:
        landmarks: (478, 2) pixels of the whole picture, between the detector's and the network's.
        opinion: the network's on expression, gaze and rotation.
    """

    landmarks: NDArray[np.float32]
    opinion: Guess


def second_look(predictor: CoarsePredictor, frame: CapturedFrame, share: float = SHARE) -> SecondLook | None:
    """Lets the network look at a kept picture; None where it finds no landmarks.

    Args:
        predictor: the network.
        frame: the picture.
        share: of the network's landmarks, 0..1.

    Raises:
        EngineError: the device failed.
    """
    detected = frame.observation.landmarks[:, :2]
    camera = frame.parameters.camera
    answer = predictor.predict(frame.image, crop_of_landmarks(detected), camera, frame.place)
    if answer.landmarks is None:
        return None
    between = detected + share * (answer.landmarks - detected)
    return SecondLook(np.asarray(between, np.float32), predictor.opinion(answer))
