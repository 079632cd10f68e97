"""What both ways of showing the head share: the state, mouse and keys, and what they tell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.state.view import ViewState
from app.views.picture_feed import PictureFeed
from app.window.texts import tr
from rendering import Background, Backing, Scene
from rendering.subject import OWN, Subject
from tracking.types import TrackedFace

if TYPE_CHECKING:
    from models.face_model import FaceModel

TURN_PER_PIXEL = 0.008
KEY_TURN = 0.12


class HeadSurface(QWidget):
    """A widget with one head.

    Args:
        state: what is shown and from where.
        interactive: turn and zoom with mouse and keys.
    """

    displayed = Signal(object)
    """A TrackedFace whose drawing has just reached the screen."""
    failed = Signal(str)
    """OpenGL does not work; the text says why. Nothing is drawn from then on."""
    ready = Signal()
    """The current view can be drawn without delay."""

    def __init__(self, state: ViewState, parent: QWidget | None = None, *, interactive: bool = True) -> None:
        super().__init__(parent)
        self.state = state
        self.drawn_count = 0
        """Results drawn so far."""
        self.draw_ms = 0.0
        """What the last drawing took."""
        self.feed: PictureFeed | None = None
        """What else is drawn of every result."""
        self.subject = OWN
        """Who is drawn."""
        self.see_through = False
        """Whether what is transparent is so on the screen, too."""
        self._interactive = interactive
        self._drag: QPointF | None = None
        state.events.connect(self._on_state)

    def let_through(self) -> None:
        """Show what is behind the window where the picture is transparent, as far as the system can. Call it before
        this is shown."""
        self.see_through = True

    def scene(self) -> Scene:
        """What to draw: a pattern stands for transparency where none can be shown."""
        scene = self.state.scene()
        if self.see_through or scene.background.alpha >= 1.0:
            return scene
        return replace(scene, background=Background(kind=Backing.CHECKS))

    # --- for the subclasses ---------------------------------------------------------------------------------------

    def set_model(self, model: FaceModel) -> None:
        """Draw this model from now on."""
        raise NotImplementedError

    def show_face(self, face: TrackedFace | None) -> None:
        """Draw this result with the next picture; None shows the empty background."""
        raise NotImplementedError

    def show_subject(self, subject: Subject) -> None:
        """Draw this one with the next picture."""
        self.subject = subject
        self._on_state()

    @property
    def prepared(self) -> bool:
        """Whether the current view can be drawn without delay."""
        raise NotImplementedError

    def close_canvas(self) -> None:
        """Free everything; nothing is drawn afterwards."""
        raise NotImplementedError

    def _on_state(self, *_: object) -> None:
        raise NotImplementedError

    def _listen(self, target: QWidget) -> None:
        """Take mouse and keys from this widget."""
        target.setAccessibleName(tr("Animated head"))
        target.setAccessibleDescription(tr("Drag or use the arrow keys to turn it, plus and minus to zoom."))
        target.setFocusPolicy(Qt.FocusPolicy.StrongFocus if self._interactive else Qt.FocusPolicy.NoFocus)
        if self._interactive:
            target.installEventFilter(self)

    # --- mouse and keys -------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if isinstance(event, QMouseEvent):
            return self._on_mouse(event)
        if isinstance(event, QWheelEvent):
            self.state.approach(1.0015 ** event.angleDelta().y())
            return True
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            return self._on_key(event)
        return False

    def _on_mouse(self, event: QMouseEvent) -> bool:
        kind = event.type()
        if kind is QEvent.Type.MouseButtonPress and event.button() is Qt.MouseButton.LeftButton:
            self._drag = event.position()
            return False  # the widget still takes the focus
        if kind is QEvent.Type.MouseMove and self._drag is not None:
            moved = event.position() - self._drag
            self._drag = event.position()
            side = -1.0 if self.state.mirror else 1.0
            self.state.turn(-side * moved.x() * TURN_PER_PIXEL, moved.y() * TURN_PER_PIXEL)
        elif kind is QEvent.Type.MouseButtonRelease:
            self._drag = None
        elif kind is QEvent.Type.MouseButtonDblClick:
            self.state.recentre()
        return True

    def _on_key(self, event: QKeyEvent) -> bool:
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier & ~Qt.KeyboardModifier.ShiftModifier:
            return False
        side = -1.0 if self.state.mirror else 1.0
        steps = {
            Qt.Key.Key_Left: (side * KEY_TURN, 0.0),
            Qt.Key.Key_Right: (-side * KEY_TURN, 0.0),
            Qt.Key.Key_Up: (0.0, -KEY_TURN),
            Qt.Key.Key_Down: (0.0, KEY_TURN),
        }
        key = Qt.Key(event.key())
        if key in steps:
            self.state.turn(*steps[key])
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.state.approach(1.1)
        elif key is Qt.Key.Key_Minus:
            self.state.approach(1 / 1.1)
        else:
            return False
        return True
