"""Plays a session: timeline, buttons, clean-up of the curves, and the way to an export."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.state.player import SPEEDS, PlayerState, clock_text
from app.views.timeline import COLOURS, Timeline
from app.views.widgets import muted
from app.window.icons import icon
from app.window.style import Style
from app.window.texts import tr
from recordings.cleanup import CleanUp
from recordings.overview import CURVES

SMOOTHEST_MS = 200


class PlayerPanel(QWidget):
    """Everything about the session that is open.

    Args:
        state: what is played.
        style: colours.
    """

    export_wanted = Signal()
    """The user wants to export the session."""
    save_wanted = Signal()
    """The user wants the cleaned curves as a session."""
    reprocess_wanted = Signal()
    """The user wants the pictures tracked again."""

    def __init__(self, state: PlayerState, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._style = style
        self.timeline = Timeline(state, style)
        self.play = self._button("play", tr("Play or stop"), state.toggle)
        self.back = self._button("back", tr("One frame back"), lambda: state.step(-1))
        self.forth = self._button("forth", tr("One frame on"), lambda: state.step(1))
        self.mark_start = QPushButton(tr("Start here"))
        self.mark_start.setToolTip(tr("The range that is played and exported begins here"))
        self.mark_start.clicked.connect(state.mark_start)
        self.mark_end = QPushButton(tr("End here"))
        self.mark_end.setToolTip(tr("The range that is played and exported ends here"))
        self.mark_end.clicked.connect(state.mark_end)
        self.clear = QPushButton(tr("Whole session"))
        self.clear.clicked.connect(state.clear_marks)
        self.loop = QCheckBox(tr("Loop"))
        self.loop.toggled.connect(state.set_loop)
        self.speed = QComboBox()
        self.speed.setAccessibleName(tr("Speed"))
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g} ×", speed)
        self.speed.setCurrentIndex(SPEEDS.index(1.0))
        self.speed.activated.connect(lambda i: state.set_speed(self.speed.itemData(i)))
        self.clock = QLabel("0:00.0 / 0:00.0")
        self.clock.setAccessibleName(tr("Position"))
        self.smooth = QSlider(Qt.Orientation.Horizontal)
        self.smooth.setRange(0, SMOOTHEST_MS)
        self.smooth.setAccessibleName(tr("Smooth the curves"))
        self.smooth.setMinimumWidth(90)
        self.smooth.valueChanged.connect(self._on_clean_up)
        self.smoothing = muted(tr("off"), wrap=False)
        self.gaps = QCheckBox(tr("Bridge gaps"))
        self.gaps.setToolTip(tr("Where no face was seen for up to a second"))
        self.gaps.toggled.connect(self._on_clean_up)
        self.spikes = QCheckBox(tr("Take out spikes"))
        self.spikes.toggled.connect(self._on_clean_up)
        self.save = QPushButton(tr("Save cleaned"))
        self.save.setToolTip(tr("As a new session beside this one"))
        self.save.clicked.connect(self.save_wanted)
        self.reprocess = QPushButton(tr("Track again"))
        self.reprocess.setToolTip(tr("Track the pictures with the present settings, as a new session"))
        self.reprocess.clicked.connect(self.reprocess_wanted)
        self.export = QPushButton(tr("Export…"))
        self.export.setProperty("role", "primary")
        self.export.clicked.connect(self.export_wanted)
        self._arrange()
        state.opened.connect(self._on_opened)
        state.changed.connect(self._on_changed)
        style.changed.connect(self._on_style)
        self._on_style()
        self._on_opened()

    def _arrange(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(6)
        _add(first, self.back, self.play, self.forth, self.clock)
        first.addSpacing(10)
        _add(first, self.speed, self.loop, self.mark_start, self.mark_end, self.clear)
        first.addStretch(1)
        for (name, _), colour in zip(CURVES, COLOURS, strict=True):
            first.addWidget(QLabel(f'<span style="color:{colour}">&#9644;</span> {tr(name)}'))
        second = QHBoxLayout()
        second.setSpacing(8)
        second.addWidget(QLabel(tr("Smooth")))
        _add(second, self.smooth, self.smoothing, self.gaps, self.spikes, self.save)
        second.addStretch(1)
        second.addWidget(self.reprocess)
        second.addWidget(self.export)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.timeline)
        column.addLayout(first)
        column.addLayout(second)

    def _button(self, name: str, text: str, action: object) -> QToolButton:
        button = QToolButton()
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.setObjectName(name)
        button.clicked.connect(action)
        return button

    def _on_clean_up(self, *_: object) -> None:
        seconds = self.smooth.value() / 1000
        self.smoothing.setText(f"{self.smooth.value()} ms" if seconds else tr("off"))
        self._state.set_clean_up(
            CleanUp(
                fill_gaps_s=1.0 if self.gaps.isChecked() else 0.0,
                spikes=self.spikes.isChecked(),
                smooth_s=seconds,
                smooth_head_s=seconds,
            )
        )

    def _on_opened(self) -> None:
        for widget in (self.smooth, self.gaps, self.spikes, self.loop):
            widget.blockSignals(True)
        self.smooth.setValue(0)
        self.smoothing.setText(tr("off"))
        for box in (self.gaps, self.spikes, self.loop):
            box.setChecked(False)
        self.speed.setCurrentIndex(SPEEDS.index(1.0))
        for widget in (self.smooth, self.gaps, self.spikes, self.loop):
            widget.blockSignals(False)
        player = self._state.player
        self.setEnabled(player is not None)
        self.reprocess.setEnabled(player is not None and player.session.video_path() is not None)

    def _on_changed(self) -> None:
        now = self._state.now
        if now is None:
            return
        first, last = self._state.bounds
        self.clock.setText(f"{clock_text(now.position_s)} / {clock_text(last)}")
        if self.play.property("playing") != now.playing:
            self.play.setProperty("playing", now.playing)
            self._on_style()
        self.clear.setEnabled((now.start_s, now.end_s) != (first, last))
        self.save.setEnabled(self._state.clean_up.any)

    def _on_style(self) -> None:
        names = {self.back: "back", self.forth: "forth", self.play: "stop" if self.play.property("playing") else "play"}
        for button, name in names.items():
            button.setIcon(icon(name, self._style.colours, self.devicePixelRatioF()))
        self.clock.setMinimumWidth(self._style.px(120))


def _add(row: QHBoxLayout, *widgets: QWidget) -> None:
    for widget in widgets:
        row.addWidget(widget)
