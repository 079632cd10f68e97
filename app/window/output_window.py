"""A window with the head and nothing else, for capture by other programs and for a second screen."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.state.view import ViewState
from app.views.heads import make_head
from app.window.texts import tr
from app.window_settings import Drawing


class OutputWindow(QWidget):
    """Shows what the middle of the main window shows.

    Args:
        view: the same view.
        drawing: who draws the head.
    """

    closed = Signal()

    def __init__(self, view: ViewState, drawing: Drawing, parent: QObject | None = None) -> None:
        super().__init__()
        self.setWindowTitle(tr("Mien output"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        # For scenes without a background, where the system puts windows together by their transparency.
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.head = make_head(view, drawing, interactive=False)
        self.head.let_through()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.head)
        self.resize(960, 540)
        for keys, wanted in (("F11", self._toggle_fullscreen), ("Esc", self._leave)):
            QShortcut(QKeySequence(keys), self, wanted)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        self.head.close_canvas()
        self.closed.emit()
        super().closeEvent(event)

    def _toggle_fullscreen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _leave(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.close()
