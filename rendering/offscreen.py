"""Pictures of a tracked face without a window or a display: for files, streams, tests and `--render`."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from vispy import app, gloo
from vispy.gloo import gl

from models.face_model import FaceModel
from rendering.renderer import GLOO_LOCK, HeadRenderer
from rendering.scene import Scene, View
from tracking.types import TrackedFace

__all__ = ["OffscreenRenderer", "RenderingUnavailableError"]

LARGEST_SIDE = 8192


class RenderingUnavailableError(Exception):
    """No OpenGL to draw with; the message is one sentence for the user."""


class OffscreenRenderer:
    """Draws heads into arrays.

    Owns a GL context: create, use and close it in one thread. May live beside a Qt application.

    Args:
        model: face model to draw.
        scene: background, light, hair and the rest; its view is what `render` draws unless told otherwise.
        refine: subdivide the skin once (twice the time on software GL).
        supersample: draw this many times larger and average, for smooth edges; 1 or 2. 2 costs about three times the
            time on software GL.

    Raises:
        RenderingUnavailableError: there is no usable OpenGL.
        ValueError: another `supersample`.
    """

    def __init__(
        self, model: FaceModel, scene: Scene | None = None, *, refine: bool = False, supersample: int = 1
    ) -> None:
        if supersample not in (1, 2):
            raise ValueError(f"supersample is 1 or 2, not {supersample}")
        self._supersample = supersample
        with GLOO_LOCK:
            self._canvas = _hidden_canvas()
            self._target: gloo.FrameBuffer | None = None
            self._colour: gloo.Texture2D | None = None
            try:
                with _current(self._canvas):
                    self.head = HeadRenderer(model, scene, refine=refine)
                    self._largest = int(gl.glGetParameter(gl.GL_MAX_TEXTURE_SIZE))
            except Exception as error:
                _destroy(self._canvas)
                raise RenderingUnavailableError(
                    f"OpenGL is there but cannot draw ({_first_line(error)}); update the graphics driver."
                ) from error
        self._open = True

    @property
    def scene(self) -> Scene:
        """What is shown."""
        return self.head.scene

    @scene.setter
    def scene(self, scene: Scene) -> None:
        self.head.scene = scene

    @property
    def device(self) -> str:
        """Name of the OpenGL device."""
        with GLOO_LOCK, _current(self._canvas):
            return str(gl.glGetParameter(gl.GL_RENDERER))

    def set_texture(self, texture: NDArray[np.uint8] | None, **options: float) -> None:
        """See `HeadRenderer.set_texture`."""
        with GLOO_LOCK, _current(self._canvas):
            self.head.set_texture(texture, **options)

    def set_albedo(self, coefficients: NDArray[np.floating] | None) -> None:
        """See `HeadRenderer.set_albedo`."""
        with GLOO_LOCK, _current(self._canvas):
            self.head.set_albedo(coefficients)

    def render(
        self,
        tracked: TrackedFace,
        view: View | None = None,
        size: tuple[int, int] = (640, 480),
        *,
        alpha: bool = False,
    ) -> NDArray[np.uint8]:
        """One picture.

        Args:
            tracked: the face; without vertices the background (or the frame's picture) alone is drawn.
            view: overrides the scene's view.
            size: width and height in pixels.
            alpha: also return the fourth channel, for backgrounds with alpha 0.

        Returns:
            (H, W, 3) uint8 sRGB, or (H, W, 4); a new array each time.

        Raises:
            ValueError: an impossible size, or a face of another model.
            RuntimeError: the renderer is closed.
        """
        if not self._open:
            raise RuntimeError("this renderer is closed")
        width, height = int(size[0]), int(size[1])
        times = self._supersample
        limit = min(self._largest, LARGEST_SIDE)
        if width < 1 or height < 1 or max(width, height) * times > limit:
            raise ValueError(f"a picture has 1 to {limit // times} pixels a side, not {width} x {height}")
        with GLOO_LOCK, _current(self._canvas):
            target = self._framebuffer(width * times, height * times)
            scene = self.head.scene
            try:
                if view is not None:
                    self.head.scene = _with_view(scene, view)
                with target:
                    self.head.draw(tracked, (width * times, height * times))
                    pixels = _read(width * times, height * times)
            finally:
                self.head.scene = scene
        if times > 1:
            pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        if not alpha:
            pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB), np.uint8)
        return np.ascontiguousarray(pixels[::-1])

    def close(self) -> None:
        """Frees the context and all that is on the card; may be called twice."""
        if not self._open:
            return
        self._open = False
        with GLOO_LOCK:
            with _current(self._canvas):
                self.head.delete()
                if self._target is not None and self._colour is not None:
                    self._target.delete()
                    self._colour.delete()
                self._canvas.context.flush_commands()
            _destroy(self._canvas)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _framebuffer(self, width: int, height: int) -> gloo.FrameBuffer:
        if self._target is None:
            self._colour = gloo.Texture2D((height, width, 4))
            self._target = gloo.FrameBuffer(self._colour, gloo.RenderBuffer((height, width)))
        elif self._target.shape[:2] != (height, width):
            self._target.resize((height, width))
        return self._target


def _with_view(scene: Scene, view: View) -> Scene:
    return scene if scene.view is view else replace(scene, view=view)


def _read(width: int, height: int) -> NDArray[np.uint8]:
    """(H, W, 4), bottom row first. Four channels, because drivers copy them as they are."""
    gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 1)
    data = gl.glReadPixels(0, 0, width, height, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE)
    return np.frombuffer(data, np.uint8).reshape(height, width, 4)


def _hidden_canvas() -> Any:
    """A canvas nobody sees, with a context of its own.

    Raises:
        RenderingUnavailableError
    """
    backends = ("egl",) if sys.platform.startswith("linux") else ("pyside6", "glfw")
    problems = []
    for backend in backends:
        try:
            with _surfaceless(backend):
                return app.Canvas(
                    size=(16, 16), show=False, app=app.Application(backend), autoswap=False, create_native=True
                )
        except Exception as error:
            problems.append(_first_line(error))
    hint = "install libegl1 and libgl1" if sys.platform.startswith("linux") else "install a graphics driver"
    raise RenderingUnavailableError(f"There is no OpenGL to draw with ({'; '.join(problems)}); {hint}.")


@contextmanager
def _surfaceless(backend: str) -> Iterator[None]:
    """Mesa is asked for a display without a screen; a Qt application started later must not be."""
    before = os.environ.get("EGL_PLATFORM")
    if backend == "egl" and before is None:
        os.environ["EGL_PLATFORM"] = "surfaceless"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("EGL_PLATFORM", None)


@contextmanager
def _current(canvas: Any) -> Iterator[None]:
    """Makes a canvas current, and afterwards the one that was."""
    before = gloo.get_current_canvas()
    canvas.set_current()
    try:
        yield
    finally:
        if before is not None and before is not canvas and before.native is not None:
            before.set_current()


def _destroy(canvas: Any) -> None:
    """Closes a canvas; vispy's EGL back end leaves the context behind, so it is destroyed here."""
    native = canvas.native
    canvas.close()
    context = getattr(native, "_native_context", None)
    if context is None:
        return
    from vispy.app.backends import _egl
    from vispy.ext import egl

    egl.eglMakeCurrent(_egl._EGL_DISPLAY, egl.EGL_NO_SURFACE, egl.EGL_NO_SURFACE, egl.EGL_NO_CONTEXT)
    destroy = egl._lib.eglDestroyContext  # vispy's thin wrapper does not name it
    destroy.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    destroy(_egl._EGL_DISPLAY, context)
    native._native_context = None


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
