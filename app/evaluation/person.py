"""Is a model of one person better than the base model? On rendered people of known truth, later in their clips."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.avatar_store import AvatarStore
from app.evaluation.person_looks import PersonLook
from app.jobs.avatar import CAPTURED, AvatarRequest, create_avatar, keep_capture
from app.jobs.track import Progress
from models.avatars.person_file import PersonAvatar
from models.avatars.person_texture import SkinView, unwrapped
from models.face_model import FaceModel
from models.geometry.camera import DEFAULT_FOV
from models.geometry.rasterise import Raster, interpolate, rasterise_uv
from models.geometry.rotations import HEAD_TO_CAMERA
from models.networks.stored import WeightsError
from models.synthesis.light import sh_basis, to_linear, to_srgb
from tracking import FaceTracker, TrackerSettings
from tracking.coarse import CoarseAnswer, CoarsePredictor, crop_of_landmarks
from tracking.coarse_person import CoarsePerson
from tracking.fit import FitSession, FitSettings
from tracking.known_person import KnownPerson, begin
from tracking.person_capture import PersonCapture
from tracking.points import project_embedding
from tracking.smoothing import SmoothingSettings
from tracking.sources.synthetic import SyntheticSettings, SyntheticSource
from tracking.types import FaceParameters, Image, TrackedFace

__all__ = ["CAPTURE_FRAMES", "COMPARED", "FRAMES", "PersonScore", "evaluate_person", "person_figures"]

FRAMES, CAPTURE_FRAMES = 480, 300
"""Of a clip, at 30 a second, and how many of them the person is learned from."""
GAP = 30
"""Frames after the capture that do not count: they are too like its last ones."""
INNER = slice(17, 68)
OUTER_EYES = (36, 45)
PHOTOMETRIC_EVERY = 10
TEXELS = 192
LEAST_SEEN = 0.3

COMPARED = ("begun", "begun_channels", "tracked", "channels", "inner51", "followed", "to_fit", "residual")
"""Figures of `PersonScore` that there are of the base model and of the person's."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PersonScore:
    """One person, mean over the frames after the capture.

    Attributes:
        person: seed, or name of a photographed one.
        frames: that were judged.
        adapters: some were worth keeping.
        base_begun, base_tracked, person_tracked: distance of the 51 inner landmarks from the true ones, share of the
            distance between the outer corners of the eyes, of detector and fit: beginning after the capture and knowing
            nobody, following the clip from its first frame on, and beginning after the capture, the person known.
        base_begun_channels, base_channels, person_channels: mean error of the 52 channels, share of that of answering
            zero, of the same.
        base_inner51, person_inner51: the landmarks' error of the base network alone, and of the network with the
            person's adapters and identity.
        base_followed, person_followed: the same error of the fit that follows the landmarks that the network itself
            finds: anybody's network, the identity solved for in each picture by itself; and the person's network with
            the person's identity.
        base_to_fit, person_to_fit: the same distance, but from the fit's landmarks.
        base_residual, person_residual: mean difference in 0..255 between the picture's skin and what mesh, skin colour
            and the best light in spherical harmonics make of it: with the base network's mesh and skin colour, and with
            the person's.
    """

    person: str
    frames: int
    adapters: bool
    base_begun: float
    base_tracked: float
    person_tracked: float
    base_begun_channels: float
    base_channels: float
    person_channels: float
    base_inner51: float
    person_inner51: float
    base_followed: float
    person_followed: float
    base_to_fit: float
    person_to_fit: float
    base_residual: float
    person_residual: float

    @property
    def person_begun(self) -> float:
        """It began there, too."""
        return self.person_tracked

    @property
    def person_begun_channels(self) -> float:
        """The same of the channels."""
        return self.person_channels


