"""Undo and redo for the panels that edit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psygnal import Signal

LONGEST = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One step that can be taken back.

    Attributes:
        text: what it does, in a word or two, for the menu.
        redo, undo: do it (again), take it back.
        merge: steps in a row with the same key (a slider being dragged) become one; empty never merges.
    """

    text: str
    redo: Callable[[], None]
    undo: Callable[[], None]
    merge: str = ""


class UndoStack:
    """The steps that were done, and those that were taken back."""

    changed = Signal()
    """There is something else to undo or redo."""

    def __init__(self) -> None:
        self._done: list[Change] = []
        self._undone: list[Change] = []
        self._open = False

    def do(self, change: Change) -> None:
        """Do a step and remember it; what had been taken back is forgotten."""
        change.redo()
        last = self._done[-1] if self._done else None
        if self._open and last is not None and change.merge and change.merge == last.merge:
            self._done[-1] = Change(last.text, change.redo, last.undo, last.merge)
        else:
            self._done = [*self._done, change][-LONGEST:]
        self._open = True
        self._undone.clear()
        self.changed.emit()

    def seal(self) -> None:
        """The next step stands for itself even if it has the same key: a slider was let go."""
        self._open = False

    @property
    def undo_text(self) -> str | None:
        """What `undo` would take back, None where there is nothing."""
        return self._done[-1].text if self._done else None

    @property
    def redo_text(self) -> str | None:
        """What `redo` would do again, None where there is nothing."""
        return self._undone[-1].text if self._undone else None

    def undo(self) -> None:
        """Take the last step back; nothing happens where there is none."""
        if self._done:
            change = self._done.pop()
            self._undone.append(change)
            self._open = False
            change.undo()
            self.changed.emit()

    def redo(self) -> None:
        """Do the last step again that was taken back; nothing happens where there is none."""
        if self._undone:
            change = self._undone.pop()
            self._done.append(change)
            self._open = False
            change.redo()
            self.changed.emit()
