"""The scene's part of the main window: panel and dock."""

from __future__ import annotations

from app.live.avatars import Avatars
from app.live.director import Director
from app.live.scenes import Scenes
from app.views.scene_panel import ScenePanel
from app.window.docks import DockPlace, Side
from app.window.style import Style


class StagingPart:
    """Made before the docks are; `connect` once they are there.

    Args:
        director: whose view is staged.
        avatars: whose head is drawn.
        style: sizes.
    """

    def __init__(self, director: Director, avatars: Avatars, style: Style) -> None:
        self.scenes = Scenes(director, avatars)
        director.companions.append(self.scenes)
        self.panel = ScenePanel(self.scenes.state, director.models.view, style)
        self.place = DockPlace("scene", "Scene", Side.RIGHT, self.panel, "expression")
        self._undo = director.models.preferences.undo

    def connect(self) -> None:
        """Connect the panel, and read the scene."""
        self.panel.edited.connect(self._on_edited)
        self.panel.let_go.connect(self._undo.seal)
        self.scenes.start()

    def _on_edited(self, settings: object, text: str, merge: str) -> None:
        self.scenes.edit(text, settings, merge)  # type: ignore[arg-type]
