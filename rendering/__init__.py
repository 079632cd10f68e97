"""Drawing heads with OpenGL: scenes, the head's programs, the renderer for windows and the one without.

What is named here is imported when it is first used: the virtual camera's process comes by this way, too, and must not
load OpenGL.
"""

from typing import TYPE_CHECKING

from models.late_names import late_names

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

__getattr__ = late_names(
    __name__,
    {
        **dict.fromkeys(__all__, "scene"),
        **dict.fromkeys(("OffscreenRenderer", "RenderingUnavailableError"), "offscreen"),
        "PictureBuffer": "picture_buffer",
        **dict.fromkeys(("GLOO_LOCK", "HeadRenderer", "prepare_drawing", "rest_face"), "renderer"),
    },
)
