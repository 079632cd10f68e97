"""A source that could not even be made, so that its error goes the way of all others."""

from __future__ import annotations

from tracking.sources import Source, SourceError


class Unavailable(Source):
    """Stands for a source that could not be made: opening it raises.

    Args:
        sentence: what was wrong.
    """

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence

    @property
    def name(self) -> str:
        return ""

    @property
    def width(self) -> int:
        return 0

    @property
    def height(self) -> int:
        return 0

    @property
    def fps(self) -> float:
        return 0.0

    @property
    def live(self) -> bool:
        return True

    def open(self) -> None:
        raise SourceError(self._sentence)

    def read(self) -> None:
        return None

    def close(self) -> None:
        return None
