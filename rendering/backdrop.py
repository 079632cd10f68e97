"""The background of a picture: painted once for each size, one colour, or what the camera sees, blurred."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from vispy import gloo

from rendering.paint import backdrop_texture
from rendering.program import Program
from rendering.scene import Background, Backing
from rendering.shaders import shader

__all__ = ["Backdrop", "blurred"]

Pixels = NDArray[np.uint8]

PAINTED = (Backing.STUDIO, Backing.PICTURE, Backing.CHECKS)
BLUR_PIXELS = 2.5
"""Standard deviation in the small copy in which a camera's picture is blurred: its pixels cannot be told apart then."""


class Backdrop:
    """Draws backgrounds. Needs a current GL context, the same one in every call.

    For each picture: `clear`, then what is solid, then `draw`, then what lets the background through, then `finish`.
    """

    def __init__(self) -> None:
        self._corners = gloo.VertexBuffer(np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32))
        self._programs: dict[str, Program] = {}
        self._texture: gloo.Texture2D | None = None
        self._painted: tuple[Background, int, int] | None = None
        self._camera: gloo.Texture2D | None = None
        self._seen: tuple[Pixels, float] | None = None

    def clear(self, background: Background) -> None:
        """Clears colour and depth; a background of one colour is there then."""
        if background.alpha > 0 and background.kind in (Backing.COLOUR, Backing.CAMERA, Backing.PICTURE):
            gloo.set_clear_color((*background.bottom, background.alpha))
        else:
            # Over a key colour, alpha says what is solid.
            gloo.set_clear_color((0.0, 0.0, 0.0, 0.0))
        gloo.clear(color=True, depth=True)

    def draw(
        self, background: Background, width: int, height: int, picture: Pixels | None = None, *, mirror: bool = False
    ) -> None:
        """At the far plane, where nothing nearer has been drawn yet; the viewport is the caller's.

        Args:
            background: what.
            width, height: of the framebuffer in pixels.
            picture: (H, W, 3) what the camera sees; without it a background of it is one colour.
            mirror: the camera's picture is shown as in a looking glass.
        """
        if background.alpha <= 0:
            return
        if background.kind is Backing.CAMERA and picture is not None and min(picture.shape[:2]) > 1:
            self._draw_camera(background, width / height, picture, mirror)
        elif background.kind is Backing.PICTURE and background.picture is None:
            return
        elif background.kind in PAINTED:
            self._draw_painted(background, width, height)

    def finish(self, background: Background) -> None:
        """Fills what nothing solid covers with a key colour; nothing for other backgrounds."""
        if not background.keyed:
            return
        gloo.set_state(
            depth_test=False,
            cull_face=False,
            blend=True,
            blend_func=("one_minus_dst_alpha", "dst_alpha", "one", "one"),
        )
        program = self._program("KEY")
        program.set(u_colour=background.bottom)
        program.draw("triangle_strip")

    def delete(self) -> None:
        """Frees everything on the card."""
        for item in (*self._programs.values(), self._corners, self._texture, self._camera):
            if item is not None:
                item.delete()

    def _draw_painted(self, background: Background, width: int, height: int) -> None:
        # Painted once per size: a gradient with grain costs more in a shader than the head's eyes.
        wanted = (background, width, height)
        if self._painted != wanted:
            self._painted = wanted
            painted = backdrop_texture(background, width, height)
            if self._texture is None:
                self._texture = gloo.Texture2D(painted, interpolation="nearest", wrapping="clamp_to_edge")
            else:
                self._texture.resize(painted.shape)
                self._texture.set_data(painted)
        _behind()
        program = self._program("")
        program.set(u_picture=self._texture)
        program.draw("triangle_strip")

    def _draw_camera(self, background: Background, aspect: float, picture: Pixels, mirror: bool) -> None:
        if self._seen is None or self._seen[0] is not picture or self._seen[1] != background.blur:
            self._seen = picture, background.blur
            small = blurred(picture, background.blur)
            if self._camera is None:
                self._camera = gloo.Texture2D(small, interpolation="linear", wrapping="clamp_to_edge")
            else:
                if self._camera.shape != small.shape:
                    self._camera.resize(small.shape)
                self._camera.set_data(small)
        # All of the window is filled; what sticks out of it is cut off.
        own = picture.shape[1] / picture.shape[0]
        across, down = min(aspect / own, 1.0), min(own / aspect, 1.0)
        _behind()
        program = self._program("PICTURE")
        program.set(u_picture=self._camera, u_part=(-across if mirror else across, down))
        program.draw("triangle_strip")

    def _program(self, define: str) -> Program:
        if define not in self._programs:
            defines = (define,) if define else ()
            self._programs[define] = Program(shader("backdrop.vert", *defines), shader("backdrop.frag", *defines))
            self._programs[define].set(a_corner=self._corners)
        return self._programs[define]


def blurred(picture: Pixels, blur: float) -> Pixels:
    """A small copy of a picture, blurred: a fraction of a millisecond.

    Args:
        picture: (H, W, 3).
        blur: standard deviation as a share of the width.
    """
    height, width = picture.shape[:2]
    columns = int(np.clip(BLUR_PIXELS / max(blur, 1e-3), 32, min(320, width)))
    rows = max(2, round(columns * height / width))
    # Every so many pixels are enough of a large picture: what is left out is blurred away.
    step = max(1, width // (3 * columns))
    small = cv2.resize(np.ascontiguousarray(picture[::step, ::step]), (columns, rows), interpolation=cv2.INTER_AREA)
    deviation = max(blur * columns, 0.3)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE), np.uint8)


def _behind() -> None:
    gloo.set_state(depth_test=True, depth_func="lequal", blend=False, cull_face=False)
