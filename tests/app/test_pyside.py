"""The reason for PySide6's pin."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject


def test_void_calls_leave_none_alone() -> None:
    """PySide6 6.12.0 on Python 3.11 takes a reference to None with each call that returns nothing."""
    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(200):
        thing.setObjectName("x")
    # From Python 3.12 on None is immortal and its count a constant; other threads may change it by a few before that.
    assert abs(sys.getrefcount(None) - before) < 50
