"""Who a person is, from all that was seen of them: one identity and one field of view, checked on held-out frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.face_model import FaceModel
from models.face_model.symmetry import FACE_POINTS
from models.geometry.rotations import HEAD_TO_CAMERA
from tracking.fit import FitSession, FitSettings
from tracking.fit.regressor import EARLY
from tracking.fit.session import FitResult
from tracking.points import project_embedding
from tracking.second_look import SHARE, SecondLook, between
from tracking.types import FaceObservation, FaceParameters

__all__ = ["Fitted", "Observed", "PersonFit", "calmest", "fit_person", "fit_steps", "fitted_mesh", "known_poses"]

HELD_OUT = 5
"""Every so manieth frame is not learned from."""
MOST_HELD, MOST_LEARNED = 24, 180
ROUND = 18
"""Frames between two looks at the held-out ones."""
PATIENCE = 3
"""Looks without a better one after which learning stops."""
CORRELATION = 12.0
"""Trust in landmarks between that of a long session and that of a single still."""
_HOLDING = 1
"""`identity_frames` that makes a session hold the identity it has."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One picture of the person.

    Attributes:
        observation: the detector's.
        parameters: what the tracker made of it; the fit takes the picture's size from there.
        look: the coarse network's, where it looked, too.
        share: of the network in what both see together.
    """

    observation: FaceObservation
    parameters: FaceParameters
    look: SecondLook | None = None
    share: float = SHARE


@dataclass(frozen=True, slots=True)
class PersonFit:
    """A person's shape and the camera that saw them.

    Attributes:
        identity: (K,) coefficients.
        fov: radians across the longer picture side.
        error: landmark residual of the held-out frames as a share of the outer eye distance.
        learned: frames that went into it.
        poses: parameters of the frames that were asked for, with this identity.
        share: of the coarse network in what was seen; see `Observed`.
    """

    identity: NDArray[np.float32]
    fov: float
    error: float
    learned: int
    poses: tuple[FaceParameters, ...]
    share: float = SHARE


@dataclass(frozen=True, slots=True)
class Fitted:
    """A mesh as one picture shows it.

    Attributes:
        pixels: (V, 2) of the whole picture, drawn onto the detected landmarks.
        points: (V, 3) metres, camera frame.
        normals: (V, 3) unit, camera frame.
    """

    pixels: NDArray[np.float64]
    points: NDArray[np.float64]
    normals: NDArray[np.float32]


def fit_person(
    model: FaceModel,
    seen: Sequence[Observed],
    frames: Sequence[Observed],
    step: Callable[[], None] = lambda: None,
    better: Callable[[NDArray[np.float32]], None] = lambda identity: None,
) -> PersonFit:
    """Fits one identity and one field of view to everything that was seen.

    Frames are taken in an order that mixes the whole capture; every fifth is held out, and learning stops when those
    are no longer explained better. The best state seen is what counts.

    Args:
        model: the face model.
        seen: of one person, at least one.
        frames: whose poses are wanted with the identity; the first is the calmest.
        step: called after every fitted picture.
        better: given the identity (K,) whenever it explains the held-out frames better than before.

    Raises:
        ValueError: no observation or no frame.
    """
    if not seen or not frames:
        raise ValueError("a person needs at least one picture")
    learned_from, held = _parted(seen)
    free = FitSettings(correlation=CORRELATION, identity_frames=10_000)
    session = FitSession(model, free)
    for _ in range(EARLY):
        # Others are told by how they differ from the face at rest.
        _fit(session, frames[0])
    best: PersonFit | None = None
    worse = 0
    for start in range(0, len(learned_from), ROUND):
        part = learned_from[start : start + ROUND]
        session.settings = free
        for one in part:
            _fit(session, one)
            step()
        session.settings = free.model_copy(update={"identity_frames": _HOLDING})
        error, last = _held_out_error(session, held)
        if best is None or error < best.error:
            worse = 0 if best is None or error < 0.995 * best.error else worse + 1
            best = PersonFit(last.identity.copy(), last.camera.fov, error, start + len(part), (), seen[0].share)
            poses = _poses(session, frames)
            better(best.identity)
        else:
            worse += 1
        if worse >= PATIENCE:
            break
    assert best is not None
    return replace(best, poses=poses)


def known_poses(
    model: FaceModel, identity: NDArray[np.float32], fov: float, seen: Sequence[Observed]
) -> list[FaceParameters]:
    """A known person in each picture by itself, the mesh lying closely on the landmarks.

    Args:
        model: the face model.
        identity: (K,) coefficients.
        fov: radians across the longer picture side.
        seen: pictures; the calmest is taken as the face at rest.
    """
    session = FitSession(model, FitSettings.for_stills().model_copy(update={"fov_degrees": float(np.degrees(fov))}))
    session.know(identity)
    rest = calmest(seen)
    for _ in range(EARLY):
        _fit(session, rest)
    return [_fit(session, one).parameters for one in seen]


def calmest(seen: Sequence[Observed]) -> Observed:
    """The picture whose face is nearest to rest."""
    return min(seen, key=lambda one: float(one.parameters.expression.sum()))


def fit_steps(seen: Sequence[Observed]) -> int:
    """How many steps `fit_person` takes at most."""
    return len(_parted(seen)[0])


def _parted(seen: Sequence[Observed]) -> tuple[list[Observed], list[Observed]]:
    """What is learned from, in mixed order, and what is held out; a handful of pictures serves for both."""
    if len(seen) < 2 * HELD_OUT:
        return list(seen), list(seen)
    held = _spread([o for n, o in enumerate(seen) if n % HELD_OUT == HELD_OUT - 1], MOST_HELD)
    learned = _spread([o for n, o in enumerate(seen) if n % HELD_OUT != HELD_OUT - 1], MOST_LEARNED)
    return [learned[int(n)] for n in np.random.default_rng(1).permutation(len(learned))], held


def _fit(session: FitSession, one: Observed) -> FitResult:
    """One picture by itself."""
    session.lose_track()
    width, height, look = one.parameters.camera.width, one.parameters.camera.height, one.look
    if look is None:
        return session.fit(one.observation, width, height)
    landmarks = between(one.observation, look, one.share)
    return session.fit(one.observation, width, height, look.opinion, landmarks=landmarks)


def _held_out_error(session: FitSession, held: Sequence[Observed]) -> tuple[float, FaceParameters]:
    """Median error of frames that the identity was not learned from, and the last one's parameters."""
    results = [_fit(session, one) for one in held]
    return float(np.median([result.error for result in results])), results[-1].parameters


