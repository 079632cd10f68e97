"""The head, drawn off-screen on a thread of its own: for machines that draw OpenGL on the processor.

There a canvas in the window would cost twice: Qt would put the whole window together with OpenGL for every picture, and
the window's thread would wait for it. Here it only copies a finished picture.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.state.view import ViewState
from app.views.head_surface import HeadSurface
from app.views.picture_feed import PictureFeed
from app.views.pixel_budget import STEPS, PixelBudget
from app.views.wake import Waker
from rendering import Scene
from rendering.idle import shows_nobody
from rendering.subject import OWN, Subject, SubjectPictures
from tracking.mailbox import Mailbox
from tracking.types import TrackedFace

if TYPE_CHECKING:
    from models.face_model import FaceModel

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What to draw.

    Attributes:
        face, scene: see OffscreenRenderer.
        drawn, shown: width and height in pixels of the drawing, and of the picture that is made of it.
        feed: what else to draw of this result; None for nothing.
        subject: who is drawn.
    """

    face: TrackedFace
    scene: Scene
    drawn: tuple[int, int]
    shown: tuple[int, int]
    feed: PictureFeed | None = None
    subject: Subject = OWN


@dataclass(frozen=True, slots=True)
class _Picture:
    """What was drawn.

    Attributes:
        face: the wish's.
        pixels: (H, W, 4) blue, green, red and nothing: as screens keep them, so that showing it is copying it.
        ms: what it took.
        nobody: it may be seen while the user hides.
    """

    face: TrackedFace
    pixels: NDArray[np.uint8]
    ms: float
    nobody: bool


class _Painter:
    """The thread that draws. Newest wish wins.

    Args:
        model: to draw.
        scene: at first.
        tell: called on the thread when there is a picture or a problem.
    """

    def __init__(self, model: FaceModel, scene: Scene, tell: Callable[[], None]) -> None:
        self.newest: _Picture | None = None
        self.budget = PixelBudget()
        self.problem = ""
        self._model = model
        self._scene = scene
        self._tell = tell
        self.refusal = ""
        self._refused: Subject | None = None
        self._fed: TrackedFace | None = None
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
            # Opening a device takes a fifth of a second; all of it stays on this thread.
            with SubjectPictures(self._model, self._scene, wrinkles=True) as renderer:
                while (wish := self._wishes.take()) is not None:
                    start = time.perf_counter()
                    self._choose(renderer, wish.subject)
                    pixels = _drawn(renderer, wish)
                    ms = (time.perf_counter() - start) * 1e3
                    self.budget.note(ms, wish.drawn[0] * wish.drawn[1])
                    nobody = shows_nobody(renderer.subject, wish.face, wish.scene)
                    self.newest = _Picture(wish.face, pixels, ms, nobody)
                    self._tell()
                    self._feed(renderer, wish)
        except Exception as error:
            _log.exception("drawing failed")
            self.problem = " ".join(str(error).split())[:300] or type(error).__name__
            self._tell()

    def _choose(self, renderer: SubjectPictures, subject: Subject) -> None:
        """Draw another subject; one that cannot be drawn is told once and the last one stays."""
        if subject is self._refused:
            return
        try:
            renderer.choose(subject)
        except ValueError as error:
            self._refused = subject
            self.refusal = str(error)

    def _feed(self, renderer: SubjectPictures, wish: _Wish) -> None:
        """Draw for others; each result once, however often the window wants it drawn."""
        feed = wish.feed
        if feed is None or wish.face is self._fed:
            return
        self._fed = wish.face
        size = feed.size(wish.face, self.budget.pixels)
        feed.take(wish.face, renderer.render(wish.face, feed.scene(wish.scene), size, alpha=True), wish.scene)


def _drawn(renderer: SubjectPictures, wish: _Wish) -> NDArray[np.uint8]:
    pixels = renderer.render(wish.face, wish.scene, wish.drawn, alpha=True)
    if wish.shown != wish.drawn:
        how = cv2.INTER_NEAREST if wish.scene.background.keyed else cv2.INTER_LINEAR
        pixels = np.asarray(cv2.resize(pixels, wish.shown, interpolation=how), np.uint8)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA), np.uint8)


