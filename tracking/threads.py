"""How many threads the libraries may use, and which threads come first."""

from __future__ import annotations

import os
import sys
import threading


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
