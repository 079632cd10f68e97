"""A guided capture as the window shows it: running, looked over at its end, being kept."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from psygnal import Signal

if TYPE_CHECKING:
    from tracking.capture_guide import GuideStatus


class CaptureStage(Enum):
    """Where it stands."""

    IDLE = "idle"
    RUNNING = "running"
    REVIEW = "review"
    """No step is due any more: what is missing, and what the avatar shall be called."""
    KEEPING = "keeping"
    """Being written to the disk."""


class GuidedCaptureState:
    """What the dialog shows; `app.live.capture` collects."""

    changed = Signal()
    ended = Signal()
    """It is over, kept or not."""

    def __init__(self) -> None:
        self.stage = CaptureStage.IDLE
        self.status: GuideStatus | None = None
        """Of the guide; None before the first capture."""
        self.paused = ""
        """Why nothing counts at the moment, one sentence; empty where it does."""
        self.problem = ""
        """Why no avatar can be made of it, one sentence; empty where one can."""
        self.refusal = ""
        """Why it could not be kept (the name is taken, say), one sentence; empty before it is tried."""

    @property
    def busy(self) -> bool:
        """Whether a capture is under way."""
        return self.stage is not CaptureStage.IDLE

    def begin(self, status: GuideStatus) -> None:
        """A capture begins."""
        self.status, self.paused, self.problem, self.refusal = status, "", "", ""
        self.stage = CaptureStage.RUNNING
        self.changed.emit()

    def show(self, status: GuideStatus, paused: str, problem: str) -> None:
        """How it stands; ignored while nothing is under way or it is being kept.

        Args:
            status: of the guide.
            paused: why there are no pictures, one sentence; empty leaves it to the guide.
            problem: see the attribute; looked at once no step is due.
        """
        if self.stage not in (CaptureStage.RUNNING, CaptureStage.REVIEW):
            return
        over = status.step is None
        stage = CaptureStage.REVIEW if over else CaptureStage.RUNNING
        paused = "" if over else paused or status.paused
        problem = problem if over else ""
        if (stage, status, paused, problem) != (self.stage, self.status, self.paused, self.problem):
            self.stage, self.status, self.paused, self.problem = stage, status, paused, problem
            self.changed.emit()

    def keep(self) -> None:
        """It is being written."""
        self.stage, self.refusal = CaptureStage.KEEPING, ""
        self.changed.emit()

    def refuse(self, sentence: str) -> None:
        """It could not be written, and why."""
        self.stage, self.refusal = CaptureStage.REVIEW, sentence
        self.changed.emit()

    def end(self) -> None:
        """It is over."""
        if self.busy:
            self.stage = CaptureStage.IDLE
            self.changed.emit()
            self.ended.emit()
