"""What a session tells whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass

from tracking import PipelineStatus, TrackedFace
from tracking.calibration import Calibration
from tracking.pipeline import PipelineError


@dataclass(frozen=True, slots=True)
class Polled:
    """What the session knows at the moment.

    Attributes:
        status: of the pipeline, None without one.
        face: the newest result, None before the first.
        opening: a source is on its way.
        problem: why nothing works at all (a model file is missing); None where it does.
    """

    status: PipelineStatus | None
    face: TrackedFace | None
    opening: bool
    problem: PipelineError | None


@dataclass(frozen=True, slots=True)
class CaptureOutcome:
    """What came of measuring a neutral face.

    Attributes:
        calibration: None where it failed.
        sentence: why it failed.
    """

    calibration: Calibration | None
    sentence: str = ""
