"""The fit over time: one face's identity, camera and expression from frame to frame."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS, CHANNEL_COUNT, gaze_to_channels
from models.face_model import Embedding, FaceModel
from models.face_model.symmetry import FACE_POINTS
from models.geometry.camera import DEFAULT_FOV, Camera
from models.geometry.rotations import HEAD_TO_CAMERA, facing, to_euler, to_rotvec
from tracking.fit.gaze import estimate_gaze, eyeball_radius
from tracking.fit.offsets import LandmarkOffsets
from tracking.fit.opinion import combined
from tracking.fit.priors import ExpressionPrior, chosen_landmarks, landmark_sigmas
from tracking.fit.problem import (
    FITTED_CHANNELS,
    LandmarkModel,
    Linearisation,
    State,
    bounded_step,
    solve_positive,
    stepped,
)
from tracking.fit.regressor import ExpressionRegressor, Guess, RestingLook
from tracking.fit.settings import FitSettings
from tracking.types import FaceObservation, FaceParameters, Uncertainty

Floats = NDArray[np.float64]

OUTER_EYES = (33, 263)
FOCAL_SIGMA = 0.25
"""Spread of the logarithm of the focal length when nobody has told us the field of view."""
FIXED = 1e12
HUBER = 2.5
"""Residual in standard deviations beyond which a landmark counts less and less."""
FIRST_FRAMES = 30
"""Frames that always inform identity and camera, so that a session settles within its first second or so."""
FRAMES_PER_VIEW = 4
REPEAT_SHARE = 0.35
"""Share of a frame's evidence that counts for identity: neighbouring frames repeat one another."""
APPROACH, APPROACHED = 0.1, 0.02
"""Share of the way to a newly learned person that each frame goes, and the distance in standard deviations that
counts as arrived."""
NONSENSE = 0.15
"""Landmark residual, as a share of the outer eye distance, beyond which a frame shows no face at all."""
SETTLED_AFTER = 300
"""Frames without anything new to see after which the identity is held for good."""


@dataclass(frozen=True, slots=True)
class FitResult:
    """A fitted frame.

    Attributes:
        parameters: with uncertainty; expression includes the eyeLook* channels of the gaze.
        error: root mean square landmark residual as a share of the outer eye distance.
        identity_held: True once the session's identity no longer changes.
    """

    parameters: FaceParameters
    error: float
    identity_held: bool


