"""Guided captures on a running source: collected beside it, kept when asked for, forgotten otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

import app.live.capture as live
from app.avatar_store import AvatarStore
from app.avatar_work import CAPTURED, kept_captures, load_work
from app.live.capture import GuidedCapture
from app.live.director import Director
from app.live.models import Models
from app.settings import Settings
from app.state.capture_guide import CaptureStage
from app.state.live import Live, Phase
from app.state.preferences import Preferences
from app.window_settings import SourceSettings
from tests.helpers.sitter import OBSERVED, Sitter
from tests.models.avatars.test_person_file import avatar
from tracking.types import FaceObservation, Image, TrackedFace

Wait = Callable[[Callable[[], bool]], None]
pytestmark = pytest.mark.usefixtures("no_leaked_threads")


class Looks:
    """Stands for the detector of many faces."""

    def __init__(self, others: tuple[FaceObservation, ...] = ()) -> None:
        self.others = others
        self.seen = 0
        self.closed = False

    def detect(self, image: Image) -> list[FaceObservation]:
        self.seen += 1
        return [OBSERVED, *self.others]

    def close(self) -> None:
        self.closed = True


class Bench:
    """A director without a window; a person before its camera."""

    def __init__(self, wait_until: Wait) -> None:
        self.models = Models(Preferences(Settings()))
        self.session = cast(Any, SimpleNamespace(result_taps=()))
        self.director = Director(self.models, self.session)
        self.looks = Looks()
        self.guided = GuidedCapture(self.director, lambda: self.looks)
        self.person = Sitter()
        self.now_s = 0.0
        self._wait = wait_until
        self.models.sources.set_current(SourceSettings(kind="camera"))
        self.go(Phase.TRACKING)

    @property
    def state(self) -> Any:
        return self.guided.state

    def go(self, phase: Phase) -> None:
        self.models.live.update(replace(Live(), phase=phase, sentence="The disk is gone: put it back."))

    def advance(self) -> None:
        self.now_s += 1.0
        self.models.tasks.poll()
        self.guided.advance(self.now_s)

    def give(self, face: TrackedFace) -> None:
        """A result, as from the tracking thread, and what is thought of it."""
        for tap in self.session.result_taps:
            tap(face)
        collector = self.guided._collector
        assert collector is not None
        # The last one is out of the queue a moment before it counts.
        self._wait(lambda: not collector._faces)

    def do(self, step: str, seconds: float) -> None:
        for n in range(round(seconds * 10)):
            self.give(self.person.doing(step, n))
        self.advance()

    def until(self, condition: Callable[[], bool]) -> None:
        def look() -> bool:
            self.advance()
            return condition()

        self._wait(look)

    def to_the_end(self) -> None:
        self.guided.begin()
        self.do("rest", 5.5)
        self.guided.finish()
        self.until(lambda: self.state.stage is CaptureStage.REVIEW)


@pytest.fixture
def bench(wait_until: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    bench = Bench(wait_until)
    yield bench
    bench.guided.close()


def test_what_is_tracked_is_collected_and_shown(bench: Bench) -> None:
    bench.guided.begin()
    assert bench.state.stage is CaptureStage.RUNNING and len(bench.session.result_taps) == 1
    bench.do("rest", 5.5)
    bench.until(lambda: bench.state.status.done == 1)
    assert bench.state.status.step.name == "left"
    bench.guided.skip()
    bench.until(lambda: bench.state.status.step.name == "right")
    bench.guided.back()
    bench.until(lambda: bench.state.status.step.name == "left")
    bench.do("left", 5.0)
    bench.until(lambda: bench.state.status.usable == bench.person.pictures)
    assert bench.state.status.done == 2
    bench.guided.begin()
    assert len(bench.session.result_taps) == 1, "one at a time"


@pytest.mark.parametrize(
    ("kind", "phase", "recorded"),
    [
        ("session", Phase.TRACKING, True),
        ("receiver", Phase.TRACKING, False),
        ("camera", Phase.NO_CAMERA, False),
        ("none", Phase.NO_SOURCE, False),
    ],
)
def test_there_has_to_be_somebody_to_guide(bench: Bench, kind: Any, phase: Phase, recorded: bool) -> None:
    assert bench.guided.possible
    bench.models.sources.set_current(SourceSettings(kind=kind))
    bench.models.live.update(replace(Live(), phase=phase, recorded=recorded))
    assert not bench.guided.possible
    bench.guided.begin()
    assert not bench.state.busy and bench.session.result_taps == ()


def test_cancelling_keeps_nothing(bench: Bench, tmp_path: Path) -> None:
    bench.to_the_end()
    collector = bench.guided._collector
    assert collector is not None
    bench.guided.cancel()
    assert not bench.state.busy and bench.session.result_taps == () and bench.guided._collector is None
    assert not collector._thread.is_alive()
    assert not any(path.is_file() for path in tmp_path.rglob("*"))
    assert bench.models.notices.shown is None


def test_a_lost_face_and_a_camera_that_vanishes_pause(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.guided.begin()
    bench.do("rest", 5.5)
    for _ in range(8):
        bench.give(bench.person.face(None))
    bench.advance()
    assert "out of sight" in bench.state.paused
    for phase, word in ((Phase.NO_CAMERA, "camera is gone"), (Phase.HIDDEN, "hidden"), (Phase.ERROR, "The disk")):
        bench.go(phase)
        bench.advance()
        assert word in bench.state.paused and bench.state.stage is CaptureStage.RUNNING
    bench.go(Phase.TRACKING)
    bench.do("left", 5.0)
    assert bench.state.paused == "" and bench.state.status.done == 2
    monkeypatch.setattr(live, "SILENT_S", -1.0)
    bench.advance()
    assert "No pictures" in bench.state.paused


def test_another_source_ends_it(bench: Bench) -> None:
    bench.guided.begin()
    bench.models.sources.set_current(SourceSettings(kind="demo"))
    bench.advance()
    assert not bench.state.busy and bench.session.result_taps == ()
    notice = bench.models.notices.shown
    assert notice is not None and "another source" in notice.sentence


def test_keeping_writes_it_and_a_taken_name_is_told(bench: Bench) -> None:
    store = AvatarStore()
    taken = avatar()
    store.save(replace(taken, manifest=taken.manifest.model_copy(update={"name": "Ada"})))
    kept: list[str] = []
    bench.guided.kept.connect(kept.append)
    bench.to_the_end()
    assert bench.state.problem == "" and bench.state.status.missing
    bench.guided.keep("ada", "")
    assert bench.state.stage is CaptureStage.KEEPING
    bench.guided.cancel()
    bench.guided.back()
    assert bench.state.stage is CaptureStage.KEEPING, "not while it is being written"
    bench.until(lambda: bench.state.stage is CaptureStage.REVIEW)
    assert "already" in bench.state.refusal and kept == [] and kept_captures(store.folder) == []
    bench.advance()
    assert "already" in bench.state.refusal, "it stays to be read"
    bench.guided.keep("Grace", "CC0")
    bench.until(lambda: not bench.state.busy)
    assert kept == ["Grace"] == kept_captures(store.folder)
    work = load_work(store.unfinished("Grace"), CAPTURED)
    assert work is not None and work.licence == "CC0" and work.report.usable == bench.person.pictures
    assert len(work.frames) > 1 and len(work.seen) == bench.person.pictures and bench.session.result_taps == ()


def test_back_from_the_end_goes_on(bench: Bench) -> None:
    bench.to_the_end()
    bench.guided.back()
    bench.until(lambda: bench.state.stage is CaptureStage.RUNNING)
    assert bench.state.status.step.name == "sentence"
    bench.do("sentence", 7.0)
    bench.until(lambda: bench.state.stage is CaptureStage.REVIEW)
    assert bench.state.status.done == 2


def test_other_people_are_looked_for_and_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY_S", 0.0)
    bench.looks.others = (replace(OBSERVED, box=np.array([150, 40, 195, 140], np.float32)),)
    bench.guided.begin()
    bench.do("rest", 1.0)
    assert bench.looks.seen >= 5 and "somebody else" in bench.state.status.hint
    bench.guided.finish()
    bench.until(lambda: bench.state.stage is CaptureStage.REVIEW)
    assert "several people" in bench.state.problem
    bench.guided.cancel()
    assert bench.looks.closed


def test_nothing_seen_is_one_sentence(bench: Bench) -> None:
    bench.guided.begin()
    bench.guided.finish()
    bench.until(lambda: bench.state.stage is CaptureStage.REVIEW)
    assert bench.state.problem == "There is no picture: check the camera or the file."


def test_a_detector_that_fails_ends_the_capture_with_a_sentence(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY_S", 0.0)

    def broken() -> Looks:
        raise OSError(5, "Input/output error")

    bench.guided._make_crowd = broken
    bench.guided.begin()
    for tap in bench.session.result_taps:
        tap(bench.person.doing("rest", 0))
    bench.until(lambda: not bench.state.busy)
    notice = bench.models.notices.shown
    assert notice is not None and notice.sentence.startswith("The operating system refused")


def test_where_the_collector_is_slow_the_oldest_are_left_out(bench: Bench, wait_until: Wait) -> None:
    bench.guided.begin()
    collector = bench.guided._collector
    assert collector is not None
    collector.close()
    for n in range(50):
        collector.take(bench.person.doing("rest", n))
    assert [face.frame.index for face in collector._faces] == [48, 49, 50]
