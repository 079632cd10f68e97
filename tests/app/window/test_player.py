"""The player in the window: opening a session, going through it, cleaning it, exporting it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.state.live import Phase
from app.state.player import clock_text
from app.tasks import TaskState
from app.views.export_dialog import ExportDialog
from app.window.run import Opened
from recordings.reader import open_session
from tests.app.window.conftest import Until
from tests.app.window.test_main_window import click, key
from tests.helpers.media import write_clip
from tests.recordings.exporters.conftest import BLIND, FPS, FRAMES, MakeSession, make_session

__all__ = ["make_session"]
pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("no_leaked_threads")]


@pytest.fixture
def playing(window: Opened, until: Until, make_session: MakeSession, tmp_path: Path) -> Opened:
    """A window with a session of pictures, stopped."""
    pictures = [np.full((48, 64, 3), 10 * n, np.uint8) for n in range(FRAMES)]
    folder = make_session("filmed", video=str(write_clip(tmp_path / "clip.mkv", pictures, FPS)))
    window.window.open_path(folder)
    state = window.window.models.player
    until(lambda: state.player is not None and state.overview is not None)
    assert state.player is not None
    state.player.play(False)
    until(lambda: state.now is not None and not state.now.playing)
    until(lambda: window.window.models.live.now.phase in (Phase.TRACKING, Phase.LOST))
    return window


def position(opened: Opened) -> float:
    now = opened.window.models.player.now
    assert now is not None
    return now.position_s


def finish(opened: Opened, until: Until) -> None:
    """Wait for the one task that the user sees."""
    tasks = opened.window.models.tasks
    until(lambda: any(not t.quiet and t.state is not TaskState.RUNNING for t in tasks.tasks), 60)
    task = next(t for t in tasks.tasks if not t.quiet)
    assert task.state is TaskState.DONE, task.sentence


def test_opening_a_session_shows_its_timeline(playing: Opened) -> None:
    window = playing.window
    assert window.docks["player"].isVisible() and window.models.live.now.recorded
    overview = window.models.player.overview
    assert overview is not None and len(overview.thumbnails) == 16 and not len(overview.sound)
    assert np.nanmax(overview.curves[0]) == pytest.approx(0.8 * (FRAMES - 1) / FRAMES, abs=1e-4)
    assert (overview.seen < 0.5).any()
    brightness = [float(picture.mean()) for _, picture in overview.thumbnails]
    assert brightness == sorted(brightness)


def test_pressing_the_timeline_goes_there(playing: Opened, until: Until) -> None:
    window = playing.window
    line = window.player.panel.timeline
    x = round(line.x_of(12 / FPS)) + 2
    QTest.mouseClick(line, Qt.MouseButton.LeftButton, pos=QPoint(x, 30))
    until(lambda: position(playing) == pytest.approx(12 / FPS))
    shown = window.director.session.latest
    until(lambda: (face := shown()) is not None and face.frame.index == 12)
    face = shown()
    assert face is not None and float(face.frame.image.mean()) == pytest.approx(120, abs=4)


def test_keys(playing: Opened, until: Until) -> None:
    line = playing.window.player.panel.timeline
    line.setFocus()
    QTest.keyClick(line, Qt.Key.Key_Home)
    until(lambda: position(playing) == 0)
    QTest.keyClick(line, Qt.Key.Key_Right)
    until(lambda: position(playing) == pytest.approx(1 / FPS))
    QTest.keyClick(line, Qt.Key.Key_End)
    until(lambda: position(playing) == pytest.approx((FRAMES - 1) / FPS))
    state = playing.window.models.player
    key(playing, Qt.Key.Key_Space)
    until(lambda: state.now is not None and state.now.playing)
    assert not playing.window.models.view.frozen


def test_marks_and_an_export_of_what_lies_between(playing: Opened, until: Until, tmp_path: Path) -> None:
    window = playing.window
    state, panel = window.models.player, window.player.panel
    state.seek(4 / FPS)
    until(lambda: position(playing) == pytest.approx(4 / FPS))
    click(panel.mark_start)
    state.seek(14 / FPS)
    until(lambda: position(playing) == pytest.approx(14 / FPS))
    click(panel.mark_end)
    click(panel.export)
    dialog = window.dialogs.open["export"]
    assert isinstance(dialog, ExportDialog) and dialog.marked.isChecked()
    dialog.format.setCurrentIndex(dialog.format.findData("csv"))
    dialog.out.setText(str(tmp_path / "part.csv"))
    click(dialog.act)
    finish(playing, until)
    assert pd.read_csv(tmp_path / "part.csv")["frame"].tolist() == list(range(4, 15))
    click(panel.clear)
    assert state.now is not None and state.now.end_s == pytest.approx((FRAMES - 1) / FPS)


def test_cleaned_curves_are_seen_at_once_and_saved_beside_the_session(playing: Opened, until: Until) -> None:
    window = playing.window
    state, panel = window.models.player, window.player.panel
    state.seek(BLIND[0] / FPS)
    until(lambda: window.models.live.now.phase is Phase.LOST)
    assert not panel.save.isEnabled()
    click(panel.gaps)
    until(lambda: window.models.live.now.phase is Phase.TRACKING)
    click(panel.save)
    finish(playing, until)
    assert state.player is not None
    folder = state.player.session.folder
    assert open_session(folder.with_name("filmed-clean")).track.valid.all()
    assert not open_session(folder).track.valid.all()


def test_a_damaged_session_is_told_in_the_window(window: Opened, until: Until, make_session: MakeSession) -> None:
    folder = make_session("damaged")
    (folder / "frames.csv").write_text("nothing")
    window.window.open_path(folder)
    until(lambda: window.window.models.live.now.phase is Phase.ERROR)
    assert "damaged" in window.window.models.live.now.sentence
    assert not window.window.docks["player"].isVisible()


def test_another_source_closes_the_player(playing: Opened, until: Until) -> None:
    key(playing, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    until(lambda: playing.window.models.player.player is None)
    assert not playing.window.docks["player"].isVisible()
    assert playing.window.models.live.now.phase is Phase.NO_SOURCE


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.0"), (59.96, "1:00.0"), (61.25, "1:01.2"), (3661.4, "1:01:01"), (-1, "0:00.0")]
)
def test_clock(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text
