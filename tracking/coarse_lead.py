"""The coarse network at the head of tracking: it follows the face alone, and is put right now and then.

Its crop follows the mesh of the frame before. Where detector and fit have looked at the same frame, the difference
between their answer and the network's is remembered and added to what the network says until they look again: what the
network gets wrong about this person, light and camera hardly changes from one frame to the next. The same goes for the
landmarks that the network's close looks find: put right, they are what the fit follows in between, for where they lie
says more of a face than what the network makes of them at once.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.channels import GAZE_CHANNELS, gaze_to_channels
from models.face_model import FaceModel
from models.geometry.camera import Camera
from models.geometry.crop import Crop
from models.geometry.rotations import HEAD_TO_CAMERA, angle_between, facing, from_rotvec, to_rotvec
from tracking.coarse import CoarseAnswer, CoarsePredictor, crop_of_landmarks
from tracking.fit import FitSession
from tracking.fit.regressor import Guess
from tracking.fit.session import FitResult
from tracking.types import FaceObservation, FaceParameters, Image

Floats = NDArray[np.float64]

LEARNED = 0.5
"""Share of the newest difference in the remembered one."""
LARGEST_TURN = 0.35
"""Radians from one frame to the next beyond which the network is not believed."""
LARGEST_STEP = 0.25
"""Crop half sides from one frame to the next, the same; and the change of log size."""
SURER = 0.6
"""Spread of the answers that were put right, as a share of the network's own."""
WORST_RESIDUAL = 0.08
"""Of the fit to the network's landmarks, share of the outer eye distance, beyond which these are no face."""


