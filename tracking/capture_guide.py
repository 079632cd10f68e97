"""Leads a person through a capture: what to do next, whether it is done, what is still missing. No window."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from tracking.calibration import CalibrationError, CaptureSettings, NeutralCapture
from tracking.capture_coverage import Coverage, CoverageMeter
from tracking.capture_steps import STEPS, Neutral, Relative, SpeechMeter, Step, StepKind, amount_of
from tracking.person_capture import MIN_CONFIDENCE, PersonCapture
from tracking.person_rest import resting_calibration
from tracking.types import FaceObservation, FaceParameters, TrackedFace

__all__ = ["CaptureGuide", "GuideStatus", "StepState"]

LIMIT_S = 20.0
"""Seconds of a step after which skipping it is suggested: not everybody can wrinkle the nose."""
SETTLE_S = 2.0
"""Between two steps, to read what comes next; what the face does meanwhile counts for none."""
LOST_S = 0.4
"""Without a face, after which it is said: shorter gaps are missed detections."""
LONGEST_GAP_S = 0.25
"""Between two pictures that still counts as time: while nothing comes the clock stands."""
KEPT = 0.8
"""Share of what is enough that keeps a step up once it was reached, so that trembling does not undo it."""
REST = CaptureSettings(duration_s=2.0)

LOST = "Your face is out of sight: come back into the picture."
CROWDED = "There is somebody else in the picture: an avatar shows one person."
OVERDUE = "If that does not work for you, skip it."


class StepState(Enum):
    """How a step stands."""

    WAITING = "waiting"
    CURRENT = "current"
    DONE = "done"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class GuideStatus:
    """Where the capture stands.

    Attributes:
        states: of each of STEPS.
        step: what is to be done now; None once all is through.
        number: of that step, from 1.
        progress: 0..1 of it.
        hint: what would help, one sentence; empty where nothing stands in the way.
        paused: why nothing counts at the moment, one sentence; empty where it does.
        overdue: the step has taken long: skipping it is suggested.
        settling: the step has not begun yet; the one before was just done or left.
        coverage: what has been seen.
        usable: pictures that were kept in mind.
        seconds: that the capture has run, without pauses.
    """

    states: tuple[StepState, ...]
    step: Step | None
    number: int
    progress: float = 0.0
    hint: str = ""
    paused: str = ""
    overdue: bool = False
    settling: bool = False
    coverage: Coverage = field(default_factory=Coverage)
    usable: int = 0
    seconds: float = 0.0

    @property
    def done(self) -> int:
        """Steps that are done."""
        return sum(state is StepState.DONE for state in self.states)

    @property
    def missing(self) -> tuple[Step, ...]:
        """Steps that are not done."""
        return tuple(step for step, state in zip(STEPS, self.states, strict=True) if state is not StepState.DONE)


class CaptureGuide:
    """Takes tracked pictures one after another; each counts for the step that is due and goes into the capture.

    Expressions and turns are measured against the person's own neutral, which the first step takes. Not thread-safe.

    Attributes:
        capture: what is collected, the same as from a file.
    """

    def __init__(self) -> None:
        self.capture = PersonCapture()
        self._coverage = CoverageMeter()
        self._neutral: Neutral | None = None
        self._done: set[int] = set()
        self._skipped: set[int] = set()
        self._at = 0
        self._last_s: float | None = None
        self._seconds = self._lost_s = 0.0
        self._usable = 0
        self._paused = ""
        self._crowded = False
        self._enter(0)

    @property
    def over(self) -> bool:
        """Whether no step is due."""
        return self._at >= len(STEPS)

    def add(self, face: TrackedFace) -> GuideStatus:
        """One more picture; where the capture stands after it. Once no step is due, pictures are not taken any more."""
        elapsed = 0.0
        if self._last_s is not None:
            elapsed = min(max(face.frame.time_s - self._last_s, 0.0), LONGEST_GAP_S)
        self._last_s = face.frame.time_s
        if self.over:
            return self.status()
        self.capture.add(face)
        parameters = face.raw if face.valid and face.confidence >= MIN_CONFIDENCE else None
        if parameters is None or face.observation is None:
            self._lost_s += elapsed
            if self._lost_s >= LOST_S:
                self._paused = LOST
                self._coverage.lose()
                self._rest = NeutralCapture(REST)
            return self.status()
        self._lost_s = 0.0
        relative = (self._neutral or Neutral()).relative(parameters)
        self._coverage.see(face.frame.image, face.observation, relative)
        self._paused = self._coverage.coverage().problem
        if not self._paused:
            self._usable += 1
            self._seconds += elapsed
            if self._neutral is not None:
                self._coverage.count(relative)
            self._work(parameters, relative, elapsed, face.frame.time_s)
        if self._neutral is None:
            self._coverage.lose()  # directions count from the neutral head
        return self.status()

    def add_look(self, faces: list[FaceObservation], subject: FaceObservation | None) -> None:
        """All faces of a whole picture, as a detector of many faces sees them; to be done now and then.

        Args:
            faces: every face.
            subject: the one that is followed.
        """
        self._crowded = self.capture.add_look(faces, subject)

    def skip(self) -> None:
        """Leave the step that is due for the next one."""
        if self.over:
            return
        if self._neutral is None:
            # What was calmest so far has to serve.
            seen = [parameters for _, parameters in self.capture.seen]
            self._neutral = Neutral(resting_calibration("guided capture", seen) if seen else None)
        if self._at not in self._done:
            self._skipped.add(self._at)
        self._enter(self._next())

    def back(self) -> None:
        """To the step before; from the end, to the last one that is missing, or the last."""
        if self.over:
            missing = [n for n in range(len(STEPS)) if n not in self._done]
            self._enter(missing[-1] if missing else len(STEPS) - 1)
        elif self._at > 0:
            self._enter(self._at - 1)

    def finish(self) -> None:
        """Leave it at what was seen: steps that are not done are missing."""
        self._skipped |= set(range(len(STEPS))) - self._done
        self._enter(len(STEPS))

    def status(self) -> GuideStatus:
        """Where the capture stands."""
        return GuideStatus(
            states=tuple(self._state(n) for n in range(len(STEPS))),
            step=None if self.over else STEPS[self._at],
            number=min(self._at + 1, len(STEPS)),
            progress=self._progress,
            hint=(CROWDED if self._crowded else "") or self._hint or (OVERDUE if self._overdue else ""),
            paused="" if self.over else self._paused,
            overdue=self._overdue,
            settling=not self.over and self._settle_s > 0,
            coverage=self._coverage.coverage(),
            usable=self._usable,
            seconds=self._seconds,
        )

    @property
    def _overdue(self) -> bool:
        return not self.over and self._spent_s >= LIMIT_S

    def _state(self, n: int) -> StepState:
        if n == self._at:
            return StepState.CURRENT
        if n in self._done:
            return StepState.DONE
        return StepState.SKIPPED if n in self._skipped else StepState.WAITING

    def _next(self) -> int:
        """The next step that is not done, in order."""
        return next((n for n in range(self._at + 1, len(STEPS)) if n not in self._done), len(STEPS))

    def _enter(self, at: int) -> None:
        self._at = at
        self._settle_s = SETTLE_S
        self._spent_s = self._held_s = self._progress = 0.0
        self._hint = ""
        self._rest = NeutralCapture(REST)
        self._speech = SpeechMeter()

    def _work(self, parameters: FaceParameters, face: Relative, elapsed_s: float, time_s: float) -> None:
        """Let a picture count for the step that is due."""
        if self._settle_s > 0:
            self._settle_s -= elapsed_s
            return
        self._spent_s += elapsed_s
        step = STEPS[self._at]
        if step.kind is StepKind.REST:
            done = self._measure_rest(parameters, time_s)
        elif step.kind is StepKind.SPEECH:
            self._progress = min(self._speech.add(face, elapsed_s) / step.hold_s, 1.0)
            self._hint = "" if face.ahead else "Turn your face to the camera."
            done = self._progress >= 1.0
        else:
            done = self._hold(step, face, elapsed_s)
        if done:
            self._done.add(self._at)
            self._skipped.discard(self._at)
            self._enter(self._next())

    def _hold(self, step: Step, face: Relative, elapsed_s: float) -> bool:
        amount, self._hint = amount_of(step, face)
        if amount >= 1.0 or (self._held_s > 0 and amount >= KEPT):
            self._held_s += elapsed_s
        else:
            self._held_s = max(0.0, self._held_s - elapsed_s)
        # Half of the way is to get there, the other half to stay.
        self._progress = 0.5 * min(amount, 1.0) + 0.5 * min(self._held_s / step.hold_s, 1.0)
        return self._held_s >= step.hold_s

    def _measure_rest(self, parameters: FaceParameters, time_s: float) -> bool:
        seen = self._rest.add(parameters, time_s)
        self._progress = seen.fraction
        if not seen.done:
            return False
        try:
            measured = Neutral(self._rest.finish("guided capture"))
            self._hint = measured.problem
        except CalibrationError as error:
            self._hint = re.sub(r" \(\w+\)", "", str(error))  # without the name of the channel
        if self._hint:
            self._rest, self._progress = NeutralCapture(REST), 0.0
            return False
        self._neutral = measured
        return True
