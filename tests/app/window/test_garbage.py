"""Reference cycles end on the window's thread."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject

from app.window.garbage import GarbageTimer, collect_due
from tests.app.window.conftest import Until


class Knot(QObject):
    """Refers to itself, and notes on which thread it ends."""

    def __init__(self, ends: list[str]) -> None:
        super().__init__()
        self.me = self
        weakref.finalize(self, lambda: ends.append(threading.current_thread().name))


@pytest.fixture
def quiet() -> Iterator[None]:
    """Collecting as it is outside of tests of the window."""
    yield
    gc.unfreeze()


def test_cycles_end_on_the_windows_thread_whoever_makes_objects(qapp: object, until: Until, quiet: None) -> None:
    ends: list[str] = []
    parent = QObject()
    timer = GarbageTimer(parent)
    assert not gc.isenabled()
    timer.start()
    Knot(ends)
    made: list[list[object]] = []
    busy = threading.Thread(target=lambda: made.extend([[]] for _ in range(200_000)))
    busy.start()
    busy.join()
    assert not ends, "another thread made many objects, and nothing was collected there"
    until(lambda: bool(ends))
    assert ends == [threading.main_thread().name]
    parent.deleteLater()


def test_the_oldest_have_their_turn_when_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[int] = []
    monkeypatch.setattr(gc, "get_threshold", lambda: (700, 10, 10))
    monkeypatch.setattr(gc, "collect", collected.append)
    for counts in ((701, 11, 11), (701, 11, 3), (701, 2, 3), (20, 2, 3)):
        monkeypatch.setattr(gc, "get_count", lambda counts=counts: counts)
        collect_due(oldest=True)
    assert collected == [2, 1, 0]
    monkeypatch.setattr(gc, "get_count", lambda: (701, 2, 11))
    assert collect_due(oldest=False) == 0 and collected[-1] == 0
    # Python before 3.12 lets the oldest be switched off with a threshold of nought, and so does this.
    monkeypatch.setattr(gc, "get_threshold", lambda: (0, 0, 0))
    assert collect_due(oldest=True) is None
