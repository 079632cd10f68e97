"""What a recording's `session.json` says at its start and at its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import degrees

from recordings.audio import AudioFeed
from recordings.layout import RECORDS_NAME
from recordings.manifest import (
    AudioPart,
    LostPart,
    MarkerEntry,
    MediaPart,
    ParametersPart,
    RecordsPart,
    SessionManifest,
    TakeEntry,
    TakesPart,
    TimecodePart,
)
from recordings.media_thread import MediaThread
from recordings.record_files import RecordFiles
from recordings.recorder_types import RecorderSettings, RecordingOutcome, SessionFacts
from recordings.takes import Mark, Timecode, markers_of, takes_of
from recordings.versions import software_versions

__all__ = ["complete_manifest", "new_manifest", "takes_part", "timecode_part"]


def new_manifest(settings: RecorderSettings, facts: SessionFacts, feed: AudioFeed | None) -> SessionManifest:
    """At the start: what will be there if all goes well, marked as not complete."""
    sound = AudioPart()
    if feed is not None:
        sound = AudioPart(
            present=True,
            device=feed.source.name,
            channels=feed.source.channels,
            rate=feed.source.rate,
            codec="opus",
            offset_ms=settings.audio_offset_ms,
        )
    return SessionManifest(
        command=facts.command,
        created=datetime.now(UTC),
        source=facts.source,
        media=MediaPart(
            width=facts.width,
            height=facts.height,
            fps=round(facts.fps, 6),
            camera_picture=settings.picture,
            codec=settings.codec if settings.picture else None,
        ),
        parameters=ParametersPart(face_model=facts.face_model, settings=facts.tracker_settings),
        avatar=facts.avatar,
        calibration=facts.calibration,
        audio=sound,
        records=RecordsPart(present=True, file=RECORDS_NAME),
        versions=software_versions(),
    )


def complete_manifest(
    manifest: SessionManifest,
    outcome: RecordingOutcome,
    files: RecordFiles,
    media: MediaThread | None,
    *,
    lost_faces: int,
    marks: Sequence[Mark],
    timecode: Timecode | None,
) -> None:
    """At the end: what there is."""
    manifest.complete = outcome.complete
    manifest.finished = datetime.now(UTC)
    manifest.warnings = list(outcome.warnings)
    manifest.media.frames = outcome.stored_frames if manifest.media.camera_picture else outcome.frames
    manifest.media.duration_s = outcome.seconds
    manifest.lost = LostPart(pictures=outcome.lost_frames, faces=lost_faces)
    if media is not None and media.made:
        name = media.path.name
        manifest.media.present = True
        manifest.media.video = name if manifest.media.camera_picture else None
        manifest.media.audio = name if manifest.audio.present else None
        if (aligner := media.aligner) is not None:
            manifest.audio.drift_ppm = None if aligner.drift_ppm is None else round(aligner.drift_ppm, 2)
            manifest.audio.silence_s = round(aligner.silence / 48_000, 3)
            manifest.lost.sound_s = round(aligner.lost / manifest.audio.rate, 3)
    else:
        manifest.media.camera_picture = False
        manifest.audio.present = False
    parameters = manifest.parameters
    parameters.present = files.table_name is not None
    parameters.file = files.table_name
    parameters.frames, parameters.valid_frames = files.faces, files.valid_faces
    if files.last is not None:
        parameters.fov_degrees = round(degrees(files.last.camera.fov), 3)
        parameters.identity = [round(value, 5) for value in files.last.identity.tolist()]
    manifest.records.faces, manifest.records.details = files.faces, files.details
    manifest.takes = takes_part(marks)
    if timecode is not None:
        manifest.timecode = timecode_part(timecode)


def timecode_part(timecode: Timecode) -> TimecodePart:
    """The timecode as the manifest has it."""
    return TimecodePart(present=True, start=timecode.text(0.0), rate=timecode.rate)


def takes_part(marks: Sequence[Mark]) -> TakesPart:
    """Takes and markers as the manifest has them."""
    takes = [
        TakeEntry(name=take.name, start_s=take.start_s, end_s=take.end_s, timecode=take.start_timecode)
        for take in takes_of(marks)
    ]
    markers = [MarkerEntry(name=m.name, time_s=m.time_s, timecode=m.timecode) for m in markers_of(marks)]
    return TakesPart(present=bool(takes or markers), takes=takes, markers=markers)
