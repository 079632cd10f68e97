"""Loads what the window needs without looking for garbage meanwhile."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quick_start"]


@contextmanager
def quick_start() -> Iterator[None]:
    """Around imports of the window's modules: all the objects that they make stay, and looking through them again and
    again takes time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
