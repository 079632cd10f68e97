"""The filter's own values, a pair of sliders for each group."""

from __future__ import annotations

from math import exp, log

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QSlider, QWidget

from app.state.preferences import Preferences
from app.views.widgets import muted
from app.window.texts import tr
from tracking.smoothing import PRESETS, SmoothingGroups, SmoothingSettings

GROUPS = (
    ("head_rotation", "Head turn"),
    ("translation", "Head place"),
    ("gaze", "Gaze"),
    ("blinks", "Lids"),
    ("mouth", "Mouth"),
    ("brows", "Brows"),
    ("other", "Cheeks, nose"),
)
STEPS = 100
CUTOFF = (0.1, 20.0)
BETA = (0.1, 300.0)
"""What the sliders span, on a logarithmic scale."""


class SmoothingSliders(QWidget):
    """Calm at rest and quickness of each group; moving one makes the preset one's own.

    Args:
        preferences: edited, each drag as one step that can be taken back.
    """

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self.sliders: dict[tuple[str, str], QSlider] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.addWidget(muted(tr("At rest"), wrap=False), 0, 1)
        grid.addWidget(muted(tr("In motion"), wrap=False), 0, 2)
        for row, (name, text) in enumerate(GROUPS, start=1):
            grid.addWidget(QLabel(tr(text)), row, 0)
            for column, field, tip in (
                (1, "min_cutoff", tr("Left is calmer, right is more direct")),
                (2, "beta", tr("Left is calmer, right follows fast motion more closely")),
            ):
                slider = QSlider(Qt.Orientation.Horizontal)
                slider.setRange(0, STEPS)
                slider.setToolTip(tip)
                slider.setAccessibleName(f"{tr(text)}: {tip}")
                slider.valueChanged.connect(lambda value, key=(name, field): self._on_moved(key, value))
                slider.sliderReleased.connect(preferences.undo.seal)
                self.sliders[name, field] = slider
                grid.addWidget(slider, row, column)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        preferences.changed.connect(self._on_settings)
        self._on_settings()

    def _on_moved(self, key: tuple[str, str], value: int) -> None:
        smoothing = self._preferences.settings.tracker.smoothing
        groups = smoothing.groups() or PRESETS["light"]
        group, field = key
        changed = getattr(groups, group).model_copy(update={field: value_at(value, field)})
        own = SmoothingGroups.model_validate(groups.model_dump() | {group: changed.model_dump()})
        self._preferences.edit_smoothing(
            tr("smoothing of {group}", group=tr(dict(GROUPS)[group]).lower()),
            SmoothingSettings(preset="custom", custom=own),
            merge=f"smoothing {group} {field}",
        )

    def _on_settings(self, *_: object) -> None:
        groups = self._preferences.settings.tracker.smoothing.groups() or PRESETS["light"]
        for (group, field), slider in self.sliders.items():
            # What comes from the settings must not be taken for the user's move.
            slider.blockSignals(True)
            if value_at(slider.value(), field) != getattr(getattr(groups, group), field):
                slider.setValue(place_of(getattr(getattr(groups, group), field), field))
            slider.blockSignals(False)


def value_at(place: int, field: str) -> float:
    """Hertz (or hertz a unit a second) at a slider's place 0..STEPS."""
    low, high = CUTOFF if field == "min_cutoff" else BETA
    return float(f"{low * exp(log(high / low) * place / STEPS):.3g}")


def place_of(value: float, field: str) -> int:
    """The slider's place for a value; what lies outside its span stands at its end."""
    low, high = CUTOFF if field == "min_cutoff" else BETA
    inside = min(max(value, low), high)
    return round(log(inside / low) / log(high / low) * STEPS)