class FitSession:
    """Fits frame after frame of one face. Not thread-safe.

    Args:
        model: the face model; its `landmarks478` embedding is fitted.
        settings: see FitSettings.
    """

    def __init__(self, model: FaceModel, settings: FitSettings | None = None) -> None:
        self.model = model
        self.settings = settings or FitSettings()
        face = Embedding(model.landmarks478.triangles[:FACE_POINTS], model.landmarks478.barycentrics[:FACE_POINTS])
        sigmas = landmark_sigmas(model, face)
        self._chosen = chosen_landmarks(sigmas)
        chosen = Embedding(face.triangles[self._chosen], face.barycentrics[self._chosen])
        self._landmarks = LandmarkModel(model, chosen, self.settings.identity_coefficients)
        self._sigmas = sigmas[self._chosen] * self.settings.landmark_sigma
        self._prior = ExpressionPrior(self.settings)
        self._eye_distance = float(np.linalg.norm(np.subtract(*model.embed(model.mean, face)[list(OUTER_EYES)])))
        self._eye_radius = eyeball_radius(model)
        self._regressor = ExpressionRegressor()
        self.reset()

    def reset(self) -> None:
        """Forgets the person: identity, camera and the last frame."""
        count = self._landmarks.identity_count
        self._precision = np.eye(count + 1) * max(self.settings.identity_strength, 1e-6)
        known = self.settings.fov_degrees is not None or self.settings.projection == "weak"
        self._precision[-1, -1] = FIXED if known else 1 / FOCAL_SIGMA**2
        self._evidence = np.zeros(count + 1)
        self._shared = np.zeros(count + 1)
        self._shown = self._shared
        self._views: Counter[tuple[int, ...]] = Counter()
        self._frames = 0
        self._unchanged = 0
        self._last: State | None = None
        self._gaze: Floats | None = None
        self._regressor.reset()
        self._offsets = LandmarkOffsets(self._landmarks.count, self.settings.offset_spread, self.settings.offset_noise)
        self._landmarks.offsets = self._offsets.values

    def know(
        self, identity: NDArray[np.floating], rest: RestingLook | None = None, *, learn_camera: bool = False
    ) -> None:
        """Forgets everything but takes the person as known: this identity (K,) is held from the first frame on.

        Args:
            identity: coefficients.
            rest: the person's face at rest to the detector; None learns it as with everybody.
            learn_camera: go on learning the focal length, and where the detector puts its points on this face.
        """
        self.reset()
        count = self._landmarks.identity_count
        known = np.zeros(count)
        known[: min(count, len(identity))] = identity[:count]
        self._shared = np.append(known, 0.0)
        self._shown = self._shared
        if learn_camera:
            self._precision[:count, :count] = np.eye(count) * FIXED
            self._evidence[:count] = FIXED * known
        else:
            self._frames = self.settings.identity_frames
        if rest is not None:
            self._regressor.remember(rest)

    def lose_track(self) -> None:
        """Forgets the last frame but keeps the person; to be called when the face was lost or the source jumped."""
        self._last = None
        self._gaze = None

    @property
    def identity_held(self) -> bool:
        """True once enough has been seen and the identity stays as it is."""
        return self._frames >= self.settings.identity_frames or self._unchanged >= SETTLED_AFTER

    @property
    def field_of_view(self) -> float | None:
        """Estimated field of view in radians across the longer side; None while no face is followed."""
        return None if self._last is None else self._last.camera.fov

    def camera(self, width: int, height: int) -> Camera:
        """The camera for pictures of this size: as set, or as estimated so far."""
        fov = DEFAULT_FOV if self.settings.fov_degrees is None else float(np.radians(self.settings.fov_degrees))
        camera = Camera.from_fov(width, height, fov, self.settings.projection)
        return replace(camera, focal=camera.focal * float(np.exp(self._shown[-1])))

    def fit(
        self,
        observation: FaceObservation,
        width: int,
        height: int,
        opinion: Guess | None = None,
        *,
        alone: bool = False,
        hold: bool = False,
        landmarks: NDArray[np.floating] | None = None,
    ) -> FitResult:
        """Fits one frame.

        Args:
            observation: landmarks in pixels of a picture of `width` by `height`.
            width, height: pixels.
            opinion: what another observer, the coarse network, says of this frame.
            alone: the landmarks are that observer's, too: the detector's regressor, which knows the detector's habits
                and needs its scores, is not asked.
            hold: nothing is learned of the person.
            landmarks: (478, 2) pixels that are followed instead of the observation's, from which guess and gaze come.

        Raises:
            ValueError: landmarks or scores are not finite, or `alone` without an opinion.
        """
        if alone and opinion is None:
            raise ValueError("without an opinion nothing is known of the frame but its landmarks")
        if not (np.isfinite(observation.landmarks).all() and np.isfinite(observation.scores).all()):
            raise ValueError("the detector returned landmarks or scores that are not numbers")
        followed = observation.landmarks[:, :2] if landmarks is None else landmarks
        observed = followed[self._chosen].astype(np.float64)
        camera = self.camera(width, height)
        last = self._last
        first = last is None or (last.camera.width, last.camera.height) != (width, height)
        if last is None or first:
            state = self._initial(observed, camera)
        else:
            state = replace(last, camera=camera, identity=self._shown[:-1].copy())
        previous = None if first else state.expression
        guess = opinion if alone and opinion is not None else self._regressor(observation)
        if opinion is not None and not alone:
            guess = combined(guess, opinion)
        learning = not hold and not self.identity_held and (first or self._is_new(state))
        # Young sessions solve for the person and the frame together; later the person is updated beside the frame.
        together = learning and self._frames < FIRST_FRAMES
        # An observer that is followed has a guess to start from that is nearly right.
        iterations = self.settings.still_iterations if first else 1 if hold else self.settings.iterations
        gaze = np.zeros((2, 2)) if self._gaze is None else self._gaze
        for step in range(iterations):
            if first or step == iterations - 1:
                gaze = self._estimate_gaze(observation, state, guess)
            state = replace(state, expression=_with_gaze(state.expression, gaze))
            state, hessian = self._step(state, observed, guess, previous, together)
        parameters = self._concluded(state, guess, gaze, hessian)
        scale = camera.focal / float(state.translation[2]) * self._eye_distance
        residual = self._landmarks.project(state) - observed
        error = float(np.sqrt(np.mean(np.sum(residual**2, axis=1)))) / scale
        if not error < NONSENSE:
            # What the model cannot follow at all is no face that one could learn from, or go on from.
            self.lose_track()
            return FitResult(parameters, error, self.identity_held)
        if learning:
            self._learn(state, observed, guess, previous)
        elif not hold:
            self._unchanged += 1
        self._approach(together)
        self._last, self._gaze = state, gaze
        return FitResult(parameters, error, self.identity_held)

    def _approach(self, at_once: bool) -> None:
        """Brings what is shown of the person nearer to what is known, so that a settled face never jumps."""
        missing = self._shared - self._shown
        close = at_once or float(np.abs(missing).max()) < APPROACHED
        self._shown = self._shared if close else self._shown + APPROACH * missing

    def _is_new(self, state: State) -> bool:
        """Whether a frame like this one can still tell something about identity and camera."""
        return self._frames < FIRST_FRAMES or self._views[_view(state)] < FRAMES_PER_VIEW

    def _caution(self) -> float:
        """Factor on the sparsity: high while the session is young, one from FIRST_FRAMES on and for still images."""
        if self._last is None:
            return 1.0
        share = max(0.0, 1.0 - self._frames / FIRST_FRAMES)
        return 1.0 + share * (self.settings.first_frames_caution - 1.0)

    def _initial(self, observed: Floats, camera: Camera) -> State:
        """Pose of the session's neutral face by a perspective-n-point solution."""
        points = self._landmarks.points(self._shown[:-1], np.zeros(CHANNEL_COUNT))
        intrinsics = np.array([[camera.focal, 0, camera.centre[0]], [0, camera.focal, camera.centre[1]], [0, 0, 1.0]])
        try:
            found, turn, place = cv2.solvePnP(points, observed, intrinsics, None, flags=cv2.SOLVEPNP_SQPNP)
        except cv2.error:
            # Points that all but coincide.
            found, turn, place = False, np.zeros(3), np.zeros(3)
        translation = np.asarray(place, np.float64).ravel()
        if not found or translation[2] <= 0 or not np.isfinite(translation).all():
            size = float(np.ptp(observed, axis=0).max())
            middle = (observed.mean(axis=0) - np.asarray(camera.centre)) / camera.focal
            depth = camera.focal * 0.16 / max(size, 1.0)
            translation = np.array([*(middle * depth), depth])
            return State(self._shown[:-1].copy(), np.zeros(CHANNEL_COUNT), np.eye(3), translation, camera)
        rotation = HEAD_TO_CAMERA.T @ cv2.Rodrigues(turn)[0]
        return State(self._shown[:-1].copy(), np.zeros(CHANNEL_COUNT), rotation, translation, camera)

    def _weights(self, residual: Floats, state: State) -> Floats:
        """(2 N,) evidence of each row: inverse variance, robust, shared out among landmarks that err together."""
        scale = state.camera.focal / float(state.translation[2]) * self._eye_distance
        sigma = self._sigmas * scale
        distance = np.linalg.norm(residual.reshape(-1, 2), axis=1) / sigma
        robust = np.minimum(1.0, HUBER / np.maximum(distance, 1e-9))
        return np.asarray(np.repeat(robust / sigma**2 / self.settings.correlation, 2))

    def _system(
        self, state: State, observed: Floats, guess: Guess, previous: Floats | None, shared: bool
    ) -> tuple[Floats, Floats, Linearisation]:
        """Hessian and gradient over (local, shared) without the session's prior, and what they were made from."""
        line = self._landmarks.linearise(state, observed, shared)
        weights = self._weights(line.residual, state)
        jacobian = line.local if line.shared is None else np.concatenate([line.local, line.shared], axis=1)
        weighted = jacobian * weights[:, None]
        hessian = weighted.T @ jacobian
        gradient = weighted.T @ line.residual
        channels = len(FITTED_CHANNELS)
        curvature, slope = self._prior.terms(state.expression[list(FITTED_CHANNELS)], guess, previous, self._caution())
        hessian[np.arange(channels), np.arange(channels)] += curvature
        gradient[:channels] += slope
        if self.settings.rotation_strength > 0:
            # The step is a turn w in the camera frame; the guess wants w to be the turn that is missing to it.
            wanted = facing(state.translation) @ HEAD_TO_CAMERA @ guess.rotation
            missing = to_rotvec(wanted @ (HEAD_TO_CAMERA @ state.rotation).T)
            weight = self.settings.rotation_strength / guess.rotation_sigma**2
            turn = np.arange(channels, channels + 3)
            hessian[turn, turn] += weight
            gradient[turn] -= weight * missing
        return hessian, gradient, line

    def _step(
        self, state: State, observed: Floats, guess: Guess, previous: Floats | None, learning: bool
    ) -> tuple[State, Floats]:
        """One Gauss-Newton step, and the Hessian over the local parameters before it."""
        hessian, gradient, _ = self._system(state, observed, guess, previous, learning)
        channels = len(FITTED_CHANNELS)
        local = channels + 6
        if learning:
            current = np.concatenate([state.identity, self._focal_shift(state)])
            hessian[local:, local:] += self._precision
            gradient[local:] += self._precision @ current - self._evidence
        hessian[np.arange(local), np.arange(local)] *= 1.0 + 1e-4
        values = state.expression[list(FITTED_CHANNELS)]
        step = bounded_step(hessian, gradient, -values, 1.0 - values)
        # Far turns are not linear: a first step that turns by more than this is cut.
        turn = float(np.linalg.norm(step[channels : channels + 3]))
        if turn > 0.5:
            step[channels : channels + 3] *= 0.5 / turn
        return stepped(state, step[:local], step[local:] if learning else None), hessian[:local, :local]

    def _focal_shift(self, state: State) -> Floats:
        fov = DEFAULT_FOV if self.settings.fov_degrees is None else float(np.radians(self.settings.fov_degrees))
        base = Camera.from_fov(state.camera.width, state.camera.height, fov).focal
        return np.array([np.log(state.camera.focal / base)])

    def _estimate_gaze(self, observation: FaceObservation, state: State, guess: Guess) -> Floats:
        joints = self.model.joints(state.identity)
        return estimate_gaze(
            observation.landmarks, joints, self._eye_radius, state.rotation, state.translation, state.camera,
            state.expression, self._gaze, guess.gaze if self.settings.guess_strength > 0 else None,
        )  # fmt: skip

    def _concluded(self, state: State, guess: Guess, gaze: Floats, hessian: Floats) -> FaceParameters:
        """The frame's parameters with the uncertainties that the local `hessian` (P, P) tells."""
        channels = len(FITTED_CHANNELS)
        deviation = np.sqrt(np.maximum(np.diag(np.linalg.inv(hessian)), 0.0))
        expression_sigma = np.zeros(CHANNEL_COUNT, np.float32)
        expression_sigma[list(FITTED_CHANNELS)] = deviation[:channels]
        iris_sigma = self.settings.landmark_sigma * self._eye_distance / self._eye_radius
        uncertainty = Uncertainty(
            expression_sigma,
            deviation[channels : channels + 3].astype(np.float32),
            deviation[channels + 3 :].astype(np.float32),
            np.full((2, 2), iris_sigma, np.float32),
        )
        identity = self.model.identity(state.identity)
        expression = _with_gaze(state.expression, gaze).astype(np.float32)
        if self.settings.guess_strength > 0:
            # No landmark lies on the tongue: the guess is all there is.
            expression[_TONGUE] = guess.expression[_TONGUE]
        expression_sigma[_TONGUE] = guess.sigma[_TONGUE]
        return FaceParameters(
            identity, expression, state.rotation, state.translation, gaze.astype(np.float32), state.camera, uncertainty
        )

    def _learn(self, state: State, observed: Floats, guess: Guess, previous: Floats | None) -> None:
        """Adds what this frame says of identity and focal length to what the session knows."""
        hessian, gradient, line = self._system(state, observed, guess, previous, shared=True)
        local = len(FITTED_CHANNELS) + 6
        current = np.concatenate([state.identity, self._focal_shift(state)])
        self._views[_view(state)] += 1
        self._frames += 1
        self._unchanged = 0
        # Channels on a bound cannot explain anything away, so they are no part of what is marginalised.
        values = state.expression[list(FITTED_CHANNELS)]
        free = np.concatenate([(values > 1e-6) & (values < 1 - 1e-6), np.ones(6, bool)])
        inner = np.flatnonzero(free)
        cross = hessian[np.ix_(inner, np.arange(local, len(hessian)))]
        solved = solve_positive(hessian[np.ix_(inner, inner)], np.column_stack([cross, gradient[inner]]))
        information = hessian[local:, local:] - cross.T @ solved[:, :-1]
        slope = gradient[local:] - cross.T @ solved[:, -1]
        information = (information + information.T) / 2
        self._precision = self._precision + REPEAT_SHARE * information
        self._evidence = self._evidence + REPEAT_SHARE * (information @ current - slope)
        self._shared = solve_positive(self._precision, self._evidence)
        by_head = line.local[:, local - 3 :].reshape(-1, 2, 3) @ (HEAD_TO_CAMERA @ state.rotation)
        self._offsets.add(by_head, line.residual.reshape(-1, 2), REPEAT_SHARE)
        self._landmarks.offsets = self._offsets.values


def _with_gaze(expression: Floats, gaze: Floats) -> Floats:
    """The expression with its eyeLook* channels replaced by those of the gaze."""
    looks = gaze_to_channels(gaze)
    return np.where(_IS_GAZE, looks, expression)


_IS_GAZE = np.array([name.startswith("eyeLook") for name in ARKIT_CHANNELS])
_TONGUE = ARKIT_CHANNELS.index("tongueOut")
_TELLING = [
    ARKIT_CHANNELS.index(n) for n in ("jawOpen", "mouthSmileLeft", "mouthPucker", "browInnerUp", "eyeBlinkLeft")
]


def _view(state: State) -> tuple[int, ...]:
    """Which of the coarse bins of head pose and expression a frame falls into."""
    yaw, pitch, _ = to_euler(state.rotation)
    return (round(yaw / 0.2), round(pitch / 0.2), *(int(state.expression[i] > 0.35) for i in _TELLING))
