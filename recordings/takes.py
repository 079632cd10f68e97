"""Takes, markers and timecode of a recording."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = [
    "Mark",
    "MarkKind",
    "Take",
    "TakeLog",
    "Timecode",
    "markers_of",
    "safe_name",
    "session_folder_name",
    "takes_of",
]

MarkKind = Literal["marker", "take_start", "take_end"]

LONGEST_NAME = 200
"""Characters of a name; the rest is cut off."""
_DAY_S = 86_400
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Timecode:
    """Counts pictures as HH:MM:SS:FF at a nominal rate, without leaving numbers out.

    Attributes:
        rate: pictures a second, whole.
        start: pictures that have passed at time 0.
    """

    rate: int
    start: int = 0

    @classmethod
    def at(cls, fps: float, wall: datetime | None = None) -> Timecode:
        """The timecode of a session.

        Args:
            fps: nominal rate of its pictures; rounded.
            wall: the time of day that time 0 has; None starts at 00:00:00:00.
        """
        rate = max(1, min(1000, round(fps)))
        if wall is None:
            return cls(rate)
        seconds = wall.hour * 3600 + wall.minute * 60 + wall.second
        return cls(rate, seconds * rate + wall.microsecond * rate // 1_000_000)

    def text(self, time_s: float) -> str:
        """The timecode of a time since the start; begins anew at midnight."""
        # A picture's time is rounded to nanoseconds or worse: half a picture of slack would hide a real one.
        count = (self.start + int(time_s * self.rate + 1e-3)) % (_DAY_S * self.rate)
        seconds, frames = divmod(count, self.rate)
        digits = 2 if self.rate <= 100 else 3
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frames:0{digits}d}"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that was marked while recording.

    Attributes:
        kind: `marker`, or the start or the end of a take.
        name: as typed.
        time_s: since the session's start.
        timecode: of that time.
    """

    kind: MarkKind
    name: str
    time_s: float
    timecode: str


@dataclass(frozen=True, slots=True)
class Take:
    """A named stretch of a session.

    Attributes:
        name: as typed.
        start_s, end_s: since the session's start; the end is None where the take was never ended.
        start_timecode: of its start.
    """

    name: str
    start_s: float
    end_s: float | None
    start_timecode: str


class TakeLog:
    """The takes and markers of a session while it is recorded. Not thread-safe.

    Args:
        timecode: of the session.
    """

    def __init__(self, timecode: Timecode) -> None:
        self._timecode = timecode
        self._marks: list[Mark] = []
        self._open: str | None = None
        self._numbers = 0

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All so far."""
        return tuple(self._marks)

    @property
    def take(self) -> str | None:
        """Name of the take that runs, None between takes."""
        return self._open

    def mark(self, name: str, time_s: float) -> list[Mark]:
        """Add a marker; without a name it gets a number. Returns what was added."""
        count = sum(mark.kind == "marker" for mark in self._marks) + 1
        return [self._add("marker", _clean(name) or f"Marker {count}", time_s)]

    def start(self, name: str, time_s: float) -> list[Mark]:
        """Start a take, ending the one that runs; without a name it gets a number. Returns what was added."""
        added = self.end(time_s)
        self._numbers += 1
        self._open = _clean(name) or f"Take {self._numbers}"
        return [*added, self._add("take_start", self._open, time_s)]

    def end(self, time_s: float) -> list[Mark]:
        """End the take that runs, if there is one. Returns what was added."""
        if self._open is None:
            return []
        name, self._open = self._open, None
        return [self._add("take_end", name, time_s)]

    def _add(self, kind: MarkKind, name: str, time_s: float) -> Mark:
        mark = Mark(kind, name, max(0.0, time_s), self._timecode.text(max(0.0, time_s)))
        self._marks.append(mark)
        return mark


def takes_of(marks: Iterable[Mark]) -> list[Take]:
    """The takes that marks tell of; one that was cut off by a crash has no end."""
    takes: list[Take] = []
    opened: Mark | None = None
    for mark in marks:
        if mark.kind == "marker":
            continue
        if opened is not None:
            takes.append(Take(opened.name, opened.time_s, mark.time_s, opened.timecode))
        opened = mark if mark.kind == "take_start" else None
    if opened is not None:
        takes.append(Take(opened.name, opened.time_s, None, opened.timecode))
    return takes


def markers_of(marks: Iterable[Mark]) -> list[Mark]:
    """Those marks that are markers."""
    return [mark for mark in marks if mark.kind == "marker"]


def safe_name(text: str, longest: int = 60) -> str:
    """A name for a file or folder on every system, as near to a text as can be; may be empty."""
    kept = "".join(c if c.isprintable() and c not in '<>:"/\\|?*' else "_" for c in text)
    # Surrogates stand for bytes that are no text; Windows takes no name that ends with a dot or a space.
    kept = kept.encode("utf-8", "replace").decode().replace("?", "_").strip(" .")
    while len(kept.encode()) > longest:
        kept = kept[:-1].rstrip(" .")
    return f"_{kept}" if _RESERVED.match(kept.split(".")[0]) else kept


def session_folder_name(when: datetime, take: str = "") -> str:
    """What to call a session's folder: `2026-01-31 17.05.09`, and the take's name behind it."""
    name = safe_name(take)
    return f"{when:%Y-%m-%d %H.%M.%S}" + (f" {name}" if name else "")


def _clean(name: str) -> str:
    text = "".join(c if c.isprintable() else " " for c in name)
    return " ".join(text.split())[:LONGEST_NAME]
