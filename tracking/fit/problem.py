"""The fit as arithmetic: residuals, Jacobians and the box-bounded step. Holds no state between frames."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from models.channels import ARKIT_CHANNELS, GAZE_CHANNELS
from models.face_model import Embedding, FaceModel
from models.geometry.camera import Camera
from models.geometry.rotations import HEAD_TO_CAMERA, from_rotvec

Floats = NDArray[np.float64]

FITTED_CHANNELS: tuple[int, ...] = tuple(
    i for i, name in enumerate(ARKIT_CHANNELS) if i not in GAZE_CHANNELS and name != "tongueOut"
)
"""Channels that landmarks can tell: gaze has its own estimate and no landmark lies on the tongue."""
POSE_COUNT = 6
SWEEPS = 300
"""Most passes of the coordinate descent over the channels; a tracked frame needs about twenty."""


@dataclass(frozen=True, slots=True)
class State:
    """Where the fit stands.

    Attributes:
        identity: (K,) fitted identity coefficients.
        expression: (52,) channels.
        rotation: (3, 3) head rotation.
        translation: (3,) metres, camera frame.
        camera: with the current focal length.
    """

    identity: Floats
    expression: Floats
    rotation: Floats
    translation: Floats
    camera: Camera


@dataclass(frozen=True, slots=True)
class Linearisation:
    """Residuals and Jacobian at a state; rows are landmarks' x and y.

    Attributes:
        residual: (2 N,) projected minus observed, pixels.
        local: (2 N, E + 6) derivative by the fitted channels, rotation (3, camera frame) and translation (3).
        shared: (2 N, K + 1) derivative by identity and the logarithm of the focal length; None when not asked for.
    """

    residual: Floats
    local: Floats
    shared: Floats | None


class LandmarkModel:
    """The face model cut down to its landmarks.

    Args:
        model: the face model.
        embedding: of N landmarks.
        identity_count: K, leading identity coefficients to fit.
    """

    def __init__(self, model: FaceModel, embedding: Embedding, identity_count: int) -> None:
        corners = model.faces[embedding.triangles]
        weights = embedding.barycentrics.astype(np.float64)

        def at_landmarks(field: NDArray[np.floating]) -> Floats:
            return np.asarray(np.einsum("nk,...nkd->...nd", weights, field[..., corners, :].astype(np.float64)))

        self.count = len(corners)
        self.offsets = np.zeros((self.count, 3))
        self.identity_count = min(identity_count, model.identity_count)
        self.mean = at_landmarks(model.mean)
        self.identity = np.moveaxis(at_landmarks(model.identity_basis[: self.identity_count]), 0, -1).copy()
        self.expression = np.moveaxis(at_landmarks(model.expression_basis), 0, -1).copy()
        self._expression_flat = self.expression.reshape(-1, self.expression.shape[2])
        self.fitted = self.expression[:, :, list(FITTED_CHANNELS)].copy()
        self._neutral_key: tuple[bytes, bytes] | None = None
        self._neutral_points = self.mean

    def points(self, identity: Floats, expression: Floats) -> Floats:
        """(N, 3) landmarks in the head frame, metres."""
        return self._neutral(identity) + (self._expression_flat @ expression).reshape(-1, 3)

    def _neutral(self, identity: Floats) -> Floats:
        """(N, 3) without expression; kept while identity and offsets stay the same, as they do once they are held."""
        key = (identity.tobytes(), self.offsets.tobytes())
        if self._neutral_key != key:
            self._neutral_key = key
            self._neutral_points = self.mean + self.offsets + self.identity @ identity
        return self._neutral_points

    def project(self, state: State) -> Floats:
        """(N, 2) pixels of the landmarks at a state."""
        points = self.points(state.identity, state.expression)
        return state.camera.project_head(points, state.rotation, state.translation)

    def linearise(self, state: State, observed: Floats, shared: bool) -> Linearisation:
        """Residuals and analytic derivatives at a state.

        Args:
            state: where.
            observed: (N, 2) pixels.
            shared: also by identity and focal length.
        """
        camera = state.camera
        turn = HEAD_TO_CAMERA @ state.rotation
        turned = self.points(state.identity, state.expression) @ turn.T
        points = turned + state.translation
        weak = camera.projection == "weak"
        depth = np.full(self.count, state.translation[2]) if weak else points[:, 2]
        relative = points[:, :2] / depth[:, None]
        residual = relative * camera.focal + np.asarray(camera.centre) - observed
        # d pixel / d camera point; the weak camera's depth depends on the translation alone.
        by_point = np.zeros((self.count, 2, 3))
        by_point[:, 0, 0] = by_point[:, 1, 1] = camera.focal / depth
        by_depth = -relative * (camera.focal / depth)[:, None]
        if not weak:
            by_point[:, :, 2] = by_depth
        by_head = by_point @ turn
        channels = self.fitted.shape[2]
        local = np.empty((self.count, 2, channels + POSE_COUNT))
        local[:, :, :channels] = by_head @ self.fitted
        local[:, :, channels : channels + 3] = by_point @ _cross_matrices(turned)
        local[:, :, channels + 3 :] = by_point
        if weak:
            local[:, :, channels + 5] = by_depth
        both = None
        if shared:
            by_shared = np.empty((self.count, 2, self.identity_count + 1))
            by_shared[:, :, :-1] = by_head @ self.identity
            by_shared[:, :, -1] = relative * camera.focal
            both = by_shared.reshape(2 * self.count, -1)
        return Linearisation(residual.reshape(-1), local.reshape(2 * self.count, -1), both)


def _cross_matrices(vectors: Floats) -> Floats:
    """(N, 3, 3) matrices of w -> w x v."""
    out = np.zeros((len(vectors), 3, 3))
    x, y, z = vectors.T
    out[:, 0, 1], out[:, 0, 2] = z, -y
    out[:, 1, 0], out[:, 1, 2] = -z, x
    out[:, 2, 0], out[:, 2, 1] = y, -x
    return out


def stepped(state: State, local: Floats, shared: Floats | None) -> State:
    """The state after a step: local (E + 6,), shared (K + 1,)."""
    channels = len(FITTED_CHANNELS)
    expression = state.expression.copy()
    expression[list(FITTED_CHANNELS)] = np.clip(expression[list(FITTED_CHANNELS)] + local[:channels], 0.0, 1.0)
    turn = from_rotvec(local[channels : channels + 3])
    rotation = HEAD_TO_CAMERA.T @ turn @ HEAD_TO_CAMERA @ state.rotation
    translation = state.translation + local[channels + 3 :]
    # A face cannot be behind the camera, and a step that would put it there is an overshoot.
    translation[2] = max(translation[2], 0.5 * state.translation[2])
    if shared is None:
        return State(state.identity, expression, rotation, translation, state.camera)
    factor = float(np.exp(np.clip(shared[-1], -0.3, 0.3)))
    camera = replace(state.camera, focal=state.camera.focal * factor)
    return State(state.identity + shared[:-1], expression, rotation, translation, camera)


def bounded_step(hessian: Floats, gradient: Floats, low: Floats, high: Floats) -> Floats:
    """Minimises d' H d / 2 + g' d over all d whose first C entries stay within bounds.

    The unbounded entries are eliminated (Schur complement); what is left is a small convex problem in a box, which
    coordinate descent solves without the cycling that active-set methods show on strongly coupled channels.

    Args:
        hessian: (P, P) symmetric positive definite.
        gradient: (P,).
        low, high: (C,) bounds of the first C entries, low <= 0 <= high.
    """
    count = len(low)
    inner = hessian[count:, count:]
    coupling = hessian[:count, count:]
    solved = solve_positive(inner, np.column_stack([coupling.T, gradient[count:]]))
    reduced = np.ascontiguousarray(hessian[:count, :count] - coupling @ solved[:, :-1])
    slope = gradient[:count] - coupling @ solved[:, -1]
    bounded = np.zeros(count)
    _descend(reduced, slope, low, high, bounded)
    return np.concatenate([bounded, -(solved[:, -1] + solved[:, :-1] @ bounded)])


@njit(cache=True, nogil=True)
def _descend(hessian: Floats, gradient: Floats, low: Floats, high: Floats, step: Floats) -> None:
    slope = gradient.copy()
    for _ in range(SWEEPS):
        largest = 0.0
        for i in range(step.size):
            target = min(max(step[i] - slope[i] / max(hessian[i, i], 1e-12), low[i]), high[i])
            change = target - step[i]
            if change != 0.0:
                step[i] = target
                for k in range(step.size):
                    slope[k] += change * hessian[k, i]
                largest = max(largest, abs(change))
        if largest < 1e-5:
            break


def solve_positive(matrix: Floats, right: Floats) -> Floats:
    """Solution of a symmetric system; a little is added to the diagonal when rounding made it indefinite."""
    try:
        return np.asarray(cho_solve(cho_factor(matrix, check_finite=False), right, check_finite=False))
    except LinAlgError:
        lifted = matrix + np.eye(len(matrix)) * (1e-6 * float(np.trace(matrix)) / len(matrix))
        return np.asarray(np.linalg.lstsq(lifted, right, rcond=None)[0])
