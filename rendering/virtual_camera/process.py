"""The virtual camera's own process: takes the newest picture and sends it, at a steady rate.

It ends when it is told to, and by itself when the program that started it is gone. Loads numpy and the back end's
package, neither Qt nor torch nor OpenGL.
"""

from __future__ import annotations

import signal
import time
from collections import deque
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Lock

import numpy as np

from rendering.virtual_camera.frames import FramesError, Shape, SharedFrames
from rendering.virtual_camera.outputs import Output, OutputError, OutputRequest, open_output

RUNNING, FAILED, STOP = "running", "failed", "stop"
"""Words on the line between both processes."""
_LATE_S = 0.25
_LINES = 12


def run(request: OutputRequest, memory: str, lock: Lock, line: Connection) -> None:
    """The process.

    Args:
        request: what to open.
        memory: name of the shared frames.
        lock: of the shared frames.
        line: to the program; says (RUNNING, back end, device) or (FAILED, what the back end said), takes STOP.
    """
    # Ctrl-C reaches both processes: the program decides, and tells.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    frames = None
    output = None
    try:
        frames = SharedFrames(Shape(request.width, request.height), lock, memory)
        output = open_output(request)
        line.send((RUNNING, output.backend, output.device))
        _send_on(request, frames, output, line)
    except OutputError as error:
        _tell(line, str(error))
    except (BrokenPipeError, EOFError, FramesError, FileNotFoundError):
        pass  # the program is gone, and nobody is left to be told
    except Exception as error:
        _tell(line, f"'{request.backend}' backend: {error or type(error).__name__}")
    finally:
        if output is not None:
            try:
                output.close()
            except Exception:
                pass  # it ends anyway
        if frames is not None:
            frames.close()
        line.close()


def _send_on(request: OutputRequest, frames: SharedFrames, output: Output, line: Connection) -> None:
    """Until STOP, or until the program is gone (EOFError)."""
    picture = np.zeros((request.height, request.width, 3), np.uint8)
    times: deque[float] = deque(maxlen=max(2, request.fps))
    sent = fresh = 0
    due = time.perf_counter()
    while True:
        wait = due - time.perf_counter()
        # The wait is spent at the line, so that a word, or the program's end, is noticed at once.
        if line.poll(max(0.0, wait)):
            if line.recv() == STOP:
                return
            continue
        if wait < -_LATE_S:
            due = time.perf_counter()  # the machine slept: go on from here instead of racing to catch up
        due += 1.0 / request.fps
        fresh += frames.take(picture)
        output.send(picture)
        sent += 1
        times.append(time.perf_counter())
        rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
        frames.report(sent, fresh, rate)


def _tell(line: Connection, text: str) -> None:
    try:
        line.send((FAILED, "\n".join(text.splitlines()[:_LINES]), ""))
    except OSError:
        pass  # the program is gone
