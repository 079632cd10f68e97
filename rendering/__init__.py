"""Drawing heads with OpenGL: scenes, the head's programs, the renderer for windows and the one without.

What is named here is imported when it is first used: the virtual camera's process comes by this way, too, and must not
load OpenGL.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rendering.offscreen import OffscreenRenderer, RenderingUnavailableError
    from rendering.picture_buffer import PictureBuffer
    from rendering.renderer import GLOO_LOCK, HeadRenderer, prepare_drawing, rest_face
    from rendering.scene import (
        Background,
        BackgroundPicture,
        Backing,
        CameraMode,
        Environment,
        HairStyle,
        Lamp,
        Light,
        Look,
        Overlay,
        Scene,
        View,
        Viewpoint,
    )

__all__ = [
    "GLOO_LOCK",
    "Background",
    "BackgroundPicture",
    "Backing",
    "CameraMode",
    "Environment",
    "HairStyle",
    "HeadRenderer",
    "Lamp",
    "Light",
    "Look",
    "OffscreenRenderer",
    "Overlay",
    "PictureBuffer",
    "RenderingUnavailableError",
    "Scene",
    "View",
    "Viewpoint",
    "prepare_drawing",
    "rest_face",
]

_HOMES = {
    **dict.fromkeys(("OffscreenRenderer", "RenderingUnavailableError"), "rendering.offscreen"),
    "PictureBuffer": "rendering.picture_buffer",
    **dict.fromkeys(("GLOO_LOCK", "HeadRenderer", "prepare_drawing", "rest_face"), "rendering.renderer"),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_HOMES.get(name, "rendering.scene")), name)
    globals()[name] = found
    return found
