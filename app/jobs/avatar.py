"""Makes an avatar of a person out of a camera, a session, a video, a folder of photographs or a guided capture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.avatar_preview import AvatarPreview
from app.avatar_store import AvatarStore
from app.avatar_work import CAPTURED, AvatarWork, load_work, save_work
from app.errors import CommandError
from app.jobs.avatar_adapters import train_on
from app.jobs.avatar_observers import observers
from app.jobs.derive import media_to_track
from app.jobs.inputs import VIDEO_SUFFIXES
from app.jobs.track import Progress
from models.avatars.person_colours import iris_colour
from models.avatars.person_file import CapturePart, NeutralPart, PersonAvatar, PersonManifest
from models.avatars.person_hair import person_hair
from models.avatars.person_sources import skin_sources
from models.avatars.person_texture import TEXTURE_SIZE, PersonTexture, SkinView, blend_person
from models.channels import ARKIT_CHANNELS
from models.face_model import FaceModel, load_face_model
from models.face_model.detail_map import DetailMap
from recordings.versions import package_version
from tracking import FaceTracker, StillTracker, TrackerSettings, open_source, track_frames
from tracking.known_person import with_rest
from tracking.landmarks import LandmarkDetector
from tracking.person_capture import CapturedFrame, CaptureReport, PersonCapture
from tracking.person_fit import PersonFit, fit_person, fit_steps, fitted_mesh
from tracking.person_rest import resting_calibration
from tracking.sources import CameraSource, VideoSource
from tracking.sources.images import list_images, load_image
from tracking.types import FaceParameters

__all__ = [
    "CAPTURED",
    "CONSENT",
    "AvatarOutcome",
    "AvatarRequest",
    "create_avatar",
    "example_picture",
    "keep_capture",
    "skin_views",
]

LOOK_EVERY = 12
"""Frames between two looks for other people in the picture."""
MOST_PHOTOS = 60
CAMERA_SECONDS = 20.0
THUMBNAIL_SIZE = 256
TEXTURE_LIGHT = 0.3
"""How much light skin from pictures still carries after it was taken out as far as that goes: creases keep their
shadows and cheeks some of their shine."""
CONSENT = "The person who made this avatar says that it shows themselves, or somebody who agreed to it."
_MOUTH = [
    ARKIT_CHANNELS.index(name)
    for name in (
        *("jawOpen", "mouthSmileLeft", "mouthSmileRight", "mouthPucker", "mouthFunnel"),
        *("mouthRollLower", "mouthRollUpper", "mouthShrugUpper", "mouthShrugLower"),
    )
]
_LIDS = [ARKIT_CHANNELS.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight", "eyeSquintLeft", "eyeSquintRight")]
_LEAST_SAY = 0.03


@dataclass(frozen=True, slots=True)
class AvatarRequest:
    """What to make an avatar from.

    Attributes:
        name: of the avatar.
        source: camera:0, a session's folder, a video, a picture, a folder of pictures, or CAPTURED.
        seconds: how much of a camera or a video is used; None takes 20 s of a camera and all of a video.
        mirrored: the input is mirrored.
        replace_old: replace an avatar of this name.
        licence, consent: for the manifest.
        restart: forget unfinished work on the same avatar.
        adapters: also train adapters that make the coarse network this person's.
    """

    name: str
    source: str
    seconds: float | None = None
    mirrored: bool = False
    replace_old: bool = False
    licence: str = ""
    consent: str = CONSENT
    restart: bool = False
    adapters: bool = False


@dataclass(frozen=True, slots=True)
class AvatarOutcome:
    """What became of it.

    Attributes:
        path: the file.
        avatar: what is in it.
        advice: sentences, what would make it better, and what adapters do for it.
        resumed: it went on from unfinished work.
    """

    path: Path
    avatar: PersonAvatar
    advice: tuple[str, ...] = field(default=())
    resumed: bool = False


def create_avatar(
    request: AvatarRequest,
    store: AvatarStore,
    progress: Progress | None = None,
    model: FaceModel | None = None,
) -> AvatarOutcome:
    """Makes and keeps an avatar.

    May be interrupted at any moment: the capture and the fit are kept as soon as they are done, and the next call for
    the same source goes on from there.

    Args:
        request: what to make.
        store: where it goes.
        progress: told of each step.
        model: the face model, by default the shipped head.

    Raises:
        AvatarFileError: the name is taken or the disk refuses.
        CaptureError: nothing can be made from these pictures, and why.
        CommandError, SourceError, SessionFileError: the source cannot be used.
        WeightsError: adapters were asked for, and the coarse network's weights cannot be used.
    """
    progress = progress or Progress()
    model = model or load_face_model()
    store.refuse_taken(request.name, replace_old=request.replace_old)
    unfinished = store.unfinished(request.name)
    if request.source == CAPTURED:
        work = _kept(request, unfinished)
        resumed = work.fit is not None
        request = replace(request, licence=request.licence or work.licence)
    else:
        work, resumed = _looked(request, unfinished, model, progress)
    preview = AvatarPreview(model, progress.picture)
    preview.photograph(work.frames[0].image)
    if work.fit is None:
        seen, shown = observers(work, model, progress)
        progress.start("learning the shape", fit_steps(seen))
        work = replace(work, fit=fit_person(model, seen, shown, progress.step, preview.shape))
        save_work(work, unfinished)
    assert work.fit is not None
    preview.shape(work.fit.identity)
    avatar = with_rest(_finished(request, model, work, work.fit, progress, preview), work.seen)
    advice = work.report.advice
    if request.adapters:
        avatar, sentence = train_on(avatar, work, work.fit, model, progress)
        advice = (*advice, sentence)
    path = store.save(avatar, replace_old=request.replace_old)
    unfinished.unlink(missing_ok=True)
    return AvatarOutcome(path, avatar, advice, resumed)


def keep_capture(capture: PersonCapture, name: str, store: AvatarStore, licence: str = "") -> CaptureReport:
    """Lays what was captured beside the avatars, for `create_avatar` with the source CAPTURED; what it is worth.

    Raises:
        AvatarFileError: the name is taken or the disk refuses.
        CaptureError: nothing can be made from it, and why.
    """
    store.refuse_taken(name)
    report = capture.check()
    work = _work(CAPTURED, capture, report)
    save_work(replace(work, name=name, licence=licence), store.unfinished(name))
    return report


def _kept(request: AvatarRequest, unfinished: Path) -> AvatarWork:
    """The work on a guided capture."""
    work = load_work(unfinished, CAPTURED)
    if work is None:
        raise CommandError(
            f"There is no guided capture of {request.name!r} to go on with: make one in the window, or name a source."
        )
    return replace(work, fit=None) if request.restart else work


def _looked(request: AvatarRequest, unfinished: Path, model: FaceModel, progress: Progress) -> tuple[AvatarWork, bool]:
    """The work on any other source, and whether it is from before."""
    spec, mirrored = _spec(request)
    fingerprint = _fingerprint(spec, request)
    work = None if request.restart else load_work(unfinished, fingerprint)
    if work is not None:
        return work, True
    capture = _captured(spec, mirrored, request, model, progress)
    work = _work(fingerprint, capture, capture.check())
    save_work(work, unfinished)
    return work, False


def _work(source: str, capture: PersonCapture, report: CaptureReport) -> AvatarWork:
    return AvatarWork(source, report, tuple(capture.seen), tuple(capture.frames()), spread=tuple(capture.spread))


def _spec(request: AvatarRequest) -> tuple[str, bool]:
    """What to open, and whether it is mirrored."""
    folder = Path(request.source).expanduser()
    if folder.is_dir() and (folder / "session.json").is_file():
        from recordings.reader import open_session

        video, mirrored = media_to_track(open_session(folder))
        return str(video.resolve()), mirrored
    if folder.is_dir() and not any(True for _ in _pictures(folder)):
        videos = sorted(p for p in folder.iterdir() if p.suffix.lower() in VIDEO_SUFFIXES)
        if len(videos) != 1:
            raise CommandError(
                f"The folder {request.source} holds neither pictures nor one video: name a video, a session or a folder"
                " of pictures."
            )
        return str(videos[0]), request.mirrored
    return request.source, request.mirrored


def _pictures(folder: Path) -> Iterator[Path]:
    from tracking.sources import IMAGE_SUFFIXES

    return (p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith("."))


def _fingerprint(spec: str, request: AvatarRequest) -> str:
    """Tells sources apart: place, size and time of files; cameras by name."""
    path = Path(spec).expanduser()
    parts = [str(path.resolve()) if path.exists() else spec, str(request.seconds), str(request.mirrored)]
    files = sorted(_pictures(path)) if path.is_dir() else [path] if path.is_file() else []
    for file in files:
        facts = file.stat()
        parts.append(f"{file.name}:{facts.st_size}:{facts.st_mtime_ns}")
    return "|".join(parts)


def _captured(spec: str, mirrored: bool, request: AvatarRequest, model: FaceModel, progress: Progress) -> PersonCapture:
    path = Path(spec).expanduser()
    if path.is_dir():
        return _photographed(list_images(path), mirrored, model, progress)
    source = open_source(spec, mirrored=mirrored)
    if not isinstance(source, (VideoSource, CameraSource)):
        source.close()
        return _photographed([path], mirrored, model, progress)
    seconds = request.seconds
    if isinstance(source, CameraSource):
        seconds = CAMERA_SECONDS if seconds is None else seconds
        total: int | None = round(seconds * max(source.fps, 1))
    else:
        total = source.frame_count
        if seconds is not None and total is not None:
            total = min(total, round(seconds * source.fps))
    progress.start("looking at the face", total)
    capture = PersonCapture()
    first_s: float | None = None
    with source, FaceTracker(TrackerSettings(), model) as tracker, LandmarkDetector("image", 3) as crowd:
        for face in track_frames(source, tracker):
            first_s = face.frame.time_s if first_s is None else first_s
            if seconds is not None and face.frame.time_s - first_s >= seconds:
                break
            capture.add(face)
            if face.frame.index % LOOK_EVERY == 0:
                capture.add_look(crowd.detect(face.frame.image), face.observation)
            progress.step()
    return capture


def _photographed(files: list[Path], mirrored: bool, model: FaceModel, progress: Progress) -> PersonCapture:
    files = files[:MOST_PHOTOS]
    progress.start("looking at the photographs", len(files))
    capture = PersonCapture()
    with StillTracker(model=model) as tracker:
        for n, file in enumerate(files):
            image = load_image(file)
            if mirrored:
                image = np.ascontiguousarray(image[:, ::-1])
            faces = tracker.detect(image)
            capture.add_look(faces, faces[0] if faces else None)
            parameters = tracker.estimate(image, faces[0]) if faces else None
            capture.add_picture(image, faces[0] if faces else None, parameters, float(n))
            progress.step()
    return capture


def _finished(
    request: AvatarRequest,
    model: FaceModel,
    work: AvatarWork,
    fit: PersonFit,
    progress: Progress,
    preview: AvatarPreview,
) -> PersonAvatar:
    progress.start("painting the skin", len(work.frames) + 2)
    views = skin_views(model, work.frames, fit.poses)
    try:
        skin = blend_person(model, views, TEXTURE_SIZE, progress.step, preview.skin)
    except ValueError as error:
        raise CommandError(f"The pictures show too little of the face ({error}): look into the camera.") from error
    progress.step()
    now = datetime.now(UTC)
    neutral = resting_calibration(request.name, [p for _, p in work.seen], now).model_dump(
        include={"frames", "expression", "gaze", "head_quaternion", "head_position_m"}
    )
    manifest = PersonManifest(
        name=request.name,
        created=now,
        licence=request.licence,
        consent=request.consent,
        face_model=model.name,
        identity=tuple(float(v) for v in fit.identity),
        fov_rad=fit.fov,
        texture_light=TEXTURE_LIGHT,
        neutral=NeutralPart(**neutral),
        capture=CapturePart(
            frames=work.report.frames,
            usable=work.report.usable,
            face_side_px=round(work.report.face_side, 1),
            held_out_error=round(fit.error, 6),
            missing=work.report.missing,
        ),
        versions={"mien": package_version("mien")},
        **_colours(model, work.frames, views, skin),
    )
    expressions = [pose.expression for pose in fit.poses]
    sources = skin_sources(DetailMap(model), views, model.identity(fit.identity), expressions)
    avatar = PersonAvatar(manifest, fit.identity, skin.texture, _placeholder(skin.texture), sources=sources)
    from app.avatar_pictures import thumbnail  # loads OpenGL

    avatar = replace(avatar, thumbnail=thumbnail(avatar, model, THUMBNAIL_SIZE))
    preview.finished(avatar.thumbnail)
    progress.step()
    return avatar


def skin_views(
    model: FaceModel, frames: tuple[CapturedFrame, ...], poses: tuple[FaceParameters, ...]
) -> list[SkinView]:
    """The kept pictures with their meshes and weights."""
    sharpest = max(frame.sharpness for frame in frames) or 1.0
    views = []
    for frame, pose in zip(frames, poses, strict=True):
        mesh = fitted_mesh(model, pose, frame.observation)
        mouth = 1 - min(1.0, 2 * float(pose.expression[_MOUTH].max()))
        lids = 1 - min(1.0, 2 * float(pose.expression[_LIDS].max()))
        views.append(
            SkinView(
                frame.image,
                frame.to_image(mesh.pixels),
                mesh.points,
                mesh.normals,
                (frame.sharpness / sharpest) ** 2 / (1 + 0.3 * frame.effort),
                max(mouth, _LEAST_SAY),
                max(lids, _LEAST_SAY),
            )
        )
    return views


def _colours(
    model: FaceModel, frames: tuple[CapturedFrame, ...], views: list[SkinView], skin: PersonTexture
) -> dict[str, object]:
    """`hair` and `iris` of the manifest, as far as the pictures show them."""
    found: dict[str, object] = {"hair": person_hair(model, views, skin)}
    awake = [frame for frame in frames if float(frame.parameters.expression[_LIDS].max()) < 0.3][:8]
    colour = iris_colour([(frame.image, _irises(frame)) for frame in awake], skin)
    if colour is not None:
        found["iris"] = colour
    return found


def _irises(frame: CapturedFrame) -> NDArray[np.float64]:
    return frame.to_image(frame.observation.landmarks[468:478, :2]).reshape(2, 5, 2)


def _placeholder(texture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    step = max(1, len(texture) // THUMBNAIL_SIZE)
    return np.ascontiguousarray(texture[::step, ::step])


def example_picture(source: str) -> NDArray[np.uint8]:
    """A picture of the person, cut around the face: the calmest and sharpest of a source's first seconds.

    Raises:
        CaptureError: no face was found.
        SourceError: the source cannot be used.
    """
    request = AvatarRequest(name="example", source=source, seconds=4.0)
    spec, mirrored = _spec(request)
    capture = _captured(spec, mirrored, request, load_face_model(), Progress())
    capture.check()
    return capture.frames()[0].image
