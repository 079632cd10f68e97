"""Capturing a person's neutral face: countdown, measuring, done or why not."""

from __future__ import annotations

from enum import Enum

from psygnal import Signal

COUNTDOWN_S = 3.0
SHOWN_S = 4.0
"""Seconds that the outcome stays to be read."""


class CalibrationPhase(Enum):
    """Where it stands."""

    IDLE = "idle"
    COUNTDOWN = "countdown"
    MEASURING = "measuring"
    DONE = "done"
    FAILED = "failed"


class CalibrationState:
    """What the overlay and the panel show; the session measures."""

    changed = Signal()

    def __init__(self) -> None:
        self.phase = CalibrationPhase.IDLE
        self.person = ""
        self.sentence = ""
        """Why it failed, or who was stored."""
        self.fraction = 0.0
        """0..1 of the measuring."""
        self.seconds_left = 0.0
        """Of the countdown."""
        self._since_s = 0.0

    @property
    def busy(self) -> bool:
        """Whether a capture is under way."""
        return self.phase in (CalibrationPhase.COUNTDOWN, CalibrationPhase.MEASURING)

    def begin(self, person: str, now_s: float) -> None:
        """Start the countdown."""
        self.person, self.sentence, self.fraction = person, "", 0.0
        self.seconds_left = COUNTDOWN_S
        self._set(CalibrationPhase.COUNTDOWN, now_s)

    def advance(self, now_s: float) -> bool:
        """Let time pass; True at the moment when the measuring has to begin."""
        if self.phase is CalibrationPhase.COUNTDOWN:
            left = max(0.0, COUNTDOWN_S - (now_s - self._since_s))
            if left <= 0.0:
                self._set(CalibrationPhase.MEASURING, now_s)
                return True
            if int(left * 10) != int(self.seconds_left * 10):
                self.seconds_left = left
                self.changed.emit()
            self.seconds_left = left
        elif self.phase in (CalibrationPhase.DONE, CalibrationPhase.FAILED) and now_s - self._since_s > SHOWN_S:
            self._set(CalibrationPhase.IDLE, now_s)
        return False

    def progress(self, fraction: float) -> None:
        """How far the measuring is, 0..1."""
        if self.phase is CalibrationPhase.MEASURING and fraction != self.fraction:
            self.fraction = fraction
            self.changed.emit()

    def finish(self, sentence: str, now_s: float, *, good: bool) -> None:
        """It is over, with what to tell."""
        self.sentence = sentence
        self._set(CalibrationPhase.DONE if good else CalibrationPhase.FAILED, now_s)

    def cancel(self) -> None:
        """Give it up; nothing is stored."""
        if self.phase is not CalibrationPhase.IDLE:
            self._set(CalibrationPhase.IDLE, self._since_s)

    def _set(self, phase: CalibrationPhase, now_s: float) -> None:
        self.phase, self._since_s = phase, now_s
        self.changed.emit()
