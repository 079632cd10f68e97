"""What the tests share: folders of data, small clips made on the spot, and a check for threads left behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.media import write_clip

ROOT = Path(__file__).resolve().parent.parent


def heed_interrupts() -> None:
    """For child processes: take Ctrl-C as usual, also where the tests run in a shell's background, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of development data: MIEN_DATA, by default `shared/data` beside the checkout."""
    folder = Path(os.environ.get("MIEN_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no development data at {folder}: set MIEN_DATA")
    return folder


@pytest.fixture(scope="session")
def demo_clip() -> Path:
    """The clip that ships: one webcam face, 400 x 300, 25 pictures a second, 765 pictures."""
    return ROOT / "app" / "assets" / "cap13_edit2.mp4"


@pytest.fixture
def tiny_clip(tmp_path: Path) -> Path:
    """A video of 20 pictures, 64 x 48, 10 a second; picture n is grey with the value 10 + 10 n."""
    return write_clip(tmp_path / "tiny.mp4", [np.full((48, 64, 3), 10 + 10 * n, np.uint8) for n in range(20)], 10)


@pytest.fixture(autouse=True)
def no_context_stays_current() -> Iterator[None]:
    """Takes Qt's OpenGL off this thread after each test: while it is current, drivers refuse one of another kind there,
    which our off-screen drawing needs."""
    yield
    if "PySide6.QtGui" in sys.modules:
        from PySide6.QtGui import QOpenGLContext

        if (context := QOpenGLContext.currentContext()) is not None:
            context.doneCurrent()


@pytest.fixture
def no_leaked_threads() -> Iterator[None]:
    """Fails the test if threads that it started are still alive ten seconds after it.

    Not sooner: one that compiles a kernel or a shader when it is told to end does so first, for seconds where nothing
    is cached yet.
    """
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 10.0
    left: list[threading.Thread] = []
    while time.monotonic() < deadline:
        left = [thread for thread in threading.enumerate() if thread not in before]
        if not left:
            return
        time.sleep(0.01)
    frames = sys._current_frames()
    where = [
        f"{thread.name} at:\n" + "".join(traceback.format_stack(frames[thread.ident]))
        for thread in left
        if thread.ident in frames
    ]
    pytest.fail(f"threads left behind: {[thread.name for thread in left]}\n" + "\n".join(where))


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Waits until a condition holds and fails after ten seconds: for what other threads do."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10.0
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail("the condition did not come true within ten seconds")
            time.sleep(0.002)

    return wait
