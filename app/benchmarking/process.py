"""Facts about the running process: its memory and its age."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_PROC = Path("/proc")


def memory_mb() -> float:
    """Memory of this process and its children in megabytes (10^6 bytes).

    On Linux the proportional set size: pages that several processes share count once among them. Elsewhere the
    resident set size, which counts them for each.
    """
    if sys.platform == "linux":
        return sum(_pss_bytes(pid) for pid in _family()) / 1e6
    import psutil

    own = psutil.Process()
    total = 0
    for process in (own, *own.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total / 1e6


def age_s() -> float:
    """Seconds since this process was started, before Python's own start."""
    if sys.platform == "linux":
        fields = (_PROC / "self" / "stat").read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    import psutil

    return time.time() - float(psutil.Process().create_time())


class PeakMemory:
    """Samples `memory_mb` on a thread of its own while the block runs; `mb` is the largest value.

    Args:
        interval_s: between samples. Each takes a few milliseconds of the system's time.
    """

    def __init__(self, interval_s: float = 0.5) -> None:
        self.mb = 0.0
        self._interval = interval_s
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mien-memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self.mb = max(self.mb, memory_mb())

    def _run(self) -> None:
        while not self._done.wait(self._interval):
            self.mb = max(self.mb, memory_mb())


def _pss_bytes(pid: int) -> int:
    try:
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # it has ended meanwhile
    return 0


def _family() -> list[int]:
    """This process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        children.setdefault(parent, []).append(int(entry.name))
    family = [os.getpid()]
    for pid in family:
        family += children.get(pid, [])
    return family
