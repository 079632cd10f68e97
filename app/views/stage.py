"""The middle of the window: the head, and the cards that lie over it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from app.state.live import LiveState, Phase
from app.state.source_list import SourceList
from app.state.view import ViewState
from app.views.banner import Banner
from app.views.head_surface import HeadSurface
from app.views.widgets import muted
from app.window.texts import tr
from app.window_settings import SourceSettings

MARGIN = 14
BADGES = {
    Phase.LOADING: "Starting…",
    Phase.SEARCHING: "Looking for a face",
    Phase.LOST: "Face lost",
    Phase.NO_CAMERA: "Waiting for the camera",
    Phase.HIDDEN: "Hidden: no picture leaves the camera",
}


class Stage(QWidget):
    """Holds the head view, a badge that says what is not as usual, and cards in the middle.

    Args:
        head: fills it.
        view, live: what the badge is about.
    """

    def __init__(self, head: HeadSurface, view: ViewState, live: LiveState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = head
        self._view = view
        self._live = live
        self._top: list[Banner] = []
        self._cards: list[QWidget] = []
        self._idling = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(head)
        self.badge = QLabel(self)
        self.badge.setObjectName("badge")
        self.badge.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        # On the picture itself, which is dark in every theme.
        self.badge.setStyleSheet(
            "QLabel#badge { background: rgba(10, 12, 15, 200); color: #f1f3f6; border-radius: 6px; padding: 5px 10px; }"
        )
        self.badge.hide()
        live.phase_changed.connect(self._on_state)
        view.events.connect(self._on_state)
        self.setMinimumSize(280, 240)

    def add_banner(self, widget: Banner) -> None:
        """A widget along the top."""
        widget.setParent(self)
        self._top.append(widget)
        self.arrange()

    def add_card(self, widget: QWidget) -> None:
        """A widget in the middle, shown when it makes itself visible."""
        widget.setParent(self)
        self._cards.append(widget)
        self.arrange()

    def note_idling(self, on: bool) -> None:
        """An avatar idles without a source, or not any more."""
        self._idling = on
        self._on_state()

    def arrange(self) -> None:
        """Put everything in its place."""
        y = MARGIN
        for widget in self._top:
            width = min(self.width() - 2 * MARGIN, 760)
            widget.fit(width)
            height = widget.heightForWidth(width) if widget.hasHeightForWidth() else widget.sizeHint().height()
            widget.setGeometry((self.width() - width) // 2, y, width, max(height, widget.minimumSizeHint().height()))
            widget.raise_()
            if not widget.isHidden():
                y += widget.height() + 8
        self.badge.adjustSize()
        self.badge.move(MARGIN, self.height() - self.badge.height() - MARGIN)
        self.badge.raise_()
        for card in self._cards:
            card.adjustSize()
            card.move((self.width() - card.width()) // 2, max(MARGIN, (self.height() - card.height()) // 2))
            card.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self.arrange()

    def _on_state(self, *_: object) -> None:
        text = BADGES.get(self._live.now.phase)
        if self._idling and self._live.now.phase is Phase.NO_SOURCE:
            text = "No source"
        if self._view.frozen:
            text = "Frozen"
        if self._view.hidden:
            text = BADGES[Phase.HIDDEN]
        self.badge.setText(tr(text) if text else "")
        self.badge.setVisible(bool(text))
        self.arrange()


class StartCard(QFrame):
    """What to begin with, shown while no source is open: one press for each camera, the demo clip, a file.

    Args:
        sources: what there is.
        live: whether a source is open.
    """

    chosen = Signal(object)
    """The user wants this SourceSettings."""
    file_wanted = Signal()

    MOST = 3

    def __init__(self, sources: SourceList, live: LiveState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._sources = sources
        self._live = live
        self._back = False
        title = QLabel(tr("Choose a source"))
        title.setProperty("role", "title")
        title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._hint = muted(wrap=False)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(28, 22, 28, 24)
        self._column.setSpacing(8)
        self._column.addWidget(title)
        self._column.addWidget(self._hint)
        self.buttons: list[QPushButton] = []
        sources.cameras_changed.connect(self._fill)
        live.phase_changed.connect(self._on_phase)
        self._fill()
        self._on_phase(live.now.phase)

    def stand_back(self, back: bool) -> None:
        """Leave the middle to somebody else, or take it again."""
        self._back = back
        self._on_phase(self._live.now.phase)

    def _fill(self) -> None:
        for button in self.buttons:
            self._column.removeWidget(button)
            button.deleteLater()
        self.buttons = []
        for camera in self._sources.cameras[: self.MOST]:
            source = SourceSettings(kind="camera", camera=camera.index, name=camera.name)
            self._add(camera.name, source)
        self._add(tr("Demo clip"), SourceSettings(kind="demo"))
        self._add(tr("File or folder…"), None)
        self.buttons[0].setProperty("role", "primary")
        there = bool(self._sources.cameras)
        self._hint.setText(tr("Nothing leaves your computer.") if there else tr("No camera is connected."))
        self._arrange()

    def _add(self, text: str, source: SourceSettings | None) -> None:
        button = QPushButton(text)
        button.setMinimumWidth(240)
        if source is None:
            button.clicked.connect(self.file_wanted)
        else:
            button.clicked.connect(lambda: self.chosen.emit(source))
        self.buttons.append(button)
        self._column.addWidget(button)

    def _on_phase(self, phase: Phase) -> None:
        self.setVisible(phase is Phase.NO_SOURCE and self._sources.current.kind == "none" and not self._back)
        self._arrange()

    def _arrange(self) -> None:
        parent = self.parentWidget()
        if isinstance(parent, Stage):
            parent.arrange()
