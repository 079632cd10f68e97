"""Commands of Mien as tasks, each in a process of its own.

A process does not take the interpreter away from the window, cannot take the window down with it, and finishes its
files when it is asked to end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import app
from app.cli.lines import PICTURE, PREFIX, PROGRESS_VARIABLE
from app.errors import CommandError
from app.tasks import Task, TaskCancelledError

CHECKOUT = Path(app.__file__).resolve().parents[1]
END_WAIT_S = 5.0


def run_command(task: Task, args: Sequence[str]) -> str:
    """Run a command to its end; what it printed. Blocks: for a task's thread.

    Args:
        task: told of the progress; its cancelling ends the command, with its files finished.
        args: of the command line, without the program.

    Raises:
        CommandError: it failed; the message is the command's own sentence.
        TaskCancelledError: it was cancelled.
    """
    paths = [str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {PROGRESS_VARIABLE: "1", "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
    )
    said: deque[str] = deque(maxlen=20)
    printed: list[str] = []
    assert process.stdout is not None and process.stderr is not None and process.stdin is not None
    readers = (
        threading.Thread(target=_read_progress, args=(task, process.stderr, said), name="mien-progress", daemon=True),
        threading.Thread(target=lambda out: printed.append(out.read()), args=(process.stdout,), daemon=True),
    )
    for reader in readers:
        reader.start()
    while True:
        try:
            status = process.wait(0.1)
            break
        except subprocess.TimeoutExpired:
            if task.cancelling:
                status = _end(process)
                break
    for reader in readers:
        reader.join(1.0)
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()
    if task.cancelling:
        raise TaskCancelledError
    if status != 0:
        task.report = "\n".join(said)
        raise CommandError(said[-1] if said else f"The command ended with status {status}: try again.")
    return printed[0] if printed else ""


def system_report(task: Task) -> dict[str, Any]:
    """What `doctor` finds: its `checks`, `machine` and `versions`. Blocks: for a task's thread.

    Raises:
        CommandError: it could not be made.
        TaskCancelledError: it was cancelled.
    """
    task.start("checking cameras, graphics, audio and model files", None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        try:
            run_command(task, ["doctor", "--json", str(path)])
        except CommandError:
            # Something is broken: the report says what.
            if not path.exists():
                raise
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _read_progress(task: Task, lines: Any, said: deque[str]) -> None:
    for line in lines:
        line = line.rstrip("\n")
        if line.startswith(PICTURE):
            from app.avatar_preview import picture_of_text  # loads the face model's modules

            found = picture_of_text(line[len(PICTURE) :])
            task.picture = task.picture if found is None else found
            continue
        if not line.startswith(PREFIX):
            if line.strip():
                said.append(line)
            continue
        done, total, name = [*line[len(PREFIX) :].split("\t", 2), "", ""][:3]
        task.detail = name
        task.done_steps = float(done)
        task.total_steps = float(total) if total else None


def _end(process: subprocess.Popen[str]) -> int:
    """Ask a command to finish its files; one that does not answer is killed."""
    assert process.stdin is not None
    try:
        process.stdin.close()
    except OSError:
        pass  # it has ended meanwhile
    try:
        return process.wait(END_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def output_folder_for(source: Path) -> Path:
    """Where the results of tracking a file go unless the user says otherwise: beside it."""
    return source.parent / f"{source.stem or source.name}_tracked"
