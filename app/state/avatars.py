"""Whose head is drawn, and who there is to choose from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from rendering.subject import OWN, Subject


@dataclass(frozen=True, slots=True)
class AvatarChoice:
    """One entry of the list.

    Attributes:
        name: for people.
        path: its file; None for the tracked person's own head.
        thumbnail: (H, W, 3) uint8 RGB, None for none.
        kind: `own`, `person` or `model` (a glTF or VRM file).
        problem: why it cannot be chosen, one sentence; empty where it can.
        own_file: it lies in the user's folder and may be deleted.
        adapted: it has taught the coarse network its face.
    """

    name: str
    path: Path | None
    thumbnail: NDArray[np.uint8] | None = None
    kind: str = "own"
    problem: str = ""
    own_file: bool = False
    adapted: bool = False

    @property
    def can_be_renamed(self) -> bool:
        """Whether it is one of the user's own people."""
        return self.kind == "person" and self.own_file and not self.problem

    @property
    def can_be_exported(self) -> bool:
        """Whether a copy can be written: of people, those that ship as well."""
        return self.kind == "person" and not self.problem


class AvatarsState:
    """The list, and who is drawn."""

    list_changed = Signal()
    subject_changed = Signal()
    """Another one is drawn, or is driven in another way."""

    idling_changed = Signal(bool)
    """The avatar begins or ends to idle without a source."""

    def __init__(self) -> None:
        self.idling = False
        """The avatar goes on blinking and breathing, and no source gives pictures."""
        self.choices: tuple[AvatarChoice, ...] = ()
        self.unfinished: tuple[str, ...] = ()
        """Names of guided captures that no avatar was made of yet."""
        self.subject: Subject = OWN
        self.path: Path | None = None
        """Of the one that is drawn; None for the tracked person."""
        self.loading = ""
        """Name of the one that is being loaded; empty for none."""

    def set_choices(self, choices: tuple[AvatarChoice, ...], unfinished: tuple[str, ...] = ()) -> None:
        """Who there is."""
        self.choices, self.unfinished = choices, unfinished
        self.list_changed.emit()

    def set_loading(self, name: str) -> None:
        """Somebody is being loaded."""
        self.loading = name
        self.list_changed.emit()

    def set_subject(self, subject: Subject, path: Path | None) -> None:
        """Draw this one."""
        self.subject, self.path, self.loading = subject, path, ""
        self.subject_changed.emit()
        self.list_changed.emit()

    def set_idling(self, on: bool) -> None:
        """Without a source the avatar idles, or not."""
        if on is not self.idling:
            self.idling = on
            self.idling_changed.emit(on)

    def set_shown(self, names: tuple[str, ...]) -> None:
        """Show these of the hotkeys' expressions, the newest last."""
        if names != self.subject.shown:
            self.subject = replace(self.subject, shown=names)
            self.subject_changed.emit()
