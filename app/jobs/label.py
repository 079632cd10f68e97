"""Writing label files: detector and fit over pictures and clips, for training to read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import CommandError
from app.jobs.inputs import VIDEO_SUFFIXES
from app.jobs.track import Progress
from models.face_model import FaceModel, load_face_model
from models.training.data.labels import FaceLabel, Labels, label_path, write_labels
from recordings.manifest import hash_file
from tracking import FaceTracker, open_source
from tracking.sources import SourceError
from tracking.sources.images import IMAGE_SUFFIXES, load_image, natural_key
from tracking.still import StillTracker
from tracking.tracker import fit_confidence
from tracking.types import FaceObservation, FaceParameters

MIN_CONFIDENCE = 0.2
"""A face that the fit follows worse than this teaches nothing good."""


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """What to label.

    Attributes:
        inputs: pictures, clips, or folders of them.
        out: folder for the label files; each input folder gets a folder of its own name in it.
        people: pictures of the same name in different folders show the same person, at rest in the first folder.
        every: of a clip, label each so many pictures.
    """

    inputs: tuple[Path, ...]
    out: Path
    people: bool = False
    every: int = 1


@dataclass(slots=True)
class LabelOutcome:
    """What came of it: label files written, and sources left out because they show no face or cannot be read."""

    written: list[Path] = field(default_factory=list)
    faceless: list[Path] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Seen:
    source: Path
    target: Path
    face: FaceObservation
    size: tuple[int, int]


def run_label(request: LabelRequest, progress: Progress) -> LabelOutcome:
    """Labels everything that was asked for.

    Raises:
        CommandError: an input is not there, or there is nothing to label.
        ModelFileError: a model file is missing or altered.
        OSError: a label file cannot be written.
    """
    pictures, clips = _planned(request)
    outcome, model = LabelOutcome(), load_face_model()
    progress.start("pictures and clips", len(pictures) + len(clips))
    if pictures:
        with StillTracker(model=model) as tracker:
            for group in _groups(pictures, request.people):
                _label_pictures(tracker, group, request.people, outcome, progress)
    for source, target in clips:
        _label_clip(source, target, request.every, model, outcome)
        progress.step()
    return outcome


def _planned(request: LabelRequest) -> tuple[list[tuple[Path, Path]], list[tuple[Path, Path]]]:
    pictures, clips = [], []
    for item in request.inputs:
        if not item.exists():
            raise CommandError(f"There is no file or folder {item}: check the name.")
        files = sorted((p for p in item.iterdir() if p.is_file()), key=natural_key) if item.is_dir() else [item]
        folder = request.out / item.resolve().name if item.is_dir() else request.out
        for path in files:
            if path.name.startswith("."):
                continue
            if path.suffix.lower() in IMAGE_SUFFIXES:
                pictures.append((path, label_path(folder, path)))
            elif path.suffix.lower() in VIDEO_SUFFIXES:
                clips.append((path, label_path(folder, path)))
    if not pictures and not clips:
        raise CommandError(f"There is nothing to label in {', '.join(map(str, request.inputs))}: no picture, no clip.")
    return pictures, clips


def _groups(pictures: list[tuple[Path, Path]], people: bool) -> Iterator[list[tuple[Path, Path]]]:
    if not people:
        yield from ([pair] for pair in pictures)
        return
    groups: dict[str, list[tuple[Path, Path]]] = defaultdict(list)
    for source, target in pictures:
        groups[source.stem].append((source, target))
    yield from groups.values()


def _label_pictures(
    tracker: StillTracker, group: Sequence[tuple[Path, Path]], people: bool, outcome: LabelOutcome, progress: Progress
) -> None:
    seen = []
    for source, target in group:
        try:
            image = load_image(source)
        except SourceError as error:
            outcome.damaged.append(str(error))
        else:
            faces = tracker.detect(image)
            if faces:
                seen.append(_Seen(source, target, faces[0], (image.shape[1], image.shape[0])))
            else:
                outcome.faceless.append(source)
        progress.step()
    if not seen:
        return
    if people:
        results = tracker.fit_person([s.face for s in seen], [s.size for s in seen])
    else:
        results = [tracker.fit(s.face, *s.size) for s in seen]
    for item, result in zip(seen, results, strict=True):
        confidence = fit_confidence(item.face, result.error)
        if confidence < MIN_CONFIDENCE:
            outcome.faceless.append(item.source)
            continue
        label = _label(0, item.face, result.parameters, confidence)
        person = item.source.stem if people else ""
        _write(outcome, item.target, item.source, item.size, 1, tracker.model, person, [label])


def _label_clip(source: Path, target: Path, every: int, model: FaceModel, outcome: LabelOutcome) -> None:
    labels, count, size = [], 0, (0, 0)
    try:
        with open_source(source) as frames, FaceTracker(model=model) as tracker:
            while (frame := frames.read()) is not None:
                count += 1
                size = (frame.image.shape[1], frame.image.shape[0])
                # Every picture is tracked, since the fit learns the person as it goes; some are written.
                face = tracker.process(frame)
                if face.observation is None or face.raw is None or frame.index % every:
                    continue
                if face.confidence >= MIN_CONFIDENCE:
                    labels.append(_label(frame.index, face.observation, face.raw, face.confidence))
    except SourceError as error:
        outcome.damaged.append(str(error))
        return
    if labels:
        _write(outcome, target, source, size, count, model, source.stem, labels)
    else:
        outcome.faceless.append(source)


def _label(frame: int, face: FaceObservation, parameters: FaceParameters, confidence: float) -> FaceLabel:
    return FaceLabel(
        frame=frame,
        identity=parameters.identity,
        expression=parameters.expression,
        rotation=parameters.rotation,
        translation=parameters.translation,
        gaze=parameters.gaze,
        camera=parameters.camera,
        landmarks=face.landmarks,
        scores=face.scores,
        confidence=confidence,
    )


def _write(
    outcome: LabelOutcome, target: Path, source: Path, size: tuple[int, int], count: int, model: FaceModel,
    person: str, faces: list[FaceLabel],
) -> None:  # fmt: skip
    write_labels(target, Labels(str(source), hash_file(source), *size, count, model.name, person, tuple(faces)))
    outcome.written.append(target)
