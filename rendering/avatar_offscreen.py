"""Pictures of a third-party avatar without a window or a display."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.avatars import Avatar
from rendering.avatar import AvatarRenderer
from rendering.offscreen import HiddenDrawing
from rendering.scene import Scene
from tracking.retarget import Driven, RetargetSettings

__all__ = ["AvatarPictures"]


class AvatarPictures(HiddenDrawing):
    """Draws an avatar into arrays; see HiddenDrawing for threads. Do not call it while holding GLOO_LOCK.

    Args:
        avatar: from `load_avatar`.
        scene: see AvatarRenderer.
        settings: see AvatarRenderer.
        supersample, own_thread: see HiddenDrawing.

    Attributes:
        renderer: the renderer behind it.
        device: name of the OpenGL device.

    Raises:
        RenderingUnavailableError: there is no usable OpenGL.
        ValueError: another `supersample`.
    """

    def __init__(
        self,
        avatar: Avatar,
        scene: Scene | None = None,
        settings: RetargetSettings | None = None,
        *,
        supersample: int = 1,
        own_thread: bool = True,
    ) -> None:

        def start() -> None:
            self.renderer = AvatarRenderer(avatar, scene, settings)

        super().__init__(start, supersample=supersample, own_thread=own_thread)

    @property
    def scene(self) -> Scene:
        """What is shown."""
        return self.renderer.scene

    @scene.setter
    def scene(self, scene: Scene) -> None:
        self.renderer.scene = scene

    def render(
        self,
        driven: Driven,
        size: tuple[int, int] = (640, 480),
        *,
        alpha: bool = False,
        picture: NDArray[np.uint8] | None = None,
    ) -> NDArray[np.uint8]:
        """One picture.

        Args:
            driven: from `Retargeter.apply`.
            size: width and height in pixels.
            alpha: also return the fourth channel, for backgrounds with alpha 0.
            picture: (H, W, 3) what the camera sees, for a background of it.

        Returns:
            (H, W, 3) uint8 sRGB, or (H, W, 4); a new array each time.

        Raises:
            ValueError: an impossible size.
            RuntimeError: it is closed.
        """
        return self.picture(
            lambda large: self.renderer.draw(driven, large, picture),
            size,
            alpha=alpha,
            hard=self.scene.background.keyed,
        )

    def _delete(self) -> None:
        self.renderer.delete()
