"""Long work: progress, time left, cancelling, errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from app.errors import CommandError
from app.tasks import Task, TaskList, TaskState

Wait = Callable[[Callable[[], bool]], None]
pytestmark = pytest.mark.usefixtures("no_leaked_threads")


def ended(tasks: TaskList, task: Task, wait_until: Wait) -> Task:
    wait_until(lambda: task.state is not TaskState.RUNNING)
    tasks.poll()
    return task


def test_progress_result_and_events_arrive_on_the_polling_thread(wait_until: Wait) -> None:
    tasks = TaskList()
    threads: list[threading.Thread] = []
    fractions: list[float | None] = []

    def note(task: Task) -> None:
        threads.append(threading.current_thread())
        fractions.append(task.fraction)

    tasks.changed.connect(note)

    def work(task: Task) -> int:
        task.start("counting", 4)
        for _ in range(4):
            task.step()
            time.sleep(0.02)
        return 42

    done: list[object] = []
    task = ended(tasks, tasks.start("Count", work, on_done=lambda t: done.append(t.result)), wait_until)
    assert task.state is TaskState.DONE and done == [42] and fractions[-1] == 1.0
    assert set(threads) == {threading.current_thread()}


def test_cancelling_ends_at_the_next_step(wait_until: Wait) -> None:
    tasks = TaskList()

    def work(task: Task) -> None:
        task.start("for ever", None)
        while True:
            task.step()
            time.sleep(0.005)

    task = tasks.start("Endless", work)
    assert tasks.running == [task] and task.fraction is None
    task.cancel()
    assert ended(tasks, task, wait_until).state is TaskState.CANCELLED
    assert tasks.running == []


def test_an_error_is_a_sentence_with_a_report_and_others_go_on(wait_until: Wait) -> None:
    tasks = TaskList()

    def refuse(task: Task) -> None:
        raise CommandError("The file is missing: choose another one.")

    def surprise(task: Task) -> None:
        raise ZeroDivisionError("division\nby zero")

    known, unknown = tasks.start("A", refuse), tasks.start("B", surprise)
    good = tasks.start("C", lambda task: "fine")
    for task in (known, unknown, good):
        ended(tasks, task, wait_until)
    assert known.sentence == "The file is missing: choose another one."
    assert "division by zero" in unknown.sentence and "Traceback" in unknown.report
    assert "Traceback" not in unknown.sentence and good.result == "fine"


def test_time_left_follows_from_the_pace() -> None:
    task = Task("x")
    task.start("", 100)
    task.step(25)
    assert task.left_s is None, "too early to tell"
    task._started_s -= 10.0
    assert task.left_s == pytest.approx(30.0, rel=0.05)


def test_quiet_tasks_leave_no_trace_unless_they_fail(wait_until: Wait) -> None:
    tasks = TaskList()
    ended(tasks, tasks.start("Quiet", lambda task: None, quiet=True), wait_until)
    assert tasks.tasks == [] and tasks.running == []
    ended(tasks, tasks.start("Quiet", lambda task: 1 // 0, quiet=True), wait_until)
    assert [task.state for task in tasks.tasks] == [TaskState.FAILED]
    tasks.remove(tasks.tasks[0])
    assert tasks.tasks == []


def test_closing_cancels_and_waits_a_moment() -> None:
    tasks = TaskList()

    def work(task: Task) -> None:
        while True:
            task.step()
            time.sleep(0.005)

    for _ in range(3):
        tasks.start("Endless", work)
    start = time.monotonic()
    tasks.close()
    assert time.monotonic() - start < 3.0
    assert all(task.state is TaskState.CANCELLED for task in tasks.tasks)
