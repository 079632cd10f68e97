"""Follows the session with its timeline: which recording is open, how far it is, what it looks like at a glance."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.live.session import Session
from app.state.player import PlayerState
from app.tasks import Task, TaskList, TaskState

if TYPE_CHECKING:
    from recordings.overview import Overview
    from recordings.playback import Player

FOLLOW_EVERY_S = 0.1


class Playing:
    """A companion of the director, see `app.live.director.Companion`.

    Args:
        session: whose player is followed.
        state: what the timeline shows.
        tasks: reads what the timeline shows.
        tr: translates the title of that task.
    """

    def __init__(self, session: Session, state: PlayerState, tasks: TaskList, tr: Callable[[str], str]) -> None:
        self._session = session
        self._state = state
        self._tasks = tasks
        self._tr = tr
        self._reading: Task | None = None
        self._followed_s = 0.0

    def advance(self, now_s: float) -> None:
        """See what is open and how far it is."""
        if now_s - self._followed_s >= FOLLOW_EVERY_S:
            self._followed_s = now_s
            self._follow(self._session.player)
        self._state.poll()

    def close(self) -> None:
        """Nothing to finish."""

    def _follow(self, player: Player | None) -> None:
        if player is self._state.player:
            return
        self._state.attach(player)
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if player is not None:
            self._reading = self._tasks.start(
                self._tr("Read the session"),
                lambda task: _overview(player, task),
                on_done=lambda task: self._take(player, task),
                quiet=True,
            )

    def _take(self, player: Player, task: Task) -> None:
        if task.state is TaskState.DONE:
            self._state.set_overview(player, task.result)


def _overview(player: Player, task: Task) -> Overview:
    from recordings.overview import overview

    return overview(player.session, cancelled=lambda: task.cancelling)
