"""How a head is shown: settings only, no drawing."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

__all__ = ["Background", "CameraMode", "HairStyle", "Light", "Overlay", "Scene", "View", "Viewpoint"]

Colour = tuple[float, float, float]
"""sRGB, each 0..1, as in a colour picker."""


class View(Enum):
    """What is drawn."""

    TEXTURED = "textured"
    """The head with its own colours, eyes and hair."""
    CLAY = "clay"
    """Form alone, in one grey."""
    WIREFRAME = "wireframe"
    """The mesh."""
    TENSION = "tension"
    """Skin stretched (blue) and compressed (red) by the expression."""
    OVERLAY = "overlay"
    """The face over the camera's picture, exactly where the camera sees it."""


class CameraMode(Enum):
    """Where one looks from, in every view but the overlay."""

    FRAMED = "framed"
    """The head stays in the middle and turns as the person does."""
    LOCKED = "locked"
    """The camera turns with the head: the face always looks straight out."""
    CAMERA = "camera"
    """As the tracked camera sees the head, without its picture."""


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """The viewer's place.

    Attributes:
        mode: what the camera follows.
        yaw, pitch: radians that the viewer has walked around the head: to the subject's left, and upwards.
        zoom: 1 shows the whole head with some air; larger comes nearer.
        fov: vertical field of view in radians; a narrow one draws faces as portraits do.
    """

    mode: CameraMode = CameraMode.FRAMED
    yaw: float = 0.0
    pitch: float = 0.0
    zoom: float = 1.0
    fov: float = 0.42

    def __post_init__(self) -> None:
        if not 0.05 <= self.fov <= 2.5:
            raise ValueError(f"the viewer's field of view lies between 0.05 and 2.5 radians, not at {self.fov}")
        if not 0.05 <= self.zoom <= 50:
            raise ValueError(f"the zoom lies between 0.05 and 50, not at {self.zoom}")


@dataclass(frozen=True, slots=True)
class Light:
    """Portrait light, fixed to the viewer, so that the form stays readable while the head turns.

    Attributes:
        yaw, pitch: radians of the key light, to the picture's right and upwards.
        key, fill, rim, ambient: strengths; 1 is the balanced portrait.
    """

    yaw: float = -0.62
    pitch: float = 0.62
    key: float = 1.0
    fill: float = 1.0
    rim: float = 1.0
    ambient: float = 1.0


@dataclass(frozen=True, slots=True)
class Background:
    """An upright gradient. `alpha` 0 leaves the picture transparent around the head."""

    top: Colour = (0.235, 0.255, 0.285)
    bottom: Colour = (0.105, 0.115, 0.130)
    alpha: float = 1.0


@dataclass(frozen=True, slots=True)
class HairStyle:
    """The hair cap of models with a scalp region.

    Attributes:
        visible: False shows the bare head.
        colour: of the hair; the brows and lashes follow it.
        thickness: metres that the hair stands out from the scalp.
    """

    visible: bool = True
    colour: Colour = (0.235, 0.160, 0.110)
    thickness: float = 0.011


@dataclass(frozen=True, slots=True)
class Overlay:
    """The overlay view.

    Attributes:
        style: how the face is drawn over the picture; every view but OVERLAY itself.
        opacity: 0 shows the picture alone, 1 hides it behind the face.
        face_only: leave out hair, ears, neck and back of the head, with a soft edge.
    """

    style: View = View.WIREFRAME
    opacity: float = 0.75
    face_only: bool = True

    def __post_init__(self) -> None:
        if self.style is View.OVERLAY:
            raise ValueError("an overlay cannot be drawn in the style of an overlay")


@dataclass(frozen=True, slots=True)
class Scene:
    """All of it.

    Attributes:
        view: what is drawn.
        mirror: flip the whole picture left to right, as a looking glass does.
        bump: strength of the displacement's shading; 0 switches it off, 1 is true to the millimetre.
        skin, iris: colours of a head without a texture of its own.
    """

    view: View = View.TEXTURED
    viewpoint: Viewpoint = field(default_factory=Viewpoint)
    light: Light = field(default_factory=Light)
    background: Background = field(default_factory=Background)
    hair: HairStyle = field(default_factory=HairStyle)
    overlay: Overlay = field(default_factory=Overlay)
    mirror: bool = False
    bump: float = 1.0
    skin: Colour = (0.800, 0.610, 0.520)
    iris: Colour = (0.360, 0.430, 0.400)