def evaluate_person(
    model: FaceModel,
    seed: int,
    progress: Progress | None = None,
    frames: int = FRAMES,
    captured: int = CAPTURE_FRAMES,
    look: PersonLook | None = None,
    *,
    adapters: bool = True,
) -> PersonScore:
    """Makes an avatar of a rendered person from the first part of a clip and judges it on the rest.

    Args:
        model: the face model.
        seed: of the clip and, without a look, of the person.
        progress: told of each step.
        frames, captured: of the whole clip, and of the part that is learned from.
        look: a photographed person instead of a random one.
        adapters: train some; without, the network's figures are those of the base model.

    Raises:
        CaptureError: the first part does not suffice for an avatar.
        WeightsError, EngineError: the coarse network cannot be used.
    """
    progress = progress or Progress()
    shown = SyntheticSettings(seed=seed, frames=frames)
    if look is None:
        name, source = str(seed), SyntheticSource(shown, model)
    else:
        name, source = look.name, SyntheticSource(shown, model, look.identity, look.over)
    settings = TrackerSettings(smoothing=SmoothingSettings(preset="off"))
    capture = PersonCapture()
    judged: list[TrackedFace] = []
    progress.start(f"watching person {name}", frames)
    with source, FaceTracker(settings, model) as tracker:
        for frame in source:
            face = tracker.process(frame)
            if frame.index < captured:
                capture.add(face)
            elif frame.index >= captured + GAP and face.raw is not None:
                judged.append(face)
            progress.step()
    avatar = _avatar(capture, f"Person {name}", model, progress, adapters=adapters)
    return _judged(model, name, source, judged, avatar)


def _avatar(capture: PersonCapture, name: str, model: FaceModel, progress: Progress, *, adapters: bool) -> PersonAvatar:
    with tempfile.TemporaryDirectory() as folder:
        store = AvatarStore(Path(folder))
        keep_capture(capture, name, store)
        return create_avatar(AvatarRequest(name, CAPTURED, adapters=adapters), store, progress, model).avatar


def _judged(
    model: FaceModel, name: str, source: SyntheticSource, faces: list[TrackedFace], avatar: PersonAvatar
) -> PersonScore:
    try:
        person = CoarsePerson.of(avatar)
    except WeightsError:
        person = None
    base = CoarsePredictor(model)
    own = base if person is None else CoarsePredictor(model, person=person)
    residual = _Residual(model)
    alone = FitSession(model, FitSettings.for_stills())
    as_known = FitSession(model, FitSettings.for_stills().model_copy(update={
        "fov_degrees": float(np.degrees(avatar.manifest.fov_rad or DEFAULT_FOV))
    }))  # fmt: skip
    as_known.know(avatar.identity)
    fresh, tracked = FitSession(model), FitSession(model)
    begin(tracked, KnownPerson.of(avatar, model))
    texture = to_linear(avatar.texture)
    errors: list[tuple[float, ...]] = []
    residuals: list[tuple[float, float]] = []
    channels: list[list[float]] = []
    for n, face in enumerate(faces):
        assert face.observation is not None and face.raw is not None
        image, fitted = face.frame.image, face.raw
        crop = crop_of_landmarks(face.observation.landmarks)
        usual = base.predict(image, crop, fitted.camera)
        known = own.predict(image, crop, fitted.camera)
        alone.reset()
        as_known.lose_track()
        followed, known_followed = (
            _followed(session, predictor, answer, image.shape)
            for session, predictor, answer in ((alone, base, usual), (as_known, own, known))
        )
        truth, size = source.truth(face.frame.index), image.shape[1::-1]
        begun, again = (session.fit(face.observation, *size).parameters for session in (fresh, tracked))
        ways = (begun, fitted, again)
        off = [float(np.abs(p.expression - truth.expression).mean()) for p in ways]
        channels.append([*off, float(truth.expression.mean())])
        found = (*ways, usual.parameters, known.parameters, followed, known_followed)
        true, by_fit = _landmarks(model, truth), _landmarks(model, fitted)
        marks = [_landmarks(model, p) for p in found]
        pairs = [(own, true) for own in marks] + [(marks[3], by_fit), (marks[4], by_fit)]
        errors.append(tuple(_distance(a, b) for a, b in pairs))
        if n % PHOTOMETRIC_EVERY == 0:
            albedo = model.albedo(usual.albedo)
            assert albedo is not None
            residuals.append((
                residual.of(image, usual.parameters, albedo),
                residual.of(image, known.parameters, texture),
            ))  # fmt: skip
    *wrong, zero = np.mean(channels, axis=0)
    landmarks = [float(v) for v in np.mean(errors, axis=0)]
    shares = [float(v / zero) for v in wrong]
    values = (*landmarks[:3], *shares, *landmarks[3:], *(float(v) for v in np.mean(residuals, axis=0)))
    return PersonScore(name, len(faces), person is not None, *values)


