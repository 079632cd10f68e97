"""An avatar that goes on living while no source gives pictures."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rendering.scene import Backing, Scene, View
from rendering.subject import Subject
from tracking.types import Frame, Image, TrackedFace, TrackingState

__all__ = ["IDLE_EVERY_S", "idle_face", "idles", "shows_nobody"]

IDLE_EVERY_S = 1 / 14
"""Between two pictures of an idle avatar: enough for a blink, and little work."""
_GREY = 32


def idles(subject: Subject) -> bool:
    """Whether somebody goes on blinking or breathing without a source."""
    idle = subject.settings.idle
    return not subject.own and idle.without_source and (idle.blink or idle.breathing)


def idle_face(captured_ns: int, size: tuple[int, int] = (640, 480)) -> TrackedFace:
    """A result that no source gave, for an avatar to idle by.

    Args:
        captured_ns: `time.monotonic_ns()`.
        size: width and height of its plain picture.
    """
    frame = Frame(-1, captured_ns / 1e9, captured_ns, _plain(*size))
    return TrackedFace(frame, TrackingState.SEARCHING, 0.0, None, None, None, None, None, None, (), made_up=True)


def shows_nobody(subject: Subject, face: TrackedFace, scene: Scene) -> bool:
    """Whether a picture may be seen while the user hides: it shows neither what a camera saw nor anybody's face.

    Args:
        subject: who is drawn; an avatar of a real person counts as that person.
        face: what drives it.
        scene: how it is drawn.
    """
    person = subject.person
    if subject.own or (person is not None and person.manifest.kind != "synthetic"):
        return False
    return face.made_up or not (scene.view is View.OVERLAY or scene.background.kind is Backing.CAMERA)


@lru_cache(maxsize=2)
def _plain(width: int, height: int) -> Image:
    picture = np.full((height, width, 3), _GREY, np.uint8)
    picture.flags.writeable = False
    return picture
