"""The threads between a source and whoever shows the result.

    capture thread -> mailbox (newest wins) -> tracking thread -> slot -> the consumer pulls

Nothing is queued: with a live source a slow stage drops pictures, and the drops are counted. Errors travel as data in
`PipelineStatus`. `track_frames` is the same way without threads, for every picture of a file.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Protocol

import cv2

from tracking.mailbox import Mailbox
from tracking.sources import CameraSource, Source, SourceError
from tracking.timings import Percentiles, RollingPercentiles, RollingRate
from tracking.types import Frame, TrackedFace

_log = logging.getLogger(__name__)

_CLOSE_WAIT_S = 0.3
_JOIN_WAIT_S = 0.3


class FrameTracker(Protocol):
    """All of tracking for one frame: landmarks, fit, calibration, smoothing."""

    def process(self, frame: Frame) -> TrackedFace:
        """The result for one frame. Called by one thread, in the order of the frames, some of which may be missing."""
        ...

    def reset(self) -> None:
        """Forget everything that was learned from earlier frames: a new source begins."""
        ...


class PipelineState(Enum):
    """What a pipeline does."""

    STARTING = "starting"
    """Not started, or no result yet."""
    RUNNING = "running"
    """Results come."""
    NO_CAMERA = "no_camera"
    """The camera cannot be opened (then the pipeline has ended), or was unplugged and is waited for."""
    ENDED = "ended"
    """The source came to its end, or `stop` was called."""
    ERROR = "error"
    """The source or the tracker failed; the pipeline has ended."""


@dataclass(frozen=True, slots=True)
class PipelineError:
    """What went wrong, for a person.

    Attributes:
        sentence: what happened, in one sentence.
        remedy: what to do about it, in one sentence; empty where the sentence says it already.
    """

    sentence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class StageStats:
    """Rolling durations of one stage."""

    name: str
    ms: Percentiles


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """A snapshot.

    Attributes:
        state: see PipelineState.
        error: what went wrong; set in ERROR and NO_CAMERA.
        warning: what is not as it was asked for, though pictures come (another camera format, a damaged file).
        captured: pictures that the source gave.
        tracked: pictures that the tracker finished.
        dropped: pictures that were replaced by newer ones before the tracker took them.
        capture_fps, tracking_fps: rates over the last pictures.
        latency_ms: capture to result. None before the first result.
        display_latency_ms: capture to display, as reported to `note_displayed`.
        stages: the wait in the mailbox, then the tracker's stages.
    """

    state: PipelineState
    error: PipelineError | None
    warning: str | None
    captured: int
    tracked: int
    dropped: int
    capture_fps: float
    tracking_fps: float
    latency_ms: Percentiles | None
    display_latency_ms: Percentiles | None
    stages: tuple[StageStats, ...]


class Pipeline:
    """Runs one source through one tracker. For another source make another pipeline.

    With a live source (`Source.live`) the newest picture wins; any other source is read no faster than it is tracked
    and loses nothing.

    Args:
        source: opened by the capture thread if it is not open yet; closed when the pipeline ends.
        tracker: used by the tracking thread alone, reset at the start.
        on_status: called with a snapshot when the pipeline starts to give results and when it ends, on a worker thread:
            keep it short. That a camera is unplugged shows in `status` alone.
        on_result: called with each result on the tracking thread, for recorders and streams that must not miss any:
            keep it short. What it raises is logged and does not stop the tracking.
        on_frame: called with every captured picture on the capture thread, before it is tracked or dropped, for
            recorders: the source waits while it runs. What it raises is logged and does not stop the capture.
    """

    def __init__(
        self,
        source: Source,
        tracker: FrameTracker,
        *,
        on_status: Callable[[PipelineStatus], None] | None = None,
        on_result: Callable[[TrackedFace], None] | None = None,
        on_frame: Callable[[Frame], None] | None = None,
    ) -> None:
        self._source = source
        self._tracker = tracker
        self._on_status = on_status
        self._on_result = on_result
        self._on_frame = on_frame
        self._frames: Mailbox[Frame] = Mailbox()
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._latest: TrackedFace | None = None
        self._state = PipelineState.STARTING
        self._error: PipelineError | None = None
        self._captured = 0
        self._tracked = 0
        self._capture_rate = RollingRate()
        self._tracking_rate = RollingRate()
        self._latency = RollingPercentiles()
        self._display_latency = RollingPercentiles()
        self._stages: dict[str, RollingPercentiles] = {}
        self._threads: tuple[threading.Thread, ...] = ()
        self.stride = 1
        """Track every so many-th picture only, from the next picture on: 2 halves the work. The others count as
        captured, not as dropped. For live sources; any other gives every picture."""

    @property
    def ended(self) -> bool:
        """True once both threads have ended (or were never started): nobody uses the tracker any more."""
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def source(self) -> Source:
        """The source that is read."""
        return self._source

    def start(self) -> None:
        """Start both threads; returns at once.

        Raises:
            RuntimeError: it was started before.
        """
        if self._threads:
            raise RuntimeError("a pipeline starts once: make another one")
        # OpenCV's own threads would fight with the inference threads for the cores.
        cv2.setNumThreads(1)
        # Daemons: a driver that hangs must not keep the program from ending.
        self._threads = (
            threading.Thread(target=self._capture, name="mien-capture", daemon=True),
            threading.Thread(target=self._track, name="mien-tracking", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End both threads; may be called in any state and more than once.

        Blocks for less than a second. A thread that hangs in a driver or in the tracker is left to itself and ends as
        soon as its call returns.
        """
        self._stopping.set()
        self._frames.close(discard=True)
        # On a thread of its own, because a source may hang in its closing, too.
        closer = threading.Thread(target=self._close_source, name="mien-close", daemon=True)
        closer.start()
        closer.join(_CLOSE_WAIT_S)
        deadline = time.monotonic() + _JOIN_WAIT_S
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        self._set_state(PipelineState.ENDED)

    def latest(self) -> TrackedFace | None:
        """The newest result, None before the first. Does not block."""
        return self._latest

    def wait_for_result(self, after: TrackedFace | None = None, timeout_s: float | None = None) -> TrackedFace | None:
        """The newest result as soon as it is another one than `after`.

        Blocks until then, or until the pipeline ends or the time is over.

        Returns:
            None if there was no newer result.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._latest is not after or self._has_ended(), timeout_s)
            return self._latest if self._latest is not after else None

    def note_displayed(self, result: TrackedFace) -> None:
        """Tell that a result has just appeared on the screen, for the latency from capture to display."""
        with self._changed:
            self._display_latency.add((time.monotonic_ns() - result.frame.captured_ns) / 1e6)

    def status(self) -> PipelineStatus:
        """A snapshot of state, errors and figures. Does not block."""
        now = time.monotonic_ns()
        problem = self._source.problem
        with self._changed:
            state, error = self._state, self._error
            if problem is not None and state in (PipelineState.STARTING, PipelineState.RUNNING):
                state, error = PipelineState.NO_CAMERA, PipelineError(problem)
            measured = [(name, stage.get()) for name, stage in self._stages.items()]
            return PipelineStatus(
                state=state,
                error=error,
                warning=self._source.warning,
                captured=self._captured,
                tracked=self._tracked,
                dropped=self._frames.dropped,
                capture_fps=self._capture_rate.get(now),
                tracking_fps=self._tracking_rate.get(now),
                latency_ms=self._latency.get(),
                display_latency_ms=self._display_latency.get(),
                stages=tuple(StageStats(name, ms) for name, ms in measured if ms is not None),
            )

    def __enter__(self) -> Pipeline:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _capture(self) -> None:
        try:
            self._source.open()
            while not self._stopping.is_set() and (frame := self._source.read()) is not None:
                with self._changed:
                    self._captured += 1
                    self._capture_rate.add(frame.captured_ns)
                    count = self._captured
                self._tell_frame(frame)
                if self._source.live and count % max(1, self.stride):
                    continue
                if not self._frames.put(frame, wait=not self._source.live):
                    break
        except SourceError as error:
            camera = isinstance(self._source, CameraSource)
            self._set_state(PipelineState.NO_CAMERA if camera else PipelineState.ERROR, PipelineError(str(error)))
        except Exception as error:
            self._fail(f"Reading {self._source.name} failed", error)
        finally:
            self._frames.close()
            self._close_source()

    def _track(self) -> None:
        try:
            self._tracker.reset()
            while (frame := self._frames.take()) is not None:
                taken_ns = time.monotonic_ns()
                result = self._tracker.process(frame)
                if self._stopping.is_set():
                    break
                self._publish(result, taken_ns)
            self._set_state(PipelineState.ENDED)
        except Exception as error:
            self._fail("The tracking failed", error)
            # The capture thread must not go on for nobody.
            self._frames.close(discard=True)
            self._stopping.set()
            self._close_source()

    def _tell_frame(self, frame: Frame) -> None:
        if self._on_frame is not None:
            try:
                self._on_frame(frame)
            except Exception:  # capturing goes on whatever its audience does
                _log.exception("a receiver of pictures failed")

    def _publish(self, result: TrackedFace, taken_ns: int) -> None:
        now = time.monotonic_ns()
        with self._changed:
            self._latest = result
            self._tracked += 1
            self._tracking_rate.add(now)
            self._latency.add((now - result.frame.captured_ns) / 1e6)
            self._stage("wait").add((taken_ns - result.frame.captured_ns) / 1e6)
            for stage in result.stages:
                self._stage(stage.name).add(stage.ms)
            self._changed.notify_all()
        self._set_state(PipelineState.RUNNING)
        if self._on_result is not None:
            try:
                self._on_result(result)
            except Exception:  # tracking goes on whatever its audience does
                _log.exception("a receiver of results failed")

    def _stage(self, name: str) -> RollingPercentiles:
        return self._stages.setdefault(name, RollingPercentiles())

    def _fail(self, what: str, error: Exception) -> None:
        _log.error("%s", what, exc_info=error)
        reason = " ".join(str(error).split()) or type(error).__name__
        self._set_state(
            PipelineState.ERROR,
            PipelineError(f"{what}: {reason}.".replace("..", "."), "Start again; the log has the details."),
        )

    def _set_state(self, state: PipelineState, error: PipelineError | None = None) -> None:
        """Change the state; what ended the pipeline stays."""
        with self._changed:
            if self._has_ended() or state is self._state:
                return
            self._state, self._error = state, error
            self._changed.notify_all()
        if self._on_status is not None:
            try:
                self._on_status(self.status())
            except Exception:  # as above
                _log.exception("a receiver of states failed")

    def _has_ended(self) -> bool:
        return self._state in (PipelineState.ENDED, PipelineState.ERROR, PipelineState.NO_CAMERA)

    def _close_source(self) -> None:
        try:
            self._source.close()
        except Exception:  # stopping must not fail on a broken device; there is nothing left to do with it
            _log.exception("closing %s failed", self._source.name)


def track_frames(source: Source, tracker: FrameTracker) -> Iterator[TrackedFace]:
    """The result for every frame of a source, in order, without threads and without drops.

    Opens the source if it is not open, and closes it at the end or when the iteration is given up.

    Raises:
        SourceError: the source cannot be opened or fails.
    """
    cv2.setNumThreads(1)
    tracker.reset()
    with source:
        for frame in source:
            yield tracker.process(frame)
