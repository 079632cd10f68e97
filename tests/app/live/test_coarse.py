"""The coarse network in the window's tracking: in force once it is ready, out again where it cannot be used."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import app.live.coarse as live
from app.live.coarse import Coarse
from app.live.director import Director
from app.live.models import Models
from app.settings import Settings
from app.state.coarse import CoarseStage
from app.state.preferences import Preferences
from models.networks.stored import WeightsError
from tracking import TrackerSettings
from tracking.coarse_settings import CoarseSettings


class Window:
    """A director without a window, whose session notes what it is given."""

    def __init__(self, path: Path, coarse: CoarseSettings | None = None) -> None:
        settings = Settings(tracker=TrackerSettings(coarse=coarse or CoarseSettings()))
        self.models = Models(Preferences(settings, path / "settings.json"))
        self.given: list[CoarseSettings] = []
        self.session = SimpleNamespace(
            displayed=True,
            poll=lambda: None,
            detail_engine="",
            configure=lambda tracker: self.given.append(tracker.coarse),
        )
        self.director = Director(self.models, cast(Any, self.session))
        self.coarse = Coarse(self.director)
        # The models are set by hand: the status is not due.
        self.director._status_s = 1e9
        self.director.advance(0.0)

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            self.models.tasks.poll()
            time.sleep(0.005)

    def stands(self, stage: CoarseStage) -> bool:
        return self.models.coarse.stage is stage

    @property
    def mode(self) -> str:
        """Of what the tracker was given last."""
        return self.given[-1].mode

    def want(self, **values: object) -> None:
        before = self.models.preferences.settings.tracker.coarse
        self.models.preferences.edit_coarse("coarse network", before.model_copy(update=values))


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "prepare", lambda wanted: f"ready for {wanted.mode}")


def test_the_tracker_gets_it_once_it_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def slowly(wanted: CoarseSettings) -> str:
        go_on.wait(20)
        return "lite"

    monkeypatch.setattr(live, "prepare", slowly)
    window = Window(tmp_path)
    window.want(mode="lead")
    assert window.stands(CoarseStage.PREPARING)
    assert window.given == []
    go_on.set()
    window.wait(lambda: window.stands(CoarseStage.ON))
    assert [coarse.mode for coarse in window.given] == ["lead"]
    assert window.models.coarse.engine == "lite"
    window.models.preferences.undo.undo()
    assert window.mode == "off"
    assert window.stands(CoarseStage.OFF)


@pytest.mark.usefixtures("ready")
def test_what_was_chosen_last_counts(tmp_path: Path) -> None:
    window = Window(tmp_path)
    for mode in ("lead", "opinion", "lead", "opinion"):
        window.want(mode=mode)
    window.wait(lambda: window.stands(CoarseStage.ON))
    assert [coarse.mode for coarse in window.given] == ["opinion"]
    assert window.models.coarse.engine == "ready for opinion"


@pytest.mark.usefixtures("ready")
def test_the_last_runs_choice_waits_for_the_first_picture(tmp_path: Path) -> None:
    window = Window(tmp_path, CoarseSettings(mode="opinion"))
    window.wait(lambda: window.stands(CoarseStage.ON))
    assert [coarse.mode for coarse in window.given] == ["opinion"]


@pytest.mark.usefixtures("ready")
def test_other_settings_of_the_tracker_leave_it_as_it_is(tmp_path: Path) -> None:
    window = Window(tmp_path)
    window.want(mode="lead")
    smoothing = window.models.preferences.settings.tracker.smoothing.model_copy(update={"preset": "strong"})
    window.models.preferences.set_smoothing(smoothing)
    assert window.mode == "off", "not ready yet"
    window.wait(lambda: window.stands(CoarseStage.ON))
    assert window.mode == "lead"


def test_a_network_that_cannot_be_used_leaves_tracking_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(wanted: CoarseSettings) -> str:
        raise WeightsError("There are no weights.")

    monkeypatch.setattr(live, "prepare", refuse)
    window = Window(tmp_path)
    window.want(mode="lead")
    window.wait(lambda: window.stands(CoarseStage.OFF))
    assert window.given == []
    assert window.models.preferences.settings.tracker.coarse.mode == "off"
    notice = window.models.notices.shown
    assert notice is not None and notice.sentence == "There are no weights."


def test_adapters_of_a_file_that_is_gone_are_refused_in_a_sentence(tmp_path: Path) -> None:
    window = Window(tmp_path)
    window.want(mode="lead", person=tmp_path / "gone.mien")
    window.wait(lambda: window.stands(CoarseStage.OFF))
    notice = window.models.notices.shown
    assert notice is not None and "gone.mien" in notice.sentence


def test_the_wrinkles_engine_is_told_once_it_is_known(tmp_path: Path) -> None:
    window = Window(tmp_path)
    told: list[str] = []
    window.models.coarse.changed.connect(lambda: told.append(window.models.coarse.detail_engine))
    for engine in ("", "lite, OpenVINO", "lite, OpenVINO"):
        window.session.detail_engine = engine
        window.coarse.advance(0.0)
    assert told == ["lite, OpenVINO"]


def test_it_really_is_loaded_and_tested() -> None:
    assert live.prepare(CoarseSettings(mode="lead")).startswith("lite, ")
