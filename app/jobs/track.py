"""Tracking one input into a session folder, with a rendered video on the side."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import CommandError
from app.jobs.video import VideoThread
from models.engines.base import EngineError
from models.face_model import FaceModel, load_face_model
from models.networks.stored import WeightsError
from recordings import Codec, SessionManifest, SessionWriter, VideoWriter
from recordings.manifest import (
    CalibrationPart,
    MediaPart,
    ParametersPart,
    RenderPart,
    SourceKind,
    SourcePart,
    hash_file,
    hash_files,
)
from recordings.table import TRACKER_STAGES
from recordings.versions import software_versions
from rendering import OffscreenRenderer, Scene, View
from rendering.place import HeadPlace
from tracking import FaceTracker, FrameTracker, Source, TrackedFace, TrackerSettings, open_source, track_frames
from tracking.calibration import Calibration
from tracking.detail import DetailStage
from tracking.detailed import stage_for, with_detail
from tracking.known_person import KnownPerson
from tracking.sources import CameraSource, ImageSource, VideoSource
from tracking.still_frames import StillFrameTracker

SMALLEST_PICTURE, LARGEST_PICTURE = 64, 1920
"""Pixels of the shorter and of the longer side between which rendered videos stay."""

Image = NDArray[np.uint8]
Pane = Callable[[TrackedFace, tuple[int, int]], Image]
"""Draws one pane of a video: a tracked face and (width, height) to (H, W, 3) RGB."""


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """A video to render.

    Attributes:
        path: the file.
        views: panes side by side; each the name of a view, or `input` for the picture itself.
        codec: see recordings.video.
        pane: width and height of a pane in pixels; None takes the picture's.
        scene: light, viewpoint and the rest.
    """

    path: Path
    views: tuple[str, ...] = ("textured",)
    codec: Codec = "h264"
    pane: tuple[int, int] | None = None
    scene: Scene = field(default_factory=Scene)


@dataclass(frozen=True, slots=True)
class TrackRequest:
    """What to track, how, and where the results go.

    Attributes:
        spec: see `open_source`.
        folder: of the session.
        command: which command asks, for the manifest.
        settings: of the tracker.
        calibration: None for none.
        raw: write values that are neither calibrated nor smoothed.
        mirrored: the input is mirrored.
        seconds: stop after so many seconds of media time; None goes on to the end.
        render: None renders nothing.
    """

    spec: str
    folder: Path
    command: str
    settings: TrackerSettings = field(default_factory=TrackerSettings)
    calibration: Calibration | None = None
    raw: bool = False
    mirrored: bool = False
    seconds: float | None = None
    render: RenderRequest | None = None


@dataclass(frozen=True, slots=True)
class TrackOutcome:
    """What came of it.

    Attributes:
        frames: pictures tracked.
        valid_frames: those in which a face was seen.
        warnings: what was not as it should be, one sentence each.
    """

    frames: int
    valid_frames: int
    warnings: tuple[str, ...]


@dataclass(slots=True)
class Progress:
    """What a long job tells whoever waits for it; the defaults tell nobody.

    Attributes:
        start: called once the input is open, with its name and number of pictures (None where unknown).
        step: called after each picture.
        picture: given a small (H, W, 3) picture of what emerges, now and then, by jobs that have one; None wants none.
    """

    start: Callable[[str, int | None], None] = lambda name, total: None
    step: Callable[[], None] = lambda: None
    picture: Callable[[Image], None] | None = None


class TrackJobs:
    """Runs requests one after another and keeps what is costly to make: detectors and the renderer.

    Use it as a context manager. Not thread-safe.

    Args:
        model: the face model to track with, by default the shipped head.
    """

    def __init__(self, model: FaceModel | None = None) -> None:
        self.model = model or load_face_model()
        self._resources = ExitStack()
        self._tracker: FaceTracker | None = None
        self._stage: DetailStage | None = None
        self._renderer: OffscreenRenderer | None = None

    def __enter__(self) -> TrackJobs:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free all of it."""
        self._resources.close()

    def run(self, request: TrackRequest, progress: Progress | None = None) -> TrackOutcome:
        """Track one input to its end.

        What was written stays whatever happens; the manifest says whether the session is complete.

        Raises:
            SourceError, ModelFileError, SessionFileError, VideoWriterError, RenderingUnavailableError, CommandError
            KeyboardInterrupt: after the files were finished.
        """
        progress = progress or Progress()
        with open_source(request.spec, mirrored=request.mirrored) as source:
            _refuse_overwriting(request)
            tracker = self._tracker_for(source, request)
            without_detail = self._prepare_detail(request)
            progress.start(source.name, _frame_count(source))
            stages = list(TRACKER_STAGES)
            stages += ["coarse"] if request.settings.coarse.mode != "off" else []
            stages += ["detail"] if self._stage is not None else []
            manifest = _manifest(request, source, self.model)
            writer = SessionWriter(request.folder, manifest, stages, raw=request.raw)
            complete = False
            warnings: list[str] = []
            render = RenderPart()
            try:
                render = self._track(source, tracker, writer, request, progress)
                complete = True
            finally:
                warnings = without_detail + _complete_manifest(writer.manifest, source, request)
                if complete and not writer.valid_frames:
                    warnings.append(f"No face was found in {source.name}.")
                writer.close(complete=complete, warnings=warnings, render=render)
        return TrackOutcome(writer.frames, writer.valid_frames, tuple(warnings))

    def _track(
        self, source: Source, tracker: FrameTracker, writer: SessionWriter, request: TrackRequest, progress: Progress
    ) -> RenderPart:
        """Every frame into the table and the video; returns what was rendered."""
        with ExitStack() as files:
            video = None
            if request.render is not None:
                video = self._video(request.render, source)
                files.callback(video.close)
            first_s: float | None = None
            stage = None if request.render is None else self._stage
            if stage is not None:
                stage.reset()
            for face in track_frames(source, tracker):
                if stage is not None:
                    if isinstance(source, ImageSource):
                        # Each picture may show somebody else.
                        stage.reset()
                    face = with_detail(face, stage.process(face))
                first_s = face.frame.time_s if first_s is None else first_s
                if request.seconds is not None and face.frame.time_s - first_s >= request.seconds:
                    break
                writer.add(face)
                if video is not None:
                    video.add(face)
                progress.step()
        return RenderPart() if request.render is None else _render_part(request.render, source)

    def _tracker_for(self, source: Source, request: TrackRequest) -> FrameTracker:
        if isinstance(source, ImageSource):
            person = KnownPerson.named(request.settings.person, self.model)
            still = StillFrameTracker(request.settings.fit, self.model, request.calibration, person=person)
            self._resources.callback(still.close)
            return still
        if self._tracker is None:
            self._tracker = self._resources.enter_context(FaceTracker(request.settings, self.model))
        self._tracker.configure(request.settings)
        self._tracker.calibrate(request.calibration)
        return self._tracker

    def _prepare_detail(self, request: TrackRequest) -> list[str]:
        """Makes the detail stage where relief will be seen; returns what stands in its way as a warning."""
        wanted = request.render is not None and any(view != "input" for view in request.render.views)
        if not (wanted and request.settings.detail.enabled):
            self._stage = None
            return []
        try:
            self._stage = self._stage or stage_for(self.model, request.settings.detail)
        except (WeightsError, EngineError) as error:
            return [f"There are no wrinkles: {error}"]
        return []

    def _video(self, request: RenderRequest, source: Source) -> VideoThread:
        if self._renderer is None and any(view != "input" for view in request.views):
            self._renderer = self._resources.enter_context(OffscreenRenderer(self.model))
        pane = pane_size(request.pane or (source.width, source.height))
        panes = [_pane(view, self._renderer) for view in request.views]
        place = HeadPlace()

        def paint(face: TrackedFace) -> Image:
            if self._renderer is not None:
                self._renderer.scene = place.placed(request.scene, face)
            return np.hstack([draw(face, pane) for draw in panes])

        writer = VideoWriter(request.path, pane[0] * len(panes), pane[1], source.fps, request.codec)
        return VideoThread(paint, writer)


