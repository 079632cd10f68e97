"""What is being recorded, for those who show it."""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal

from recordings.recorder_types import RecorderStatus, RecordingOutcome


class RecordingState:
    """Whether something is recorded, how it goes, and what came of the last one."""

    changed = Signal()
    """Begun, ended, or another figure."""
    devices_changed = Signal()
    """Other microphones."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        """Of the session that is being recorded; None where none is."""
        self.starting = False
        self.stopping = False
        self.status: RecorderStatus | None = None
        self.outcome: RecordingOutcome | None = None
        """Of the last one."""
        self.microphones: tuple[str, ...] = ()

    @property
    def busy(self) -> bool:
        """Recording, or about to."""
        return self.folder is not None or self.starting

    def show(self, status: RecorderStatus | None) -> None:
        """Another snapshot."""
        if status != self.status:
            self.status = status
            self.changed.emit()

    def begin(self) -> None:
        """It is being prepared."""
        self.starting, self.outcome = True, None
        self.changed.emit()

    def run(self, folder: Path) -> None:
        """It has begun."""
        self.starting, self.folder = False, folder
        self.changed.emit()

    def end(self, outcome: RecordingOutcome | None = None) -> None:
        """It is over, or never began."""
        self.starting = self.stopping = False
        self.folder, self.status, self.outcome = None, None, outcome
        self.changed.emit()

    def set_microphones(self, names: tuple[str, ...]) -> None:
        """Microphones that are connected now."""
        if names != self.microphones:
            self.microphones = names
            self.devices_changed.emit()
