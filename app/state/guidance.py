"""What stands in the way of good tracking, and what to do about it.

Each condition has a threshold to enter and a looser one to leave, and has to last a moment either way, so that nothing
flickers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from tracking.types import TrackedFace

ENTER_AFTER_S, LEAVE_AFTER_S = 1.0, 1.5
STEP = 6
"""Every so many-th pixel is looked at."""


class Hint(Enum):
    """What is not good, the most important first."""

    DARK = "dark"
    BACKLIT = "backlit"
    BRIGHT = "bright"
    EDGE = "edge"
    FAR = "far"
    NEAR = "near"
    SLOW_CAMERA = "slow_camera"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is measured of one picture.

    Attributes:
        brightness: 0..255, of the face, or of the whole picture without one.
        surround: 0..255, of the picture around the face; None without a face.
        height: of the face as a share of the picture's; None without a face.
        margin: smallest distance of the face from the picture's edge as a share of the face's height, below 0 where it
            is cut; None without a face.
        camera_fps: rate of a live camera, None for anything else or where it is not known yet.
    """

    brightness: float
    surround: float | None = None
    height: float | None = None
    margin: float | None = None
    camera_fps: float | None = None


def measure(face: TrackedFace, camera_fps: float | None) -> Conditions:
    """The conditions of a tracked frame; takes a tenth of a millisecond."""
    image = face.frame.image
    rows, columns = image.shape[:2]
    small = image[::STEP, ::STEP].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    if face.observation is None:
        return Conditions(float(small.mean()), camera_fps=camera_fps)
    left, top, right, bottom = (float(v) for v in face.observation.box)
    inside = np.zeros(small.shape, bool)
    y0, y1, x0, x1 = (int(max(0.0, v) / STEP) for v in (top, bottom, left, right))
    inside[y0 : y1 + 1, x0 : x1 + 1] = True
    height = max(bottom - top, 1.0)
    around = small[~inside]
    return Conditions(
        brightness=float(small[inside].mean()) if inside.any() else float(small.mean()),
        surround=float(around.mean()) if around.size else None,
        height=height / rows,
        margin=min(left, top, columns - right, rows - bottom) / height,
        camera_fps=camera_fps,
    )


def _over(value: float | None, enter: float, leave: float, on: bool) -> bool:
    """Whether a value is above its threshold; None leaves things as they are."""
    return on if value is None else value > (leave if on else enter)


def _under(value: float | None, enter: float, leave: float, on: bool) -> bool:
    return on if value is None else value < (leave if on else enter)


def _holds(hint: Hint, c: Conditions, on: bool) -> bool:
    """Whether a condition is met, more easily where it was met before."""
    if hint is Hint.DARK:
        return _under(c.brightness, 48.0, 60.0, on)
    if hint is Hint.BRIGHT:
        return _over(c.brightness, 222.0, 210.0, on)
    if c.height is None or c.margin is None:
        # Nothing can be said of a face that is not there.
        return hint is Hint.SLOW_CAMERA and _under(c.camera_fps, 18.0, 21.0, on)
    if hint is Hint.BACKLIT:
        glare = None if c.surround is None else c.surround - c.brightness
        return _over(glare, 85.0, 65.0, on)
    if hint is Hint.EDGE:
        return _under(c.margin, -0.02, 0.03, on)
    if hint is Hint.FAR:
        return _under(c.height, 0.17, 0.20, on)
    if hint is Hint.NEAR:
        return _over(c.height, 0.88, 0.80, on)
    return _under(c.camera_fps, 18.0, 21.0, on)


class Guidance:
    """The hint that is due, from picture to picture."""

    def __init__(self) -> None:
        self._raw: dict[Hint, bool] = dict.fromkeys(Hint, False)
        self._since: dict[Hint, float] = {}
        self._shown: dict[Hint, bool] = dict.fromkeys(Hint, False)
        self._time_s: float | None = None

    @property
    def hint(self) -> Hint | None:
        """The most important hint that has lasted, None where all is well."""
        return next((hint for hint in Hint if self._shown[hint]), None)

    def update(self, conditions: Conditions, time_s: float) -> Hint | None:
        """Take the conditions of a picture in.

        Args:
            conditions: see `measure`.
            time_s: seconds of any clock that only grows; one that goes back starts anew.
        """
        if self._time_s is not None and time_s < self._time_s:
            self.reset()
        self._time_s = time_s
        for hint in Hint:
            now = _holds(hint, conditions, self._shown[hint])
            if now != self._raw[hint] or hint not in self._since:
                self._raw[hint], self._since[hint] = now, time_s
            wait = ENTER_AFTER_S if now else LEAVE_AFTER_S
            if now != self._shown[hint] and time_s - self._since[hint] >= wait:
                self._shown[hint] = now
        return self.hint

    def reset(self) -> None:
        """Forget everything: a new source begins."""
        self.__init__()  # type: ignore[misc]
