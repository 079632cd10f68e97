"""The mailbox: the newest wins, nothing is queued, nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tracking.mailbox import Mailbox


def test_the_newest_wins_and_drops_are_counted() -> None:
    box: Mailbox[int] = Mailbox()
    for n in range(5):
        assert box.put(n)
    assert box.take() == 4
    assert box.dropped == 4
    assert box.take(timeout_s=0.0) is None


@given(st.lists(st.booleans(), max_size=60))
def test_every_item_is_either_taken_or_counted_as_dropped(puts: list[bool]) -> None:
    box: Mailbox[int] = Mailbox()
    given_out, taken = 0, []
    for is_put in puts:
        if is_put:
            given_out += 1
            box.put(given_out)
        elif (item := box.take(timeout_s=0.0)) is not None:
            taken.append(item)
    box.close()
    if (item := box.take()) is not None:
        taken.append(item)
    assert taken == sorted(set(taken))
    assert len(taken) + box.dropped == given_out


def test_an_item_left_before_closing_can_be_taken() -> None:
    box: Mailbox[str] = Mailbox()
    box.put("last")
    box.close()
    assert not box.put("later")
    assert box.closed
    assert box.take() == "last"
    assert box.take() is None
    assert box.dropped == 0


def test_closing_with_discard_empties_it() -> None:
    box: Mailbox[str] = Mailbox()
    box.put("last")
    box.close(discard=True)
    assert box.take() is None


def test_close_wakes_those_who_take_and_those_who_put(no_leaked_threads: None) -> None:
    empty: Mailbox[int] = Mailbox()
    full: Mailbox[int] = Mailbox()
    full.put(1)
    results: list[object] = []
    threads = [
        threading.Thread(target=lambda: results.append(empty.take())),
        threading.Thread(target=lambda: results.append(full.put(2, wait=True))),
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.02)
    assert results == []
    empty.close()
    full.close()
    for thread in threads:
        thread.join(5.0)
    assert set(map(repr, results)) == {"None", "False"}


def test_waiting_to_put_loses_nothing(no_leaked_threads: None) -> None:
    box: Mailbox[int] = Mailbox()

    def produce() -> None:
        for n in range(200):
            box.put(n, wait=True)
        box.close()

    threading.Thread(target=produce).start()
    taken = []
    while (item := box.take(timeout_s=5.0)) is not None:
        taken.append(item)
    assert taken == list(range(200))
    assert box.dropped == 0


def test_take_gets_what_another_thread_leaves_later(wait_until: Callable[[Callable[[], bool]], None]) -> None:
    box: Mailbox[int] = Mailbox()
    results: list[int | None] = []
    thread = threading.Thread(target=lambda: results.append(box.take(timeout_s=10.0)))
    thread.start()
    box.put(7)
    wait_until(lambda: bool(results))
    thread.join()
    assert results == [7]
