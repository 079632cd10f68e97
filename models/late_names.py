"""Packages whose names are loaded when they are first used.

A window should show before the heavy libraries behind it are loaded, and a helper process should load no more than it
needs; but whoever writes a script wants to import from the package.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["late_names"]


def late_names(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """A package's `__getattr__`, which imports a name's module once the name is used.

    Args:
        package: its `__name__`.
        homes: name -> the module in the package that defines it.
    """

    def find(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found: object = getattr(import_module(f"{package}.{home}"), name)
        setattr(sys.modules[package], name, found)
        return found

    return find
