"""Nothing leaves the machine: the program runs while its sockets are watched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sockets are read from /proc")

HOOK = """
import os, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        place = arguments[-1] if event in ("socket.connect", "socket.bind", "socket.sendto") else arguments[0]
        if isinstance(place, (tuple, bytes)) or event.startswith("socket.get"):
            with open(os.environ["MIEN_TEST_EVENTS"], "a") as file:
                file.write(f"{event} {place!r}\\n")

sys.addaudithook(watch)
"""
"""Python's own sockets; those of native libraries are seen in /proc."""

WINDOW = """
import json, sys, time
from PySide6.QtCore import QCoreApplication
from app.live.marker import RunMarker
from app.window.run import make_application, open_window
from app.window_settings import SourceSettings
from app.state.live import Phase
from pathlib import Path

make_application()
home = Path(sys.argv[1])
opened = open_window(SourceSettings(kind="demo"), marker=RunMarker(home / "running.json"))
models = opened.window.models
deadline = time.monotonic() + 60

def until(condition):
    while not condition() and time.monotonic() < deadline:
        QCoreApplication.processEvents()
        time.sleep(0.005)

until(lambda: models.live.now.phase is Phase.TRACKING)
models.preferences.set_recording(folder=str(home / "recordings"), audio="none", reserve_mb=0)
opened.window.record.recording.start()
until(
    lambda: models.recording.status is not None
    and models.recording.status.frames > 20
    and opened.director.session.tracked > 5
)
opened.window.record.recording.stop()
until(lambda: not models.recording.busy)
print(json.dumps({"tracked": opened.director.session.tracked, "recorded": models.recording.outcome.frames}))
opened.close()
"""


def internet_sockets(pid: int) -> set[str]:
    """Sockets of a process and its children that are not local to the kernel: lines of /proc/net."""
    found: set[str] = set()
    for process in family(pid):
        try:
            links = [str(path.readlink()) for path in Path(f"/proc/{process}/fd").iterdir()]
        except OSError:
            continue
        inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
        for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
            try:
                lines = Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]
            except OSError:
                continue
            found |= {f"{table} {line}" for line in lines if line.split()[9] in inodes}
    return found


def family(pid: int) -> list[int]:
    children = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += [int(child) for child in (task / "children").read_text().split()]
    except (OSError, ValueError):
        pass
    return [pid, *(member for child in children for member in family(child))]


def watched(arguments: list[str], home: Path, cwd: Path = ROOT) -> tuple[str, set[str], str]:
    """Runs a command to its end; what it printed, the sockets that were seen, Python's own socket events."""
    (home / "sitecustomize.py").write_text(HOOK)
    events = home / "events.txt"
    events.touch()
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(home), str(ROOT)]),
        "MIEN_TEST_EVENTS": str(events),
        "MIEN_CONFIG": str(home / "settings.json"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }
    process = subprocess.Popen(
        arguments, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    seen: set[str] = set()
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        seen |= internet_sockets(process.pid)
        time.sleep(0.01)
    process.kill()
    printed, _ = process.communicate()
    return printed, seen, events.read_text()


def test_the_watch_sees_what_it_is_to_see(tmp_path: Path) -> None:
    code = """
    import socket, time
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"hello", ("127.0.0.1", 9))
        time.sleep(0.3)
    """
    _, seen, events = watched([sys.executable, "-c", textwrap.dedent(code)], tmp_path)
    assert any(line.startswith("udp") for line in seen) and "socket.sendto ('127.0.0.1', 9)" in events


def test_tracking_with_wrinkles_opens_no_socket(tmp_path: Path) -> None:
    clip = "app/assets/cap13_edit2.mp4"
    out = ["--out", str(tmp_path / "out"), "--render", str(tmp_path / "out.mp4"), "--seconds", "0.6"]
    printed, seen, events = watched([sys.executable, "main.py", "track", clip, *out], tmp_path)
    assert "a face in 15 of 15 pictures" in printed, printed
    assert not seen and not events


@pytest.mark.gl
def test_the_window_tracks_and_records_without_a_socket(tmp_path: Path) -> None:
    (tmp_path / "window.py").write_text(WINDOW)
    printed, seen, events = watched([sys.executable, str(tmp_path / "window.py"), str(tmp_path)], tmp_path)
    facts = json.loads(printed.strip().splitlines()[-1])
    assert facts["tracked"] > 5 and facts["recorded"] > 20, printed
    assert not seen and not events