def _pane(view: str, renderer: OffscreenRenderer | None) -> Pane:
    if view == "input":
        return lambda face, size: fitted(face.frame.image, size)
    chosen = View(view)
    assert renderer is not None
    return lambda face, size: renderer.render(face, chosen, size)


def fitted(image: Image, size: tuple[int, int]) -> Image:
    """A picture scaled into (width, height), with black bars where the shape differs: (H, W, 3)."""
    width, height = size
    if image.shape[1::-1] == size:
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    smaller = cv2.resize(image, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = smaller
    return canvas


def pane_size(size: tuple[int, int]) -> tuple[int, int]:
    """The even width and height, of about the shape of `size`, at which a video is rendered."""
    width, height = size
    scale = min(1.0, LARGEST_PICTURE / max(width, height))
    scale = max(scale, min(SMALLEST_PICTURE / min(width, height), LARGEST_PICTURE / max(width, height)))
    even = [max(SMALLEST_PICTURE, round(side * scale / 2) * 2) for side in (width, height)]
    return even[0], even[1]


def _frame_count(source: Source) -> int | None:
    if isinstance(source, VideoSource):
        return source.frame_count
    return len(source.files) if isinstance(source, ImageSource) else None


def _refuse_overwriting(request: TrackRequest) -> None:
    """The results must not land on the input.

    Raises:
        CommandError
    """
    given = Path(request.spec).expanduser()
    if request.render is None or not given.exists():
        return
    target = request.render.path
    if target.exists() and target.resolve() == given.resolve():
        raise CommandError(f"The rendered video would replace the input {given}: give --render another name.")


def _manifest(request: TrackRequest, source: Source, model: FaceModel) -> SessionManifest:
    calibration = CalibrationPart()
    if request.calibration is not None and not request.raw:
        calibration = CalibrationPart(
            present=True,
            person=request.calibration.person,
            created=request.calibration.created,
            values=request.calibration.model_dump(mode="json"),
        )
    return SessionManifest(
        command=request.command,
        created=datetime.now(UTC),
        source=SourcePart(
            kind=_kind(source),
            name=source.name,
            path=None if isinstance(source, CameraSource) else request.spec,
            mirrored=request.mirrored,
        ),
        media=MediaPart(width=source.width, height=source.height, fps=round(source.fps, 6)),
        parameters=ParametersPart(face_model=model.name, settings=request.settings.model_dump(mode="json")),
        calibration=calibration,
        versions=software_versions(),
    )


def _kind(source: Source) -> SourceKind:
    if isinstance(source, ImageSource):
        return "images" if len(source.files) > 1 else "image"
    return "camera" if isinstance(source, CameraSource) else "video"


def _render_part(request: RenderRequest, source: Source) -> RenderPart:
    width, height = pane_size(request.pane or (source.width, source.height))
    return RenderPart(
        present=True,
        file=str(request.path),
        view=" | ".join(request.views),
        codec=request.codec,
        width=width * len(request.views),
        height=height,
    )


def _complete_manifest(manifest: SessionManifest, source: Source, request: TrackRequest) -> list[str]:
    """Fills in what is known at the end; returns the source's warnings."""
    manifest.source.sha256 = _source_hash(source, request.spec)
    if isinstance(source, ImageSource):
        manifest.media.pictures = [path.name for path in source.files if path not in source.damaged]
    return [source.warning] if source.warning else []


def _source_hash(source: Source, spec: str) -> str | None:
    try:
        if isinstance(source, ImageSource):
            return hash_files(source.files) if len(source.files) > 1 else hash_file(source.files[0])
        return hash_file(Path(spec).expanduser()) if isinstance(source, VideoSource) else None
    except OSError:
        return None  # the file went away meanwhile: the session is good all the same