def _poses(session: FitSession, frames: Sequence[Observed]) -> tuple[FaceParameters, ...]:
    return tuple(_fit(session, frame).parameters for frame in frames)


def _spread(items: list[Observed], most: int) -> list[Observed]:
    """At most so many, evenly over the whole."""
    if len(items) <= most:
        return list(items)
    return [items[int(n)] for n in np.linspace(0, len(items) - 1, most)]


def fitted_mesh(model: FaceModel, parameters: FaceParameters, observation: FaceObservation) -> Fitted:
    """The mesh in one picture, drawn onto the landmarks, so that eyes, brows and lips lie where the picture has them.

    Args:
        model: the face model.
        parameters: of the picture.
        observation: of the picture.
    """
    # Late: the window reads this file when it lists avatars, and all of SciPy's interpolation makes it stand still.
    from scipy.interpolate import RBFInterpolator

    posed = model.pose(parameters.identity, parameters.expression, parameters.gaze)
    camera = parameters.camera
    points = camera.to_camera(posed.vertices, parameters.rotation, parameters.translation)
    pixels = camera.project(points, float(parameters.translation[2]))
    mesh_landmarks = project_embedding(model, parameters, posed.vertices, model.landmarks478)[:FACE_POINTS]
    residual = observation.landmarks[:FACE_POINTS, :2] - mesh_landmarks
    pull = RBFInterpolator(mesh_landmarks, residual, neighbors=24, smoothing=1.0, kernel="linear")
    near = np.isfinite(pixels).all(axis=1)
    low, high = mesh_landmarks.min(axis=0), mesh_landmarks.max(axis=0)
    reach = 0.33 * float((high - low).max())
    outside = np.maximum(np.maximum(low - pixels, pixels - high), 0).max(axis=1)
    near &= outside < reach
    pixels[near] += pull(pixels[near]) * np.clip(1 - outside[near] / reach, 0, 1)[:, None]
    normals = posed.normals @ (HEAD_TO_CAMERA @ parameters.rotation).T.astype(np.float32)
    return Fitted(pixels, points, np.asarray(normals, np.float32))
