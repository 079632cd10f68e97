"""Pictures of a third-party avatar without a window or a display."""

from __future__ import annotations

from types import TracebackType
from typing import Self

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
        supersample: draw this many times larger and average; 1 or 2.
        own_thread: False draws on the thread that makes it, which then has to make every call.

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
        if supersample not in (1, 2):
            raise ValueError(f"supersample is 1 or 2, not {supersample}")
        self._supersample = supersample

        def start() -> None:
            self.renderer = AvatarRenderer(avatar, scene, settings)

        super().__init__(start, own_thread=own_thread)

    @property
    def scene(self) -> Scene:
        """What is shown."""
        return self.renderer.scene

    @scene.setter
    def scene(self, scene: Scene) -> None:
        self.renderer.scene = scene

    def render(self, driven: Driven, size: tuple[int, int] = (640, 480), *, alpha: bool = False) -> NDArray[np.uint8]:
        """One picture.

        Args:
            driven: from `Retargeter.apply`.
            size: width and height in pixels.
            alpha: also return the fourth channel, for backgrounds with alpha 0.

        Returns:
            (H, W, 3) uint8 sRGB, or (H, W, 4); a new array each time.

        Raises:
            ValueError: an impossible size.
            RuntimeError: it is closed.
        """
        return self.picture(
            lambda large: self.renderer.draw(driven, large), size, supersample=self._supersample, alpha=alpha
        )

    def close(self) -> None:
        """Frees the context and all that is on the card; may be called twice."""
        self._close(lambda: self.renderer.delete())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
