"""Names, markers and timecode."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from recordings.takes import TakeLog, Timecode, markers_of, safe_name, session_folder_name, takes_of


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (0.0, "00:00:00:00"),
        (1 / 30, "00:00:00:01"),
        (0.999, "00:00:00:29"),
        (61.5, "00:01:01:15"),
        (3600, "01:00:00:00"),
    ],
)
def test_timecode_from_zero(time_s: float, text: str) -> None:
    assert Timecode.at(30).text(time_s) == text


def test_every_picture_has_its_own_timecode() -> None:
    for rate in (24, 25, 30, 60):
        texts = [Timecode.at(rate).text(round(n * 1e9 / rate) / 1e9) for n in range(rate * 90)]
        assert len(set(texts)) == len(texts) and texts == sorted(texts)


def test_timecode_of_the_time_of_day_begins_anew_at_midnight() -> None:
    code = Timecode.at(29.97, datetime(2026, 1, 2, 23, 59, 59, 500_000))
    assert (code.rate, code.text(0.0), code.text(0.5)) == (30, "23:59:59:15", "00:00:00:00")


def test_takes_follow_each_other() -> None:
    log = TakeLog(Timecode.at(25))
    log.start("One", 0.0)
    log.mark("", 0.5)
    log.mark("  a \x00 name\n", 0.6)
    log.start("", 1.0)
    assert log.take == "Take 2"
    assert [mark.kind for mark in log.end(2.0)] == ["take_end"] and log.end(2.5) == []
    takes = takes_of(log.marks)
    assert [(take.name, take.start_s, take.end_s) for take in takes] == [("One", 0.0, 1.0), ("Take 2", 1.0, 2.0)]
    assert takes[1].start_timecode == "00:00:01:00"
    assert [mark.name for mark in markers_of(log.marks)] == ["Marker 1", "a name"]


def test_a_take_that_was_cut_off_has_no_end() -> None:
    log = TakeLog(Timecode.at(25))
    log.start("Last", 3.0)
    assert takes_of(log.marks)[0].end_s is None


@pytest.mark.parametrize(
    "text",
    [
        "../../etc",
        "a/b\\c",
        "CON",
        "com1.txt",
        "x" * 500,
        "ü\U0001f600" * 40,
        "...",
        "a\x00b\nc",
        "\udc80",
        ' ?*|<>:" ',
    ],
)
def test_safe_names_are_names_everywhere(text: str, tmp_path: Path) -> None:
    name = safe_name(text)
    assert not set(name) & set('<>:"/\\|?*\x00\n') and len(name.encode()) <= 61
    assert name == name.strip(" .")
    if name:
        (tmp_path / name).mkdir()


def test_folders_are_named_by_date_and_take() -> None:
    when = datetime(2026, 1, 31, 17, 5, 9)
    assert session_folder_name(when) == "2026-01-31 17.05.09"
    assert session_folder_name(when, "My: take") == "2026-01-31 17.05.09 My_ take"
