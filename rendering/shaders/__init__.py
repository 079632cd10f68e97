"""The GLSL 1.20 programs, and how they are put together.

1.20 is what macOS gives without a core profile; vertex texture fetch and derivatives work in it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["shader"]

_FOLDER = Path(__file__).parent


@cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


@cache
def shader(name: str, *defines: str) -> str:
    """Source of a shader of this folder.

    Args:
        name: a file, `head.vert`. A line `#include NAME` is replaced by that file.
        defines: names to define, for the variants of one program.
    """
    lines = ["#version 120", *(f"#define {word}" for word in defines)]
    for line in _text(name).splitlines():
        lines.append(_text(line.split()[1]) if line.startswith("#include ") else line)
    return "\n".join(lines) + "\n"
