"""What is drawn for the virtual camera: sizes and scenes. No OpenGL of its own."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

from rendering.scene import Background, Backing, CameraMode, Scene, View
from rendering.virtual_camera.settings import VirtualCameraSettings

__all__ = ["feed_scene", "feed_settings", "feed_size"]


def feed_size(settings: VirtualCameraSettings, picture: tuple[int, int], most: int | None = None) -> tuple[int, int]:
    """Width and height at which to draw.

    Args:
        settings: of the camera.
        picture: width and height of the source's picture, which the overlay lies on.
        most: pixels at most, for machines that draw slowly; `compose` scales up.
    """
    width, height = settings.width, settings.height
    if settings.layout == "split":
        width = width // 2 if settings.avatar_side == "left" else width - width // 2
    elif settings.layout == "overlay":
        ratios = width / picture[0], height / picture[1]
        scale = max(ratios) if settings.fit == "crop" else min(ratios)
        width, height = round(picture[0] * scale), round(picture[1] * scale)
    shrink = 1.0 if most is None else min(1.0, sqrt(most / max(width * height, 1)))
    return max(2, round(width * shrink)), max(2, round(height * shrink))


def feed_settings(settings: VirtualCameraSettings, scene: Scene) -> VirtualCameraSettings:
    """The settings for `compose`: where they leave the background to a scene that has a key colour, that colour."""
    if settings.background != "scene" or not scene.background.keyed:
        return settings
    key = tuple(round(255 * part) for part in scene.background.bottom)
    return settings.model_copy(update={"background": "key", "key": key})


def feed_scene(settings: VirtualCameraSettings, scene: Scene) -> Scene:
    """The window's scene as it goes out: in the camera's layout, never mirrored (`compose` does that), and with its
    background taken away where another one is wanted."""
    view = scene.view
    if settings.layout == "overlay":
        view = View.OVERLAY
    elif view is View.OVERLAY:
        view = View.TEXTURED
    over_picture = view is View.OVERLAY
    clear = settings.background != "scene" and not over_picture
    background = scene.background
    if background.kind is Backing.CHECKS or background.alpha < 1.0:
        # What goes out cannot be transparent.
        background = Background()
    if clear or (background.keyed and not over_picture):
        background = replace(background, alpha=0.0)
    viewpoint = scene.viewpoint
    if viewpoint.mode is CameraMode.CAMERA:
        viewpoint = replace(viewpoint, mode=CameraMode.FRAMED)
    return replace(scene, view=view, mirror=False, background=background, viewpoint=viewpoint)
