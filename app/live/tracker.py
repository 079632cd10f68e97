"""A tracker whose settings may be changed from another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from tracking import Frame, FrameTracker, TrackedFace, TrackerSettings
from tracking.calibration import Calibration


class SessionTracker(FrameTracker, Protocol):
    """What a session needs of a tracker."""

    def configure(self, settings: TrackerSettings) -> None:
        """Use other settings from the next frame on. Any thread."""
        ...

    def calibrate(self, calibration: Calibration | None) -> None:
        """Use another calibration from the next frame on. Any thread."""
        ...

    def close(self) -> None:
        """Free everything; nobody may be in `process`."""
        ...


class LiveTracker:
    """Implements `SessionTracker`: hands new settings to the tracker between two frames.

    Args:
        tracker: used by whichever thread calls `process`.
        rest_detail: told whether to look for no wrinkles, on any thread.
        detail_engine: says what the wrinkles' network runs on, on any thread; empty until it is loaded.
    """

    def __init__(
        self,
        tracker: SessionTracker,
        rest_detail: Callable[[bool], None] = lambda resting: None,
        detail_engine: Callable[[], str] = lambda: "",
    ) -> None:
        self.rest_detail, self.detail_engine = rest_detail, detail_engine
        self._tracker = tracker
        self._lock = threading.Lock()
        self._settings: TrackerSettings | None = None
        self._calibration: tuple[Calibration | None] | None = None

    def configure(self, settings: TrackerSettings) -> None:
        """Use other settings from the next frame on. Any thread."""
        with self._lock:
            self._settings = settings

    def calibrate(self, calibration: Calibration | None) -> None:
        """Use another calibration from the next frame on. Any thread."""
        with self._lock:
            self._calibration = (calibration,)

    def process(self, frame: Frame) -> TrackedFace:
        with self._lock:
            settings, self._settings = self._settings, None
            calibration, self._calibration = self._calibration, None
        if settings is not None:
            self._tracker.configure(settings)
        if calibration is not None:
            self._tracker.calibrate(calibration[0])
        return self._tracker.process(frame)

    def reset(self) -> None:
        self._tracker.reset()

    def close(self) -> None:
        """Free the detectors; nobody may be in `process`."""
        self._tracker.close()
