"""From tracked parameters to what drives an avatar, with life in it while nobody is tracked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, exp, pi, radians, sin

import numpy as np
from numpy.typing import NDArray

from models.channels import (
    ARKIT_CHANNELS,
    CHANNEL_COUNT,
    CHANNEL_INDEX,
    GAZE_CHANNELS,
    MIRROR_PERMUTATION,
    channels_to_gaze,
    gaze_to_channels,
)
from models.geometry.rotations import HEAD_TO_CAMERA, from_euler, from_rotvec, to_euler, to_rotvec
from tracking.retarget.hotkeys import ExpressionFades
from tracking.retarget.settings import RetargetSettings
from tracking.types import FaceParameters

__all__ = ["Driven", "Retargeter", "driven_from"]

Floats = NDArray[np.float32]

LONGEST_STEP = 0.25
"""Seconds that one call moves the fade at most: after a pause of the program it fades rather than jumps."""
BLINK_EVERY = (2.4, 6.0)
"""Seconds between two idle blinks."""
BLINK_DOWN, BLINK_UP = 0.08, 0.16
"""Seconds in which the lids close and open."""
BREATH_S = 4.2
"""Seconds of one breath at rest."""
BREATH_NOD = 0.010
"""Radians that the head nods with it."""

_BLINKS = [CHANNEL_INDEX["eyeBlinkLeft"], CHANNEL_INDEX["eyeBlinkRight"]]
_EYE_LOOKS = list(GAZE_CHANNELS)
_MIRROR_X = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True)
class Driven:
    """What an avatar is to do in one picture.

    Attributes:
        values: (52,) float32 in 0..1, ARKIT_CHANNELS order.
        rotation: (3, 3) of the head, in the head frame's axes.
        translation: (3,) metres from the resting place, in the head frame's axes (+x to the avatar's left, +y up,
            +z towards the viewer).
        gaze: (2, 2) radians relative to the head, rows left and right eye, columns yaw and pitch.
        breath: -1 breathed out, 1 breathed in; 0 while tracked.
        tracked: 0 idle to 1 tracked, as far as faded.
        own: expressions of the avatar itself by name, and how much of each is added, 0..1.
    """

    values: Floats
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    gaze: Floats
    breath: float = 0.0
    tracked: float = 1.0
    own: tuple[tuple[str, float], ...] = ()


def driven_from(
    channels: dict[str, float] | None = None,
    rotation: NDArray[np.float64] | None = None,
    gaze: tuple[float, float] = (0.0, 0.0),
) -> Driven:
    """A pose by hand: channels by name, the head's rotation, and yaw and pitch of both eyes in radians."""
    values = np.zeros(CHANNEL_COUNT, np.float32)
    look = np.array([gaze, gaze], np.float32)
    values[_EYE_LOOKS] = gaze_to_channels(look)[_EYE_LOOKS]
    for name, value in (channels or {}).items():
        values[CHANNEL_INDEX[name]] = value
    return Driven(values, np.eye(3) if rotation is None else rotation, np.zeros(3), look)


