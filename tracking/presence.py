"""What is shown while the face is out of sight: held, faded to neutral, then nothing; and faded in again."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from tracking.blending import blend, toward_neutral
from tracking.types import FaceParameters, TrackingState


class PresenceSettings(BaseModel):
    """The times of a lost face, in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hold_s: float = Field(default=0.3, ge=0.0, le=60.0)
    """How long the last values are held: a missed picture or two go unnoticed."""
    fade_s: float = Field(default=0.7, ge=0.0, le=60.0)
    """How long the expression then takes to fade to neutral."""
    return_s: float = Field(default=0.2, ge=0.0, le=60.0)
    """How long the way back to the live values takes when the face is seen again."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What to show for one frame.

    Attributes:
        state: see TrackingState.
        parameters: the live, held or fading values; None in SEARCHING.
    """

    state: TrackingState
    parameters: FaceParameters | None


class Presence:
    """The state machine of a face that may get lost. Driven by media time alone."""

    def __init__(self, settings: PresenceSettings | None = None) -> None:
        self._settings = settings or PresenceSettings()
        self.reset()

    def reset(self) -> None:
        """A new source or a new person: nobody has been seen yet."""
        self._seen_s: float | None = None
        self._last: FaceParameters | None = None
        self._shown = Shown(TrackingState.SEARCHING, None)
        self._time_s: float | None = None
        self._return_from: FaceParameters | None = None
        self._returned_s = 0.0

    def update(self, parameters: FaceParameters | None, time_s: float) -> Shown:
        """What to show at `time_s` seconds of media time; time going backwards starts anew.

        Args:
            parameters: the face as seen in this frame, None where it is not seen.
        """
        if self._time_s is not None and time_s < self._time_s:
            self.reset()
        self._time_s = time_s
        self._shown = self._missing(time_s) if parameters is None else self._present(parameters, time_s)
        return self._shown

    def _present(self, live: FaceParameters, time_s: float) -> Shown:
        if self._seen_s is not None and self._shown.state is not TrackingState.TRACKING:
            # Once the fading is over nothing was shown: then the face comes in neutral, where it is now.
            self._return_from = self._shown.parameters or toward_neutral(live, 1.0)
            self._returned_s = time_s
        self._seen_s = time_s
        if self._return_from is not None:
            way = _fraction(time_s - self._returned_s, self._settings.return_s)
            if way < 1.0:
                self._last = blend(self._return_from, live, _smooth(way))
                return Shown(TrackingState.TRACKING, self._last)
            self._return_from = None
        self._last = live
        return Shown(TrackingState.TRACKING, live)

    def _missing(self, time_s: float) -> Shown:
        self._return_from = None
        if self._seen_s is None or self._last is None:
            return Shown(TrackingState.SEARCHING, None)
        gone = time_s - self._seen_s
        if gone <= self._settings.hold_s:
            return Shown(TrackingState.HOLDING, self._last)
        way = _fraction(gone - self._settings.hold_s, self._settings.fade_s)
        if way < 1.0:
            return Shown(TrackingState.FADING, toward_neutral(self._last, _smooth(way)))
        self._last = None
        return Shown(TrackingState.SEARCHING, None)


def _fraction(elapsed_s: float, duration_s: float) -> float:
    """How much of a duration is over, 0..1."""
    return min(1.0, max(0.0, elapsed_s / duration_s)) if duration_s > 0.0 else 1.0


def _smooth(x: float) -> float:
    """0..1 to 0..1 without a jolt at either end."""
    return x * x * (3.0 - 2.0 * x)
