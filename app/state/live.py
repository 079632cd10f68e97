"""What the tracking does at the moment, in a word, and its figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from psygnal import Signal

from app.state.guidance import Guidance, Hint, measure
from tracking.pipeline import PipelineState, PipelineStatus, StageStats
from tracking.timings import Percentiles
from tracking.types import DetailState, TrackedFace, TrackingState


class Phase(Enum):
    """What goes on."""

    NO_SOURCE = "no_source"
    LOADING = "loading"
    """The tracker or the source is being opened."""
    SEARCHING = "searching"
    TRACKING = "tracking"
    LOST = "lost"
    NO_CAMERA = "no_camera"
    """The camera is waited for."""
    ENDED = "ended"
    ERROR = "error"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Live:
    """A snapshot for the state line.

    Attributes:
        phase: see Phase.
        fps: tracked pictures a second.
        capture_fps: pictures a second that the source gives.
        view_fps: pictures a second that the view draws.
        latency_ms: capture to display; None before the first.
        dropped, captured: pictures since the source was opened.
        stages: durations of each stage.
        sentence: what is wrong, empty where nothing is.
        remedy: what to do about it.
        warning: what is not as it was asked for.
        hint: what would make the tracking better.
        detail: where the wrinkles come from.
        detail_note: why they are not live, in a few words; empty where they are.
        recorded: a session is played, nothing is tracked.
    """

    phase: Phase = Phase.NO_SOURCE
    fps: float = 0.0
    capture_fps: float = 0.0
    view_fps: float = 0.0
    latency_ms: Percentiles | None = None
    dropped: int = 0
    captured: int = 0
    stages: tuple[StageStats, ...] = ()
    sentence: str = ""
    remedy: str = ""
    warning: str = ""
    hint: Hint | None = None
    detail: DetailState = DetailState.NONE
    detail_note: str = ""
    recorded: bool = False


_OF_FACE = {
    TrackingState.SEARCHING: Phase.SEARCHING,
    TrackingState.TRACKING: Phase.TRACKING,
    TrackingState.HOLDING: Phase.LOST,
    TrackingState.FADING: Phase.LOST,
}


def phase_of(status: PipelineStatus | None, face: TrackedFace | None, *, opening: bool, hidden: bool) -> Phase:
    """The phase that a pipeline's status and its newest result come to.

    Args:
        status: None without a pipeline.
        face: None before the first result.
        opening: a source is on its way.
        hidden: the user hides.
    """
    if hidden:
        return Phase.HIDDEN
    if status is None:
        return Phase.LOADING if opening else Phase.NO_SOURCE
    if status.state is PipelineState.NO_CAMERA:
        return Phase.NO_CAMERA
    if status.state is PipelineState.ERROR:
        return Phase.ERROR
    if opening or status.state is PipelineState.STARTING:
        return Phase.LOADING
    if status.state is PipelineState.ENDED:
        return Phase.ENDED
    return Phase.LOADING if face is None else _OF_FACE[face.state]


class LiveState:
    """The snapshot that is shown, and the guidance behind its hint."""

    changed = Signal(Live)
    phase_changed = Signal(Phase)

    def __init__(self) -> None:
        self.now = Live()
        self._guidance = Guidance()

    def note_face(self, face: TrackedFace, camera_fps: float | None, time_s: float) -> None:
        """Judge the conditions of a newly shown result.

        Args:
            face: the result.
            camera_fps: rate of a live camera, None for anything else.
            time_s: any clock that only grows.
        """
        self._guidance.update(measure(face, camera_fps), time_s)

    def reset_guidance(self) -> None:
        """A new source begins."""
        self._guidance.reset()

    def update(self, live: Live) -> None:
        """Show another snapshot; the hint is the guidance's own."""
        helpful = not live.recorded and live.phase in (Phase.TRACKING, Phase.SEARCHING, Phase.LOST)
        live = replace(live, hint=self._guidance.hint if helpful else None)
        before, self.now = self.now, live
        if live != before:
            self.changed.emit(live)
        if live.phase is not before.phase:
            self.phase_changed.emit(live.phase)
