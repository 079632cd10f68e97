"""The overview, finding commands, and how errors reach the user."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.cli import main as command_line
from app.errors import EXPECTED, CommandError, sentence_for
from tests.app.conftest import Run

ROOT = Path(__file__).resolve().parents[2]


def test_help_answers_at_once_and_loads_nothing_heavy() -> None:
    code = "import sys; from app.cli.main import main; main(['--help']); print(sorted(sys.modules))"
    start = time.monotonic()
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert time.monotonic() - start < 5.0  # well under 1 s by itself; other tests may keep the machine busy
    assert "track" in result.stdout and "evaluate landmarks" in result.stdout
    for heavy in ("torch", "mediapipe", "numpy", "cv2", "pydantic", "vispy"):
        assert f"'{heavy}'" not in result.stdout


@pytest.mark.parametrize("command", command_line.COMMANDS, ids=lambda command: command.name)
def test_every_command_has_help(command: command_line.Command, run: Run) -> None:
    result = run(*command.name.split(), "--help")
    assert result.status == 0
    assert command.name in result.out
    assert not result.err


def test_unknown_commands(run: Run) -> None:
    for words in (["nonsense"], ["face-model", "nonsense"]):
        result = run(*words)
        assert result.status == 2
        assert "There is no command" in result.sentence()


def test_a_group_lists_its_commands(run: Run) -> None:
    result = run("face-model", "--help")
    assert result.status == 0
    assert "convert-flame" in result.out and "benchmark" not in result.out
    assert run("face-model").status == 2


def test_unknown_options(run: Run) -> None:
    result = run("demo", "--nonsense")
    assert result.status == 2
    assert "Unrecognized" in result.err and "Traceback" not in result.err


def test_version(run: Run) -> None:
    assert run("--version").out.startswith("mien ")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_expected_errors_exist(name: str) -> None:
    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), kind), Exception)


def test_sentences() -> None:
    assert sentence_for(CommandError("Do this.")) == "Do this."
    assert sentence_for(ValueError("oops")) is None
    full = sentence_for(OSError(28, "No space left on device", "/x"))
    assert full is not None and "No space left" in full and "/x" in full


def test_surprises_are_reported_without_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(args: list[str]) -> int:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(command_line, "_dispatch", fail)
    result = run("demo")
    assert result.status == 1
    assert "ZeroDivisionError: division by zero" in result.err
    assert "Traceback" not in result.err
    with pytest.raises(ZeroDivisionError):
        run("demo", "--debug")


def test_without_arguments_the_window_opens(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("app.window.run.run_window", lambda: opened.append(True))
    monkeypatch.setattr("app.window.run.leave", lambda status: status)
    assert run().status == 0
    assert opened == [True]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_one_sentence_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    result = run()
    assert result.status == 2
    assert "no display" in result.sentence() and "demo" in result.sentence()


def test_a_broken_pipe_is_no_error() -> None:
    """`mien --help | head -1` ends quietly."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [sys.executable, "main.py", "--help"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    os.close(writer)
    assert "Traceback" not in result.stderr
