"""Which of several faces in view is the subject: the one that was the subject a moment ago, else the largest."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, log

import numpy as np
from numpy.typing import NDArray

from tracking.types import FaceObservation

NEW_FACE_PATIENCE_S = 0.15
"""How long the subject is waited for before a face that appears elsewhere is taken instead: under 5 frames at 30 a
second, so that a person who enters is reported at once, and long enough to bridge a missed detection."""
BYSTANDER_PATIENCE_S = 1.0
"""The same for a face that was in view beside the subject: it is most likely somebody else, and the subject a hand or
a turn of the head away."""
_MAX_MISMATCH = 1.0


def box_size(box: NDArray[np.floating]) -> float:
    """Side in pixels of the square with the area of a (4,) box left, top, right, bottom."""
    return float(np.sqrt(max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)))


def mismatch(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """How unlike the same face two (4,) boxes are: 0 for equal boxes, 1 at about one face's size of motion.

    Distance of the centres in units of the larger box, plus the natural logarithm of the ratio of sizes.
    """
    size_a, size_b = box_size(a), box_size(b)
    if min(size_a, size_b) <= 0.0:
        return float("inf")
    distance = hypot((a[0] + a[2] - b[0] - b[2]) / 2.0, (a[1] + a[3] - b[1] - b[3]) / 2.0)
    return distance / max(size_a, size_b) + abs(log(size_a / size_b))


class FaceSelector:
    """Keeps to one face by continuity of position and size.

    Starts with the largest face. While a face matches the subject's last box it is the subject. When none does, the
    subject is waited for: `new_face_patience_s` where only unknown faces are in view, `bystander_patience_s` for faces
    that were seen beside the subject; then the largest face becomes the subject.

    Args:
        new_face_patience_s, bystander_patience_s: seconds of media time.
    """

    def __init__(
        self,
        new_face_patience_s: float = NEW_FACE_PATIENCE_S,
        bystander_patience_s: float = BYSTANDER_PATIENCE_S,
    ) -> None:
        self._new_face_patience = new_face_patience_s
        self._bystander_patience = bystander_patience_s
        self.reset()

    def reset(self) -> None:
        """Forget the subject and everybody else."""
        self._subject: NDArray[np.float32] | None = None
        self._seen_s = 0.0
        self._bystanders: list[NDArray[np.float32]] = []

    def select(self, faces: Sequence[FaceObservation], time_s: float) -> FaceObservation | None:
        """The subject among the faces of one picture, or None while it is out of sight.

        Args:
            faces: in any order.
            time_s: media time; going backwards forgets the subject.
        """
        if time_s < self._seen_s:
            self.reset()
        if not faces:
            return None
        if self._subject is None:
            return self._adopt(max(faces, key=lambda face: box_size(face.box)), faces, time_s)
        subject = self._subject
        nearest = min(faces, key=lambda face: mismatch(face.box, subject))
        if mismatch(nearest.box, subject) < _MAX_MISMATCH:
            return self._adopt(nearest, faces, time_s)
        gone = time_s - self._seen_s
        ready = [
            face
            for face in faces
            if gone >= (self._bystander_patience if self._is_bystander(face) else self._new_face_patience)
        ]
        if not ready:
            return None
        return self._adopt(max(ready, key=lambda face: box_size(face.box)), faces, time_s)

    def _adopt(self, subject: FaceObservation, faces: Sequence[FaceObservation], time_s: float) -> FaceObservation:
        self._subject = subject.box
        self._seen_s = time_s
        others = [face.box for face in faces if face is not subject]
        # A lone face says nothing about those who were seen before: a detector that follows one face reports no other.
        if others:
            self._bystanders = others
        return subject

    def _is_bystander(self, face: FaceObservation) -> bool:
        return any(mismatch(face.box, box) < _MAX_MISMATCH for box in self._bystanders)
