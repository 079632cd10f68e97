"""Neutral calibration: what a person's resting face reads, and how to take it out of everything that follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.channels import ARKIT_CHANNELS, GAZE_CHANNELS
from models.geometry.rotations import HEAD_TO_CAMERA, angle_between, from_quaternion, to_euler, to_quaternion
from tracking.blending import with_gaze
from tracking.types import FaceParameters

SCHEMA_VERSION = 1
MAX_NEUTRAL = 0.7
"""A channel that reads more than this at rest is taken as this: rescaling the rest would blow its noise up."""

_BLINKS = [ARKIT_CHANNELS.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight")]
_STILL = [i for i in range(len(ARKIT_CHANNELS)) if i not in GAZE_CHANNELS and i not in _BLINKS]


class CalibrationError(Exception):
    """A neutral capture was not good enough. The message is one sentence: why, and what to do."""


class Calibration(BaseModel):
    """One person's neutral face.

    Names instead of positions, so that a file stays valid whatever the order of the channels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = Field(default=SCHEMA_VERSION, ge=SCHEMA_VERSION, le=SCHEMA_VERSION)
    person: str = Field(min_length=1, max_length=200)
    created: datetime
    frames: int = Field(ge=1)
    """How many frames it was made from."""
    expression: dict[str, float]
    """What each ARKit channel reads at rest, 0..1; eyeLook* are not part of it."""
    gaze: tuple[tuple[float, float], tuple[float, float]]
    """Resting gaze in radians, left and right eye, yaw and pitch."""
    head_quaternion: tuple[float, float, float, float]
    """Resting head rotation w, x, y, z."""
    head_position_m: tuple[float, float, float]
    """Resting head position in the camera frame, metres."""

    @field_validator("expression")
    @classmethod
    def _known_channels(cls, values: dict[str, float]) -> dict[str, float]:
        unknown = set(values) - set(ARKIT_CHANNELS)
        if unknown:
            raise ValueError(f"unknown channels {sorted(unknown)}")
        if not all(0.0 <= value <= 1.0 for value in values.values()):
            raise ValueError("channel values lie between 0 and 1")
        return values

    @field_validator("head_quaternion")
    @classmethod
    def _is_rotation(cls, value: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        if not 0.5 < float(np.linalg.norm(value)) < 2.0:
            raise ValueError("a rotation needs a quaternion of length 1")
        return value

    def neutral(self) -> NDArray[np.float32]:
        """(52,) what each channel reads at rest, at most MAX_NEUTRAL."""
        values = [self.expression.get(name, 0.0) for name in ARKIT_CHANNELS]
        return np.minimum(np.array(values, np.float32), np.float32(MAX_NEUTRAL))


class Calibrator:
    """Takes a calibration out of the state of a face, frame by frame.

    Each channel x with neutral value n becomes (x - n) / (1 - n), cut to 0..1: the resting face reads 0 and a full
    expression still 1. The resting gaze becomes straight ahead, the eyeLook* channels follow from it.

    Args:
        calibration: None changes nothing.
        recentre_head: also turn and move the head so that the resting pose looks straight into the camera, on its axis.
            For outputs that drive an avatar; the mesh then no longer lies over the picture.
    """

    def __init__(self, calibration: Calibration | None = None, *, recentre_head: bool = False) -> None:
        self._calibration = calibration
        self._recentre = recentre_head
        if calibration is not None:
            self._neutral = calibration.neutral()
            self._gaze = np.array(calibration.gaze, np.float32)
            self._turn = from_quaternion(calibration.head_quaternion).T
            self._place = np.array(calibration.head_position_m)

    def apply(self, parameters: FaceParameters) -> FaceParameters:
        """The calibrated state of one frame; uncertainties of the expression grow with the rescaling."""
        if self._calibration is None:
            return parameters
        scale = 1.0 / (1.0 - self._neutral)
        result = with_gaze(parameters, (parameters.expression - self._neutral) * scale, parameters.gaze - self._gaze)
        if result.uncertainty is not None:
            grown = (result.uncertainty.expression * scale).astype(np.float32)
            result = replace(result, uncertainty=replace(result.uncertainty, expression=grown))
        return self._recentred(result) if self._recentre else result

    def _recentred(self, parameters: FaceParameters) -> FaceParameters:
        moved = HEAD_TO_CAMERA @ self._turn @ HEAD_TO_CAMERA @ (parameters.translation - self._place)
        return replace(
            parameters,
            rotation=self._turn @ parameters.rotation,
            translation=moved + np.array([0.0, 0.0, self._place[2]]),
        )


class CaptureSettings(BaseModel):
    """What a neutral capture asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    duration_s: float = Field(default=1.0, gt=0.0, le=60.0)
    min_frames: int = Field(default=8, ge=1)
    max_lost_fraction: float = Field(default=0.2, ge=0.0, lt=1.0)
    max_head_turn: float = Field(default=0.09, gt=0.0)
    """Radians (5 degrees) that nine of ten frames may turn away from the median."""
    max_head_move_m: float = Field(default=0.02, gt=0.0)
    max_expression_change: float = Field(default=0.2, gt=0.0)
    """How far nine of ten frames may be from the median in any channel but blinks."""
    max_yaw: float = Field(default=0.44, gt=0.0)
    """Radians (25 degrees) that the face may look away from the camera."""


@dataclass(frozen=True, slots=True)
class CaptureProgress:
    """How far a capture is.

    Attributes:
        fraction: 0..1 of the time.
        done: time to call `finish`.
    """

    fraction: float
    done: bool


class NeutralCapture:
    """Collects a resting face for about a second and makes a calibration of its median.

    Call `add` for every frame until it says done, then `finish`. Feed it raw parameters, neither calibrated nor
    smoothed. Blinks do not matter: the median passes over them.
    """

    def __init__(self, settings: CaptureSettings | None = None) -> None:
        self._settings = settings or CaptureSettings()
        self._start_s: float | None = None
        self._seen: list[FaceParameters] = []
        self._lost = 0

    def add(self, parameters: FaceParameters | None, time_s: float) -> CaptureProgress:
        """One more frame.

        Args:
            parameters: as fitted; None where no face was seen.
            time_s: media time; going backwards starts the capture over.
        """
        if self._start_s is None or time_s < self._start_s:
            self._start_s, self._seen, self._lost = time_s, [], 0
        if parameters is None:
            self._lost += 1
        else:
            self._seen.append(parameters)
        fraction = min(1.0, (time_s - self._start_s) / self._settings.duration_s)
        return CaptureProgress(fraction, fraction >= 1.0)

    def finish(self, person: str, now: datetime | None = None) -> Calibration:
        """The calibration of what was collected.

        Args:
            person: whose face it is.
            now: when; by default the present.

        Raises:
            CalibrationError: the face was lost, moved or looked away, or there were too few frames.
        """
        limits = self._settings
        total = len(self._seen) + self._lost
        if total and self._lost > limits.max_lost_fraction * total:
            raise CalibrationError("The face was out of sight for a part of the time: stay in view and try again.")
        if len(self._seen) < limits.min_frames:
            raise CalibrationError(
                f"Only {len(self._seen)} pictures showed the face, {limits.min_frames} are needed: try again."
            )
        expressions = np.array([p.expression for p in self._seen], np.float64)
        neutral = np.median(expressions, axis=0)
        places = np.array([p.translation for p in self._seen])
        place = np.median(places, axis=0)
        quaternion = _median_rotation([p.rotation for p in self._seen])
        turn = from_quaternion(quaternion)
        turns = [angle_between(turn, p.rotation) for p in self._seen]
        if _most(np.array(turns)) > limits.max_head_turn or (
            _most(np.linalg.norm(places - place, axis=1)) > limits.max_head_move_m
        ):
            raise CalibrationError("The head moved too much: keep it still for a second and try again.")
        changes = np.percentile(np.abs(expressions - neutral), 90, axis=0)[_STILL]
        if changes.max() > limits.max_expression_change:
            name = ARKIT_CHANNELS[_STILL[int(np.argmax(changes))]]
            raise CalibrationError(f"The face moved too much ({name}): rest it for a second and try again.")
        if abs(to_euler(turn)[0]) > limits.max_yaw:
            raise CalibrationError("The face looked to the side: look into the camera and try again.")
        gaze = np.median([p.gaze for p in self._seen], axis=0)
        return Calibration(
            person=person,
            created=now or datetime.now(UTC),
            frames=len(self._seen),
            expression={
                name: round(float(np.clip(neutral[i], 0.0, 1.0)), 6)
                for i, name in enumerate(ARKIT_CHANNELS)
                if i not in GAZE_CHANNELS
            },
            gaze=((float(gaze[0, 0]), float(gaze[0, 1])), (float(gaze[1, 0]), float(gaze[1, 1]))),
            head_quaternion=(float(quaternion[0]), float(quaternion[1]), float(quaternion[2]), float(quaternion[3])),
            head_position_m=(float(place[0]), float(place[1]), float(place[2])),
        )


def _most(distances: NDArray[np.floating]) -> float:
    """What nine of ten stay under."""
    return float(np.percentile(distances, 90))


def _median_rotation(rotations: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """(4,) quaternion: the median of each component after aligning signs; right for rotations close together."""
    quaternions = np.array([to_quaternion(rotation) for rotation in rotations])
    quaternions[quaternions @ quaternions[0] < 0.0] *= -1.0
    median = np.median(quaternions, axis=0)
    return np.asarray(median / np.linalg.norm(median), np.float64)