class Retargeter:
    """Applies settings, frame by frame. Remembers the last tracked face and the fade, so use one for each face.

    Args:
        settings: may be replaced at any time (`settings` attribute).
        seed: of the idle blinks' times.
    """

    def __init__(self, settings: RetargetSettings | None = None, *, seed: int = 0) -> None:
        self._seed = seed
        self._random = np.random.default_rng(seed)
        self._rest: NDArray[np.float64] | None = None
        self._held: Driven | None = None
        self._share = 0.0
        self._last_s: float | None = None
        self._blink_at: float | None = None
        self._expressions = ExpressionFades()
        self.settings = settings or RetargetSettings()

    @property
    def settings(self) -> RetargetSettings:
        """What is applied."""
        return self._settings

    @settings.setter
    def settings(self, settings: RetargetSettings) -> None:
        self._settings = settings
        curves = [settings.channels.get(name) for name in ARKIT_CHANNELS]
        solo = any(c is not None and c.solo for c in curves)
        self._gain = np.array([1.0 if c is None else c.gain for c in curves], np.float32)
        self._offset = np.array([0.0 if c is None else c.offset for c in curves], np.float32)
        self._dead = np.array([0.0 if c is None else c.dead_zone for c in curves], np.float32)
        self._stretch = 1.0 / (1.0 - self._dead)
        on = [not ((c is not None and c.mute) or (solo and not (c is not None and c.solo))) for c in curves]
        self._on = np.array(on, np.float32)
        self._bent = [
            (i, np.array([p[0] for p in c.points]), np.array([p[1] for p in c.points]))
            for i, c in enumerate(curves)
            if c is not None and c.points
        ]
        self._expressions.configure(settings.hotkeys)
        self._looks_changed = any(
            self._gain[i] != 1 or self._offset[i] or self._dead[i] or not self._on[i] for i in _EYE_LOOKS
        ) or any(i in _EYE_LOOKS for i, _, _ in self._bent)

    def show(self, names: Iterable[str]) -> None:
        """Have these hotkeys' expressions come with the next calls of `apply`, the newest last, and all others go."""
        self._expressions.show(names)

    def recentre(self) -> None:
        """The place in which the next tracked face is found becomes the avatar's resting place."""
        self._rest = None

    def reset(self) -> None:
        """As new: forgets the face, the fades and the resting place; no hotkey is shown."""
        self._random = np.random.default_rng(self._seed)
        self._expressions = ExpressionFades()
        self._expressions.configure(self._settings.hotkeys)
        self._rest, self._held, self._share, self._last_s, self._blink_at = None, None, 0.0, None, None

    def apply(self, parameters: FaceParameters | None, time_s: float) -> Driven:
        """What the avatar does now.

        Args:
            parameters: the tracked face; None while nobody is tracked.
            time_s: any clock in seconds that does not run backwards; where it does, the fade stands still.
        """
        step = 0.0 if self._last_s is None else min(max(time_s - self._last_s, 0.0), LONGEST_STEP)
        fresh = self._last_s is None
        self._last_s = time_s
        if fresh:
            self._expressions.finish()
        else:
            self._expressions.advance(step)
        return self._expressions.on(self._without_hotkeys(parameters, time_s, step, fresh))

    def _without_hotkeys(self, parameters: FaceParameters | None, time_s: float, step: float, fresh: bool) -> Driven:
        """The tracked face, the idle one, or what is between."""
        fade = self._settings.idle.fade_s
        moved = step / fade if fade > 0 else 1.0
        if parameters is not None:
            self._held = self._tracked(parameters)
            self._share = 1.0 if fresh else min(self._share + moved, 1.0)
        else:
            self._share = max(self._share - moved, 0.0)
        if self._held is not None and self._share >= 1.0:
            self._blink_at = None
            return self._held
        idle = self._idle(time_s)
        if self._held is None or self._share <= 0.0:
            return idle
        t = self._share * self._share * (3.0 - 2.0 * self._share)
        return _between(idle, self._held, t)

    def _tracked(self, parameters: FaceParameters) -> Driven:
        settings = self._settings
        gaze = self._gaze(parameters.gaze)
        values = np.minimum(np.maximum(_finite(parameters.expression), 0.0), 1.0)
        values[_EYE_LOOKS] = gaze_to_channels(gaze)[_EYE_LOOKS]
        values = self._curved(values)
        if self._looks_changed:
            gaze = channels_to_gaze(values)
        rotation, translation = self._head(parameters)
        if settings.mirror:
            values = values[MIRROR_PERMUTATION]
            rotation = _MIRROR_X @ rotation @ _MIRROR_X
            translation = translation * (-1.0, 1.0, 1.0)
            gaze = gaze[::-1] * np.array([-1.0, 1.0], np.float32)
        return Driven(values, rotation, translation, gaze)

    def _curved(self, values: Floats) -> Floats:
        values = np.maximum(values - self._dead, 0.0) * self._stretch
        for i, inputs, outputs in self._bent:
            values[i] = np.interp(values[i], inputs, outputs)
        out = np.minimum(np.maximum(values * self._gain + self._offset, 0.0), 1.0) * self._on
        return np.asarray(out, np.float32)

    def _gaze(self, gaze: NDArray[np.floating]) -> Floats:
        settings = self._settings.gaze
        limit = radians(settings.limit_deg)
        look = _finite(gaze)
        if settings.together:
            look = np.broadcast_to(look.mean(axis=0), (2, 2))
        return np.asarray(np.minimum(np.maximum(look * np.float32(settings.gain), -limit), limit), np.float32)

    def _head(self, parameters: FaceParameters) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        head = self._settings.head
        rotation = np.asarray(parameters.rotation, np.float64)
        place = np.asarray(parameters.translation, np.float64)
        if not np.isfinite(rotation).all():
            rotation = np.eye(3)
        if not np.isfinite(place).all():
            place = np.zeros(3) if self._rest is None else self._rest
        yaw, pitch, roll = (
            min(max(angle * gain + radians(offset), -radians(abs(limit))), radians(abs(limit)))
            for angle, gain, offset, limit in zip(
                to_euler(rotation).tolist(),
                head.rotation_gain,
                head.rotation_offset_deg,
                head.rotation_limit_deg,
                strict=True,
            )
        )
        if self._rest is None:
            self._rest = place.copy()
        if head.translation_gain == 0.0:
            return from_euler(yaw, pitch, roll), np.zeros(3)
        move = HEAD_TO_CAMERA @ (place - self._rest) * head.translation_gain
        far = float(np.linalg.norm(move))
        if far > head.translation_limit_m:
            move = move * (head.translation_limit_m / far)
        return from_euler(yaw, pitch, roll), move

    def _idle(self, time_s: float) -> Driven:
        values = np.zeros(CHANNEL_COUNT, np.float32)
        settings = self._settings.idle
        if settings.blink:
            values[_BLINKS] = self._blink(time_s)
        breath = sin(2 * pi * time_s / BREATH_S) if settings.breathing else 0.0
        rotation = from_euler(0.0, -BREATH_NOD * breath, 0.0)
        return Driven(values * self._on, rotation, np.zeros(3), np.zeros((2, 2), np.float32), breath, 0.0)

    def _blink(self, time_s: float) -> float:
        """Lids of an idle face, 0 open to 1 closed."""
        if self._blink_at is None or time_s < self._blink_at - 2 * BLINK_EVERY[1]:
            self._blink_at = time_s + float(self._random.uniform(*BLINK_EVERY)) / 2
        since = time_s - self._blink_at
        if since < 0:
            return 0.0
        if since > BLINK_DOWN + BLINK_UP:
            self._blink_at = time_s + float(self._random.uniform(*BLINK_EVERY))
            return 0.0
        if since < BLINK_DOWN:
            return 0.5 - 0.5 * cos(pi * since / BLINK_DOWN)
        return exp(-4.0 * ((since - BLINK_DOWN) / BLINK_UP) ** 2)


def _finite(values: NDArray[np.floating]) -> Floats:
    """As float32, with 0 for what is no number."""
    out = np.asarray(values, np.float32)
    return out if np.isfinite(out).all() else np.nan_to_num(out, posinf=0.0, neginf=0.0)


def _between(a: Driven, b: Driven, share: float) -> Driven:
    """`a` at 0, `b` at 1; the rotation takes the straight way."""
    turn = from_rotvec(to_rotvec(a.rotation.T @ b.rotation) * share)
    return Driven(
        values=np.asarray(a.values + (b.values - a.values) * np.float32(share), np.float32),
        rotation=a.rotation @ turn,
        translation=a.translation + (b.translation - a.translation) * share,
        gaze=np.asarray(a.gaze + (b.gaze - a.gaze) * np.float32(share), np.float32),
        breath=a.breath * (1.0 - share),
        tracked=share,
    )
