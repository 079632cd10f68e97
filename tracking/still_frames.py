"""Pictures that have nothing to do with one another, tracked one by one behind the interface of the pipeline."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from models.face_model import FaceModel
from tracking.calibration import Calibration, Calibrator
from tracking.fit import FitSettings
from tracking.known_person import KnownPerson
from tracking.landmarks import MODEL_FILE
from tracking.still import StillTracker
from tracking.tracker import fit_confidence
from tracking.types import Frame, StageTime, TrackedFace, TrackingState


class StillFrameTracker:
    """The largest face of each picture; implements `FrameTracker`. Nothing is smoothed, held or remembered.

    Args:
        settings: of the fit.
        model: the face model, by default the shipped head.
        calibration: the person's neutral face, None for none.
        model_file: the Face Landmarker bundle.
        person: whose faces these are; None for anybody's.

    Raises:
        ModelFileError: a model file is missing or altered.
    """

    def __init__(
        self,
        settings: FitSettings | None = None,
        model: FaceModel | None = None,
        calibration: Calibration | None = None,
        model_file: Path = MODEL_FILE,
        person: KnownPerson | None = None,
    ) -> None:
        self._tracker = StillTracker(settings, model, model_file=model_file, person=person)
        self._calibrator = Calibrator(calibration)

    @property
    def model(self) -> FaceModel:
        """The face model that is fitted."""
        return self._tracker.model

    def process(self, frame: Frame) -> TrackedFace:
        """Fits the largest face of one picture; blocks for two detections and one fit from scratch."""
        marks = [("", time.perf_counter())]
        faces = self._tracker.detect(frame.image)
        marks.append(("landmarks", time.perf_counter()))
        if not faces:
            return TrackedFace(
                frame, TrackingState.SEARCHING, 0.0, None, None, None, None, None, None, _durations(marks)
            )
        height, width = frame.image.shape[:2]
        result = self._tracker.fit(faces[0], width, height)
        marks.append(("fit", time.perf_counter()))
        parameters = self._calibrator.apply(result.parameters)
        posed = self.model.pose(parameters.identity, parameters.expression, parameters.gaze)
        marks.append(("mesh", time.perf_counter()))
        return TrackedFace(
            frame=frame,
            state=TrackingState.TRACKING,
            confidence=fit_confidence(faces[0], result.error),
            observation=faces[0],
            raw=result.parameters,
            parameters=parameters,
            vertices=posed.vertices,
            normals=posed.normals,
            displacement=None,
            stages=_durations(marks),
        )

    def reset(self) -> None:
        """Nothing is remembered, so there is nothing to forget."""

    def close(self) -> None:
        """Frees the detector."""
        self._tracker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _durations(marks: list[tuple[str, float]]) -> tuple[StageTime, ...]:
    """From (stage, when it ended), the first entry being the start, to how long each took."""
    return tuple(StageTime(name, (now - before) * 1e3) for (_, before), (name, now) in pairwise(marks))
