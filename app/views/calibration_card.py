"""The card over the view that leads through a calibration: countdown, measuring, outcome."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.state.calibration import CalibrationPhase, CalibrationState
from app.views.widgets import muted
from app.window.texts import tr


class CalibrationCard(QFrame):
    """Visible while a calibration is under way and for a moment after it.

    Args:
        state: the model.
    """

    cancelled = Signal()

    def __init__(self, state: CalibrationState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._state = state
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.number = QLabel()
        self.number.setProperty("role", "big")
        self.text = muted()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.cancel = QPushButton(tr("Cancel"))
        self.cancel.clicked.connect(self.cancelled)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 22, 28, 20)
        column.setSpacing(8)
        for widget in (self.title, self.number, self.text):
            widget.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.title)
        column.addWidget(self.number)
        column.addWidget(self.text)
        column.addWidget(self.bar)
        column.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignHCenter)
        self.setMinimumWidth(320)
        state.changed.connect(self._on_state)
        self._on_state()

    def _on_state(self) -> None:
        state = self._state
        self.setVisible(state.phase is not CalibrationPhase.IDLE)
        self.cancel.setText(tr("Cancel") if state.busy else tr("Close"))
        counting = state.phase is CalibrationPhase.COUNTDOWN
        self.number.setVisible(counting)
        self.bar.setVisible(state.phase is CalibrationPhase.MEASURING)
        if counting:
            self.title.setText(tr("Look into the camera"))
            self.number.setText(str(max(1, ceil(state.seconds_left))))
            self.text.setText(tr("Relax your face, close your lips, keep still."))
        elif state.phase is CalibrationPhase.MEASURING:
            self.title.setText(tr("Hold still"))
            self.text.setText(tr("Your resting face is being measured."))
            self.bar.setValue(round(state.fraction * 1000))
        elif state.phase is CalibrationPhase.DONE:
            self.title.setText(tr("Done"))
            self.text.setText(state.sentence)
        elif state.phase is CalibrationPhase.FAILED:
            self.title.setText(tr("That did not work"))
            self.text.setText(state.sentence)
        self.adjustSize()
