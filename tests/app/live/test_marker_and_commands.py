"""What outlives the window: the marker of a run, and commands in processes of their own."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from app.cli.lines import PICTURE, LineBar
from app.live.commands import _read_progress, run_command
from app.live.marker import RunMarker
from app.live.report import LogTail, report_text
from app.tasks import Task, TaskList, TaskState

Wait = Callable[[Callable[[], bool]], None]


def test_a_clean_end_leaves_nothing(tmp_path: Path) -> None:
    marker = RunMarker(tmp_path / "state" / "running.json")
    assert marker.begin() is None
    assert (tmp_path / "state" / "running.json").exists()
    marker.end()
    assert marker.begin() is None


def test_after_a_crash_the_results_are_named(tmp_path: Path) -> None:
    path, results = tmp_path / "running.json", tmp_path / "results"
    results.mkdir()
    path.write_text(json.dumps({"pid": 2**30, "results": [str(results), str(tmp_path / "gone"), 7]}))
    left = RunMarker(path).begin()
    assert left is not None and left.results == (results,)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"pid": "x", "results": null}', b"\xff" * 10])
def test_a_damaged_marker_is_a_crash_without_details(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "running.json"
    path.write_bytes(content)
    left = RunMarker(path).begin()
    assert left is not None and left.results == ()


def test_a_second_window_leaves_the_first_ones_marker_alone(tmp_path: Path) -> None:
    import os

    path = tmp_path / "running.json"
    path.write_text(json.dumps({"pid": os.getppid(), "results": []}))
    marker = RunMarker(path)
    assert marker.begin() is None
    marker.end()
    assert path.exists()


def test_a_place_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    marker = RunMarker(tmp_path / "file" / "running.json")
    assert marker.begin() is None
    marker.end()


def test_a_command_reports_its_progress_and_its_words(face_clip: Path, tmp_path: Path) -> None:
    tasks = TaskList()
    task = tasks.start("Track", lambda t: run_command(t, ["track", str(face_clip), "--out", str(tmp_path / "out")]))
    deadline = time.monotonic() + 60
    while task.state is TaskState.RUNNING and time.monotonic() < deadline:
        time.sleep(0.05)
    assert task.state is TaskState.DONE, task.sentence
    assert "a face in 24 of 24" in task.result and task.total_steps == 24
    assert json.loads((tmp_path / "out" / "session.json").read_text())["complete"]


def test_a_failing_command_gives_its_own_sentence(tmp_path: Path) -> None:
    tasks = TaskList()
    task = tasks.start("Track", lambda t: run_command(t, ["track", str(tmp_path / "none.mp4"), "--out", str(tmp_path)]))
    deadline = time.monotonic() + 60
    while task.state is TaskState.RUNNING and time.monotonic() < deadline:
        time.sleep(0.05)
    assert task.state is TaskState.FAILED and "no camera, file or folder" in task.sentence


def test_a_cancelled_command_finishes_its_files(demo_clip: Path, tmp_path: Path) -> None:
    tasks = TaskList()
    task = tasks.start("Track", lambda t: run_command(t, ["track", str(demo_clip), "--out", str(tmp_path / "out")]))
    deadline = time.monotonic() + 60
    while task.done_steps < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    task.cancel()
    while task.state is TaskState.RUNNING and time.monotonic() < deadline:
        time.sleep(0.02)
    assert task.state is TaskState.CANCELLED
    assert json.loads((tmp_path / "out" / "session.json").read_text())["complete"] is False
    assert len((tmp_path / "out" / "frames.csv").read_text().splitlines()) > 3


def test_a_report_has_versions_words_and_the_log() -> None:
    import logging

    tail = LogTail()
    tail.handle(logging.LogRecord("x", logging.ERROR, "", 1, "it broke", None, None))
    text = report_text("Sorry.", "Traceback ...", tail)
    assert text.startswith("Sorry.\n") and "mien: " in text and "it broke" in text and "Traceback ..." in text


def test_pictures_of_what_emerges_reach_the_task(capfd: pytest.CaptureFixture[str]) -> None:
    bar = LineBar()
    bar.start("painting the skin", 4)
    bar.show(np.full((24, 24, 3), 200, np.uint8))
    task, said = Task("Make the avatar"), deque[str]()
    _read_progress(task, StringIO(capfd.readouterr().err + "A sentence.\n" + PICTURE + "nonsense\n"), said)
    assert task.picture.shape == (24, 24, 3) and abs(float(task.picture.mean()) - 200) < 3
    assert task.detail == "painting the skin" and list(said) == ["A sentence."]
