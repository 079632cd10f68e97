"""Recording from the window: button, take, marker, what it leaves, and what happens when things go wrong."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.live.recording import new_folder
from app.state.live import Phase
from app.state.notices import Notice
from app.window.run import Opened
from app.window_settings import SourceSettings
from recordings.manifest import read_manifest
from recordings.reader import open_session
from tests.app.window.conftest import Until
from tests.app.window.test_main_window import click, key

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("no_leaked_threads")]


@pytest.fixture
def ready(tracking: Opened, tmp_path: Path) -> Opened:
    """A window that tracks the demo clip and records into a folder of the test."""
    tracking.window.models.preferences.set_recording(folder=str(tmp_path / "recordings"), audio="none", reserve_mb=0)
    return tracking


def notices(opened: Opened) -> dict[str, Notice]:
    return opened.window.models.notices._notices


def record_for(opened: Opened, until: Until, seconds: float) -> Path:
    """Record by the button, put a take and a marker in, stop by the button; the session's folder."""
    panel, state = opened.window.record.panel, opened.window.models.recording
    click(panel.button)
    until(lambda: state.folder is not None)
    until(lambda: state.status is not None and state.status.seconds > seconds / 2)
    panel.name.setText("Scene 1")
    click(panel.take)
    click(panel.mark)
    until(lambda: state.status is not None and state.status.take == "Scene 1")
    until(lambda: state.status is not None and state.status.seconds > seconds)
    folder = state.folder
    assert folder is not None
    assert opened.window.record.mark.text().endswith(f"0:0{int(seconds)}") and opened.window.record.mark.isVisible()
    click(panel.button)
    until(lambda: not state.busy)
    return folder


def test_a_recording_is_a_session_that_plays(ready: Opened, until: Until) -> None:
    window = ready.window
    folder = record_for(ready, until, 2.0)
    outcome = window.models.recording.outcome
    assert outcome is not None and outcome.complete and outcome.lost_frames == 0
    manifest = read_manifest(folder)
    assert manifest.source.kind == "video" and [t.name for t in manifest.takes.takes] == ["Scene 1"]
    assert [m.name for m in manifest.takes.markers] == ["Scene 1"]
    session = open_session(folder)
    assert len(session.track) >= 10 and session.video_path() == folder / "video.mkv"
    # The button of the message opens it in the player.
    assert "Recorded" in notices(ready)["recording"].sentence
    window._on_notice_action(notices(ready)["recording"].action)
    until(lambda: window.models.player.player is not None)
    assert len(window.player.panel.timeline._markers) == 2
    assert not window.record.panel.button.isEnabled(), "a session that plays is not recorded again"


def test_without_pictures(ready: Opened, until: Until) -> None:
    click(ready.window.record.panel.picture)
    folder = record_for(ready, until, 1.0)
    assert not (folder / "video.mkv").exists()
    manifest = read_manifest(folder)
    assert not manifest.media.camera_picture and open_session(folder).video_path() is None


def test_the_key(ready: Opened, until: Until) -> None:
    state = ready.window.models.recording
    key(ready, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    until(lambda: state.status is not None and state.status.frames > 3)
    key(ready, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    until(lambda: not state.busy)
    assert state.outcome is not None and state.outcome.frames > 3


def test_another_source_ends_the_recording_and_keeps_it(ready: Opened, until: Until) -> None:
    state = ready.window.models.recording
    ready.window.record.recording.start()
    until(lambda: state.status is not None and state.status.frames > 5)
    folder = state.folder
    ready.director.open_source(SourceSettings())
    until(lambda: not state.busy)
    assert folder is not None and read_manifest(folder).complete


def test_quitting_completes_the_files(ready: Opened, until: Until) -> None:
    state = ready.window.models.recording
    ready.window.record.recording.start()
    until(lambda: state.status is not None and state.status.frames > 10)
    folder = state.folder
    start = time.monotonic()
    ready.close()
    assert time.monotonic() - start < 3.0
    assert folder is not None and read_manifest(folder).complete
    assert len(open_session(folder).track) >= 5


def test_a_folder_that_cannot_be_made_is_told(ready: Opened, until: Until, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    ready.window.models.preferences.set_recording(folder=str(tmp_path / "file" / "below"))
    click(ready.window.record.panel.button)
    until(lambda: "recording" in notices(ready))
    assert "choose another one" in notices(ready)["recording"].sentence
    assert not ready.window.models.recording.busy
    assert ready.window.models.live.now.phase is Phase.TRACKING


def test_nothing_to_record_without_a_source(window: Opened) -> None:
    assert not window.window.record.panel.button.isEnabled()
    window.window.record.recording.start()
    assert not window.window.models.recording.busy


@pytest.mark.parametrize(
    ("take", "name"),
    [
        ("", "2026-01-02 03-04-05"),
        ("Scene 1", "2026-01-02 03-04-05 Scene 1"),
        ("a/b\\c:d*?", "2026-01-02 03-04-05 a_b_c_d"),
        ("..", "2026-01-02 03-04-05"),
        ("Žluťoučký 猫", "2026-01-02 03-04-05 Žluťoučký 猫"),
        ("x" * 300, "2026-01-02 03-04-05 " + "x" * 80),
    ],
)
def test_names_that_every_file_system_takes(tmp_path: Path, take: str, name: str) -> None:
    from datetime import datetime

    now = datetime(2026, 1, 2, 3, 4, 5)
    folder = new_folder(tmp_path, take, now)
    assert folder.name == name and folder.parent == tmp_path
    folder.mkdir()
    assert new_folder(tmp_path, take, now).name == f"{name} 2"
