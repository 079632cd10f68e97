"""How whoever is drawn is staged, as its panel shows it."""

from __future__ import annotations

from psygnal import Signal

from rendering.scene_settings import SceneSettings


class SceneState:
    """The scene of one avatar, or of the tracked person's own head."""

    changed = Signal()

    def __init__(self) -> None:
        self.settings = SceneSettings()
        self.problem = ""
        """Why the background's picture is not shown; empty where it is or none is wanted."""

    def show(self, settings: SceneSettings, problem: str) -> None:
        """The scene is this one now."""
        if (settings, problem) != (self.settings, self.problem):
            self.settings, self.problem = settings, problem
            self.changed.emit()
