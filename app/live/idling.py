"""Lets an avatar go on idling while no source gives pictures. No Qt; for the thread that shows things."""

from __future__ import annotations

import time

from app.live.models import Models
from app.state.live import Phase
from rendering.idle import IDLE_EVERY_S, idle_face, idles, shows_nobody
from tracking.types import TrackedFace

QUIET_S = 0.3
"""So long after a result of a source, none is made up: the phase lags behind results."""
_GIVES_PICTURES = (Phase.SEARCHING, Phase.TRACKING, Phase.LOST)


class Idling:
    """Makes results up while the avatar idles; `AvatarsState.idling` says whether it does.

    Args:
        models: who is drawn, and what goes on.
    """

    def __init__(self, models: Models) -> None:
        self._models = models
        self._real_s = self._made_s = float("-inf")
        self._size = (640, 480)

    def note_face(self, face: TrackedFace, now_s: float) -> None:
        """A source's result is shown."""
        self._real_s = now_s
        height, width = face.frame.image.shape[:2]
        self._size = (width, height)

    def advance(self, now_s: float) -> TrackedFace | None:
        """Let time pass.

        Args:
            now_s: of a clock that only grows.

        Returns:
            A result to draw; None where none is due.
        """
        self.look()
        hidden = self._models.view.hidden
        if (
            not self._models.avatars.idling
            or self._models.view.frozen
            or (not hidden and now_s - self._real_s < QUIET_S)
        ):
            return None
        # A timer comes a little early or late: by half a step it is taken as in time.
        if now_s - self._made_s < IDLE_EVERY_S * 0.85:
            return None
        self._made_s = now_s
        return idle_face(time.monotonic_ns(), self._size)

    def look(self) -> None:
        """See whether the avatar idles."""
        self._models.avatars.set_idling(self._wanted())

    def _wanted(self) -> bool:
        models = self._models
        subject, view = models.avatars.subject, models.view
        if not idles(subject) or models.preferences.settings.window.low_power:
            return False
        if view.hidden:
            return shows_nobody(subject, idle_face(0, self._size), view.scene())
        return models.live.now.phase not in _GIVES_PICTURES