def _followed(
    session: FitSession, predictor: CoarsePredictor, answer: CoarseAnswer, shape: tuple[int, ...]
) -> FaceParameters:
    """The fit to the network's own landmarks."""
    seen = answer.observation()
    if seen is None:
        return answer.parameters
    return session.fit(seen, shape[1], shape[0], predictor.opinion(answer), alone=True).parameters


def _landmarks(model: FaceModel, parameters: FaceParameters) -> Floats:
    """(68, 2) pixels."""
    posed = model.pose(parameters.identity, parameters.expression, parameters.gaze)
    return np.asarray(project_embedding(model, parameters, posed.vertices, model.landmarks68)[:, :2], np.float64)


def _distance(found: Floats, true: Floats) -> float:
    eyes = float(np.linalg.norm(true[OUTER_EYES[0]] - true[OUTER_EYES[1]]))
    return float(np.linalg.norm(found[INNER] - true[INNER], axis=1).mean()) / eyes


class _Residual:
    """What of a picture a mesh with a skin colour does not explain, whatever the light."""

    def __init__(self, model: FaceModel) -> None:
        self._model = model
        self._raster: Raster = rasterise_uv(model.uv, model.uv_faces, TEXELS, subset=model.part_faces("skin"))
        self._face = interpolate(self._raster, model.regions["face"], model.faces) > 0.5

    def of(self, image: Image, parameters: FaceParameters, skin: NDArray[np.float32]) -> float:
        """Mean difference in 0..255.

        Args:
            image: (H, W, 3) uint8 RGB.
            parameters: of the face in it.
            skin: (S, S, 3) linear light over the face map.
        """
        import cv2

        model = self._model
        posed = model.pose(parameters.identity, parameters.expression, parameters.gaze)
        points = parameters.camera.to_camera(posed.vertices, parameters.rotation, parameters.translation)
        pixels = parameters.camera.project(points, float(parameters.translation[2]))
        normals = np.asarray(posed.normals @ (HEAD_TO_CAMERA @ parameters.rotation).T, np.float32)
        colours, weight = unwrapped(model, self._raster, SkinView(image, pixels, points, normals))
        chosen = (weight > LEAST_SEEN) & self._face
        seen = to_linear(colours)[chosen].astype(np.float64)
        small = np.asarray(cv2.resize(skin, (TEXELS, TEXELS), interpolation=cv2.INTER_AREA))[chosen]
        over = interpolate(self._raster, normals, model.faces)[chosen]
        basis = sh_basis(over / np.maximum(np.linalg.norm(over, axis=1, keepdims=True), 1e-6)).astype(np.float64)
        made = np.empty_like(seen)
        for channel in range(3):
            system = basis * small[:, channel, None]
            made[:, channel] = system @ np.linalg.lstsq(system, seen[:, channel], rcond=None)[0]
        shown = to_srgb(np.clip(made, 0, 1).astype(np.float32)[None])[0].astype(np.float64)
        return float(np.abs(shown - colours[chosen]).mean())


def person_figures(scores: list[PersonScore]) -> dict[str, float]:
    """Means over people, and of each gain also spread, least, and share of people who gain."""
    figures: dict[str, float] = {"people": float(len(scores)), "adapters": float(np.mean([s.adapters for s in scores]))}
    for name in COMPARED:
        base, own = (np.array([getattr(s, f"{kind}_{name}") for s in scores]) for kind in ("base", "person"))
        gains = 1 - own / base
        figures |= {
            f"base_{name}": float(base.mean()),
            f"person_{name}": float(own.mean()),
            f"{name}_gain": float(gains.mean()),
            f"{name}_gain_spread": float(gains.std()),
            f"{name}_gain_least": float(gains.min()),
            f"{name}_better": float((gains > 0).mean()),
        }
    return figures
