"""The one filter of the program: One-Euro, for each group of values by its own pace.

The One-Euro filter (Casiez, Roussel, Vogel: "1 EUR Filter", CHI 2012) is a low-pass whose cut-off rises with speed:
what rests is held still, what moves fast passes nearly unchanged.

    tau = 1 / (2 pi fc);  a = 1 / (1 + tau / dt);  fc = min_cutoff + beta |dx'|
"""

from __future__ import annotations

from dataclasses import replace
from math import atan2, sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.channels import ARKIT_CHANNELS
from models.geometry.rotations import from_quaternion, to_quaternion
from tracking.blending import slerp, with_gaze
from tracking.types import FaceParameters

Floats = NDArray[np.float64]
Preset = Literal["off", "light", "medium", "strong", "custom"]

LONGEST_GAP_S = 0.5
"""After a longer pause the past says nothing about the present: filtering starts anew."""


class OneEuroSettings(BaseModel):
    """How a group of values is filtered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_cutoff: float = Field(gt=0.0, le=1000.0)
    """Cut-off in hertz at rest: lower is calmer and slower."""
    beta: float = Field(ge=0.0, le=1000.0)
    """Rise of the cut-off in hertz for each unit a second of speed: higher follows fast motion more closely."""


class SmoothingGroups(BaseModel):
    """The filter of each group; speeds are in radians, metres or whole channels a second."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    head_rotation: OneEuroSettings
    translation: OneEuroSettings
    gaze: OneEuroSettings
    blinks: OneEuroSettings
    """eyeBlink*, eyeSquint*, eyeWide*: a blink lasts a few pictures only."""
    mouth: OneEuroSettings
    """jaw*, mouth*, tongueOut."""
    brows: OneEuroSettings
    other: OneEuroSettings
    """cheek*, nose*."""


def _groups(**cutoff_and_beta: tuple[float, float]) -> SmoothingGroups:
    values = {name: OneEuroSettings(min_cutoff=c, beta=b) for name, (c, b) in cutoff_and_beta.items()}
    return SmoothingGroups.model_validate(values)


# Lag and calm of each on the demo clip: docs/decisions/0003-landmark-smoothing.md.
PRESETS: dict[str, SmoothingGroups] = {
    "light": _groups(
        head_rotation=(3.0, 30.0),
        translation=(3.0, 200.0),
        gaze=(3.0, 15.0),
        blinks=(6.0, 8.0),
        mouth=(4.0, 6.0),
        brows=(3.0, 8.0),
        other=(3.0, 8.0),
    ),
    "medium": _groups(
        head_rotation=(1.5, 20.0),
        translation=(1.5, 120.0),
        gaze=(1.5, 10.0),
        blinks=(4.0, 6.0),
        mouth=(2.0, 5.0),
        brows=(1.5, 6.0),
        other=(1.5, 6.0),
    ),
    "strong": _groups(
        head_rotation=(0.7, 10.0),
        translation=(0.7, 60.0),
        gaze=(0.7, 5.0),
        blinks=(2.5, 5.0),
        mouth=(1.0, 4.0),
        brows=(0.8, 3.0),
        other=(0.8, 3.0),
    ),
}


