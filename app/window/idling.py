"""The idle avatar's part of the main window: draws it while no source gives pictures."""

from __future__ import annotations

from collections.abc import Callable

from app.live.idling import Idling
from app.live.models import Models
from app.state.live import Phase
from app.views.head_surface import HeadSurface
from app.views.stage import Stage, StartCard
from tracking.types import TrackedFace

EMPTY = (Phase.NO_SOURCE, Phase.HIDDEN, Phase.ERROR)
"""Where nothing is drawn unless an avatar idles; elsewhere the last picture stays."""


class IdlePart:
    """Draws an avatar that idles.

    Args:
        models: who is drawn, and what goes on.
        heads: those that are open.
        stage, card: make room for it.
        pace: called when it begins or ends to idle.
    """

    def __init__(
        self,
        models: Models,
        heads: Callable[[], list[HeadSurface]],
        stage: Stage,
        card: StartCard,
        pace: Callable[[], None],
    ) -> None:
        self._models = models
        self._heads = heads
        self._stage, self._card = stage, card
        self._pace = pace
        self.idling = Idling(models)
        models.avatars.idling_changed.connect(self._on_idling)

    def advance(self, now_s: float) -> None:
        """Draw the next picture where one is due."""
        face = self.idling.advance(now_s)
        if face is not None:
            self._draw(face)

    def leave(self) -> None:
        """No source gives pictures any more: clear the head where nobody idles."""
        self.idling.look()
        if self._models.live.now.phase in EMPTY and not self._models.avatars.idling:
            self._draw(None)

    def _draw(self, face: TrackedFace | None) -> None:
        for head in self._heads():
            head.show_face(face)

    def _on_idling(self, on: bool) -> None:
        self._card.stand_back(on)
        self._stage.note_idling(on)
        self._pace()
        if not on:
            self.leave()
