"""The head, drawn by the graphics card straight into the window."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget
from vispy import app as vispy_app

from app.state.view import ViewState
from app.views.card_subject import CardSubject
from app.views.head_surface import HeadSurface
from app.views.picture_feed import PictureFeed
from rendering import GLOO_LOCK, HeadRenderer, PictureBuffer, View
from rendering.idle import shows_nobody
from tracking.types import TrackedFace

if TYPE_CHECKING:
    from models.face_model import FaceModel

_log = logging.getLogger(__name__)

WARM_UP_PAUSE_MS = 25


class HeadView(HeadSurface):
    """An OpenGL canvas with one head: for machines with a graphics card. See `RasterHeadView` for the others.

    Args:
        state: what is shown and from where.
        interactive: turn and zoom with mouse and keys.
    """

    def __init__(self, state: ViewState, parent: QWidget | None = None, *, interactive: bool = True) -> None:
        super().__init__(state, parent, interactive=interactive)
        self._model: FaceModel | None = None
        self._renderer: HeadRenderer | None = None
        self._face: TrackedFace | None = None
        self._pending: TrackedFace | None = None
        self._unready = list(View)
        self._broken = False
        self._buffer: PictureBuffer | None = None
        self._who: CardSubject | None = None
        self._canvas: Any = vispy_app.Canvas(
            app="pyside6",
            keys=None,
            show=False,
            autoswap=False,
            config={"depth_size": 24, "samples": 0},
            size=(640, 480),
        )
        self._canvas.events.draw.connect(self._on_draw)
        native: QWidget = self._canvas.native
        native.setParent(self)
        self._listen(native)
        native.frameSwapped.connect(self._on_swapped)  # type: ignore[attr-defined]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(native)
        self.native = native
        self._warm_up = QTimer(self)
        self._warm_up.setInterval(WARM_UP_PAUSE_MS)
        self._warm_up.timeout.connect(self._warm_up_step)

    # --- what is shown --------------------------------------------------------------------------------------------

    def set_model(self, model: FaceModel) -> None:
        """Draw this model from now on; its programs are compiled one by one between other events."""
        self._model = model
        self._warm_up.start()

    def show_face(self, face: TrackedFace | None) -> None:
        """Draw this result with the next picture; None shows the empty background, or nobody's head at rest."""
        self._face = face
        self._pending = face
        if face is not None and self.feed is not None and self.all_prepared and not self._broken:
            try:
                self._feed(face, self.feed)
            except Exception as error:
                self._give_up(error)
        self.native.update()

    def let_through(self) -> None:
        super().let_through()
        # Qt puts such a canvas above everything else in its window, and keeps its alpha.
        self.native.setAttribute(Qt.WidgetAttribute.WA_AlwaysStackOnTop)

    @property
    def prepared(self) -> bool:
        """Whether the current view can be drawn without delay."""
        return self._renderer is not None and View(self.state.view) not in self._unready

    @property
    def all_prepared(self) -> bool:
        """Whether every view can."""
        return self._renderer is not None and not self._unready

    def close_canvas(self) -> None:
        """Free everything on the card; nothing is drawn afterwards."""
        self._warm_up.stop()
        self.state.events.disconnect(self._on_state)
        self._canvas.events.draw.disconnect(self._on_draw)
        with GLOO_LOCK:
            if self._renderer is not None:
                self._canvas.set_current()
                self._renderer.delete()
                if self._who is not None:
                    self._who.delete()
                if self._buffer is not None:
                    self._buffer.delete()
                self._canvas.context.flush_commands()
                self._renderer = None
            self._canvas.close()

    # --- drawing --------------------------------------------------------------------------------------------------

    def _on_draw(self, event: object) -> None:
        if self._broken:
            return
        start = time.perf_counter()
        try:
            with GLOO_LOCK:
                self._canvas.set_current()
                self._guard_alpha(False)
                self._draw()
                self._guard_alpha(True)
        except Exception as error:
            self._give_up(error)
        self.draw_ms = (time.perf_counter() - start) * 1e3

    def _draw(self) -> None:
        if self._renderer is None or not self.prepared:
            self._clear()
            return
        scene = self.scene()
        self._renderer.scene = scene
        face = self._face
        if face is None or self._who is None:
            self._clear()
            return
        self._who.choose(self.subject, self._renderer)
        if self.state.hidden and not shows_nobody(self._who.subject, face, scene):
            self._clear()
            return
        self._who.draw(self._renderer, face, scene, self._canvas.physical_size)
        self._canvas.context.flush_commands()
        self.drawn_count += 1

    def _feed(self, face: TrackedFace, feed: PictureFeed) -> None:
        """Draw for others into a buffer of the card, and fetch it."""
        assert self._renderer is not None and self._who is not None
        width, height = feed.size(face, None)
        with GLOO_LOCK:
            self._canvas.set_current()
            if self._buffer is None:
                self._buffer = PictureBuffer()
            shown = self.state.scene()
            scene = feed.scene(shown)
            with self._buffer.of_size(width, height):
                self._who.draw(self._renderer, face, scene, (width, height))
                pixels = self._buffer.read()
        feed.take(face, pixels, shown)

    def _guard_alpha(self, on: bool) -> None:
        """Once a picture is drawn, vispy clears its alpha to that of the clear colour: an empty scissor keeps it, where
        it is wanted."""
        from vispy import gloo

        if self.see_through:
            gloo.set_state(scissor_test=on)
            gloo.set_scissor(0, 0, 0, 0)
        elif on:
            gloo.set_clear_color((0.0, 0.0, 0.0, 1.0))

    def _clear(self) -> None:
        from vispy import gloo

        background = self.scene().background
        width, height = self._canvas.physical_size
        gloo.set_viewport(0, 0, int(width), int(height))
        middle = tuple((a + b) / 2 for a, b in zip(background.top, background.bottom, strict=True))
        gloo.set_clear_color((*(background.alpha * part for part in middle), background.alpha))
        gloo.clear(color=True, depth=True)

    def _warm_up_step(self) -> None:
        """Compile one program. The current view comes first; the others wait until it is there."""
        if self._model is None or self._broken or not self.native.isVisible() or not self.native.isValid():  # type: ignore[attr-defined]
            return
        current = View(self.state.view)
        view = current if current in self._unready else self._unready[0] if self._unready else None
        if view is None:
            self._warm_up.stop()
            return
        try:
            with GLOO_LOCK:
                self._canvas.set_current()
                if self._renderer is None:
                    self._renderer = HeadRenderer(self._model, self.state.scene())
                    self._who = CardSubject(self._model)
                elif self._renderer.warm_up(view):
                    self._unready.remove(view)
                    if view is current:
                        self.ready.emit()
                        self.native.update()
                self._canvas.context.flush_commands()
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._broken = True
        self._warm_up.stop()
        _log.exception("drawing failed")
        self.failed.emit(" ".join(str(error).split())[:300] or type(error).__name__)

    def _on_swapped(self) -> None:
        face, self._pending = self._pending, None
        if face is not None and self.prepared:
            self.displayed.emit(face)

    def _on_state(self, *_: object) -> None:
        self.native.update()
