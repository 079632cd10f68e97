"""Long work on threads of its own, with progress, time left, cancel, result and error. No Qt.

A task's thread writes plain attributes; the window's timer calls `TaskList.poll`, which sends the events. So every
event and every `on_done` happens on the thread that polls.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from enum import Enum
from typing import Any

from psygnal import Signal

from app.errors import sentence_for

_log = logging.getLogger(__name__)
KEPT = 20
"""Finished tasks that stay in the list."""


class TaskState(Enum):
    """Where a task stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskCancelledError(Exception):
    """Ends the work of a task that was cancelled."""


class Task:
    """One piece of long work.

    Attributes:
        title: for people.
        detail: what it is doing right now.
        state: see TaskState.
        result: what the work returned, once DONE.
        sentence: what went wrong, once FAILED; or what came of it, if the work said so.
        report: the traceback, for a bug report.
        picture: (H, W, 3) uint8 of what emerges, by work that has one; small.
        quiet: not worth a line in the list unless it fails.
    """

    def __init__(self, title: str, *, quiet: bool = False) -> None:
        self.title = title
        self.quiet = quiet
        self.detail = ""
        self.state = TaskState.RUNNING
        self.result: Any = None
        self.sentence = ""
        self.report = ""
        self.picture: Any = None
        self.done_steps = 0.0
        self.total_steps: float | None = None
        self._cancel = threading.Event()
        self._started_s = time.monotonic()
        self._ended_s: float | None = None

    @property
    def fraction(self) -> float | None:
        """0..1, None where nobody knows."""
        if self.state is TaskState.DONE:
            return 1.0
        return min(self.done_steps / self.total_steps, 1.0) if self.total_steps else None

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began, up to its end."""
        return (self._ended_s or time.monotonic()) - self._started_s

    @property
    def left_s(self) -> float | None:
        """Seconds that it will still take at the pace so far, None where nobody can tell."""
        done = self.fraction
        if self.state is not TaskState.RUNNING or done is None or done < 0.02 or self.elapsed_s < 1.0:
            return None
        return self.elapsed_s * (1.0 - done) / done

    @property
    def cancelling(self) -> bool:
        """Whether it was asked to end."""
        return self._cancel.is_set()

    def cancel(self) -> None:
        """Ask the work to end; it does so at its next `step`."""
        self._cancel.set()

    def start(self, detail: str, total: float | None) -> None:
        """For the work: what it does now, and in how many steps (None where unknown)."""
        self.detail, self.done_steps, self.total_steps = detail, 0.0, total

    def step(self, count: float = 1.0) -> None:
        """For the work: so many steps are done.

        Raises:
            TaskCancelledError: the user wants it to end.
        """
        self.done_steps += count
        if self._cancel.is_set():
            raise TaskCancelledError

    def end(self, state: TaskState) -> None:
        """For the list: the work is over."""
        self._ended_s = time.monotonic()
        self.state = state


class TaskList:
    """All tasks of the program, the newest last."""

    added = Signal(Task)
    changed = Signal(Task)
    ended = Signal(Task)
    removed = Signal(Task)

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self._threads: dict[Task, threading.Thread] = {}
        self._after: dict[Task, Callable[[Task], None]] = {}
        self._seen: dict[Task, tuple[Any, ...]] = {}

    @property
    def running(self) -> list[Task]:
        """Those under way that are worth a line."""
        return [task for task in self.tasks if task.state is TaskState.RUNNING and not task.quiet]

    def start(
        self,
        title: str,
        work: Callable[[Task], Any],
        *,
        on_done: Callable[[Task], None] | None = None,
        quiet: bool = False,
    ) -> Task:
        """Begin some work at once, on a thread of its own.

        Args:
            title: for people.
            work: is given its task, to report to; what it returns is the result.
            on_done: called by `poll` once it has ended, however it did.
            quiet: see Task.
        """
        task = Task(title, quiet=quiet)
        thread = threading.Thread(target=self._run, args=(task, work), name=f"mien-task-{title[:20]}", daemon=True)
        self.tasks.append(task)
        self._threads[task] = thread
        if on_done is not None:
            self._after[task] = on_done
        thread.start()
        self.added.emit(task)
        return task

    def poll(self) -> None:
        """Send the events of what has happened since the last call."""
        for task in list(self.tasks):
            # A new picture is a new array.
            state = (task.state, task.detail, task.fraction, task.cancelling, int(task.elapsed_s), id(task.picture))
            if self._seen.get(task) == state:
                continue
            over = task.state is not TaskState.RUNNING
            self._seen[task] = state
            self.changed.emit(task)
            if over and task in self._threads:
                del self._threads[task]
                after = self._after.pop(task, None)
                if after is not None:
                    after(task)
                self.ended.emit(task)
        self._forget_old()

    def remove(self, task: Task) -> None:
        """Take a task that has ended off the list."""
        if task in self.tasks and task.state is not TaskState.RUNNING and task not in self._threads:
            self.tasks.remove(task)
            self._seen.pop(task, None)
            self.removed.emit(task)

    def close(self, timeout_s: float = 0.5) -> None:
        """Cancel everything and wait a moment for it; what does not answer is left to itself."""
        for task in self.tasks:
            task.cancel()
        deadline = time.monotonic() + timeout_s
        for thread in list(self._threads.values()):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _forget_old(self) -> None:
        over = [t for t in self.tasks if t.state is not TaskState.RUNNING and t not in self._threads]
        quiet = [t for t in over if t.quiet and t.state is not TaskState.FAILED]
        for task in quiet + [t for t in over if t not in quiet][:-KEPT]:
            self.remove(task)

    def _run(self, task: Task, work: Callable[[Task], Any]) -> None:
        try:
            task.result = work(task)
            task.end(TaskState.DONE)
        except TaskCancelledError:
            task.end(TaskState.CANCELLED)
        except BaseException as error:
            task.report = traceback.format_exc()
            text = " ".join(str(error).split()) or type(error).__name__
            task.sentence = sentence_for(error) or f"{task.title} failed ({text}): please report it."
            if sentence_for(error) is None:
                _log.exception("the task %r failed", task.title)
            task.end(TaskState.FAILED)
