"""How the face is read: the person's neutral face, smoothing, detail."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.state.calibration import CalibrationState
from app.state.live import Live, Phase
from app.state.preferences import Preferences
from app.state.view import ViewState
from app.views.relief import NOT_TRACKING, RELIEF, detail_sentence, of_avatar
from app.views.smoothing_sliders import SmoothingSliders
from app.views.widgets import Segmented, heading, muted, rule
from app.window.texts import tr
from tracking.smoothing import SmoothingSettings
from tracking.types import DetailState


class TuningPanel(QWidget):
    """Neutral face, smoothing, detail strength.

    Args:
        preferences, view, calibration: the models behind it.
    """

    calibrate_wanted = Signal()
    person_chosen = Signal(str)
    """Use this person's calibration; empty for none."""

    def __init__(
        self,
        preferences: Preferences,
        view: ViewState,
        calibration: CalibrationState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._view = view
        self._calibration = calibration
        self.people = QComboBox()
        self.people.setAccessibleName(tr("Person whose neutral face is in use"))
        self.people.setMinimumContentsLength(8)
        self.people.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.people.activated.connect(lambda i: self.person_chosen.emit(self.people.itemData(i) or ""))
        self.calibrate = QPushButton(tr("Calibrate…"))
        self.calibrate.setToolTip(tr("Measure your resting face, so that it reads as neutral"))
        self.calibrate.clicked.connect(self.calibrate_wanted)
        self.presets = Segmented(
            [
                ("off", tr("Off"), tr("Values as they are measured")),
                ("light", tr("Light"), tr("Little delay")),
                ("medium", tr("Medium"), tr("Calmer")),
                ("strong", tr("Strong"), tr("Very calm, with more delay")),
                ("custom", tr("Own"), tr("The values below")),
            ],
            tr("Smoothing"),
        )
        self.presets.chosen.connect(self._on_preset)
        self.advanced = QToolButton()
        self.advanced.setText(tr("Advanced"))
        self.advanced.setCheckable(True)
        self.advanced.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.advanced.setArrowType(Qt.ArrowType.RightArrow)
        self.advanced.toggled.connect(self._on_advanced)
        self.sliders: SmoothingSliders | None = None
        self.detail = QSlider(Qt.Orientation.Horizontal)
        self.detail.setRange(0, 200)
        self.detail.setAccessibleName(tr("Detail strength"))
        self.detail.valueChanged.connect(self._on_detail)
        self.relief = muted(wrap=False)
        self._column = QVBoxLayout(self)
        self._arrange()
        self.show_detail(Live())
        preferences.changed.connect(self._on_settings)
        calibration.changed.connect(self._on_calibration)
        view.events.detail.connect(self._on_view)
        self._on_settings()
        self._on_view()
        self.show_people([])

    def _arrange(self) -> None:
        column = self._column
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(heading(tr("Neutral face")))
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.people, 1)
        row.addWidget(self.calibrate)
        column.addLayout(row)
        column.addWidget(rule())
        line = QHBoxLayout()
        line.addWidget(heading(tr("Smoothing")), 1)
        line.addWidget(self.advanced)
        column.addLayout(line)
        column.addWidget(self.presets)
        self._slider_place = column.count()
        column.addWidget(rule())
        grid = QGridLayout()
        label = QLabel(tr("Detail strength"))
        label.setBuddy(self.detail)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self.relief, 0, 1, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self.detail, 1, 0, 1, 2)
        column.addLayout(grid)
        column.addStretch(1)

    def show_detail(self, live: Live) -> None:
        """Where the wrinkles come from; without any their strength means nothing."""
        running = live.phase in (Phase.TRACKING, Phase.SEARCHING, Phase.LOST)
        there = running and (live.detail is not DetailState.NONE or of_avatar(live))
        sentence = detail_sentence(live) if running else tr(NOT_TRACKING)
        if there:
            sentence = tr("Strength of wrinkles; 100 is true to life.") + " " + sentence
        if (there, sentence) == (self.detail.isEnabled(), self.detail.toolTip()):
            return
        self.detail.setEnabled(there)
        for widget in (self.detail, self.relief):
            widget.setToolTip(sentence)
        self.relief.setText(f"{self.detail.value()} %" if there else tr(RELIEF[DetailState.NONE]))

    def show_people(self, people: list[str]) -> None:
        """Whose calibrations there are."""
        current = self._preferences.settings.window.person
        self.people.clear()
        self.people.addItem(tr("Nobody's"), "")
        for person in people:
            self.people.addItem(person, person)
        if current and current not in people:
            self.people.addItem(current, current)
        self.people.setCurrentIndex(max(0, self.people.findData(current)))
        self.people.setToolTip(tr("Whose resting face is taken out of the values"))

    def _on_settings(self, *_: object) -> None:
        settings = self._preferences.settings
        self.presets.show_choice(settings.tracker.smoothing.preset)
        at = self.people.findData(settings.window.person)
        if at >= 0:
            self.people.setCurrentIndex(at)

    def _on_preset(self, preset: str) -> None:
        before = self._preferences.settings.tracker.smoothing
        values = before.model_dump() | {"preset": preset}
        if preset == "custom" and before.groups() is not None and before.preset != "custom":
            # One's own values start from what one has just seen.
            values["custom"] = before.groups()
        self._preferences.edit_smoothing(tr("smoothing"), SmoothingSettings.model_validate(values))
        self._preferences.undo.seal()

    def _on_advanced(self, on: bool) -> None:
        self.advanced.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        if on and self.sliders is None:
            self.sliders = SmoothingSliders(self._preferences)
            self._column.insertWidget(self._slider_place, self.sliders)
        if self.sliders is not None:
            self.sliders.setVisible(on)

    def _on_detail(self, value: int) -> None:
        self._view.detail = value / 100.0

    def _on_view(self, *_: object) -> None:
        self.detail.setValue(round(self._view.detail * 100))
        if self.detail.isEnabled():
            self.relief.setText(f"{self.detail.value()} %")

    def _on_calibration(self) -> None:
        self.calibrate.setEnabled(not self._calibration.busy)
