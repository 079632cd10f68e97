"""How the networks take part in the window's tracking."""

from __future__ import annotations

from enum import Enum

from psygnal import Signal


class CoarseStage(Enum):
    """Where it stands."""

    OFF = "off"
    PREPARING = "preparing"
    """Being loaded and tested; tracking goes on as before meanwhile."""
    ON = "on"


class CoarseState:
    """What the settings show of it; `app.live.coarse` prepares it."""

    changed = Signal()

    def __init__(self) -> None:
        self.stage = CoarseStage.OFF
        self.engine = ""
        """What it runs on, with its time a picture, for people; empty unless ON."""
        self.detail_engine = ""
        """The same of the wrinkles' network; empty until a view has shown some."""

    def show(self, stage: CoarseStage, engine: str = "") -> None:
        """It stands there now."""
        if (stage, engine) != (self.stage, self.engine):
            self.stage, self.engine = stage, engine
            self.changed.emit()

    def show_detail(self, engine: str) -> None:
        """The wrinkles' network runs on this."""
        if engine != self.detail_engine:
            self.detail_engine = engine
            self.changed.emit()
