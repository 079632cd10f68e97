"""What every visual draws with: programs, and how what lets the background through is mixed with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from vispy import gloo

from rendering.scene import Scene

__all__ = ["CUT", "Program", "blend_softly"]

CUT = 0.5
"""Alpha from which something covers a key colour."""


class Program:
    """A gloo program that sends a uniform only when its value changed."""

    def __init__(self, vertex: str, fragment: str) -> None:
        self.gloo = gloo.Program(vertex, fragment)
        self._names = {name for _, _, name in self.gloo.variables}
        self._sent: dict[str, Any] = {}

    def set(self, **values: Any) -> None:
        """Sets uniforms and attributes; those the program does not have are passed over."""
        for name, value in values.items():
            if name not in self._names:
                continue
            key = value.tobytes() if isinstance(value, np.ndarray) else value
            if name in self._sent and self._sent[name] == key:
                continue
            self._sent[name] = key
            self.gloo[name] = value

    def draw(self, mode: str, indices: gloo.IndexBuffer | None = None) -> None:
        """Draws with everything set so far."""
        self.gloo.draw(mode, indices)

    def delete(self) -> None:
        """Frees it on the card."""
        self.gloo.delete()


def blend_softly(scene: Scene, *, over_solid: bool = False) -> None:
    """Prepares for what lets the background through: its colours arrive multiplied by its alpha.

    Over a key colour nothing may: there shaders with FADE leave out what is faint, and the rest is solid.

    Args:
        over_solid: also over a key colour, but without covering any more of it: for what is drawn on something solid.
    """
    soft = not scene.background.keyed
    gloo.set_state(
        blend=soft or over_solid,
        blend_func=("src_alpha", "one_minus_src_alpha", *(("one", "one_minus_src_alpha") if soft else ("zero", "one"))),
    )
