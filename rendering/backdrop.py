"""The background of a picture, painted once for each size."""

from __future__ import annotations

import numpy as np
from vispy import gloo

from rendering.head import Program
from rendering.paint import backdrop_texture
from rendering.scene import Background
from rendering.shaders import shader

__all__ = ["Backdrop"]


class Backdrop:
    """Draws a background at the far plane. Needs a current GL context, the same one in every call."""

    def __init__(self) -> None:
        self._corners = gloo.VertexBuffer(np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32))
        self._program = Program(shader("backdrop.vert"), shader("backdrop.frag"))
        self._program.set(a_corner=self._corners)
        self._texture: gloo.Texture2D | None = None
        self._painted: tuple[Background, int, int] | None = None

    def draw(self, background: Background, width: int, height: int) -> None:
        """Where nothing nearer has been drawn yet; the viewport is the caller's."""
        wanted = (background, width, height)
        if self._painted != wanted:
            self._painted = wanted
            painted = backdrop_texture(background, width, height)
            if self._texture is None:
                self._texture = gloo.Texture2D(painted, interpolation="nearest", wrapping="clamp_to_edge")
            else:
                self._texture.resize(painted.shape)
                self._texture.set_data(painted)
        gloo.set_state(depth_test=True, depth_func="lequal", blend=False, cull_face=False)
        self._program.set(u_picture=self._texture)
        self._program.draw("triangle_strip")

    def delete(self) -> None:
        """Frees everything on the card."""
        for item in (self._program, self._corners, self._texture):
            if item is not None:
                item.delete()
