"""The session: one source through one tracker, opened, switched and mended on a thread of its own.

Every public method returns at once; whoever shows things calls `poll` from a timer. No method sends events.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from app.errors import sentence_for
from app.live.open import answering, build_source
from app.live.session_types import CaptureOutcome, Polled
from app.live.tracker import LiveTracker, SessionTracker
from app.live.unavailable import Unavailable
from app.window_settings import SourceSettings
from tracking import Frame, Pipeline, Source, TrackedFace, TrackerSettings
from tracking.calibration import Calibration, CalibrationError, NeutralCapture
from tracking.pipeline import PipelineError, PipelineState

if TYPE_CHECKING:
    from models.face_model import FaceModel
    from recordings.playback import Player

_log = logging.getLogger(__name__)

RETRY_S = 2.0
"""Between two tries to open a camera that is not there."""
CLOSE_WAIT_S = 0.6
"""For the threads to end; one that loads a library or the networks cannot be told to stop, and is left to itself."""
DISPLAY_WAIT_S = 3.0
"""Longest wait of the tracking, after its first picture, until that is on the screen."""
NONE = SourceSettings()

TrackerFactory = Callable[["TrackerSettings", "FaceModel", "Calibration | None"], SessionTracker]
SourceFactory = Callable[["SourceSettings", "FaceModel"], Source]


class Session:
    """Opens sources one after another and keeps the tracker between them.

    Args:
        settings: of the tracker.
        make_tracker, make_source: for tests and for clips that end.
        keep_going: open a source again that came to its end, and a camera again that is not there.
    """

    def __init__(
        self,
        settings: TrackerSettings,
        *,
        make_tracker: TrackerFactory | None = None,
        make_source: SourceFactory = build_source,
        keep_going: bool = True,
    ) -> None:
        self.model: FaceModel | None = None
        """The face model, once it is loaded."""
        self.open_driver = False
        """For those who will draw off-screen: load OpenGL's driver beforehand."""
        self.hold_until_displayed = False
        """For those who call `note_displayed`: track one picture and wait until it is shown, then all others."""
        self._drawable, self._displayed = threading.Event(), threading.Event()
        self.tracked = self.valid = 0
        """Results of the present source, and those that show a face."""
        self.on_result: Callable[[], None] = lambda: None
        """Called on the tracking thread when there is a newer result: keep it short."""
        self.result_taps: tuple[Callable[[TrackedFace], None], ...] = ()
        """Given every result on the tracking thread, for those who must miss none: microseconds each."""
        self.frame_taps: tuple[Callable[[Frame], None], ...] = ()
        """Given every picture on the capture thread, tracked or not, likewise."""
        self._make_tracker = make_tracker or _make_tracker
        self._make_source = make_source
        self._keep_going = keep_going
        self._settings = settings
        self._calibration: Calibration | None = None
        self._stride = 1
        self._resting = False
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._wanted = NONE
        self._generation = 0
        self._opened = -1
        self._pipeline: Pipeline | None = None
        self._player: Player | None = None
        self._tracker: SessionTracker | None = None
        self._tracker_broken = False
        self._abandoned: list[SessionTracker] = []
        self._problem: PipelineError | None = None
        self._waiting_for: PipelineError | None = None
        self._capture: NeutralCapture | None = None
        self._capture_person = ""
        self._capture_fraction = 0.0
        self._capture_outcome: CaptureOutcome | None = None
        self._thread = threading.Thread(target=self._run, name="mien-session", daemon=True)

    # --- for the thread that shows things -------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to load what tracking needs."""
        self._thread.start()

    def open(self, source: SourceSettings) -> None:
        """Track this source from now on; `kind` none closes the present one. The newest call wins."""
        with self._lock:
            self._wanted = source
            self._generation += 1
            self._waiting_for = None
            self._capture = None
        self._wake.set()

    def reopen(self) -> None:
        """Open the same source again: after an error."""
        self.open(self._wanted)

    def configure(self, settings: TrackerSettings) -> None:
        """Track with other settings from the next frame on."""
        self._settings = settings
        if self._tracker is not None:
            self._tracker.configure(settings)

    def calibrate(self, calibration: Calibration | None) -> None:
        """Take another neutral face out from the next frame on."""
        self._calibration = calibration
        if self._tracker is not None:
            self._tracker.calibrate(calibration)

    def rest_detail(self, resting: bool) -> None:
        """Look for no wrinkles of the tracked person while this is so."""
        self._resting = resting
        if isinstance(self._tracker, LiveTracker):
            self._tracker.rest_detail(resting)

    @property
    def detail_engine(self) -> str:
        """What the wrinkles' network runs on, for people; empty until it is loaded."""
        return self._tracker.detail_engine() if isinstance(self._tracker, LiveTracker) else ""

    def set_stride(self, stride: int) -> None:
        """Track every so many-th picture."""
        self._stride = stride
        pipeline = self._pipeline
        if pipeline is not None:
            pipeline.stride = stride

    def poll(self) -> Polled:
        """What is known at the moment."""
        with self._lock:
            opening = self._opened != self._generation and self._wanted.kind != "none"
            pipeline, waiting, problem = self._pipeline, self._waiting_for, self._problem
            closed = self._opened != self._generation and self._wanted.kind == "none"
        if pipeline is None or closed:
            return Polled(None, None, opening and problem is None, problem)
        status = pipeline.status()
        if waiting is not None and status.state is PipelineState.STARTING:
            # Another try to open the camera is under way: to the user it is still the same wait.
            status = replace(status, state=PipelineState.NO_CAMERA, error=waiting)
        return Polled(status, None if opening else pipeline.latest(), opening, problem)

    def latest(self) -> TrackedFace | None:
        """The newest result of the source that is wanted, None before its first. Costs nothing."""
        pipeline = self._pipeline
        return pipeline.latest() if pipeline is not None and self._opened == self._generation else None

    @property
    def source(self) -> Source | None:
        """What pictures come from at the moment; None where nothing is open."""
        with self._lock:
            pipeline = self._pipeline if self._opened == self._generation else None
        return None if pipeline is None else pipeline.source

    @property
    def displayed(self) -> bool:
        """Whether a result has appeared on the screen."""
        return self._displayed.is_set()

    @property
    def ready_to_draw(self) -> bool:
        """Whether all is computed that drawing the model needs."""
        return self._drawable.is_set()

    @property
    def calibration(self) -> Calibration | None:
        """The neutral face that is taken out at the moment."""
        return self._calibration

    @property
    def player(self) -> Player | None:
        """What plays the session that is open; None where something else or nothing is open."""
        with self._lock:
            return self._player if self._opened == self._generation else None

    def note_displayed(self, face: TrackedFace) -> None:
        """A result has just appeared on the screen."""
        self._displayed.set()
        pipeline = self._pipeline
        if pipeline is not None:
            pipeline.note_displayed(face)

    def measure_neutral(self, person: str) -> None:
        """Measure a neutral face from now on; `capture_progress` and `take_capture` tell how it goes."""
        with self._lock:
            self._capture_person, self._capture_fraction, self._capture_outcome = person, 0.0, None
            self._capture = NeutralCapture()

    def cancel_measuring(self) -> None:
        """Give the measuring up."""
        with self._lock:
            self._capture, self._capture_outcome = None, None

    @property
    def capture_progress(self) -> float:
        """0..1 of the measuring."""
        return self._capture_fraction

    def take_capture(self) -> CaptureOutcome | None:
        """What came of the measuring, once; None while there is nothing."""
        with self._lock:
            outcome, self._capture_outcome = self._capture_outcome, None
            return outcome

    def close(self) -> bool:
        """End all threads; blocks for less than a second.

        Returns:
            False where one hangs in a driver or in the loading of a library, and is left to itself.
        """
        self._closing.set()
        self._displayed.set()
        self._wake.set()
        if self._thread.ident is None:
            return True
        self._thread.join(CLOSE_WAIT_S)
        pipeline = self._pipeline
        return not self._thread.is_alive() and (pipeline is None or pipeline.ended)

    # --- the session's own thread ---------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._load()
            while not self._closing.is_set():
                self._wake.wait(0.25 if self._pipeline is not None else None)
                self._wake.clear()
                if not self._closing.is_set():
                    self._advance()
        except Exception as error:
            _log.exception("the session failed")
            text = sentence_for(error) or f"Tracking cannot start ({' '.join(str(error).split())})."
            self._problem = PipelineError(text, "Run `doctor`: it says what is missing.")
        finally:
            self._stop_pipeline()
            if self._tracker is not None and (self._pipeline is None or self._pipeline.ended):
                self._tracker.close()

    def _load(self) -> None:
        from models.face_model import load_face_model

        model = load_face_model()
        # Beside the tracker's own loading, which mostly waits for the disk.
        threading.Thread(target=self._prepare_drawing, args=(model,), name="mien-prepare", daemon=True).start()
        self.model = model
        self._tracker = self._make_tracker(self._settings, model, self._calibration)

    def _prepare_drawing(self, model: FaceModel) -> None:
        try:
            from rendering import prepare_drawing

            if self.open_driver:
                # Not on a thread beside this one: both would load the same library, which refers to itself in circles.
                from rendering.offscreen import open_driver

                open_driver()
            prepare_drawing(model)
        finally:
            self._drawable.set()

    def _advance(self) -> None:
        """Open what is wanted, or what has to be opened again."""
        with self._lock:
            generation, wanted = self._generation, self._wanted
        if generation != self._opened:
            self._switch(generation, wanted)
            return
        status = self._pipeline.status() if self._pipeline is not None else None
        if status is None or not self._keep_going or wanted.kind == "none":
            return
        if status.state is PipelineState.NO_CAMERA and self._pipeline is not None and self._pipeline.ended:
            self._waiting_for = status.error
            if not self._closing.wait(RETRY_S) and self._generation == generation:
                self._switch(generation, wanted)
        elif status.state is PipelineState.ENDED:
            self._switch(generation, wanted)
        elif status.state is PipelineState.RUNNING:
            self._waiting_for = None
        elif status.state is PipelineState.ERROR:
            self._tracker_broken = True

    def _switch(self, generation: int, wanted: SourceSettings) -> None:
        self._stop_pipeline()
        if wanted.kind == "none":
            with self._lock:
                self._pipeline, self._player, self._opened = None, None, generation
            return
        assert self.model is not None
        tracker = self._whole_tracker()
        try:
            source = self._make_source(wanted, self.model)
        except Exception as error:
            text = sentence_for(error) or f"The source cannot be opened ({' '.join(str(error).split())})."
            source = Unavailable(text)
        recorded = answering(source, self.model)
        player = cast("Player", source) if wanted.kind == "session" and recorded is not None else None
        pipeline = Pipeline(source, recorded or tracker, on_result=self._note_result, on_frame=self._note_frame)
        pipeline.stride = self._stride
        if self._closing.is_set():
            return
        self.tracked = self.valid = 0
        pipeline.start()
        with self._lock:
            self._pipeline, self._player, self._opened = pipeline, player, generation

    def _whole_tracker(self) -> SessionTracker:
        """The tracker, or a new one where the old one failed or still hangs in its last frame."""
        assert self.model is not None and self._tracker is not None
        if self._tracker_broken or (self._pipeline is not None and not self._pipeline.ended):
            self._tracker_broken = False
            # Kept, for the detector hangs for good when it is collected without having been closed, and it cannot be
            # closed while it may still be at work.
            self._abandoned.append(self._tracker)
            self._tracker = self._make_tracker(self._settings, self.model, self._calibration)
        self._tracker.configure(self._settings)
        self._tracker.calibrate(self._calibration)
        self.rest_detail(self._resting)
        return self._tracker

    def _stop_pipeline(self) -> None:
        if self._pipeline is not None:
            self._pipeline.stop()
            deadline = time.monotonic() + 0.2
            while not self._pipeline.ended and time.monotonic() < deadline:
                time.sleep(0.01)

    # --- the tracking thread --------------------------------------------------------------------------------------

    def _note_frame(self, frame: Frame) -> None:
        for tap in self.frame_taps:
            tap(frame)

    def _note_result(self, face: TrackedFace) -> None:
        self.tracked += 1
        self.valid += face.valid
        for tap in self.result_taps:
            tap(face)
        self.on_result()
        if self.hold_until_displayed and not self._displayed.is_set():
            self._wait_for_display()
        capture = self._capture
        if capture is None:
            return
        progress = capture.add(face.raw if face.valid else None, face.frame.time_s)
        self._capture_fraction = progress.fraction
        if not progress.done:
            return
        try:
            outcome = CaptureOutcome(capture.finish(self._capture_person))
        except CalibrationError as error:
            outcome = CaptureOutcome(None, str(error))
        with self._lock:
            if self._capture is capture:
                self._capture, self._capture_outcome = None, outcome

    def _wait_for_display(self) -> None:
        """At the start: tracking pictures that nobody can see yet would only hold up what they wait for. Whoever takes
        all results, as a recording does, is not kept waiting."""
        deadline = time.monotonic() + DISPLAY_WAIT_S
        while not self._displayed.wait(0.05) and not self.result_taps and time.monotonic() < deadline:
            pass
        self._displayed.set()


def _make_tracker(settings: TrackerSettings, model: FaceModel, calibration: Calibration | None) -> LiveTracker:
    from tracking import FaceTracker
    from tracking.detailed import DetailedTracker

    tracker = FaceTracker(settings, model, calibration)
    # Without weights or an engine tracking goes on, and each result says why it has no wrinkles.
    if not settings.detail.enabled:
        return LiveTracker(tracker)
    detailed = DetailedTracker(tracker)
    return LiveTracker(detailed, detailed.rest, lambda: detailed.engine)
