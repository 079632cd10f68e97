"""The smaller models: notices, view, calibration, live state, channels, history."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest

from app.state.calibration import COUNTDOWN_S, SHOWN_S, CalibrationPhase, CalibrationState
from app.state.channels import channel_groups
from app.state.history import History
from app.state.live import Live, LiveState, Phase, phase_of
from app.state.notices import Notice, NoticeBoard, NoticeLevel
from app.state.source_list import CAMERA_MODES, camera_mode, with_mode
from app.state.view import NEAREST, ViewState
from app.window_settings import SourceSettings, WindowSettings
from models.channels import ARKIT_CHANNELS
from rendering import CameraMode, View
from tests.helpers.tracked import no_face
from tracking.pipeline import PipelineError, PipelineState, PipelineStatus


def notice(key: str, level: NoticeLevel, sentence: str = "Something.", lasting: bool = False) -> Notice:
    return Notice(key, level, sentence, lasting=lasting)


def test_errors_come_before_warnings_and_a_key_stands_once() -> None:
    board = NoticeBoard()
    board.post(notice("a", NoticeLevel.ERROR))
    board.post(notice("b", NoticeLevel.WARNING))
    assert board.shown is not None and board.shown.key == "a"
    board.post(notice("a", NoticeLevel.INFO))
    assert board.count == 2 and board.shown.key == "b"


def test_what_was_dismissed_stays_away_until_it_was_over() -> None:
    board = NoticeBoard()
    board.post(notice("camera", NoticeLevel.WARNING))
    board.dismiss("camera")
    board.post(notice("camera", NoticeLevel.WARNING))
    assert board.shown is None, "the same sentence again and again"
    board.post(notice("camera", NoticeLevel.WARNING, "Another one."))
    assert board.shown is not None
    board.clear("camera")
    board.post(notice("camera", NoticeLevel.WARNING))
    assert board.shown is not None


def test_a_lasting_notice_is_not_cleared() -> None:
    board = NoticeBoard()
    board.post(notice("crash", NoticeLevel.WARNING, lasting=True))
    board.clear("crash")
    assert board.shown is not None
    board.dismiss("crash")
    assert board.shown is None


def test_the_view_turns_zooms_and_comes_back() -> None:
    view = ViewState()
    home = view.zoom
    events: list[str] = []
    view.events.connect(lambda info: events.append(info.signal.name))
    view.turn(4.0, 9.0)
    assert -pi <= view.yaw <= pi and view.pitch < pi / 2
    for _ in range(100):
        view.approach(1.5)
    assert view.zoom == NEAREST
    view.recentre()
    assert (view.yaw, view.pitch, view.zoom) == (0.0, 0.0, home)
    assert {"yaw", "pitch", "zoom"} <= set(events)


def test_the_scene_is_what_the_view_says() -> None:
    view = ViewState(view="clay", mirror=False, locked=True, detail=0.5, yaw=0.3)
    scene = view.scene()
    assert scene.view is View.CLAY and not scene.mirror and scene.bump == 0.5
    assert scene.viewpoint.mode is CameraMode.LOCKED and scene.viewpoint.yaw == 0.3
    view.take(WindowSettings(view="tension", box=True))
    assert view.persistent()["view"] == "tension" and view.box


def test_a_calibration_counts_down_measures_and_ends() -> None:
    state = CalibrationState()
    state.begin("Ana", 10.0)
    assert state.busy and not state.advance(10.0 + COUNTDOWN_S - 0.1)
    assert state.advance(10.0 + COUNTDOWN_S)
    assert state.phase.value == "measuring" and not state.advance(14.0)
    state.progress(0.5)
    state.finish("Stored.", 15.0, good=True)
    assert state.phase.value == "done" and not state.busy
    state.advance(15.0 + SHOWN_S + 0.1)
    assert state.phase.value == "idle"
    state.begin("Ana", 30.0)
    state.cancel()
    assert state.phase is CalibrationPhase.IDLE


def status(state: PipelineState, sentence: str = "") -> PipelineStatus:
    error = PipelineError(sentence) if sentence else None
    return PipelineStatus(state, error, None, 0, 0, 0, 0.0, 0.0, None, None, ())


@pytest.mark.parametrize(
    ("found", "opening", "hidden", "expected"),
    [
        (None, False, False, Phase.NO_SOURCE),
        (None, True, False, Phase.LOADING),
        (status(PipelineState.STARTING), False, False, Phase.LOADING),
        (status(PipelineState.RUNNING), False, False, Phase.SEARCHING),
        (status(PipelineState.RUNNING), True, False, Phase.LOADING),
        (status(PipelineState.NO_CAMERA, "Gone."), False, False, Phase.NO_CAMERA),
        (status(PipelineState.ERROR, "Broken."), False, False, Phase.ERROR),
        (status(PipelineState.ENDED), False, False, Phase.ENDED),
        (status(PipelineState.RUNNING), False, True, Phase.HIDDEN),
    ],
)
def test_phases(found: PipelineStatus | None, opening: bool, hidden: bool, expected: Phase) -> None:
    assert phase_of(found, no_face(), opening=opening, hidden=hidden) is expected


def test_the_live_state_tells_of_changes_alone() -> None:
    state = LiveState()
    heard: list[Phase] = []
    state.phase_changed.connect(heard.append)
    for phase in (Phase.LOADING, Phase.TRACKING, Phase.TRACKING, Phase.LOST):
        state.update(Live(phase=phase))
    assert heard == [Phase.LOADING, Phase.TRACKING, Phase.LOST]


def test_every_channel_has_one_place_in_the_panel() -> None:
    names = [name for _, rows in channel_groups() for row in rows for name in row.names]
    assert sorted(names) == sorted(ARKIT_CHANNELS)
    pairs = {row.names for _, rows in channel_groups() for row in rows if len(row.names) == 2}
    assert ("mouthSmileLeft", "mouthSmileRight") in pairs
    assert all(left.replace("Left", "Right") == right for left, right in pairs)
    assert all(row.label for _, rows in channel_groups() for row in rows)


def test_history_keeps_the_newest_in_order() -> None:
    history = History(2, length=4)
    assert len(history) == 0 and history.times().size == 0
    for n in range(7):
        history.add(n / 10, np.array([n, -n], np.float32))
    np.testing.assert_array_equal(history.values(0), [3, 4, 5, 6])
    np.testing.assert_array_equal(history.values(1), [-3, -4, -5, -6])
    np.testing.assert_allclose(history.times(), [-0.3, -0.2, -0.1, 0.0], atol=1e-9)
    history.clear()
    assert len(history) == 0


@pytest.mark.parametrize("mode", CAMERA_MODES)
def test_camera_modes_go_into_the_settings_and_back(mode: object) -> None:
    source = with_mode(SourceSettings(kind="camera"), mode)  # type: ignore[arg-type]
    assert camera_mode(source) == mode
    assert SourceSettings.model_validate(source.model_dump()) == source
