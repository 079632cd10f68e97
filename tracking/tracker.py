"""Tracking one person: landmarks, fit, calibration, smoothing and mesh, frame after frame."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from models.face_model import FaceModel, load_face_model
from tracking.calibration import Calibration, Calibrator
from tracking.coarse import CoarsePredictor, chosen_weights, paying_threads
from tracking.coarse_lead import CoarseLead
from tracking.coarse_person import CoarsePerson
from tracking.fit import FitSession
from tracking.known_person import KnownPerson, begin
from tracking.landmarks import MODEL_FILE
from tracking.presence import Presence, Shown
from tracking.settings import TrackerSettings
from tracking.smoothing import Smoother
from tracking.subject import SubjectDetector
from tracking.threads import use_one_thread
from tracking.types import FaceObservation, FaceParameters, Frame, StageTime, TrackedFace

_Found = tuple[FaceParameters | None, FaceObservation | None, float]
"""Parameters, observation, and confidence of a frame."""
WORST_FIT = 0.06
"""Landmark residual, as a share of the outer eye distance, at which a fit deserves no trust at all."""


class FaceTracker:
    """The whole of tracking for one stream; implements `FrameTracker`. Not thread-safe.

    Keeps BLAS and OpenCV to one thread each for the whole process (`use_one_thread`).

    Args:
        settings: see TrackerSettings.
        model: the face model, by default the shipped head.
        calibration: the person's neutral face, None for none.
        model_file: the Face Landmarker bundle.

    Raises:
        ModelFileError: a model file is missing or altered.
        WeightsError, EngineError: the coarse network was asked for and cannot be used, or not for the person named.
        AvatarFileError: the file of a person cannot be used.
    """

    def __init__(
        self,
        settings: TrackerSettings | None = None,
        model: FaceModel | None = None,
        calibration: Calibration | None = None,
        model_file: Path = MODEL_FILE,
    ) -> None:
        use_one_thread()
        self.settings = settings or TrackerSettings()
        self.model = model or load_face_model()
        self._known = KnownPerson.named(self.settings.person, self.model)
        self._subject = SubjectDetector(model_file=model_file)
        self.session = self._new_session(self.settings)
        self._smoother = Smoother(self.settings.smoothing)
        self._presence = Presence(self.settings.presence)
        self._calibrator = Calibrator(calibration)
        self._lead = self._make_lead()
        self._led = 0
        self._confidence = 0.0
        self._time_s: float | None = None

    def calibrate(self, calibration: Calibration | None) -> None:
        """Use another calibration from the next frame on."""
        self._calibrator = Calibrator(calibration)
        self._smoother.reset()

    def configure(self, settings: TrackerSettings) -> None:
        """Use other settings from the next frame on; the person is kept unless the fit's settings or its own changed.

        Raises:
            WeightsError, EngineError, AvatarFileError: see the class.
        """
        if settings.person != self.settings.person:
            self._known = KnownPerson.named(settings.person, self.model)
        if settings.fit != self.settings.fit or settings.person != self.settings.person:
            self.session = self._new_session(settings)
        if settings.smoothing != self.settings.smoothing:
            self._smoother.configure(settings.smoothing)
        if settings.presence != self.settings.presence:
            self._presence = Presence(settings.presence)
        changed = settings.coarse != self.settings.coarse
        changed |= settings.detail.enabled != self.settings.detail.enabled
        self.settings = settings
        if changed:
            if self._lead is not None:
                self._lead.close()
            self._lead = self._make_lead()

    def _new_session(self, settings: TrackerSettings) -> FitSession:
        session = FitSession(self.model, settings.fit)
        begin(session, self._known)
        return session

    def _make_lead(self) -> CoarseLead | None:
        wanted = self.settings.coarse
        if wanted.mode == "off":
            return None
        person = None if wanted.person is None else CoarsePerson.read(wanted.person)
        # Wrinkles keep a core busy; on two, a network that wants both waits for that one.
        threads = paying_threads(taken=int(self.settings.detail.enabled))
        predictor = CoarsePredictor(self.model, chosen_weights(wanted), wanted.engine, threads, person)
        return CoarseLead(self.model, predictor)

    def reset(self) -> None:
        """Forgets the person, but for what was known before: a new source begins."""
        self._subject.reset()
        begin(self.session, self._known)
        self._smoother.reset()
        self._presence.reset()
        if self._lead is not None:
            self._lead.lose_track()
        self._time_s = None

    def process(self, frame: Frame) -> TrackedFace:
        """Tracks one frame; blocks for one detection and one fit, 10 to 20 ms on a laptop."""
        if self._time_s is not None and frame.time_s < self._time_s:
            self.session.lose_track()
        self._time_s = frame.time_s
        clock = _StageClock()
        raw, observation, confidence = self._follow(frame, clock) or self._detect(frame, clock)
        if raw is None:
            self.session.lose_track()
            self._smoother.reset()
        shown = self._shown(raw, frame.time_s)
        clock.mark("filter")
        posed = None
        if shown.parameters is not None:
            p = shown.parameters
            posed = self.model.pose(p.identity, p.expression, p.gaze)
            clock.mark("mesh")
        return TrackedFace(
            frame=frame,
            state=shown.state,
            confidence=confidence,
            observation=observation,
            raw=raw,
            parameters=shown.parameters,
            vertices=None if posed is None else posed.vertices,
            normals=None if posed is None else posed.normals,
            displacement=None,
            stages=clock.stages,
        )

    def _follow(self, frame: Frame, clock: _StageClock) -> _Found | None:
        """By the coarse network alone, where it leads and detector and fit need not look this time."""
        settings, lead = self.settings.coarse, self._lead
        self._led += 1
        if lead is None or settings.mode != "lead" or not lead.ready or self._led >= settings.every:
            return None
        found = lead.follow(frame.image, self.session)
        clock.mark("coarse")
        return None if found is None else (*found, self._confidence)

    def _detect(self, frame: Frame, clock: _StageClock) -> _Found:
        """By detector and fit, with the coarse network's opinion where there is one."""
        self._led = 0
        lead = self._lead
        # A leading network looks at the frame at the same time as the detector.
        beside = lead.look_beside(frame.image) if lead is not None and self.settings.coarse.mode == "lead" else None
        try:
            observation = self._subject.detect(frame.image, frame.time_s)
        finally:
            look = None if beside is None else beside.result()
        clock.mark("landmarks")
        if observation is None:
            if lead is not None:
                lead.lose_track()
            return None, None, 0.0
        height, width = frame.image.shape[:2]
        if lead is None:
            result = self.session.fit(observation, width, height)
        else:
            if look is None or not lead.saw(look, observation):
                look = lead.look(frame.image, observation, self.session.camera(width, height))
            clock.mark("coarse")
            result = self.session.fit(observation, width, height, lead.opinion(look.answer))
            lead.learn(look, result.parameters, observation)
        self._confidence = fit_confidence(observation, result.error)
        clock.mark("fit")
        return result.parameters, observation, self._confidence

    def _shown(self, raw: FaceParameters | None, time_s: float) -> Shown:
        if raw is None:
            return self._presence.update(None, time_s)
        return self._presence.update(self._smoother.apply(self._calibrator.apply(raw), time_s), time_s)

    def close(self) -> None:
        """Frees the detectors."""
        self._subject.close()
        if self._lead is not None:
            self._lead.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def fit_confidence(observation: FaceObservation, error: float) -> float:
    """0..1: the detector's confidence, lowered where the model cannot follow its landmarks.

    Args:
        observation: of the frame.
        error: landmark residual as a share of the outer eye distance.
    """
    return float(observation.confidence * np.clip(1.0 - (error / WORST_FIT) ** 2, 0.0, 1.0))


class _StageClock:
    """Collects the time since the last mark under a stage's name."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self.stages: tuple[StageTime, ...] = ()

    def mark(self, name: str) -> None:
        now = time.perf_counter()
        self.stages += (StageTime(name, (now - self._last) * 1e3),)
        self._last = now
