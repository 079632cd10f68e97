"""Tracking still images: every face on its own, no memory, and the detector asked twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel, load_face_model
from tracking.coarse import CoarsePredictor, crop_of_landmarks
from tracking.fit import FitSession, FitSettings
from tracking.fit.mirror import mirrored_landmarks
from tracking.fit.regressor import EARLY
from tracking.fit.session import FitResult
from tracking.known_person import KnownPerson, begin
from tracking.landmarks import MODEL_FILE, LandmarkDetector
from tracking.threads import use_one_thread
from tracking.types import FaceObservation, FaceParameters, Image

StillWay = Literal["fit", "coarse", "coarse-fit", "full"]
"""How `StillTracker.estimate` answers: the fit to the detector's landmarks; what the coarse network says; the fit to
the network's own landmarks, its answer the guess; the fit to the detector's, the network a second opinion."""
MAX_FACES = 8
SAME_FACE = 0.25
"""Shift of the centre, as a share of the width, within which a face of the mirrored picture is the same one."""


class StillTracker:
    """Fits the faces of single pictures.

    The detector looks at each picture and at its mirror image; the mean of both has less noise than either, which costs
    twice the time and so is for stills alone.

    Args:
        settings: of the fit, by default `FitSettings.for_stills()`.
        model: the face model, by default the shipped head.
        mirrored: also look at the mirror image.
        model_file: the Face Landmarker bundle.
        coarse: the coarse network, None for none.
        way: see StillWay; None is `full` with a coarse network and `fit` without.
        person: whose faces these are; None for anybody's.

    Raises:
        ModelFileError: a model file is missing or altered.
        ValueError: the way needs a coarse network, or landmarks of one that finds none.
    """

    def __init__(
        self,
        settings: FitSettings | None = None,
        model: FaceModel | None = None,
        mirrored: bool = True,
        model_file: Path = MODEL_FILE,
        coarse: CoarsePredictor | None = None,
        way: StillWay | None = None,
        person: KnownPerson | None = None,
    ) -> None:
        self._way: StillWay = way or ("fit" if coarse is None else "full")
        if coarse is None and self._way != "fit":
            raise ValueError("without a coarse network there is nothing but the fit")
        if coarse is not None and self._way == "coarse-fit" and not coarse.finds_landmarks:
            raise ValueError("this coarse network finds no landmarks that a fit could follow")
        self._coarse = coarse
        use_one_thread()
        self.model = model or load_face_model()
        self._detector = LandmarkDetector("image", MAX_FACES, model_file=model_file)
        self._session = FitSession(self.model, settings or FitSettings.for_stills())
        self._mirrored = mirrored
        self._person = person

    def detect(self, image: Image) -> list[FaceObservation]:
        """The faces of a picture (H, W, 3) uint8 RGB, largest first."""
        faces = self._detector.detect(image)
        if self._mirrored and faces:
            flipped = self._detector.detect(np.ascontiguousarray(image[:, ::-1]))
            partners = [mirrored_landmarks(self.model, face.landmarks, image.shape[1]) for face in flipped]
            faces = [_merged(face, partners) for face in faces]
        return sorted(faces, key=lambda face: -float((face.box[2] - face.box[0]) * (face.box[3] - face.box[1])))

    def fit(self, observation: FaceObservation, width: int, height: int) -> FitResult:
        """Fits one face of a picture of this size in pixels, with no memory of any other."""
        begin(self._session, self._person)
        return self._session.fit(observation, width, height)

    def estimate(self, image: Image, observation: FaceObservation) -> FaceParameters:
        """One face of a picture (H, W, 3) in the tracker's way."""
        height, width = image.shape[:2]
        begin(self._session, self._person)
        if self._coarse is None or self._way == "fit":
            return self._session.fit(observation, width, height).parameters
        camera = self._session.camera(width, height)
        answer = self._coarse.predict(image, crop_of_landmarks(observation.landmarks), camera)
        if self._way == "coarse":
            return answer.parameters
        opinion, own = self._coarse.opinion(answer), answer.observation()
        if self._way == "coarse-fit" and own is not None:
            return self._session.fit(own, width, height, opinion, alone=True).parameters
        return self._session.fit(observation, width, height, opinion).parameters

    def fit_person(self, observations: Sequence[FaceObservation], sizes: Sequence[tuple[int, int]]) -> list[FitResult]:
        """Fits several pictures of one person, who gets one identity.

        Args:
            observations: one face each; the first must be at rest, for the others are told by how they differ from it.
            sizes: width and height in pixels of each picture.

        Raises:
            ValueError: no observation, or not one size for each.
        """
        if not observations:
            raise ValueError("a person needs at least one picture")
        pairs = list(zip(observations, sizes, strict=True))
        settings = self._session.settings.model_copy(update={"identity_frames": EARLY + len(pairs)})
        session = FitSession(self.model, settings)
        # The regressor needs to have seen the face at rest a few times before it answers with differences from it.
        for observation, size in [pairs[0]] * EARLY + pairs[1:] + pairs[:1]:
            session.lose_track()
            session.fit(observation, *size)
        results = []
        for observation, size in pairs:
            session.lose_track()
            results.append(session.fit(observation, *size))
        return results

    def close(self) -> None:
        """Frees the detector."""
        self._detector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _merged(face: FaceObservation, partners: list[NDArray[np.float32]]) -> FaceObservation:
    """The face averaged with its view in the mirror, if one of `partners` (478, 3) is that."""
    centre, width = face.landmarks[:, :2].mean(axis=0), float(face.box[2] - face.box[0])
    for points in partners:
        if float(np.linalg.norm(points[:, :2].mean(axis=0) - centre)) < SAME_FACE * width:
            return replace(face, landmarks=np.asarray((face.landmarks + points) / 2, np.float32))
    return face
