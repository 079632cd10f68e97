"""The steps of a guided capture, and how far a face is with each: plain measures against the person's own neutral."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT, CHANNEL_INDEX
from models.geometry.rotations import from_quaternion, to_euler
from tracking.calibration import Calibration
from tracking.types import FaceParameters

__all__ = ["EXPRESSION_STEPS", "STEPS", "Neutral", "Relative", "SpeechMeter", "Step", "StepKind", "amount_of"]

TURN_YAW, TURN_UP, TURN_DOWN = 0.42, 0.26, 0.24
"""Radians from the neutral head (24, 15 and 14 degrees): as far as landmarks hold on both eyes."""
HOLD_S = 2.5
AHEAD_YAW, AHEAD_PITCH = 0.4, 0.4
"""Radians from the neutral head within which an expression counts: farther round, half of it is guessed."""
WRONG_WAY = -0.5
"""Amount of a turn from which on it is one to the other side."""
SPEECH_S = 3.5
"""Seconds of moving lips that count as a sentence."""
SPEECH_WINDOW_S = 0.8
SPEECH_RANGE = 0.1
"""How far a channel of the mouth ranges within the window when somebody speaks; trackers tremble by some hundredths."""


class StepKind(Enum):
    """What is measured."""

    REST = "rest"
    TURN = "turn"
    EXPRESSION = "expression"
    SPEECH = "speech"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    Attributes:
        name: for the program.
        title: for lists, two or three words.
        instruction: one or two sentences for the person; left and right are theirs.
        kind: see StepKind.
        hold_s: seconds that it has to be kept up.
        yaw, pitch: of a turn, radians from the neutral head at which it is enough; 0 where it does not matter.
        channels: of an expression, groups of channels: the largest mean of a group counts.
        enough: what that has to reach, as the calibrated channels read.
    """

    name: str
    title: str
    instruction: str
    kind: StepKind
    hold_s: float = HOLD_S
    yaw: float = 0.0
    pitch: float = 0.0
    channels: tuple[tuple[str, ...], ...] = ()
    enough: float = 0.0


def _turn(name: str, title: str, instruction: str, yaw: float = 0.0, pitch: float = 0.0) -> Step:
    return Step(name, title, instruction, StepKind.TURN, yaw=yaw, pitch=pitch)


def _face(name: str, title: str, instruction: str, enough: float, *channels: tuple[str, ...]) -> Step:
    return Step(name, title, instruction, StepKind.EXPRESSION, channels=channels, enough=enough)


STEPS: tuple[Step, ...] = (
    Step("rest", "Relax", "Look straight into the camera and relax your face, lips closed.", StepKind.REST),
    _turn("left", "Turn left", "Turn your head slowly to your left.", yaw=TURN_YAW),
    _turn("right", "Turn right", "Now slowly to your right.", yaw=-TURN_YAW),
    _turn("up", "Look up", "Raise your chin and look up a little.", pitch=-TURN_UP),
    _turn("down", "Look down", "Lower your chin and look down a little.", pitch=TURN_DOWN),
    _face("smile", "Smile", "Look into the camera and smile.", 0.32, ("mouthSmileLeft", "mouthSmileRight")),
    _face("brows", "Brows up", "Raise your brows.", 0.32, ("browInnerUp",), ("browOuterUpLeft", "browOuterUpRight")),
    _face("frown", "Frown", "Frown: pull your brows down and together.", 0.25, ("browDownLeft", "browDownRight")),
    _face("pucker", "Pucker", "Pucker your lips as for a kiss.", 0.25, ("mouthPucker",), ("mouthFunnel",)),
    _face("sneer", "Wrinkle nose", "Wrinkle your nose.", 0.16, ("noseSneerLeft", "noseSneerRight")),
    _face("shut", "Eyes shut", "Shut your eyes, count to three, open them.", 0.35, ("eyeBlinkLeft", "eyeBlinkRight")),
    _face("jaw", "Mouth open", "Open your mouth wide.", 0.35, ("jawOpen",)),
    Step(
        "sentence",
        "Say a sentence",
        "Say aloud: “Five blue boats were waiting for the wind, but she saw only four.”",
        StepKind.SPEECH,
        hold_s=SPEECH_S,
    ),
)
"""In the order in which they are asked for: some two minutes with the time to read."""
EXPRESSION_STEPS: tuple[Step, ...] = tuple(step for step in STEPS if step.kind is StepKind.EXPRESSION)

