"""The light of a scene: ready-made ones, and each lamp's own values."""

from __future__ import annotations

from math import exp, log

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QSlider, QVBoxLayout, QWidget

from app.views.colour_button import ColourButton
from app.views.widgets import Segmented, muted
from app.window.style import Style
from app.window.texts import tr
from rendering.scene_settings import PRESETS, EnvironmentSettings, LampSettings, LightSettings

NAMES = {
    "portrait": "Portrait",
    "soft": "Soft",
    "side": "From the side",
    "back": "From behind",
    "evening": "Evening",
    "neon": "Neon",
}
LAMPS = {
    "key": ("Key", "The main light"),
    "fill": ("Fill", "Softens the shadows"),
    "rim": ("Rim", "From behind, on both sides"),
    "environment": ("Around", "From all around"),
}
COLDEST, WARMEST = 12000, 2000


class LightBox(QWidget):
    """Edits LightSettings.

    Args:
        style: sizes.
    """

    edited = Signal(object, str)
    """LightSettings, and what of them was changed."""
    let_go = Signal()
    """A slider or a picker was let go."""

    def __init__(self, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mirrored = False
        """The picture is shown mirrored, its light with it: sides are told as they are seen."""
        self._light = LightSettings()
        self._picture = False
        self._filling = False
        self._lamp = "key"
        self.presets = QComboBox()
        self.presets.setAccessibleName(tr("Light"))
        for name, text in NAMES.items():
            self.presets.addItem(tr(text), name)
        self.presets.addItem(tr("Own"), "")
        self.presets.activated.connect(self._on_preset)
        self.lamps = Segmented([(n, tr(text), tr(tip)) for n, (text, tip) in LAMPS.items()], tr("Lamp"))
        self.lamps.chosen.connect(self._on_lamp)
        self.strength = self._slider(0, 300, tr("Strength"))
        self.yaw = self._slider(-180, 180, tr("To the side"))
        self.pitch = self._slider(-90, 90, tr("Height"))
        self.warmth = self._slider(0, 100, tr("Warmth"))
        self.tinted = QCheckBox(tr("Colour of its own"))
        self.tinted.toggled.connect(lambda _: self._on_changed("colour"))
        self.colour = self._colour_button(tr("Colour…"), style)
        self.from_picture = QCheckBox(tr("As in the background's picture"))
        self.from_picture.toggled.connect(lambda _: self._on_changed("source"))
        self.sky = self._colour_button(tr("Above…"), style)
        self.ground = self._colour_button(tr("Below…"), style)
        self.values: dict[QSlider, QLabel] = {}
        self._rows: dict[QWidget, tuple[QWidget, ...]] = {}
        self._arrange()
        self.show_light(self._light, picture=False)

    def show_light(self, light: LightSettings, *, picture: bool) -> None:
        """Show this one without telling anybody.

        Args:
            picture: the background has a picture that can give the light.
        """
        self._light, self._picture = light, picture
        self._filling = True
        name = next((n for n, preset in PRESETS.items() if preset == light), "")
        self.presets.setCurrentIndex(self.presets.findData(name))
        self.lamps.show_choice(self._lamp)
        around = self._lamp == "environment"
        for slider in (self.yaw, self.pitch, self.warmth):
            self._set_visible(slider, not around)
        for of_lamp in (self.tinted, self.colour):
            of_lamp.setVisible(not around)
        for of_around in (self.from_picture, self.sky, self.ground):
            of_around.setVisible(around)
        if around:
            self._show_around(light.environment)
        else:
            self._show_lamp(getattr(light, self._lamp))
        self._write_values()
        self._filling = False

    def _show_lamp(self, lamp: LampSettings) -> None:
        self.strength.setValue(round(100 * lamp.strength))
        self.yaw.setValue(round(lamp.yaw_deg))
        self.pitch.setValue(round(lamp.pitch_deg))
        self.warmth.setValue(_warmth(lamp.temperature_k))
        self.tinted.setChecked(lamp.colour is not None)
        self.colour.setEnabled(lamp.colour is not None)
        self._set_enabled(self.warmth, lamp.colour is None)
        if lamp.colour is not None:
            self.colour.show_colour(lamp.colour)

    def _show_around(self, around: EnvironmentSettings) -> None:
        self.strength.setValue(round(100 * around.strength))
        self.from_picture.setChecked(around.source == "picture")
        self.from_picture.setEnabled(self._picture or around.source == "picture")
        self.from_picture.setToolTip("" if self._picture else tr("Choose a picture for the background first"))
        self.sky.show_colour(around.sky)
        self.ground.show_colour(around.ground)
        for button in (self.sky, self.ground):
            button.setEnabled(around.source == "sky")

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.presets)
        column.addWidget(self.lamps)
        grid = QGridLayout()
        for row, slider in enumerate((self.strength, self.yaw, self.pitch, self.warmth)):
            label, value = QLabel(slider.accessibleName()), muted(wrap=False)
            label.setBuddy(slider)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.setMinimumWidth(value.fontMetrics().horizontalAdvance(tr("{angle}° right", angle=180)))
            self.values[slider] = value
            self._rows[slider] = (label, slider, value)
            for at, widget in enumerate(self._rows[slider]):
                grid.addWidget(widget, row, at)
        grid.setColumnStretch(1, 1)
        column.addLayout(grid)
        colours = QGridLayout()
        colours.addWidget(self.tinted, 0, 0)
        colours.addWidget(self.colour, 0, 1)
        colours.addWidget(self.from_picture, 1, 0, 1, 2)
        colours.addWidget(self.sky, 2, 0)
        colours.addWidget(self.ground, 2, 1)
        column.addLayout(colours)

    def _slider(self, low: int, high: int, text: str) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(low, high)
        slider.setAccessibleName(text)
        slider.valueChanged.connect(lambda _: self._on_changed(text))
        slider.sliderReleased.connect(self.let_go)
        return slider

    def _colour_button(self, text: str, style: Style) -> ColourButton:
        button = ColourButton(text, style)
        button.chosen.connect(lambda _: self._on_changed(text))
        button.done.connect(self.let_go)
        return button

    def _set_visible(self, slider: QWidget, on: bool) -> None:
        for widget in self._rows[slider]:
            widget.setVisible(on)

    def _set_enabled(self, slider: QWidget, on: bool) -> None:
        for widget in self._rows[slider]:
            widget.setEnabled(on)

    def _write_values(self) -> None:
        self.values[self.strength].setText(f"{self.strength.value()} %")
        self.yaw.setInvertedAppearance(self.mirrored)
        side = -self.yaw.value() if self.mirrored else self.yaw.value()
        self.values[self.yaw].setText(
            tr("{angle}° right", angle=side) if side >= 0 else tr("{angle}° left", angle=-side)
        )
        self.values[self.pitch].setText(f"{self.pitch.value()}°")
        self.values[self.warmth].setText(f"{_kelvin(self.warmth.value())} K")

    def _on_preset(self, at: int) -> None:
        name = self.presets.itemData(at)
        if name:
            self.edited.emit(PRESETS[name], "")
        else:
            # One's own light is what it is already.
            self.show_light(self._light, picture=self._picture)

    def _on_lamp(self, name: str) -> None:
        self._lamp = name
        self.show_light(self._light, picture=self._picture)

    def _on_changed(self, what: str) -> None:
        if self._filling:
            return
        if self._lamp == "environment":
            changed: EnvironmentSettings | LampSettings = self._around()
        else:
            changed = self._read_lamp(getattr(self._light, self._lamp))
        self.edited.emit(self._light.model_copy(update={self._lamp: changed}), f"{self._lamp} {what}")

    def _read_lamp(self, before: LampSettings) -> LampSettings:
        values = before.model_dump()
        # What was not moved keeps its fraction of a degree or its very temperature.
        for name, now, shown in (
            ("strength", self.strength.value() / 100, round(100 * before.strength) / 100),
            ("yaw_deg", self.yaw.value(), round(before.yaw_deg)),
            ("pitch_deg", self.pitch.value(), round(before.pitch_deg)),
            ("temperature_k", _kelvin(self.warmth.value()), _kelvin(_warmth(before.temperature_k))),
        ):
            if now != shown:
                values[name] = now
        values["colour"] = None
        if self.tinted.isChecked():
            values["colour"] = self.colour.colour if before.colour is not None else (255, 170, 90)
        return LampSettings.model_validate(values)

    def _around(self) -> EnvironmentSettings:
        return EnvironmentSettings(
            source="picture" if self.from_picture.isChecked() else "sky",
            strength=self.strength.value() / 100,
            sky=self.sky.colour,
            ground=self.ground.colour,
        )


def _kelvin(warmth: int) -> int:
    """Of a slider from cold to warm, in even steps for the eye."""
    return 100 * round(exp(log(COLDEST) + (log(WARMEST) - log(COLDEST)) * warmth / 100) / 100)


def _warmth(kelvin: int) -> int:
    at = (log(kelvin) - log(COLDEST)) / (log(WARMEST) - log(COLDEST))
    return round(100 * min(max(at, 0.0), 1.0))
