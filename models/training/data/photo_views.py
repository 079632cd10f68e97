"""Photographs seen otherwise: in the mirror, and by a camera that is tilted. Labels follow exactly.

There are few people whose photographs may be learned from, and studios keep heads upright. A tilt is a turn of the
camera about its axis, and a mirror image what a mirrored head would look like, so that both keep everything a label
says true.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.channels import MIRROR_PERMUTATION
from models.geometry.camera import Camera
from models.geometry.rotations import HEAD_TO_CAMERA
from models.training.data.labels import FaceLabel

TILT_DEGREES = 14.0
"""Standard deviation of the tilts."""
MOST_DEGREES = 35.0
_MIRROR = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True)
class PhotoView:
    """How a photograph is seen.

    Attributes:
        tilt: radians by which the picture's content turns clockwise about the principal point.
        mirrored: left and right swapped, before the tilt.
    """

    tilt: float = 0.0
    mirrored: bool = False

    def of_pixels(self, camera: Camera) -> NDArray[np.float64]:
        """(2, 3) affine map from pixels of the photograph to pixels of the view."""
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        turn = np.array([[cos, -sin], [sin, cos]])
        if self.mirrored:
            turn = turn @ np.diag([-1.0, 1.0])
        centre = np.asarray(camera.centre)
        return np.column_stack([turn, centre - turn @ centre])

    def of_label(self, label: FaceLabel, partners: NDArray[np.int64]) -> FaceLabel:
        """What the label says of the view. Identity stays as it is: a mirrored head's own coefficients are not known.

        Args:
            label: of the photograph.
            partners: (478,) see `mirror_partners`.
        """
        matrix = self.of_pixels(label.camera)
        landmarks = label.landmarks.copy()
        landmarks[:, :2] = landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        rotation, translation = label.rotation, label.translation.astype(np.float64).copy()
        expression, gaze, scores = label.expression, label.gaze, label.scores
        if self.mirrored:
            landmarks = landmarks[partners]
            rotation = _MIRROR @ rotation @ _MIRROR
            expression, scores = expression[MIRROR_PERMUTATION], scores[MIRROR_PERMUTATION]
            gaze = gaze[::-1] * np.array([-1.0, 1.0], np.float32)
        translation[:2] = matrix[:, :2] @ translation[:2]
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        about_axis = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
        rotation = HEAD_TO_CAMERA @ about_axis @ HEAD_TO_CAMERA @ rotation
        return replace(
            label, landmarks=landmarks, rotation=rotation, translation=translation, expression=expression, gaze=gaze,
            scores=scores,
        )  # fmt: skip


def random_view(rng: np.random.Generator) -> PhotoView:
    """Half of them mirrored, mostly tilted by little."""
    tilt = float(np.clip(rng.normal(0, TILT_DEGREES), -MOST_DEGREES, MOST_DEGREES))
    return PhotoView(float(np.radians(tilt)), bool(rng.random() < 0.5))