_SPEECH = [
    CHANNEL_INDEX[name]
    for name in (
        *("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLowerDownLeft", "mouthLowerDownRight"),
        *("mouthUpperUpLeft", "mouthUpperUpRight", "mouthStretchLeft", "mouthStretchRight"),
    )
]
_RESTING = (
    (("jawOpen",), 0.4, "Close your mouth: this is the face at rest."),
    (("eyeBlinkLeft", "eyeBlinkRight"), 0.55, "Open your eyes: this is the face at rest."),
    (("mouthSmileLeft", "mouthSmileRight"), 0.34, "Do not smile yet: this is the face at rest."),
)


@dataclass(frozen=True, slots=True)
class Relative:
    """A face against the person's own neutral.

    Attributes:
        expression: (52,) calibrated: 0 at rest, 1 at most.
        yaw, pitch: radians from the neutral head, > 0 to the subject's left and down.
    """

    expression: NDArray[np.float32]
    yaw: float
    pitch: float

    @property
    def ahead(self) -> bool:
        """Whether the face looks roughly into the camera."""
        return abs(self.yaw) < AHEAD_YAW and abs(self.pitch) < AHEAD_PITCH


class Neutral:
    """The person's face at rest.

    Args:
        calibration: as measured; None takes a plain face that looks along the camera's axis.
    """

    def __init__(self, calibration: Calibration | None = None) -> None:
        self._values = np.zeros(CHANNEL_COUNT, np.float32) if calibration is None else calibration.neutral()
        self._turn = np.eye(3) if calibration is None else from_quaternion(calibration.head_quaternion)

    def relative(self, parameters: FaceParameters) -> Relative:
        """A face against this neutral.

        Args:
            parameters: as fitted, neither calibrated nor smoothed.
        """
        values = np.clip((parameters.expression - self._values) / (1.0 - self._values), 0.0, 1.0)
        yaw, pitch, _ = to_euler(self._turn.T @ parameters.rotation)
        return Relative(np.asarray(values, np.float32), float(yaw), float(pitch))

    @property
    def problem(self) -> str:
        """Why this is no face at rest, one sentence; empty where it is one."""
        return next((text for names, most, text in _RESTING if _mean(self._values, names) > most), "")


def amount_of(step: Step, face: Relative) -> tuple[float, str]:
    """How much of a turn or an expression a face shows, as a share of what is enough, and a hint where something is in
    the way.

    Args:
        step: a turn or an expression.
        face: against the neutral.
    """
    if step.kind is StepKind.TURN:
        if step.yaw:
            return _turned(face.yaw / step.yaw, "That is your other side: turn the other way.")
        if abs(face.yaw) > AHEAD_YAW:
            return 0.0, "Turn back to the middle first."
        wrong = "That is down: raise your chin." if step.pitch < 0 else "That is up: lower your chin."
        return _turned(face.pitch / step.pitch, wrong)
    if not face.ahead:
        return 0.0, "Turn your face to the camera."
    return max(_mean(face.expression, group) for group in step.channels) / step.enough, ""


def _turned(amount: float, wrong: str) -> tuple[float, str]:
    return (0.0, wrong) if amount < WRONG_WAY else (max(amount, 0.0), "")


def _mean(values: NDArray[np.float32], names: tuple[str, ...]) -> float:
    return float(np.mean([values[CHANNEL_INDEX[name]] for name in names]))


class SpeechMeter:
    """Adds up the time for which lips and jaw move as they do in speech."""

    def __init__(self) -> None:
        self.spoken_s = 0.0
        self._window: deque[tuple[float, NDArray[np.float32]]] = deque()
        self._clock_s = 0.0

    def add(self, face: Relative, elapsed_s: float) -> float:
        """One more picture; the seconds of speech so far.

        Args:
            face: against the neutral.
            elapsed_s: since the last picture.
        """
        self._clock_s += elapsed_s
        self._window.append((self._clock_s, face.expression[_SPEECH]))
        while self._clock_s - self._window[0][0] > SPEECH_WINDOW_S:
            self._window.popleft()
        values = np.stack([value for _, value in self._window])
        if face.ahead and float(np.ptp(values, axis=0).max()) > SPEECH_RANGE:
            self.spoken_s += elapsed_s
        else:
            self.spoken_s = max(0.0, self.spoken_s - 0.3 * elapsed_s)
        return self.spoken_s