class RasterHeadView(HeadSurface):
    """Shows pictures that another thread draws.

    Args:
        state, interactive: see HeadSurface.
    """

    def __init__(self, state: ViewState, parent: QWidget | None = None, *, interactive: bool = True) -> None:
        super().__init__(state, parent, interactive=interactive)
        self._painter: _Painter | None = None
        self._waker = Waker(self._take, self)
        self._face: TrackedFace | None = None
        self._shown: _Picture | None = None
        self._image: QImage | None = None
        self._untold: TrackedFace | None = None
        self._told = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._listen(self)

    def set_model(self, model: FaceModel) -> None:
        if self._painter is not None:
            self._painter.close()
        self._painter = _Painter(model, self.scene(), self._waker.wake)
        self._ask()

    def show_face(self, face: TrackedFace | None) -> None:
        self._face = face
        if face is None:
            self._image = None
            self.update()
        else:
            self._ask()

    def _take(self) -> None:
        """Take over what the thread has drawn."""
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
        if self._shown is None or self._shown.face is not picture.face:
            self._untold = picture.face
        self._shown = picture
        self.draw_ms = picture.ms
        height, width = picture.pixels.shape[:2]
        # The image reads the array in place; `_shown` keeps it alive.
        kind = QImage.Format.Format_ARGB32_Premultiplied if self.see_through else QImage.Format.Format_RGB32
        self._image = QImage(picture.pixels.data, width, height, 4 * width, kind)
        # Not `repaint`: it would keep Python's lock while the window is put together and sent to the screen.
        self.update()

    @property
    def prepared(self) -> bool:
        return self._shown is not None

    def close_canvas(self) -> None:
        self._waker.close()
        self.state.events.disconnect(self._on_state)
        self._image = None
        if self._painter is not None:
            self._painter.close()
            self._painter = None

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        image = self._image
        background = self.scene().background
        if image is None and background.alpha < 1.0:
            painter.fillRect(self.rect(), Qt.GlobalColor.transparent)
        elif image is None or self._shown is None or (self.state.hidden and not self._shown.nobody):
            shades = QLinearGradient(0, 0, 0, self.height())
            shades.setColorAt(0, QColor.fromRgbF(*background.top))
            shades.setColorAt(1, QColor.fromRgbF(*background.bottom))
            painter.fillRect(self.rect(), shades)
        else:
            ratio = self.devicePixelRatioF()
            if (image.width(), image.height()) == self._physical():
                image.setDevicePixelRatio(ratio)
                painter.drawImage(0, 0, image)
            else:
                painter.drawImage(self.rect(), image)
        painter.end()
        face, self._untold = self._untold, None
        if face is not None:
            self.drawn_count += 1
            # Once this painting is on the screen. With itself as context: a view closed meanwhile tells nothing.
            QTimer.singleShot(0, self, lambda: self.displayed.emit(face))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._ask()

    def drawing_size(self) -> tuple[int, int]:
        """Width and height in pixels at which the head is drawn."""
        width, height = self._physical()
        most = self._painter.budget.pixels if self._painter is not None else STEPS[0]
        shrink = min(1.0, sqrt(most / max(width * height, 1)))
        return max(1, round(width * shrink)), max(1, round(height * shrink))

    def grab_picture(self) -> NDArray[np.uint8] | None:
        """(H, W, 3) RGB of what is shown, None where nothing is."""
        if self._shown is None or self._image is None:
            return None
        return np.asarray(cv2.cvtColor(self._shown.pixels, cv2.COLOR_BGRA2RGB), np.uint8)

    def _physical(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio))

    def _on_state(self, *_: object) -> None:
        self._ask()
        self.update()

    def _ask(self) -> None:
        if self._painter is not None and self._face is not None:
            self._painter.ask(
                _Wish(self._face, self.scene(), self.drawing_size(), self._physical(), self.feed, self.subject)
            )