class SmoothingSettings(BaseModel):
    """How much to smooth: a preset, or values of one's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Preset = "light"
    """off, light, medium, strong; custom takes the values of `custom`."""
    custom: SmoothingGroups = PRESETS["light"]
    """Used with the preset `custom` only."""

    def groups(self) -> SmoothingGroups | None:
        """The filters that apply, None for none."""
        if self.preset == "off":
            return None
        return self.custom if self.preset == "custom" else PRESETS[self.preset]


def _share(cutoff: Floats | float, dt: float) -> Floats | float:
    """Share of the new value in the low-pass of a cut-off in hertz after `dt` seconds."""
    return 1.0 / (1.0 + 1.0 / (2.0 * np.pi * cutoff * dt))


class OneEuro:
    """One-Euro filter of arrays, each value by its own speed.

    Args:
        min_cutoff: hertz; one for all or one for each value.
        beta: hertz for each unit a second; one for all or one for each value.
        d_cutoff: hertz, low-pass of the speed.
    """

    def __init__(self, min_cutoff: ArrayLike, beta: ArrayLike, d_cutoff: float = 1.0) -> None:
        self._min_cutoff = np.asarray(min_cutoff, np.float64)
        self._beta = np.asarray(beta, np.float64)
        self._d_cutoff = d_cutoff
        self._time_s: float | None = None

    def reset(self) -> None:
        """Forget the past: the next value passes unchanged."""
        self._time_s = None

    def __call__(self, values: NDArray[np.floating], time_s: float) -> Floats:
        """The filtered values, same shape. Where time does not go forward the last result is repeated."""
        raw = np.asarray(values, np.float64)
        if self._time_s is None:
            self._raw, self._speed, self._filtered = raw, np.zeros_like(raw), raw
        elif time_s > self._time_s:
            dt = time_s - self._time_s
            self._speed = self._speed + _share(self._d_cutoff, dt) * ((raw - self._raw) / dt - self._speed)
            share = _share(self._min_cutoff + self._beta * np.abs(self._speed), dt)
            self._filtered = self._filtered + share * (raw - self._filtered)
            self._raw = raw
        else:
            return self._filtered.copy()
        self._time_s = time_s
        return self._filtered.copy()


class RotationOneEuro:
    """One-Euro filter of rotations: quaternions of one sign, moved along the shortest way, driven by angular speed.

    The angular velocity is averaged as a vector, so that noise, which has no lasting direction, is no speed.

    Args:
        min_cutoff: hertz.
        beta: hertz for each radian a second.
        d_cutoff: hertz, low-pass of the angular velocity.
    """

    def __init__(self, min_cutoff: float, beta: float, d_cutoff: float = 1.0) -> None:
        self._min_cutoff = min_cutoff
        self._beta = beta
        self._d_cutoff = d_cutoff
        self._time_s: float | None = None

    def reset(self) -> None:
        """Forget the past: the next rotation passes unchanged."""
        self._time_s = None

    def __call__(self, quaternion: Floats, time_s: float) -> Floats:
        """The filtered (4,) unit quaternion w, x, y, z. Where time does not go forward the last result is repeated."""
        raw = np.asarray(quaternion, np.float64)
        if self._time_s is None:
            self._raw, self._velocity, self._filtered = raw, np.zeros(3), raw
        elif time_s > self._time_s:
            dt = time_s - self._time_s
            velocity = _rotation_vector(self._raw, raw) / dt
            self._velocity = self._velocity + _share(self._d_cutoff, dt) * (velocity - self._velocity)
            share = _share(self._min_cutoff + self._beta * float(np.linalg.norm(self._velocity)), dt)
            self._filtered = slerp(self._filtered, raw, float(share))
            self._raw = raw
        else:
            return self._filtered.copy()
        self._time_s = time_s
        return self._filtered.copy()


def _rotation_vector(start: Floats, end: Floats) -> Floats:
    """(3,) axis times angle in radians of the turn from one unit quaternion to another, the shorter way round."""
    w0, x0, y0, z0 = start.tolist()
    w1, x1, y1, z1 = end.tolist()
    # start^-1 end, written out: numpy's calls would cost more than the arithmetic.
    w = w0 * w1 + x0 * x1 + y0 * y1 + z0 * z1
    x = w0 * x1 - w1 * x0 - y0 * z1 + z0 * y1
    y = w0 * y1 - w1 * y0 - z0 * x1 + x0 * z1
    z = w0 * z1 - w1 * z0 - x0 * y1 + y0 * x1
    length = sqrt(x * x + y * y + z * z)
    scale = 2.0 * atan2(length, abs(w)) / length if length > 1e-12 else 2.0
    return np.array([x, y, z]) * (scale if w >= 0.0 else -scale)


def channel_group(name: str) -> str | None:
    """The field of SmoothingGroups that filters an ARKit channel; None for eyeLook*, which follow from the gaze."""
    if name.startswith("eyeLook"):
        return None
    for prefixes, group in ((("eye",), "blinks"), (("jaw", "mouth", "tongue"), "mouth"), (("brow",), "brows")):
        if name.startswith(prefixes):
            return group
    return "other"


_FILTERED = np.array([i for i, name in enumerate(ARKIT_CHANNELS) if channel_group(name)])


class Smoother:
    """Smooths the state of one face over time. Call `reset` when the face is lost and for a new source or person."""

    def __init__(self, settings: SmoothingSettings | None = None) -> None:
        self.configure(settings or SmoothingSettings())

    def configure(self, settings: SmoothingSettings) -> None:
        """Take other settings from the next frame on; forgets the past."""
        self._time_s: float | None = None
        groups = settings.groups()
        self._groups = groups
        if groups is None:
            return
        chosen = [getattr(groups, str(channel_group(ARKIT_CHANNELS[i]))) for i in _FILTERED]
        self._expression = OneEuro([g.min_cutoff for g in chosen], [g.beta for g in chosen])
        self._gaze = OneEuro(groups.gaze.min_cutoff, groups.gaze.beta)
        self._translation = OneEuro(groups.translation.min_cutoff, groups.translation.beta)
        self._rotation = RotationOneEuro(groups.head_rotation.min_cutoff, groups.head_rotation.beta)

    def reset(self) -> None:
        """Forget the past: the next frame passes unchanged."""
        self._time_s = None

    def apply(self, parameters: FaceParameters, time_s: float) -> FaceParameters:
        """The smoothed state of one frame.

        Starts anew by itself after a gap of more than LONGEST_GAP_S and when time goes backwards. Identity, camera and
        uncertainty pass unchanged; the eyeLook* channels follow from the smoothed gaze.

        Args:
            parameters: of this frame.
            time_s: media time of the frame.
        """
        if self._groups is None:
            return parameters
        if self._time_s is None or not 0.0 <= time_s - self._time_s <= LONGEST_GAP_S:
            for each in (self._expression, self._gaze, self._translation, self._rotation):
                each.reset()
        self._time_s = time_s
        expression = np.asarray(parameters.expression, np.float64).copy()
        expression[_FILTERED] = self._expression(expression[_FILTERED], time_s)
        moved = replace(
            parameters,
            rotation=from_quaternion(self._rotation(to_quaternion(parameters.rotation), time_s)),
            translation=self._translation(parameters.translation, time_s),
        )
        return with_gaze(moved, expression, self._gaze(parameters.gaze, time_s))
