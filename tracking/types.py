"""What travels between the stages: frozen records, each field with its shape and unit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from models.geometry.camera import Camera

Image = NDArray[np.uint8]
"""(H, W, 3) RGB, unmirrored: the subject's left is on the picture's right."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture from a source.

    Attributes:
        index: count from 0 within the source; a loop of a clip goes on counting.
        time_s: the media's own timestamp in seconds (files), or seconds since the source opened (cameras).
        captured_ns: `time.monotonic_ns()` at capture (or at decoding, for files).
        image: (H, W, 3) uint8 RGB, unmirrored.
    """

    index: int
    time_s: float
    captured_ns: int
    image: Image


@dataclass(frozen=True, slots=True)
class FaceObservation:
    """What the landmark detector saw of one face.

    Attributes:
        landmarks: (478, 3) float32; x and y in pixels of the full frame, z in pixels relative to the head's centre
            (smaller is nearer). Points 468..477 are the irises.
        scores: (52,) float32 in 0..1, MediaPipe's expression scores in ARKIT_CHANNELS order; tongueOut, which it does
            not report, is 0.
        box: (4,) float32 left, top, right, bottom in pixels, around all landmarks.
        confidence: 0..1.
    """

    landmarks: NDArray[np.float32]
    scores: NDArray[np.float32]
    box: NDArray[np.float32]
    confidence: float


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """One standard deviation of each fitted value, same units as the value; from the fit's posterior covariance."""

    expression: NDArray[np.float32]
    rotation: NDArray[np.float32]
    translation: NDArray[np.float32]
    gaze: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FaceParameters:
    """The state of one face in one frame.

    Attributes:
        identity: (K,) coefficients of the face model's identity basis, in standard deviations.
        expression: (52,) in 0..1, ARKIT_CHANNELS order. The eyeLook* entries are derived from `gaze`.
        rotation: (3, 3) head rotation R = Ry(yaw) Rx(pitch) Rz(roll).
        translation: (3,) position of the head's origin in the camera frame, metres.
        gaze: (2, 2) radians relative to the head, rows left and right eye, columns yaw and pitch.
        camera: intrinsics that these values belong to.
        uncertainty: standard deviations, None where nobody computed them.
    """

    identity: NDArray[np.float32]
    expression: NDArray[np.float32]
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    gaze: NDArray[np.float32]
    camera: Camera
    uncertainty: Uncertainty | None = None


class TrackingState(Enum):
    """Where the tracker stands with its face."""

    SEARCHING = "searching"
    """No face has been seen yet, or it has been gone for good."""
    TRACKING = "tracking"
    """The face is seen in this frame."""
    HOLDING = "holding"
    """The face was lost a moment ago; the last values are held."""
    FADING = "fading"
    """The face is gone; the expression fades to neutral."""


class DetailState(Enum):
    """Where the relief of the skin comes from."""

    NONE = "none"
    """There is none: no good view so far, or no detail network."""
    LIVE = "live"
    """From a good view of just now."""
    HELD = "held"
    """From the person's last good view, driven by the tension of this moment."""


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long one stage worked on one frame, in milliseconds."""

    name: str
    ms: float


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """The result for one frame: all that a renderer, a stream or a recorder needs.

    Attributes:
        frame: the picture it belongs to.
        state: see TrackingState. `valid` is True in TRACKING alone.
        confidence: 0..1, 0 where no face was seen.
        observation: the detector's output, None where no face was seen.
        raw: parameters as fitted, neither calibrated nor smoothed; None where no face was seen.
        parameters: calibrated and smoothed; in HOLDING and FADING the held or fading values; None in SEARCHING.
        vertices: (V, 3) float32 metres, head frame, of `parameters`; None in SEARCHING.
        normals: (V, 3) float32 unit, head frame.
        displacement: (S, S) float32 millimetres along the outward normal in UV, None until a detail stage filled it.
        stages: duration of each stage.
        detail: where the displacement comes from.
        detail_note: why it is not live, in a few words; empty where it is.
        made_up: no source gave it; its picture is plain. For avatars that idle.
    """

    frame: Frame
    state: TrackingState
    confidence: float
    observation: FaceObservation | None
    raw: FaceParameters | None
    parameters: FaceParameters | None
    vertices: NDArray[np.float32] | None
    normals: NDArray[np.float32] | None
    displacement: NDArray[np.float32] | None
    stages: tuple[StageTime, ...]
    detail: DetailState = DetailState.NONE
    detail_note: str = ""
    made_up: bool = False

    @property
    def valid(self) -> bool:
        """True where the face is seen in this very frame."""
        return self.state is TrackingState.TRACKING
