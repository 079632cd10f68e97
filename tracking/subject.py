"""Follows one person's face through a stream of pictures, whoever else is in view.

MediaPipe follows a single face well (steadier and faster than several, see docs/decisions/0003-landmark-smoothing.md),
but takes whichever face scores best. So two detectors work together: a scout that sees every face of a picture, asked
only while nobody is followed, and a follower that is shown the subject alone when it starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tracking.landmarks import MODEL_FILE, LandmarkDetector
from tracking.selection import FaceSelector
from tracking.types import FaceObservation, Image

MAX_FACES = 4
_MARGIN = 0.35


class SubjectDetector:
    """Finds and follows the subject's face.

    Not thread-safe: one thread at a time.

    Args:
        selector: decides who the subject is.
        model_file: the Face Landmarker bundle.

    Raises:
        ModelFileError: the model file is missing or altered.
    """

    def __init__(self, selector: FaceSelector | None = None, model_file: Path = MODEL_FILE) -> None:
        self._selector = selector or FaceSelector()
        self._scout = LandmarkDetector("image", MAX_FACES, model_file=model_file)
        self._follower = LandmarkDetector("video", 1, model_file=model_file)
        self._following = False

    def detect(self, image: Image, time_s: float) -> FaceObservation | None:
        """The subject's face in this picture, None where it is not in sight.

        Blocks for one detection, two or three in the picture where a face is found or lost.

        Args:
            image: (H, W, 3) uint8 RGB, unmirrored.
            time_s: media time in seconds.
        """
        if self._following:
            subject = self._selector.select(self._follower.detect(image, time_s * 1000.0), time_s)
            if subject is not None:
                return subject
        faces = self._scout.detect(image)
        subject = self._selector.select(faces, time_s)
        if subject is None:
            self._following = False
            return None
        return self._start_following(image, time_s, subject, faces)

    def reset(self) -> None:
        """Forget the subject: a new source or a new person."""
        self._selector.reset()
        self._following = False

    def close(self) -> None:
        """Free both detectors."""
        self._scout.close()
        self._follower.close()

    def __enter__(self) -> SubjectDetector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_following(
        self, image: Image, time_s: float, subject: FaceObservation, faces: Sequence[FaceObservation]
    ) -> FaceObservation:
        others = [face for face in faces if face is not subject]
        self._follower.reset()
        followed = self._follower.detect(hide_faces(image, others, subject) if others else image, time_s * 1000.0)
        # What the scout saw stands where the follower does not find the same face at once.
        chosen = self._selector.select(followed, time_s) if followed else None
        self._following = chosen is not None
        return chosen or subject


def hide_faces(image: Image, others: Sequence[FaceObservation], subject: FaceObservation) -> Image:
    """A copy of the picture in which the other faces are black; where boxes overlap the subject stays visible."""
    shown = image.copy()
    for face in others:
        shown[_region(face, image)] = 0
    region = _region(subject, image)
    shown[region] = image[region]
    return shown


def _region(face: FaceObservation, image: Image) -> tuple[slice, slice]:
    height, width = image.shape[:2]
    left, top, right, bottom = (float(v) for v in face.box)
    dx, dy = (right - left) * _MARGIN, (bottom - top) * _MARGIN
    x0, x1 = np.clip([left - dx, right + dx], 0, width).astype(int)
    y0, y1 = np.clip([top - dy, bottom + dy], 0, height).astype(int)
    return slice(int(y0), int(y1)), slice(int(x0), int(x1))
