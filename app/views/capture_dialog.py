"""Leads through a guided capture: what to do now, what was seen, and at the end what the avatar shall be called."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.state.capture_guide import CaptureStage, GuidedCaptureState
from app.views.capture_marks import DirectionGrid, ExpressionMeters
from app.views.capture_pages import NowPage, ReviewPage, StepList
from app.views.widgets import heading, muted, restyle, rule
from app.window.icons import pixmap
from app.window.style import Style
from app.window.texts import tr
from tracking.capture_coverage import Coverage, LightLevel
from tracking.types import TrackedFace

SIZE = (740, 570)
ARMED_MS = 5000
"""How long a pressed Cancel waits to be pressed again."""


class CaptureDialog(QDialog):
    """Beside the window, which goes on; nothing that was captured stays when it is closed.

    Args:
        state: the model.
        style: colours and sizes.
    """

    skip_wanted = Signal()
    back_wanted = Signal()
    finish_wanted = Signal()
    cancelled = Signal()
    make_wanted = Signal(str, str)
    """Name and licence."""

    def __init__(self, state: GuidedCaptureState, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._style = style
        self.setWindowTitle(tr("Guided capture"))
        self.steps = StepList(style)
        self.grid, self.meters = DirectionGrid(style), ExpressionMeters(style)
        self.light_mark, self.light = QLabel(), QLabel()
        self.light.setWordWrap(True)
        self.now, self.review = NowPage(style), ReviewPage()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.now)
        self.pages.addWidget(self.review)
        self.cancel = QPushButton()
        self.back = QPushButton(tr("Back"))
        self.skip = QPushButton(tr("Skip"))
        self.enough = QPushButton(tr("Finish early"))
        self.make = QPushButton(tr("Make the avatar"))
        self.make.setProperty("role", "primary")
        self._armed = QTimer(self)
        self._armed.setSingleShot(True)
        self._armed.timeout.connect(self._disarm)
        self._arrange()
        self.cancel.clicked.connect(self._on_cancel)
        self.back.clicked.connect(self.back_wanted)
        self.skip.clicked.connect(self.skip_wanted)
        self.enough.clicked.connect(self.finish_wanted)
        self.make.clicked.connect(self._on_make)
        self.review.name.returnPressed.connect(self._on_make)
        self.review.name.textChanged.connect(lambda _: self._on_state())
        state.changed.connect(self._on_state)
        state.ended.connect(self._on_ended)
        style.changed.connect(self._on_style)
        self._disarm()
        self._on_state()
        self.skip.setFocus(Qt.FocusReason.OtherFocusReason)

    def note_face(self, face: TrackedFace) -> None:
        """A result is shown: the person sees themselves."""
        if self._state.stage is CaptureStage.RUNNING:
            self.now.ring.show_face(face)

    def _arrange(self) -> None:
        page = QWidget()
        page.setObjectName("page")
        column = QVBoxLayout(page)
        column.setContentsMargins(20, 18, 20, 10)
        column.setSpacing(14)
        column.addWidget(self.pages, 1)
        column.addWidget(rule())
        row = QHBoxLayout()
        row.setSpacing(24)
        for title, widget in (
            (tr("Steps"), self.steps),
            (tr("Directions"), self._directions()),
            (tr("Expressions"), self.meters),
        ):
            part = QVBoxLayout()
            part.setSpacing(6)
            part.addWidget(heading(title))
            part.addWidget(widget)
            part.addStretch(1)
            row.addLayout(part, 1 if widget is self.steps else 0)
        column.addLayout(row)
        light = QHBoxLayout()
        light.setSpacing(8)
        light.addWidget(self.light_mark, 0, Qt.AlignmentFlag.AlignTop)
        light.addWidget(self.light, 1)
        column.addLayout(light)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(page)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(20, 6, 20, 16)
        buttons.addWidget(self.cancel)
        buttons.addStretch(1)
        for button in (self.back, self.skip, self.enough, self.make):
            buttons.addWidget(button)
        for button in (self.cancel, self.back, self.skip, self.enough, self.make):
            # Enter in the name's field makes the avatar, and nothing else is pressed by accident.
            button.setAutoDefault(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll, 1)
        outer.addLayout(buttons)
        self._fit()

    def _directions(self) -> QWidget:
        held = QWidget()
        grid = QGridLayout(held)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.grid, 0, 0, 1, 2)
        grid.addWidget(muted(tr("your left"), wrap=False), 1, 0)
        grid.addWidget(muted(tr("right"), wrap=False), 1, 1, Qt.AlignmentFlag.AlignRight)
        return held

    def _fit(self) -> None:
        room = self.screen().availableSize() * 0.95
        self.resize(QSize(self._style.px(SIZE[0]), self._style.px(SIZE[1])).boundedTo(room))

    def _on_style(self) -> None:
        self._fit()
        self.steps.restyle()
        self.light.clear()  # its mark is drawn anew
        self._on_state()

    # --- what changes ---------------------------------------------------------------------------------------------

    def _on_state(self) -> None:
        state = self._state
        status = state.status
        if status is None or not state.busy:
            return
        running = state.stage is CaptureStage.RUNNING
        page: QWidget = self.now if running else self.review
        if self.pages.currentWidget() is not page:
            self.pages.setCurrentWidget(page)
            if not running:
                self.review.name.setFocus(Qt.FocusReason.OtherFocusReason)
                self.review.name.selectAll()
        if running:
            self.now.show_status(status, state.paused)
        else:
            problem = state.problem or state.refusal
            self.review.show_state(status, problem, keeping=state.stage is CaptureStage.KEEPING)
        self.steps.show_states(status.states)
        self.grid.show_coverage(status.coverage)
        self.meters.show_coverage(status.coverage)
        self._show_light(status.coverage)
        keeping = state.stage is CaptureStage.KEEPING
        for button in (self.skip, self.enough):
            button.setVisible(running)
        self.make.setVisible(not running)
        self.make.setEnabled(not keeping and not state.problem and bool(self.review.name.text().strip()))
        self.back.setEnabled(not keeping and (not running or status.number > 1))
        self.cancel.setEnabled(not keeping)
        role = "primary" if running and status.overdue else None
        if self.skip.property("role") != role:
            self.skip.setProperty("role", role)
            restyle(self.skip)

    def _show_light(self, coverage: Coverage) -> None:
        c = self._style.colours
        if coverage.light is None:
            text, name, colour = "", "", c.muted
        elif coverage.advice:
            bad = coverage.light.level is LightLevel.UNUSABLE
            text, name, colour = tr(coverage.advice), "warning", c.bad if bad else c.caution
        else:
            text, name, colour = tr("The light is good."), "good", c.good
        if text != self.light.text():
            self.light.setText(text)
            self.light_mark.setVisible(bool(name))
            if name:
                self.light_mark.setPixmap(pixmap(name, colour, self._style.px(18), self.devicePixelRatioF()))

    def _on_ended(self) -> None:
        super().done(0)

    # --- what the user wants --------------------------------------------------------------------------------------

    def _on_make(self) -> None:
        name = self.review.name.text().strip()
        if name and self.make.isEnabled() and self._state.stage is CaptureStage.REVIEW:
            self.make_wanted.emit(name, self.review.licence.text().strip())

    def _on_cancel(self) -> None:
        """Pressed twice where something would be lost."""
        status = self._state.status
        if self._state.stage is CaptureStage.KEEPING:
            return
        if status is None or not status.done or self._armed.isActive():
            self._armed.stop()
            self.cancelled.emit()
            return
        self._armed.start(ARMED_MS)
        self.cancel.setText(tr("Press again to discard all of it"))

    def _disarm(self) -> None:
        self.cancel.setText(tr("Cancel"))

    def reject(self) -> None:
        """Esc: as Cancel."""
        self._on_cancel()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        if event.spontaneous() and self._state.busy:
            event.ignore()
            self._on_cancel()
            return
        self.cancelled.emit()
        super().done(0)
        super().closeEvent(event)
