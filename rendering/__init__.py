"""Drawing heads with OpenGL: scenes, the head's programs, the renderer for windows and the one without."""

from rendering.offscreen import OffscreenRenderer, RenderingUnavailableError
from rendering.renderer import GLOO_LOCK, HeadRenderer, prepare_drawing, rest_face
from rendering.scene import Background, CameraMode, HairStyle, Light, Overlay, Scene, View, Viewpoint

__all__ = [
    "GLOO_LOCK",
    "Background",
    "CameraMode",
    "HairStyle",
    "HeadRenderer",
    "Light",
    "OffscreenRenderer",
    "Overlay",
    "RenderingUnavailableError",
    "Scene",
    "View",
    "Viewpoint",
    "prepare_drawing",
    "rest_face",
]
