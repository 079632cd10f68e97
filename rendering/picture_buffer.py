"""A buffer of the card that pictures are drawn into and read from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from vispy import gloo
from vispy.gloo import gl

__all__ = ["PictureBuffer"]


class PictureBuffer:
    """Belongs to the context that is current when it is first used. Use it while holding GLOO_LOCK."""

    def __init__(self) -> None:
        self._target: gloo.FrameBuffer | None = None
        self._colour: gloo.Texture2D | None = None
        self._size = (0, 0)

    @contextmanager
    def of_size(self, width: int, height: int) -> Iterator[None]:
        """What is drawn inside the block goes into the buffer, which has so many pixels."""
        if self._target is None:
            self._colour = gloo.Texture2D((height, width, 4))
            self._target = gloo.FrameBuffer(self._colour, gloo.RenderBuffer((height, width)))
        elif self._size != (width, height):
            self._target.resize((height, width))
        self._size = (width, height)
        with self._target:
            yield

    def read(self) -> NDArray[np.uint8]:
        """(H, W, 4) uint8, top row first, a new array; inside the block, after drawing."""
        width, height = self._size
        # gloo sends what it has when something is drawn, and a picture may be nothing but cleared.
        gloo.get_current_canvas().context.flush_commands()
        gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 1)
        # Four channels, because drivers copy them as they are.
        data = gl.glReadPixels(0, 0, width, height, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE)
        return np.ascontiguousarray(np.frombuffer(data, np.uint8).reshape(height, width, 4)[::-1])

    def delete(self) -> None:
        """Free it."""
        if self._target is not None:
            self._target.delete()
        if self._colour is not None:
            self._colour.delete()
        self._target = self._colour = None
