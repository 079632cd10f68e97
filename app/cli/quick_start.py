"""Loads what the window needs without work that only helps others."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quick_start"]


@contextmanager
def quick_start() -> Iterator[None]:
    """Around imports of the window's modules: all the objects that they make stay, and looking through them again and
    again takes time."""
    gc.disable()
    try:
        _spare_sources()
        yield
    finally:
        gc.enable()


def _spare_sources() -> None:
    """Keep PySide from reading the source of every module that is loaded after it.

    It looks whether a module mentions PySide6, for the sake of those that switch its `__feature__` spellings on, and
    leaves the lines in `linecache`: hundreds of milliseconds, and tens of megabytes with what the tracking loads. Here
    nobody uses such spellings. A version without this function reads nothing, or as before.
    """
    import PySide6  # noqa: F401

    feature = sys.modules.get("shibokensupport.feature")
    if hasattr(feature, "_mod_uses_pyside"):
        feature._mod_uses_pyside = lambda module: False  # type: ignore[union-attr]
