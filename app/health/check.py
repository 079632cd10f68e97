"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad it is."""

    OK = "ok"
    """There and working."""
    MISSING = "missing"
    """An optional part is not there; everything else works."""
    BROKEN = "broken"
    """The main job, a clip or a camera into an animated face, does not work."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a check found.

    Attributes:
        name: of what was checked.
        level: see Level.
        found: what is there, or what is wrong.
        remedy: how to get what is missing; empty where nothing is.
    """

    name: str
    level: Level
    found: str
    remedy: str = ""
