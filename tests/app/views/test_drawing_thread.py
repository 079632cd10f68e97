"""How the window keeps up with a processor that draws: fewer pixels in time, and wake-ups that do not pile up."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtTest import QTest

from app.views.pixel_budget import STEPS, PixelBudget
from app.views.wake import Waker


def draw(budget: PixelBudget, view: int, fixed_ms: float, ms_per_million: float, times: int = 200) -> None:
    for _ in range(times):
        # Sides are whole pixels: a drawing is a little smaller or larger than its budget.
        pixels = min(view, budget.pixels + 300)
        budget.note(fixed_ms + ms_per_million * pixels / 1e6, pixels)


def test_a_fast_machine_keeps_every_pixel() -> None:
    budget = PixelBudget()
    draw(budget, 2_000_000, 1.0, 10.0)
    assert budget.pixels == STEPS[0]


def test_a_slow_machine_draws_less_and_more_again_when_it_is_idle() -> None:
    budget = PixelBudget()
    draw(budget, 2_000_000, 8.0, 60.0)
    assert budget.pixels == STEPS[-1]
    draw(budget, 2_000_000, 2.0, 8.0)
    assert budget.pixels == STEPS[0]


@pytest.mark.parametrize("per_million", [15.0, 20.0, 25.0, 30.0, 40.0])
def test_it_settles(per_million: float) -> None:
    budget = PixelBudget()
    draw(budget, 2_000_000, 6.0, per_million, 500)
    settled = budget.pixels
    seen = set()
    for _ in range(300):
        draw(budget, 2_000_000, 6.0, per_million, 1)
        seen.add(budget.pixels)
    assert seen == {settled}


def test_a_small_view_goes_below_its_own_size_at_once() -> None:
    budget = PixelBudget()
    draw(budget, 350_000, 10.0, 40.0, 20)
    assert budget.pixels == 300_000


def test_many_wishes_are_answered_once(qapp: object) -> None:
    calls: list[int] = []
    waker = Waker(lambda: calls.append(threading.get_ident()))

    def ask_often() -> None:
        for _ in range(50):
            waker.wake()

    thread = threading.Thread(target=ask_often)
    thread.start()
    thread.join()
    assert not calls, "nothing happens on the other thread"
    QTest.qWait(20)
    assert calls == [threading.get_ident()]
    waker.wake()
    QCoreApplication.processEvents()
    assert len(calls) == 2
    waker.wake()
    waker.close()
    QTest.qWait(20)
    assert len(calls) == 2, "a closed window is left alone"
