"""The head, drawn off-screen on a thread of its own: for machines that draw OpenGL on the processor.

There a canvas in the window would cost twice: Qt would put the whole window together with OpenGL for every picture, and
the window's thread would wait for it. Here it only copies a finished picture.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.state.view import ViewState
from app.views.head_surface import HeadSurface
from models.face_model import FaceModel
from rendering import OffscreenRenderer, Scene
from tracking.mailbox import Mailbox
from tracking.types import TrackedFace

_log = logging.getLogger(__name__)

MOST_PIXELS = 520_000
"""Larger views are drawn smaller and scaled up: the processor draws some 20 million pixels a second."""


@dataclass(frozen=True, slots=True)
class _Wish:
    face: TrackedFace
    scene: Scene
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Picture:
    face: TrackedFace
    pixels: NDArray[np.uint8]
    ms: float


class _Painter:
    """The thread that draws. Newest wish wins."""

    def __init__(self, renderer: OffscreenRenderer) -> None:
        self.renderer = renderer
        self.newest: _Picture | None = None
        self.problem = ""
        self._wishes: Mailbox[_Wish] = Mailbox()
        self._thread = threading.Thread(target=self._run, name="mien-view", daemon=True)
        self._thread.start()

    def ask(self, wish: _Wish) -> None:
        self._wishes.put(wish)

    def close(self) -> None:
        self._wishes.close(discard=True)
        self._thread.join(0.5)

    def _run(self) -> None:
        try:
            while (wish := self._wishes.take()) is not None:
                start = time.perf_counter()
                self.renderer.scene = wish.scene
                pixels = self.renderer.render(wish.face, size=wish.size, alpha=True)
                self.newest = _Picture(wish.face, pixels, (time.perf_counter() - start) * 1e3)
        except Exception as error:
            _log.exception("drawing failed")
            self.problem = " ".join(str(error).split())[:300] or type(error).__name__
        finally:
            self.renderer.close()


class RasterHeadView(HeadSurface):
    """Shows pictures that another thread draws.

    Args:
        state, interactive: see HeadSurface.
    """

    def __init__(self, state: ViewState, parent: QWidget | None = None, *, interactive: bool = True) -> None:
        super().__init__(state, parent, interactive=interactive)
        self._painter: _Painter | None = None
        self._opening: threading.Thread | None = None
        self._opened: list[OffscreenRenderer | str] = []
        self._closed = False
        self._face: TrackedFace | None = None
        self._shown: _Picture | None = None
        self._image: QImage | None = None
        self._told = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._listen(self)

    def set_model(self, model: FaceModel) -> None:
        # Opening a device takes a fifth of a second.
        self._opening = threading.Thread(target=self._open, args=(model,), name="mien-view-open", daemon=True)
        self._opening.start()

    def show_face(self, face: TrackedFace | None) -> None:
        self._face = face
        if face is None:
            self._image = None
            self.update()
        else:
            self._ask()

    def poll(self) -> None:
        if self._painter is None and self._opened and not self._closed:
            found = self._opened.pop()
            if isinstance(found, str):
                self.failed.emit(found)
            else:
                self._painter = _Painter(found)
                self._ask()
        painter = self._painter
        if painter is None:
            return
        if painter.problem and not self._told:
            self._told = True
            self.failed.emit(painter.problem)
        picture = painter.newest
        if picture is None or picture is self._shown or self._face is None:
            return
        if self._shown is None:
            self.ready.emit()
        new_face = self._shown is None or self._shown.face is not picture.face
        self._shown = picture
        self.draw_ms = picture.ms
        height, width = picture.pixels.shape[:2]
        # The image reads the array in place; `_shown` keeps it alive.
        self._image = QImage(picture.pixels.data, width, height, 4 * width, QImage.Format.Format_RGBX8888)
        self.repaint()
        if new_face:
            self.drawn_count += 1
            # With itself as context: a view that is closed meanwhile tells nothing.
            QTimer.singleShot(0, self, lambda: self.displayed.emit(picture.face))

    @property
    def prepared(self) -> bool:
        return self._shown is not None

    def close_canvas(self) -> None:
        self._closed = True
        self.state.events.disconnect(self._on_state)
        self._image = None
        if self._opening is not None:
            self._opening.join(0.5)
        if self._painter is not None:
            self._painter.close()
        for found in self._opened:
            if not isinstance(found, str):
                found.close()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        if self._image is None or self.state.hidden:
            background = self.state.scene().background
            shades = QLinearGradient(0, 0, 0, self.height())
            shades.setColorAt(0, QColor.fromRgbF(*background.top))
            shades.setColorAt(1, QColor.fromRgbF(*background.bottom))
            painter.fillRect(self.rect(), shades)
        else:
            scaled = self._image.size() != self.size() * self.devicePixelRatioF()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scaled)
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
            painter.drawImage(QRect(0, 0, self.width(), self.height()), self._image)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._ask()

    def drawing_size(self) -> tuple[int, int]:
        """Width and height in pixels at which the head is drawn."""
        ratio = self.devicePixelRatioF()
        width, height = self.width() * ratio, self.height() * ratio
        shrink = min(1.0, sqrt(MOST_PIXELS / max(width * height, 1.0)))
        return max(1, round(width * shrink)), max(1, round(height * shrink))

    def grab_picture(self) -> NDArray[np.uint8] | None:
        """(H, W, 4) of what is shown, None where nothing is."""
        return None if self._shown is None or self._image is None else self._shown.pixels

    def _on_state(self, *_: object) -> None:
        self._ask()
        self.update()

    def _ask(self) -> None:
        if self._painter is not None and self._face is not None and not self._closed:
            self._painter.ask(_Wish(self._face, self.state.scene(), self.drawing_size()))

    def _open(self, model: FaceModel) -> None:
        try:
            self._opened.append(OffscreenRenderer(model, self.state.scene()))
        except Exception as error:
            self._opened.append(" ".join(str(error).split())[:300] or type(error).__name__)
