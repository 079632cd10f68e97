"""What a session holds, in words: to be read before it is given to anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recordings.reader import Session

__all__ = ["Content", "contents_of"]


@dataclass(frozen=True, slots=True)
class Content:
    """One thing that a session holds.

    Attributes:
        what: in a few words.
        detail: more about it.
        personal: it tells who somebody is, or where and when they were.
    """

    what: str
    detail: str
    personal: bool


def contents_of(session: Session) -> list[Content]:
    """Everything in a session's folder that tells something, the personal things first."""
    m = session.manifest
    found: list[Content] = []
    size = sum(path.stat().st_size for path in session.folder.iterdir() if path.is_file())
    if m.media.present and m.media.video:
        name = m.media.video
        found.append(Content("Pictures of the person and the room", f"{name}, {_mb(session, name)}", True))
    if m.media.present and m.media.audio:
        device = m.audio.device or "the clip"
        found.append(Content("Sound of the voice and the room", f"{m.media.audio}, from {device}", True))
    if len(session.track.identity):
        count = len(session.track.identity)
        found.append(Content("Shape of the face", f"{count} numbers that tell people apart", True))
    seen = int(session.track.valid.sum())
    found.append(
        Content("Movements of face, head and eyes", f"{seen} of {len(session.track)} frames show a face", True)
    )
    if m.records.present and m.records.details:
        found.append(Content("Wrinkles of the skin", f"{m.records.details} maps in {m.records.file}", True))
    if m.calibration.present:
        found.append(Content("Name of a calibration", f"{m.calibration.person}", True))
    if m.avatar.present:
        found.append(Content("Name of an avatar", f"{m.avatar.name}", True))
    known = _known_person(m.parameters.settings)
    if known:
        found.append(Content("Avatar file of whoever was expected", known, True))
    source = m.source.name if m.source.path in (None, m.source.name) else f"{m.source.name}, {m.source.path}"
    found.append(Content("Where it came from", source, True))
    found.append(Content("When it was made", f"{m.created:%Y-%m-%d %H:%M:%S} UTC", True))
    for take in m.takes.takes:
        found.append(Content("Name of a take", take.name or "none", True))
    for marker in m.takes.markers:
        found.append(Content("Name of a marker", marker.name or "none", True))
    system = m.versions.get("system")
    if system:
        found.append(Content("Operating system", system, True))
    found.append(Content("Settings and versions", f"in session.json; all files together {size / 1e6:.1f} MB", False))
    return found


def _known_person(settings: dict[str, Any]) -> str:
    """The file that the tracker knew somebody from, or the coarse network; empty for none."""
    coarse = settings.get("coarse")
    found = [settings.get("person"), coarse.get("person") if isinstance(coarse, dict) else None]
    return ", ".join(dict.fromkeys(str(path) for path in found if path))


def _mb(session: Session, name: str) -> str:
    path = session.folder / name
    return f"{path.stat().st_size / 1e6:.1f} MB" if path.is_file() else "missing"
