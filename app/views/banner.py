"""The notice that is due: what happened, what to do, a button for it, and a report to copy."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.state.notices import Notice, NoticeBoard, NoticeLevel
from app.views.widgets import restyle
from app.window.icons import icon, pixmap
from app.window.style import Style
from app.window.texts import tr

MARKS = {NoticeLevel.INFO: "info", NoticeLevel.WARNING: "warning", NoticeLevel.ERROR: "error"}

NARROW = 480
"""Pixels, at the usual size of text."""


class Banner(QFrame):
    """Shows the most important notice, and nothing where there is none.

    Args:
        notices: the board.
        style: colours.
        report: makes the text to copy of a notice.
    """

    action_wanted = Signal(str)
    """The user pressed the notice's button: the name of its action."""

    def __init__(
        self, notices: NoticeBoard, style: Style, report: Callable[[Notice], str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._notices = notices
        self._style = style
        self._report = report
        self._mark = QLabel()
        self.sentence = QLabel()
        self.remedy = QLabel()
        for label in (self.sentence, self.remedy):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.sentence.setProperty("role", "heading")
        self.action = QPushButton()
        self.action.setProperty("role", "primary")
        self.action.clicked.connect(self._on_action)
        self.copy = QPushButton(tr("Copy report"))
        self.copy.setToolTip(tr("Copies versions, the message and the last lines of the log; no picture, no setting"))
        self.copy.clicked.connect(self._on_copy)
        self.close_button = QToolButton()
        self.close_button.setAccessibleName(tr("Dismiss"))
        self.close_button.setToolTip(tr("Dismiss"))
        self.close_button.clicked.connect(self._on_close)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self.sentence)
        texts.addWidget(self.remedy)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(10)
        self._buttons.addWidget(self.action)
        self._buttons.addWidget(self.copy)
        self._buttons.addStretch(1)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(14, 10, 10, 10)
        self._grid.setSpacing(10)
        self._grid.setColumnStretch(1, 1)
        self._grid.addWidget(self._mark, 0, 0)
        self._grid.addLayout(texts, 0, 1)
        self._grid.addLayout(self._buttons, 0, 2)
        self._grid.addWidget(self.close_button, 0, 3)
        self._narrow = False
        notices.changed.connect(self._on_notices)
        style.changed.connect(self._on_notices)
        self._on_notices()

    def fit(self, width: int) -> None:
        """Put the buttons below the text where both do not fit into so many pixels side by side."""
        narrow = width < self._style.px(NARROW)
        if narrow is not self._narrow:
            self._narrow = narrow
            self._grid.removeItem(self._buttons)
            row, column, columns = (1, 1, 3) if narrow else (0, 2, 1)
            self._grid.addLayout(self._buttons, row, column, 1, columns)

    def _on_notices(self) -> None:
        notice = self._notices.shown
        self.setVisible(notice is not None)
        if notice is None:
            return
        c = self._style.colours
        self.setProperty("level", notice.level.value)
        restyle(self)
        colour = {NoticeLevel.INFO: c.text, NoticeLevel.WARNING: c.caution, NoticeLevel.ERROR: c.bad}[notice.level]
        self._mark.setPixmap(pixmap(MARKS[notice.level], colour, self._style.px(22), self.devicePixelRatioF()))
        self.sentence.setText(notice.sentence)
        self.remedy.setText(notice.remedy)
        self.remedy.setVisible(bool(notice.remedy))
        self.action.setVisible(bool(notice.action))
        self.action.setText(notice.action_text)
        self.copy.setVisible(notice.level is not NoticeLevel.INFO)
        self.copy.setText(tr("Copy report"))
        self.close_button.setIcon(icon("close", c, self.devicePixelRatioF()))
        self.setAccessibleName(f"{notice.sentence} {notice.remedy}")

    def _on_action(self) -> None:
        notice = self._notices.shown
        if notice is not None:
            self.action_wanted.emit(notice.action)

    def _on_copy(self) -> None:
        notice = self._notices.shown
        if notice is not None:
            QGuiApplication.clipboard().setText(self._report(notice))
            self.copy.setText(tr("Copied"))

    def _on_close(self) -> None:
        notice = self._notices.shown
        if notice is not None:
            self._notices.dismiss(notice.key)
