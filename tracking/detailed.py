"""Tracking with wrinkles: a tracker, and the detail stage beside it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from models.face_model import FaceModel
from tracking.calibration import Calibration
from tracking.detail import Detail, DetailStage, view_problem
from tracking.detail_network import DetailNetwork
from tracking.detail_settings import RESTING, DetailSettings
from tracking.mailbox import Mailbox
from tracking.settings import TrackerSettings
from tracking.tracker import FaceTracker
from tracking.types import DetailState, Frame, StageTime, TrackedFace

__all__ = ["DetailWorker", "DetailedTracker", "stage_for", "with_detail"]

_log = logging.getLogger(__name__)
_NOTHING = Detail(None, DetailState.NONE, "")
_JOIN_S = 0.5


class DetailWorker:
    """Runs a detail stage on a thread of its own, always on the newest frame.

    If the stage cannot be made or fails, tracking goes on without relief and the note says why.

    Args:
        make_stage: called on the thread, since the first start compiles the networks, which takes seconds; and only
            once there is a view that shows wrinkles, since many a session has none.
        smallest: width in pixels of the smallest face that shows wrinkles.
    """

    def __init__(self, make_stage: Callable[[], DetailStage], smallest: float = DetailSettings().smallest_face) -> None:
        self._make_stage = make_stage
        self._smallest = smallest
        self._frames: Mailbox[TrackedFace] = Mailbox()
        self._latest = _NOTHING
        self.engine = ""
        """What the network runs on, for people; empty until there is one."""
        self._forget = threading.Event()
        self._thread = threading.Thread(target=self._work, name="mien-detail", daemon=True)
        self._thread.start()

    def submit(self, tracked: TrackedFace) -> None:
        """Takes a frame; one that is still waiting is replaced. Does not block."""
        self._frames.put(tracked, wait=False)

    def latest(self) -> Detail:
        """The newest relief. Does not block."""
        return self._latest

    def reset(self) -> None:
        """Forgets the person before the next frame."""
        self._latest = _NOTHING
        self._forget.set()

    def close(self) -> None:
        """Ends the thread; blocks for half a second at most."""
        self._frames.close(discard=True)
        self._thread.join(_JOIN_S)

    def _work(self) -> None:
        stage: DetailStage | None = None
        while (tracked := self._frames.take()) is not None:
            if stage is None:
                problem = view_problem(tracked, self._smallest)
                if problem:
                    self._latest = Detail(None, DetailState.NONE, problem)
                    continue
                try:
                    stage = self._make_stage()
                    self.engine = stage.engine
                except Exception as error:
                    _log.warning("Wrinkles are off: %s", error)
                    self._latest = Detail(None, DetailState.NONE, f"wrinkles are off: {error}")
                    return
            if self._forget.is_set():
                self._forget.clear()
                stage.reset()
            try:
                found = stage.process(tracked)
            except Exception as error:
                # Whatever fails here must not take tracking with it.
                _log.exception("The detail stage failed")
                self._latest = Detail(None, DetailState.NONE, f"wrinkles are off: {error}")
                return
            if not self._forget.is_set():
                self._latest = found


class DetailedTracker:
    """A tracker whose results carry relief; implements `FrameTracker`.

    Args:
        tracker: does everything else; closed with this one.
        make_stage: see DetailWorker; by default the stage that the tracker's settings ask for.
        threaded: live, a thread keeps the relief as fresh as the machine can and tracking does not wait for it;
            otherwise each frame gets its own relief before it is given out, and what stands in the way of that is
            raised.

    Raises:
        WeightsError, EngineError: the networks cannot be used; not raised where `threaded`.
    """

    def __init__(
        self,
        tracker: FaceTracker,
        make_stage: Callable[[], DetailStage] | None = None,
        threaded: bool = True,
    ) -> None:
        self.tracker = tracker
        self._resting = False
        make = make_stage or (lambda: stage_for(tracker.model, tracker.settings.detail))
        self._stage: DetailStage | None = None
        self._worker: DetailWorker | None = None
        if threaded:
            self._worker = DetailWorker(make, tracker.settings.detail.smallest_face)
        else:
            try:
                self._stage = make()
            except Exception:
                tracker.close()
                raise

    @property
    def model(self) -> FaceModel:
        """The face model."""
        return self.tracker.model

    @property
    def engine(self) -> str:
        """What the network runs on, for people; empty as long as it is not loaded."""
        part = self._stage or self._worker
        return "" if part is None else part.engine

    def process(self, frame: Frame) -> TrackedFace:
        """See FrameTracker."""
        tracked = self.tracker.process(frame)
        if self._worker is None:
            assert self._stage is not None
            return with_detail(tracked, self._stage.process(tracked))
        if self._resting:
            return with_detail(tracked, Detail(None, DetailState.NONE, RESTING))
        self._worker.submit(tracked)
        return with_detail(tracked, self._worker.latest())

    def rest(self, resting: bool) -> None:
        """Look for no relief while nobody would see it. Any thread; without effect where it is not `threaded`."""
        self._resting = resting

    def configure(self, settings: TrackerSettings) -> None:
        """See FaceTracker; the detail stage stays as it was made."""
        self.tracker.configure(settings)

    def calibrate(self, calibration: Calibration | None) -> None:
        """See FaceTracker."""
        self.tracker.calibrate(calibration)

    def reset(self) -> None:
        """See FrameTracker."""
        self.tracker.reset()
        if self._worker is not None:
            self._worker.reset()
        elif self._stage is not None:
            self._stage.reset()

    def close(self) -> None:
        """Ends the worker and closes the tracker."""
        if self._worker is not None:
            self._worker.close()
        self.tracker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def with_detail(tracked: TrackedFace, found: Detail) -> TrackedFace:
    """A result with its relief; a face that is not shown has none."""
    stages = tracked.stages
    if found.decode_ms is not None:
        stages += (StageTime("detail", found.decode_ms + (found.encode_ms or 0.0)),)
    relief = found.displacement if tracked.parameters is not None else None
    state = found.state if relief is not None else DetailState.NONE
    return replace(tracked, displacement=relief, detail=state, detail_note=found.reason, stages=stages)


def stage_for(model: FaceModel, settings: DetailSettings) -> DetailStage:
    """The detail stage with the networks of the settings.

    Raises:
        WeightsError, EngineError: the networks cannot be used.
    """
    return DetailStage(model, DetailNetwork(model.name, settings.weights, settings.engine), settings)
