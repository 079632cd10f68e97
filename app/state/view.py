"""How the head and the picture are shown at the moment."""

from __future__ import annotations

from math import pi

from psygnal import EventedModel
from pydantic import Field, InstanceOf

from app.window_settings import PictureOverlay, ViewName, WindowSettings
from rendering import CameraMode, Look, Overlay, Scene, View, Viewpoint

STEEPEST = pi * 0.45
NEAREST, FARTHEST = 4.0, 0.5
HOME_ZOOM = 0.95


class ViewState(EventedModel):
    """The view of the head; each field has an event of its name.

    Angles are radians, as in `rendering.Viewpoint`.
    """

    view: ViewName = "textured"
    mirror: bool = True
    detail: float = Field(default=1.0, ge=0.0, le=2.0)
    overlay: PictureOverlay = "outline"
    box: bool = False
    yaw: float = 0.0
    pitch: float = 0.0
    zoom: float = Field(default=HOME_ZOOM, ge=FARTHEST, le=NEAREST)
    locked: bool = False
    """The head does not turn in the view."""
    frozen: bool = False
    """The last result stays."""
    hidden: bool = False
    """No picture and no face is shown, and the source is closed."""
    look: InstanceOf[Look] = Field(default_factory=Look)
    """Background, light and camera of whoever is drawn."""
    rest: int = 0
    """Grows whenever the head's present place becomes the one where it rests."""

    def turn(self, yaw: float, pitch: float) -> None:
        """Walk around the head by so many radians."""
        self.yaw = (self.yaw + yaw + pi) % (2 * pi) - pi
        self.pitch = min(max(self.pitch + pitch, -STEEPEST), STEEPEST)

    def approach(self, factor: float) -> None:
        """Come nearer by a factor; below 1 goes away."""
        self.zoom = min(max(self.zoom * factor, FARTHEST), NEAREST)

    def recentre(self) -> None:
        """Look at the head from the front again; where it is now is the middle."""
        self.yaw, self.pitch, self.zoom = 0.0, 0.0, HOME_ZOOM
        self.rest += 1

    def scene(self) -> Scene:
        """What the renderer draws."""
        scene = Scene(
            view=View(self.view),
            viewpoint=Viewpoint(
                mode=CameraMode.LOCKED if self.locked else CameraMode.FRAMED,
                yaw=self.yaw,
                pitch=self.pitch,
                zoom=self.zoom,
                rest=self.rest,
            ),
            overlay=Overlay(style=View.WIREFRAME, opacity=0.75),
            mirror=self.mirror,
            bump=self.detail,
        )
        return self.look.on(scene)

    def take(self, settings: WindowSettings) -> None:
        """Show what the settings say."""
        for name in PERSISTENT:
            setattr(self, name, getattr(settings, name))

    def persistent(self) -> dict[str, object]:
        """The fields that the settings keep."""
        return {name: getattr(self, name) for name in PERSISTENT}


PERSISTENT = ("view", "mirror", "detail", "overlay", "box")
