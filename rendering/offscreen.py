"""Pictures of a tracked face without a window or a display: for files, streams, tests and `--render`."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from vispy import app, gloo
from vispy.gloo import gl
from vispy.gloo.context import set_current_canvas

from models.face_model import FaceModel
from rendering.renderer import GLOO_LOCK, PHOTOGRAPH_LIGHT, HeadRenderer
from rendering.scene import Scene, View
from rendering.short_calls import keep_lock_in_short_calls
from tracking.types import TrackedFace

__all__ = ["HiddenDrawing", "OffscreenRenderer", "RenderingUnavailableError", "open_driver"]

T = TypeVar("T")
LARGEST_SIDE = 8192
LONGEST_WAIT = 30.0
"""Seconds that drawing waits for another thread's drawing: longer means a deadlock."""
BACKENDS = ("egl",) if sys.platform.startswith("linux") else ("pyside6", "glfw")
"""vispy's back ends that can draw unseen. The last two need the main thread and a session with a screen."""


class RenderingUnavailableError(Exception):
    """No OpenGL to draw with; the message is one sentence for the user."""


class HiddenDrawing:
    """What off-screen drawing needs, whatever is drawn: a context nobody sees, a thread of its own, a framebuffer.

    May be used from any thread, and live beside a Qt application: with EGL it draws in a thread of its own, because a
    thread that holds one of Qt's contexts cannot hold an EGL context as well. Pictures are drawn one at a time in a
    process (GLOO_LOCK).

    Args:
        start: makes what is to be drawn, with the context current; called once.
        supersample: draw so many times larger and average; 1 or 2. 2 costs two to three times the time on software GL.
        own_thread: False draws on the thread that makes this, which then has to make every call and may hold no other
            OpenGL context.

    Attributes:
        device: name of the OpenGL device.

    Raises:
        RenderingUnavailableError: there is no usable OpenGL.
        ValueError: another `supersample`.
    """

    device: str

    def __init__(self, start: Callable[[], None], *, supersample: int = 1, own_thread: bool = True) -> None:
        if supersample not in (1, 2):
            raise ValueError(f"supersample is 1 or 2, not {supersample}")
        self._supersample = supersample
        self._canvas: Any = None
        self._target: gloo.FrameBuffer | None = None
        self._colour: gloo.Texture2D | None = None
        self._open = True
        egl = BACKENDS == ("egl",)
        self._worker = ThreadPoolExecutor(1, "offscreen-gl") if egl and own_thread else None
        self._in_qt_thread = not egl
        keep_lock_in_short_calls()

        def begin() -> None:
            start()
            self._largest = int(gl.glGetParameter(gl.GL_MAX_TEXTURE_SIZE))
            self.device = str(gl.glGetParameter(gl.GL_RENDERER))

        try:
            self._run(self._create)
            self._run(lambda: self._drawing(begin))
        except RenderingUnavailableError:
            self._abandon()
            raise
        except Exception as error:
            self._abandon()
            raise RenderingUnavailableError(
                f"OpenGL is there but cannot draw ({_in_one_line(error)}); update the graphics driver."
            ) from error

    def picture(
        self,
        draw: Callable[[tuple[int, int]], None],
        size: tuple[int, int],
        *,
        alpha: bool = False,
        hard: bool = False,
    ) -> NDArray[np.uint8]:
        """One picture.

        Args:
            draw: draws into the current framebuffer, whose width and height in pixels it is told.
            size: width and height of the picture.
            alpha: also return the fourth channel.
            hard: do not average neighbours, whatever was drawn larger: for key colours.

        Returns:
            (H, W, 3) uint8 sRGB, or (H, W, 4); a new array each time.

        Raises:
            ValueError: an impossible size.
            RuntimeError: this is closed.
        """
        if not self._open:
            raise RuntimeError("this renderer is closed")
        width, height = int(size[0]), int(size[1])
        limit = min(self._largest, LARGEST_SIDE) // self._supersample
        if width < 1 or height < 1 or max(width, height) > limit:
            raise ValueError(f"a picture has 1 to {limit} pixels a side, not {width} x {height}")
        large = (width * self._supersample, height * self._supersample)

        def work() -> NDArray[np.uint8]:
            with self._framebuffer(*large):
                draw(large)
                # gloo sends what it has when something is drawn, and a picture may be nothing but cleared.
                self._canvas.context.flush_commands()
                return _read(*large)

        pixels = self._run(lambda: self._drawing(work))
        if self._supersample > 1:
            how = cv2.INTER_NEAREST if hard else cv2.INTER_AREA
            pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=how), np.uint8)
        if not alpha:
            pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB), np.uint8)
        return np.ascontiguousarray(pixels[::-1])

    def close(self) -> None:
        """Frees the context and all that is on the card; may be called twice."""
        if not self._open:
            return

        def free() -> None:
            self._delete()
            if self._target is not None and self._colour is not None:
                self._target.delete()
                self._colour.delete()
            self._canvas.context.flush_commands()

        self._run(lambda: self._drawing(free))
        self._abandon()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _delete(self) -> None:
        """Frees what `start` made; the context is current."""
        raise NotImplementedError

    def _run(self, work: Callable[[], T]) -> T:
        return work() if self._worker is None else self._worker.submit(work).result()

    def _create(self) -> None:
        with _exclusive():
            before = gloo.get_current_canvas()
            self._canvas = _hidden_canvas()
            _restore(before, self._in_qt_thread)

    def _drawing(self, work: Callable[[], T]) -> T:
        """Does something with our context current, and afterwards hands gloo back to whoever had it."""
        with _exclusive():
            before = gloo.get_current_canvas()
            self._canvas.set_current()
            try:
                return work()
            finally:
                if before is not self._canvas:
                    _restore(before, self._in_qt_thread)

    def _abandon(self) -> None:
        self._open = False
        if self._canvas is not None:
            self._run(lambda: _destroy(self._canvas))
        if self._worker is not None:
            self._worker.shutdown()

    def _framebuffer(self, width: int, height: int) -> gloo.FrameBuffer:
        if self._target is None:
            self._colour = gloo.Texture2D((height, width, 4))
            self._target = gloo.FrameBuffer(self._colour, gloo.RenderBuffer((height, width)))
        elif self._target.shape[:2] != (height, width):
            self._target.resize((height, width))
        return self._target


