"""What waits for the first picture, and when nothing is waited for."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

import app.live.director as live
from app.live.director import Director
from app.live.models import Models
from app.settings import Settings
from app.state.live import Live, Phase
from app.state.preferences import Preferences
from app.window_settings import SourceSettings


class Waiting:
    """A director with something that waits."""

    def __init__(self, kind: str) -> None:
        self.models = Models(Preferences(Settings()))
        self.models.sources.set_current(cast(Any, SourceSettings)(kind=kind))
        self.session = cast(Any, SimpleNamespace(displayed=False, poll=lambda: None))
        self.director = Director(self.models, self.session)
        self.done = 0
        self.director.when_shown(self._note)
        # The models are set by hand: the status is not due.
        self.director._status_s = 1e9

    def _note(self) -> None:
        self.done += 1

    def after(self, **changes: object) -> int:
        self.models.live.update(replace(Live(phase=Phase.LOADING), **cast(Any, changes)))
        self.director.advance(0.0)
        return self.done


def test_waits_for_the_first_picture() -> None:
    waiting = Waiting("demo")
    assert [waiting.after(), waiting.after(phase=Phase.SEARCHING), waiting.after(phase=Phase.TRACKING)] == [0, 0, 0]
    waiting.session.displayed = True
    assert [waiting.after(), waiting.after()] == [1, 1]


def test_nothing_is_waited_for_without_a_source() -> None:
    assert Waiting("none").after() == 1


@pytest.mark.parametrize("phase", [Phase.NO_CAMERA, Phase.ERROR, Phase.HIDDEN, Phase.ENDED])
def test_nothing_is_waited_for_where_no_picture_comes(phase: Phase) -> None:
    waiting = Waiting("camera")
    assert [waiting.after(), waiting.after(phase=phase)] == [0, 1]


def test_waits_no_longer_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting("demo")
    assert waiting.after() == 0
    monkeypatch.setattr(live, "SHOWN_AFTER_S", 0.0)
    assert waiting.after() == 1
