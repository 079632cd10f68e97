"""How many threads the libraries may use, and which threads come first."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def use_one_thread() -> None:
    """Keeps BLAS and OpenCV to one thread each, for the rest of the process.

    Their matrices and pictures are small here: more threads would only fight with MediaPipe's for the cores. And in a
    process that comes second, BLAS's threads spin while they wait for one another, a hundred times as long as the work
    takes.
    """
    import cv2
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    cv2.setNumThreads(1)


def come_second(nice: int) -> None:
    """Lets other threads run first where processors are short: this one, and those that it starts.

    On Linux, whose threads have priorities of their own; elsewhere nothing happens.

    Args:
        nice: 0 as all others, to 19 last of all. Under load a thread of 5 gets a third of a usual one's time, of 10 a
            tenth; none ever gets nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
    except OSError:
        pass  # a system that forbids it


@contextmanager
def no_real_time() -> Iterator[None]:
    """Threads that become real-time ones within, this one too, are usual ones again afterwards.

    On Linux. Some encoders do that to their own threads and to the calling one where the user may, as root may in a
    container; a real-time thread that waits by spinning, as those of BLAS and OpenMP do, then stops everything else on
    its processor.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    before = _real_time_threads()
    try:
        yield
    finally:
        for thread in _real_time_threads() - before:
            try:
                os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
            except OSError:
                pass  # it has ended


def _real_time_threads() -> set[int]:
    """Those of this process, by the system's numbers."""
    assert sys.platform == "linux"
    found = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            if os.sched_getscheduler(int(task.name)) in (os.SCHED_FIFO, os.SCHED_RR):
                found.add(int(task.name))
        except OSError:
            pass  # it has ended
    return found
