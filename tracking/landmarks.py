"""Face landmarks and raw expression scores from MediaPipe's Face Landmarker.

The model file ships with the program and is checked against its known hash before anything is loaded. MediaPipe itself
is imported when the first detector is made: it costs a noticeable part of a second that other commands need not pay.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX
from models.face_model.schema import ModelFileError
from tracking.types import FaceObservation, Image

if TYPE_CHECKING:
    from mediapipe.tasks.python.vision import FaceLandmarker

MODEL_FILE = Path(__file__).resolve().parent.parent / "models" / "weights" / "face_landmarker.task"
MODEL_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"

__all__ = ["MODEL_FILE", "LandmarkDetector", "ModelFileError", "load_model_file", "observation_confidence"]

MIN_DETECTION_CONFIDENCE = 0.6
"""Real faces of the presence clips score above 0.9; MediaPipe's own default of 0.5 reports a face in clouds there."""
MIN_PRESENCE_CONFIDENCE = 0.5
MIN_TRACKING_CONFIDENCE = 0.5

MAX_SIDE = 1920
"""Longer picture sides are reduced to this before detection. MediaPipe looks for faces in 128 x 128 pixels and reads
landmarks from a 256 x 256 crop, so that nothing is lost unless a face spans less than an eighth of the picture."""
MIN_SIDE = 16
"""Pictures with a shorter side than this cannot show a face and are not given to MediaPipe at all."""

_FULL_CONFIDENCE_SIDE = 64.0
# Lines that MediaPipe's C++ side prints at every start, whatever its log level is set to.
_CHATTER = (b"InitializeLog", b"XNNPACK", b"xnnpack", b"inference_feedback_manager", b"gl_context", b"Feedback manager")

Mode = Literal["video", "image"]


def load_model_file(path: Path = MODEL_FILE, sha256: str = MODEL_SHA256) -> bytes:
    """The bytes of a shipped model file whose SHA-256 is as expected.

    Raises:
        ModelFileError: the file is missing, unreadable or altered.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ModelFileError(f"The model file {path} is missing: install Mien again to restore it.") from None
    except OSError as error:
        raise ModelFileError(
            f"The model file {path} cannot be read ({error.strerror}): check its permissions."
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelFileError(f"The model file {path} is damaged or altered: install Mien again to restore it.")
    return content


class LandmarkDetector:
    """Finds faces and their 478 landmarks in pictures.

    In `video` mode MediaPipe follows a face from one picture to the next, which is faster and steadier; in `image` mode
    each picture stands for itself and nothing is smoothed. What MediaPipe smooths internally, and why `max_faces` has
    its default, is measured in docs/decisions/0003-landmark-smoothing.md.

    Not thread-safe: one thread at a time. Making a detector takes a few tenths of a second.

    Args:
        mode: `video` or `image`.
        max_faces: how many faces to report at most, 1 or more.
        min_detection, min_presence, min_tracking: MediaPipe's thresholds, 0..1.
        model_file: the Face Landmarker bundle.

    Raises:
        ModelFileError: the model file is missing or altered.
    """

    def __init__(
        self,
        mode: Mode = "video",
        max_faces: int = 1,
        *,
        min_detection: float = MIN_DETECTION_CONFIDENCE,
        min_presence: float = MIN_PRESENCE_CONFIDENCE,
        min_tracking: float = MIN_TRACKING_CONFIDENCE,
        model_file: Path = MODEL_FILE,
    ) -> None:
        if max_faces < 1:
            raise ValueError(f"max_faces must be 1 or more, not {max_faces}")
        content = load_model_file(model_file)
        self.mode = mode
        self.max_faces = max_faces
        self._clock_ms = 0
        self._last_input_ms: float | None = None
        self._landmarker: FaceLandmarker | None = _create_landmarker(
            content, mode, max_faces, min_detection, min_presence, min_tracking
        )

    def detect(self, image: Image, time_ms: float = 0.0) -> list[FaceObservation]:
        """The faces in one picture, in MediaPipe's order (not sorted).

        Blocks for the time of one detection, some 5 to 20 ms on a laptop.

        Args:
            image: (H, W, 3) uint8 RGB of any size, unmirrored.
            time_ms: media time in milliseconds; used in `video` mode only. It may stand still or go backwards (a loop,
                a seek): MediaPipe's own clock goes on regardless.

        Raises:
            ValueError: the array is no RGB picture.
            RuntimeError: the detector was closed.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"expected an (H, W, 3) uint8 picture, got {image.shape} {image.dtype}")
        if self._landmarker is None:
            raise RuntimeError("this LandmarkDetector was closed")
        height, width = image.shape[:2]
        if min(height, width) < MIN_SIDE:
            return []
        result = self._run(_as_input(image), time_ms)
        faces = zip(result.face_landmarks, result.face_blendshapes, strict=True)
        return [_observation(points, scores, width, height) for points, scores in faces]

    def reset(self) -> None:
        """Forget the face that is being followed: the next picture is searched from scratch."""
        self._last_input_ms = None
        if self.mode == "video" and self._landmarker is not None:
            # MediaPipe has no call for this; a picture without any face drops what it follows.
            self._run(np.zeros((64, 64, 3), np.uint8), 0.0)
            self._last_input_ms = None

    def close(self) -> None:
        """Free MediaPipe's graph. Further calls of `close` do nothing."""
        if self._landmarker is not None:
            self._landmarker.close()
            self._landmarker = None

    def __enter__(self) -> LandmarkDetector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, image: Image, time_ms: float) -> Any:
        import mediapipe as mp

        assert self._landmarker is not None
        picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=image)
        if self.mode == "image":
            return self._landmarker.detect(picture)
        return self._landmarker.detect_for_video(picture, self._advance(time_ms))

    def _advance(self, time_ms: float) -> int:
        """MediaPipe's clock for this picture: follows the media time, but always goes forward."""
        step = 33.0 if self._last_input_ms is None else time_ms - self._last_input_ms
        if not 0.0 < step < 10_000.0:
            step = 33.0
        self._last_input_ms = time_ms
        self._clock_ms += max(1, round(step))
        return self._clock_ms