@dataclass(frozen=True, slots=True)
class _Correction:
    """What detector and fit say more than the network.

    Attributes:
        expression: (52,).
        gaze: (2, 2) radians.
        turn: (3,) rotation vector, of the rotation as seen.
        size: logarithm of the scale.
        place: (2,) crop coordinates.
        landmarks: (478, 2) crop coordinates, from the network's landmarks to the detector's; None for a network that
            finds none.
    """

    expression: Floats
    gaze: Floats
    turn: Floats
    size: float
    place: Floats
    landmarks: Floats | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What the network says of a frame, and the crop that it saw of it."""

    answer: CoarseAnswer
    crop: Crop


class CoarseLead:
    """One stream's coarse network. Not thread-safe.

    Args:
        model: the face model.
        predictor: see CoarsePredictor.
    """

    def __init__(self, model: FaceModel, predictor: CoarsePredictor) -> None:
        self._model = model
        self._predictor = predictor
        self._worker = ThreadPoolExecutor(1, "coarse network")
        self.lose_track()

    def lose_track(self) -> None:
        """Forgets the face; the next frame must go to the detector."""
        self._last: FaceParameters | None = None
        self._mesh: NDArray[np.float32] | None = None
        self._observation: FaceObservation | None = None
        self._correction: _Correction | None = None

    @property
    def ready(self) -> bool:
        """Whether the network can go on by itself."""
        return self._last is not None and self._correction is not None

    def look(self, image: Image, observation: FaceObservation, camera: Camera) -> Look:
        """The network's answer for a frame that the detector saw."""
        crop = crop_of_landmarks(observation.landmarks)
        return Look(self._predictor.predict(image, crop, camera), crop)

    def look_beside(self, image: Image) -> Future[Look] | None:
        """The network's answer for a frame that the detector is about to see, on another thread; None where there is
        no face to follow. Until it is there, nothing else may be asked."""
        last = self._last
        if last is None or not self._fits(image):
            return None
        crop, camera = self._next_crop(last), last.camera
        return self._worker.submit(lambda: Look(self._predictor.predict(image, crop, camera), crop))

    @staticmethod
    def saw(look: Look, observation: FaceObservation) -> bool:
        """Whether the face that the detector found lies in the crop that was looked at; it may have jumped."""
        crop, wanted = look.crop, crop_of_landmarks(observation.landmarks)
        aside = max(abs(crop.x - wanted.x), abs(crop.y - wanted.y)) / wanted.half
        return aside < LARGEST_STEP and abs(float(np.log(crop.half / wanted.half))) < LARGEST_STEP

    def close(self) -> None:
        """Ends the other thread."""
        self._worker.shutdown()

    def opinion(self, answer: CoarseAnswer) -> Guess:
        """See CoarsePredictor."""
        return self._predictor.opinion(answer)

    def learn(self, look: Look, fitted: FaceParameters, observation: FaceObservation) -> None:
        """Takes what detector and fit found in the frame that was looked at."""
        answer, crop = look.answer, look.crop
        own, true = answer.parameters, fitted
        own_size, own_place = _in_crop(own, crop)
        true_size, true_place = _in_crop(true, crop)
        found = _Correction(
            expression=(true.expression - own.expression).astype(np.float64),
            gaze=(true.gaze - own.gaze).astype(np.float64),
            turn=to_rotvec(seen(true) @ answer.seen.T),
            size=true_size - own_size,
            place=true_place - own_place,
            landmarks=None
            if answer.landmarks is None
            else (observation.landmarks[:, :2].astype(np.float64) - answer.landmarks) / crop.half,
        )
        known = self._correction
        if known is not None:
            found = _Correction(
                expression=_mean(known.expression, found.expression),
                gaze=_mean(known.gaze, found.gaze),
                turn=_mean(known.turn, found.turn),
                size=float(known.size + LEARNED * (found.size - known.size)),
                place=_mean(known.place, found.place),
                landmarks=found.landmarks
                if known.landmarks is None or found.landmarks is None
                else _mean(known.landmarks, found.landmarks),
            )
        self._correction = found
        self._last, self._mesh = fitted, None
        self._observation = observation

    def follow(self, image: Image, session: FitSession | None = None) -> tuple[FaceParameters, FaceObservation] | None:
        """The next frame without the detector; None where the network is not to be believed.

        Args:
            image: (H, W, 3) uint8 RGB.
            session: whose fit follows the landmarks that the network finds, with its answer as the guess. Without, or
                where the network finds none, its answer stands by itself.
        """
        last, correction, observation = self._last, self._correction, self._observation
        if last is None or correction is None or observation is None:
            return None
        if not self._fits(image):
            return None
        crop = self._next_crop(last)
        answer = self._predictor.predict(image, crop, last.camera)
        size, place = _in_crop(answer.parameters, crop)
        size, place = size + correction.size, place + correction.place
        last_size, last_place = _in_crop(last, crop)
        rotation_seen = from_rotvec(correction.turn) @ answer.seen
        jump = max(abs(size - last_size), float(np.abs(place - last_place).max()))
        if jump > LARGEST_STEP or angle_between(rotation_seen, seen(last)) > LARGEST_TURN:
            return None
        gaze = (answer.parameters.gaze + correction.gaze).astype(np.float32)
        expression = np.clip(answer.parameters.expression + correction.expression, 0, 1)
        expression[list(GAZE_CHANNELS)] = gaze_to_channels(gaze)[list(GAZE_CHANNELS)]
        depth = last.camera.focal / (float(np.exp(size)) * crop.half)
        centre = np.asarray(last.camera.centre)
        origin = np.array([crop.x, crop.y]) + place * crop.half - centre
        translation = np.append(origin / last.camera.focal * depth, depth)
        rotation = HEAD_TO_CAMERA @ facing(translation) @ HEAD_TO_CAMERA @ rotation_seen
        found = replace(
            last, expression=expression.astype(np.float32), gaze=gaze, rotation=rotation, translation=translation,
            uncertainty=None,
        )  # fmt: skip
        seen_points = self._seen_points(answer, crop, observation)
        if session is not None and seen_points is not None:
            fitted = self._fitted(session, answer, seen_points, found, rotation_seen)
            if not fitted.error < WORST_RESIDUAL:
                return None
            found, landmarks = fitted.parameters, seen_points.landmarks
        else:
            landmarks = self._landmarks(found)
        low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
        self._last, self._mesh = found, landmarks
        return found, replace(observation, landmarks=landmarks, box=np.concatenate([low, high]).astype(np.float32))

    def _fitted(
        self, session: FitSession, answer: CoarseAnswer, points: FaceObservation, found: FaceParameters, turned: Floats
    ) -> FitResult:
        """The fit to the network's landmarks, with `found`, the answer put right, and its rotation as seen as the
        guess."""
        opinion = self._predictor.opinion(answer)
        guess = replace(
            opinion, expression=found.expression.astype(np.float64), sigma=opinion.sigma * SURER,
            gaze=found.gaze.astype(np.float64), rotation=turned,
        )  # fmt: skip
        return session.fit(points, found.camera.width, found.camera.height, guess, alone=True, hold=True)

    def _seen_points(self, answer: CoarseAnswer, crop: Crop, observation: FaceObservation) -> FaceObservation | None:
        """Where the detector would see the landmarks that the network sees."""
        missing = None if self._correction is None else self._correction.landmarks
        if answer.landmarks is None or missing is None:
            return None
        landmarks = observation.landmarks.copy()
        landmarks[:, :2] = answer.landmarks + missing * crop.half
        return replace(observation, landmarks=landmarks)

    def _fits(self, image: Image) -> bool:
        """Whether the picture is of the size that the last face was seen in."""
        camera = None if self._last is None else self._last.camera
        return camera is not None and (camera.height, camera.width) == image.shape[:2]

    def _next_crop(self, last: FaceParameters) -> Crop:
        return crop_of_landmarks(self._landmarks(last) if self._mesh is None else self._mesh)

    def _landmarks(self, parameters: FaceParameters) -> NDArray[np.float32]:
        """(478, 3) the mesh's landmarks as a detector would report them."""
        posed = self._model.pose(parameters.identity, parameters.expression, parameters.gaze)
        points = self._model.embed(posed.vertices, self._model.landmarks478)
        camera = parameters.camera
        there = camera.to_camera(points, parameters.rotation, parameters.translation)
        pixels = camera.project(there, float(parameters.translation[2]))
        depth = (there[:, 2] - parameters.translation[2]) * camera.focal / parameters.translation[2]
        return np.column_stack([pixels, depth]).astype(np.float32)


def seen(parameters: FaceParameters) -> Floats:
    """(3, 3) rotation of a head as seen along the ray to it."""
    turned = HEAD_TO_CAMERA @ facing(parameters.translation).T @ HEAD_TO_CAMERA @ parameters.rotation
    return np.asarray(turned, np.float64)


def _in_crop(parameters: FaceParameters, crop: Crop) -> tuple[float, Floats]:
    """Log scale and place (2,) of a head in a crop: the camera c = (s, t) of the network."""
    camera, there = parameters.camera, parameters.translation
    size = float(np.log(camera.focal / (there[2] * crop.half)))
    origin = there[:2] / there[2] * camera.focal + np.asarray(camera.centre)
    return size, crop.to_crop(origin[None])[0]


def _mean(known: Floats, found: Floats) -> Floats:
    return np.asarray(known + LEARNED * (found - known))
