"""How a head is shown: settings only, no drawing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.face_model.hair_grid import RELIEF_COUNT

if TYPE_CHECKING:
    from models.avatars.person_manifest import HairPart

__all__ = [
    "Background",
    "BackgroundPicture",
    "Backing",
    "CameraMode",
    "Environment",
    "HairStyle",
    "Lamp",
    "Light",
    "Look",
    "Overlay",
    "Scene",
    "View",
    "Viewpoint",
]

Colour = tuple[float, float, float]
"""sRGB, each 0..1, as in a colour picker."""
Radiance = tuple[float, float, float]
"""Linear light: red, green, blue, of any size."""


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
    STAY = "stay"
    """The camera stands still: the head moves away from the middle as the person does."""
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
        moved: metres to the right of the viewer, up, and towards the viewer that the head is away from where it rests;
            heeded with STAY. See `rendering.place`.
        rest: another number makes the place of the next face the one where it rests.
    """

    mode: CameraMode = CameraMode.FRAMED
    yaw: float = 0.0
    pitch: float = 0.0
    zoom: float = 1.0
    fov: float = 0.42
    moved: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rest: int = 0

    def __post_init__(self) -> None:
        if not 0.05 <= self.fov <= 2.5:
            raise ValueError(f"the viewer's field of view lies between 0.05 and 2.5 radians, not at {self.fov}")
        if not 0.05 <= self.zoom <= 50:
            raise ValueError(f"the zoom lies between 0.05 and 50, not at {self.zoom}")


@dataclass(frozen=True, slots=True)
class Lamp:
    """One light, fixed to the viewer.

    Attributes:
        yaw, pitch: radians of where it stands, to the picture's right and upwards; 0 is the viewer's own place.
        light: what it gives at strength 1.
        strength: 0 switches it off.
    """

    yaw: float
    pitch: float
    light: Radiance
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Environment:
    """Light from all around, as the first two bands of spherical harmonics: what a surface with the normal n in the
    view's frame gets is `even + n.x * right + n.y * up + n.z * near`.

    Attributes:
        even, right, up, near: see above; by default a sky above a ground.
        strength: 0 switches it off.
    """

    even: Radiance = (0.24, 0.2375, 0.2525)
    right: Radiance = (0.0, 0.0, 0.0)
    up: Radiance = (0.09, 0.1125, 0.1375)
    near: Radiance = (0.0, 0.0, 0.0)
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Light:
    """Portrait light, fixed to the viewer, so that the form stays readable while the head turns.

    Attributes:
        key: the main light, the one that throws highlights.
        fill: softens the key's shadows.
        rim: from behind, on both sides alike.
        environment: from all around.
    """

    key: Lamp = Lamp(-0.62, 0.62, (2.05, 1.92, 1.76))
    fill: Lamp = Lamp(0.9159, 0.1153, (0.34, 0.39, 0.47))
    rim: Lamp = Lamp(2.3155, 0.3522, (1.15, 1.20, 1.32))
    environment: Environment = Environment()

    @classmethod
    def portrait(
        cls,
        yaw: float = -0.62,
        pitch: float = 0.62,
        key: float = 1.0,
        fill: float = 1.0,
        rim: float = 1.0,
        ambient: float = 1.0,
    ) -> Light:
        """The balanced portrait with another place of the key light (radians) and other strengths."""
        usual = cls()
        return cls(
            replace(usual.key, yaw=yaw, pitch=pitch, strength=key),
            replace(usual.fill, strength=fill),
            replace(usual.rim, strength=rim),
            replace(usual.environment, strength=ambient),
        )


class Backing(Enum):
    """What kind of background."""

    STUDIO = "studio"
    """An upright gradient, a little darker at the sides."""
    COLOUR = "colour"
    """One colour, the same in every pixel."""
    PICTURE = "picture"
    """A picture that fills it."""
    CAMERA = "camera"
    """What the camera sees, blurred."""
    KEY = "key"
    """One colour that other programs take out: no pixel is a mixture of it and the head."""
    CHECKS = "checks"
    """A chequered pattern that stands for transparency where none can be shown."""


@dataclass(frozen=True, slots=True, eq=False)
class BackgroundPicture:
    """A picture for the background; equal to itself alone.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB.
    """

    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Background:
    """What is behind the head.

    Attributes:
        top, bottom: of the studio's gradient; both the same for a colour or key colour, and what stands in where a
            picture is not there.
        alpha: 0 leaves the picture transparent around the head, whatever the kind.
        kind: see Backing.
        picture: for PICTURE.
        blur: for CAMERA: standard deviation as a share of the picture's width.
    """

    top: Colour = (0.235, 0.255, 0.285)
    bottom: Colour = (0.105, 0.115, 0.130)
    alpha: float = 1.0
    kind: Backing = Backing.STUDIO
    picture: BackgroundPicture | None = None
    blur: float = 0.03

    @classmethod
    def plain(cls, colour: Colour, kind: Backing = Backing.COLOUR) -> Background:
        """One colour."""
        return cls(colour, colour, kind=kind)

    @property
    def keyed(self) -> bool:
        """Whether edges have to be hard."""
        return self.kind is Backing.KEY and self.alpha > 0


@dataclass(frozen=True, slots=True)
class HairStyle:
    """The hair cap of models with a scalp region.

    Attributes:
        visible: False shows the bare head.
        colour: of the hair; the brows and lashes follow it.
        thickness: metres that the hair stands out from the scalp.
        relief: metres by direction, which then count instead of `thickness`, see `models.face_model.hair_grid`; empty
            where it is even.
    """

    visible: bool = True
    colour: Colour = (0.235, 0.160, 0.110)
    thickness: float = 0.011
    relief: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.relief and len(self.relief) != RELIEF_COUNT:
            raise ValueError(f"a relief of hair has {RELIEF_COUNT} values, not {len(self.relief)}")

    @classmethod
    def of(cls, part: HairPart) -> HairStyle:
        """The hair of a person's avatar."""
        return cls(part.visible, part.colour, part.thickness_m, part.relief_m)


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


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody sets of a scene, and keeps; see `rendering.look`.

    Attributes:
        background, light: see Scene.
        fov: vertical field of view in radians.
        stay: the camera does not follow the head.
    """

    background: Background = field(default_factory=Background)
    light: Light = field(default_factory=Light)
    fov: float = 0.42
    stay: bool = False

    def on(self, scene: Scene) -> Scene:
        """A scene with this look. A camera that is locked to the head, or the tracked one, stays what it is."""
        point = replace(scene.viewpoint, fov=self.fov)
        if self.stay and point.mode is CameraMode.FRAMED:
            point = replace(point, mode=CameraMode.STAY)
        return replace(scene, background=self.background, light=self.light, viewpoint=point)