def _create_landmarker(
    content: bytes, mode: Mode, max_faces: int, detection: float, presence: float, tracking: float
) -> FaceLandmarker:
    with _without_chatter():
        from mediapipe.tasks.python import BaseOptions, vision

        class Landmarker(vision.FaceLandmarker):  # type: ignore[misc]
            """Not closed by the garbage collector: MediaPipe waits there for an answer that may never come."""

            def __del__(self) -> None:
                pass

        made = vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_buffer=content),
                running_mode=vision.RunningMode.VIDEO if mode == "video" else vision.RunningMode.IMAGE,
                num_faces=max_faces,
                min_face_detection_confidence=detection,
                min_face_presence_confidence=presence,
                min_tracking_confidence=tracking,
                output_face_blendshapes=True,
            )
        )
        made.__class__ = Landmarker
        return made


def _as_input(image: Image) -> Image:
    """The picture as MediaPipe takes it: contiguous, its longer side at most MAX_SIDE."""
    height, width = image.shape[:2]
    longer = max(height, width)
    if longer > MAX_SIDE:
        size = (max(1, round(width * MAX_SIDE / longer)), max(1, round(height * MAX_SIDE / longer)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(image)


def _observation(points: list[Any], scores: list[Any], width: int, height: int) -> FaceObservation:
    landmarks = np.array([(p.x, p.y, p.z) for p in points], np.float32)
    # MediaPipe's 0..1 spans the picture from edge to edge; pixel centres lie at whole numbers here, hence the half.
    # Checked by detecting pictures and their mirror images. Depth has the scale of x.
    landmarks *= np.array([width, height, width], np.float32)
    landmarks[:, :2] -= 0.5
    values = np.zeros(CHANNEL_COUNT, np.float32)
    for score in scores:
        index = CHANNEL_INDEX.get(score.category_name)
        if index is not None:
            values[index] = score.score
    box = np.concatenate([landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)])
    return FaceObservation(landmarks, values, box, observation_confidence(landmarks, width, height))


def observation_confidence(landmarks: NDArray[np.float32], width: int, height: int) -> float:
    """How far the landmarks of a face that MediaPipe reports can be trusted, 0..1.

    MediaPipe's Python results carry no score of a face: whatever passes its presence threshold looks the same. What can
    be said honestly from the points alone is how much of the face lies inside the picture, and how many pixels it
    spans: outside the picture, and between few pixels, landmarks are guesses. Whether the points make sense as a face
    is the fit's to say, from its reprojection error.

    Args:
        landmarks: (478, 3) x and y in pixels of a width x height picture.
    """
    x, y = landmarks[:, 0], landmarks[:, 1]
    inside = np.mean((x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5))
    span = float(np.sqrt(np.ptp(x) * np.ptp(y)))
    return float(inside * min(1.0, span / _FULL_CONFIDENCE_SIDE))


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keep MediaPipe's start-up lines from the terminal; everything else that is written meanwhile is passed on.

    They come from C++ straight to file descriptor 2, before any log level applies, so only the descriptor itself can be
    turned aside.
    """
    try:
        sys.stderr.flush()
        keep = os.dup(2)
    except (OSError, AttributeError):  # no stderr at all, as under pythonw
        yield
        return
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(keep, 2)
            os.close(keep)
            aside.seek(0)
            rest = b"".join(line for line in aside if not any(word in line for word in _CHATTER))
            if rest:
                os.write(2, rest)