class OffscreenRenderer(HiddenDrawing):
    """Draws heads into arrays; see HiddenDrawing for threads.

    A thread that does nothing else saves the way there and back with `own_thread=False`. Do not call it while holding
    GLOO_LOCK.

    Args:
        model: face model to draw.
        scene: background, light, hair and the rest; its view is what `render` draws unless told otherwise.
        refine: subdivide the skin once (up to twice the time on software GL).
        supersample, own_thread: see HiddenDrawing.

    Attributes:
        head: the renderer behind it.
        device: name of the OpenGL device.

    Raises:
        RenderingUnavailableError: there is no usable OpenGL.
        ValueError: another `supersample`.
    """

    def __init__(
        self,
        model: FaceModel,
        scene: Scene | None = None,
        *,
        refine: bool = False,
        supersample: int = 1,
        own_thread: bool = True,
    ) -> None:

        def start() -> None:
            self.head = HeadRenderer(model, scene, refine=refine)

        super().__init__(start, supersample=supersample, own_thread=own_thread)

    @property
    def scene(self) -> Scene:
        """What is shown."""
        return self.head.scene

    @scene.setter
    def scene(self, scene: Scene) -> None:
        self.head.scene = scene

    def set_texture(self, texture: NDArray[np.uint8] | None, *, lit: float = PHOTOGRAPH_LIGHT) -> None:
        """See `HeadRenderer.set_texture`."""
        self._run(lambda: self._drawing(lambda: self.head.set_texture(texture, lit=lit)))

    def set_albedo(self, coefficients: NDArray[np.floating] | None) -> None:
        """See `HeadRenderer.set_albedo`."""
        self._run(lambda: self._drawing(lambda: self.head.set_albedo(coefficients)))

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
        shown = self.head.scene

        def draw(large: tuple[int, int]) -> None:
            try:
                if view is not None and view is not shown.view:
                    self.head.scene = replace(shown, view=view)
                self.head.draw(tracked, large)
            finally:
                self.head.scene = shown

        return self.picture(draw, size, alpha=alpha, hard=shown.background.keyed)

    def _delete(self) -> None:
        self.head.delete()


@contextmanager
def _exclusive() -> Iterator[None]:
    if not GLOO_LOCK.acquire(timeout=LONGEST_WAIT):
        raise RuntimeError("another thread has kept OpenGL to itself; the off-screen renderer gave up waiting")
    try:
        yield
    finally:
        GLOO_LOCK.release()


def open_driver() -> None:
    """Loads OpenGL's driver, a tenth of a second that whoever draws next is spared. On a thread that holds no context.

    Does nothing where the driver needs the main thread, or does not work: whoever draws learns why.
    """
    if BACKENDS != ("egl",):
        return
    with _exclusive():
        before = gloo.get_current_canvas()
        try:
            _destroy(_hidden_canvas())
        except RenderingUnavailableError:
            return
        finally:
            _restore(before, same_thread=False)


def _restore(canvas: Any, same_thread: bool) -> None:
    """Makes a canvas gloo's current one again; its context was never touched if it belongs to another thread."""
    if canvas is None or canvas.native is None:
        return
    if same_thread:
        canvas.set_current()
    else:
        set_current_canvas(canvas)


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
    problems = []
    for backend in BACKENDS:
        try:
            with _surfaceless(backend):
                return app.Canvas(
                    size=(16, 16), show=False, app=app.Application(backend), autoswap=False, create_native=True
                )
        except Exception as error:
            problems.append(_in_one_line(error))
    hint = "install libegl1 and libgl1" if BACKENDS == ("egl",) else "install a graphics driver"
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


def _in_one_line(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:160].rstrip(".")
