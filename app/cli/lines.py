"""Progress as lines, for a window that started the command, and its wish to end the command.

Where the environment variable is set, progress goes to standard error as `PREFIX done TAB total TAB name`, small
pictures of what emerges as `PICTURE base64`, and the end of standard input is the wish to finish, as Ctrl-C is on a
terminal.
"""

from __future__ import annotations

import _thread
import os
import sys
import threading
import time

import numpy as np
from numpy.typing import NDArray

from app.cli.interrupt import check_interrupt

PROGRESS_VARIABLE = "MIEN_PROGRESS_LINES"
PREFIX = "\x1eprogress "
PICTURE = "\x1epicture "
INTERVAL_S = 0.1


def wanted() -> bool:
    """Whether a window is watching."""
    return bool(os.environ.get(PROGRESS_VARIABLE))


class LineBar:
    """Has the methods of a bar of progress and prints lines instead."""

    def __init__(self) -> None:
        self._name = ""
        self._total: int | None = None
        self._done = 0
        self._last_s = 0.0

    def start(self, name: str, total: int | None) -> None:
        """A new job begins: `total` steps, None where unknown."""
        self._name, self._total, self._done = name, total, 0
        self._print()

    def step(self) -> None:
        """One step is done."""
        check_interrupt()
        self._done += 1
        if time.monotonic() - self._last_s >= INTERVAL_S:
            self._print()

    def show(self, picture: NDArray[np.uint8]) -> None:
        """A small picture (H, W, 3) of what emerges."""
        from app.avatar_preview import text_of_picture  # loads the face model's modules

        print(f"{PICTURE}{text_of_picture(picture)}", file=sys.stderr, flush=True)

    def _print(self) -> None:
        self._last_s = time.monotonic()
        name = " ".join(self._name.split())
        print(f"{PREFIX}{self._done}\t{self._total or ''}\t{name}", file=sys.stderr, flush=True)


def watch_input() -> None:
    """Interrupt the main thread when standard input ends."""

    def watch() -> None:
        try:
            while sys.stdin.read(1):
                pass
        except (OSError, ValueError):
            return
        _thread.interrupt_main()

    threading.Thread(target=watch, name="mien-input", daemon=True).start()
