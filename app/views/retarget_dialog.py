"""Every channel of the avatar that is drawn: dead zone, curve, gain, offset, mute, solo; what goes in and comes out."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.views.curve_editor import CurveButton, CurveEditor, Points
from app.views.widgets import muted
from app.window.style import Style
from app.window.texts import tr
from models.channels import ARKIT_CHANNELS
from tracking.retarget.settings import ChannelCurve, RetargetSettings

FIELDS = (("gain", "Gain", -4.0, 4.0), ("offset", "Offset", -1.0, 1.0), ("dead_zone", "Dead zone", 0.0, 0.9))


class Meter(QWidget):
    """What goes in (above) and what comes out (below), 0..1."""

    def __init__(self, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = style
        self._values = (0.0, 0.0)
        self.setMinimumSize(style.px(110), style.px(14))

    def show_values(self, going_in: float, coming_out: float) -> None:
        """Both."""
        if (going_in, coming_out) != self._values:
            self._values = (going_in, coming_out)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter, c = QPainter(self), self._style.colours
        half = self.height() / 2
        for top, value, colour in ((0.0, self._values[0], c.muted), (half, self._values[1], c.bar)):
            painter.fillRect(QRectF(0, top + 1, self.width(), half - 2), QColor(c.bar_back))
            painter.fillRect(QRectF(0, top + 1, self.width() * min(max(value, 0.0), 1.0), half - 2), QColor(colour))
        painter.end()


class RetargetDialog(QDialog):
    """A row for each channel.

    Args:
        settings: as they are.
        style: colours.
    """

    changed = Signal(object)
    """RetargetSettings to use from now on."""

    def __init__(self, settings: RetargetSettings, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle(tr("How the avatar is driven"))
        self.rows: dict[str, dict[str, QWidget]] = {}
        self.meters: dict[str, Meter] = {}
        self.curves: dict[str, CurveButton] = {}
        self._bent = ARKIT_CHANNELS[0]
        self._history: list[RetargetSettings] = []
        self._merging = ""
        self._group = QButtonGroup(self)
        page = QWidget()
        page.setObjectName("page")
        grid = QGridLayout(page)
        grid.setVerticalSpacing(4)
        for column, text in enumerate(
            ("", tr("In, out"), *(tr(f[1]) for f in FIELDS), tr("Mute"), tr("Solo"), tr("Curve"))
        ):
            grid.addWidget(muted(text, wrap=False), 0, column)
        for number, name in enumerate(ARKIT_CHANNELS, 1):
            self._add_row(grid, number, name, style)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(page)
        self.editor = CurveEditor(style)
        self.editor.changed.connect(self._bend)
        self.editor.settled.connect(self._seal)
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.straighten = QPushButton(tr("Straighten"))
        self.straighten.clicked.connect(self._straighten)
        side = QVBoxLayout()
        side.addWidget(self.title)
        side.addWidget(self.editor, 1)
        side.addWidget(muted(tr("What goes in runs to the right, what comes out upwards; the upright line is now.")))
        side.addWidget(muted(tr("Drag a point, press beside the line to add one, double-click one to remove it.")))
        side.addWidget(self.straighten)
        self.copy = QPushButton(tr("Copy left to right"))
        self.copy.clicked.connect(self._copy)
        self.undo = QPushButton(tr("Undo"))
        self.undo.clicked.connect(self._undo)
        self.reset = QPushButton(tr("Reset"))
        self.reset.clicked.connect(lambda: self._put(self._settings.model_copy(update={"channels": {}})))
        close = QPushButton(tr("Close"))
        close.setDefault(True)
        close.clicked.connect(self.close)
        row = QHBoxLayout()
        for button in (self.copy, self.reset, self.undo):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(close)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 14, 16, 14)
        middle = QHBoxLayout()
        middle.setSpacing(style.px(16))
        middle.addWidget(scroll, 1)
        middle.addLayout(side)
        outer.addLayout(middle, 1)
        outer.addLayout(row)
        self.choose_curve(self._bent)
        self.resize(style.px(1000), style.px(580))

    def show_values(self, going_in: NDArray[np.floating], coming_out: NDArray[np.floating]) -> None:
        """(52,) tracked values and what the avatar gets of them."""
        for name, before, after in zip(ARKIT_CHANNELS, going_in.tolist(), coming_out.tolist(), strict=True):
            self.meters[name].show_values(before, after)
            if name == self._bent:
                # The curve comes after the dead zone.
                dead = self._settings.channels.get(name, ChannelCurve()).dead_zone
                self.editor.show_value(max(before - dead, 0.0) / (1.0 - dead))

    def choose_curve(self, name: str) -> None:
        """Bend this channel's curve."""
        self._bent = name
        self.curves[name].setChecked(True)
        self.title.setText(words(name))
        self.editor.setAccessibleName(f"{tr('Response curve')}: {words(name)}")
        self._show()

    def _add_row(self, grid: QGridLayout, number: int, name: str, style: Style) -> None:
        grid.addWidget(QLabel(words(name)), number, 0)
        self.meters[name] = Meter(style)
        grid.addWidget(self.meters[name], number, 1)
        found: dict[str, QWidget] = {}
        for column, (field, text, low, high) in enumerate(FIELDS, 2):
            spin = QDoubleSpinBox()
            spin.setRange(low, high)
            spin.setSingleStep(0.05)
            spin.setDecimals(2)
            spin.setAccessibleName(f"{words(name)}: {tr(text)}")
            spin.valueChanged.connect(lambda _=0.0, name=name: self._read(name))
            found[field] = spin
            grid.addWidget(spin, number, column)
        for column, field in ((5, "mute"), (6, "solo")):
            box = QCheckBox()
            box.setAccessibleName(f"{words(name)}: {tr('Mute') if field == 'mute' else tr('Solo')}")
            box.toggled.connect(lambda _=False, name=name: self._read(name))
            found[field] = box
            grid.addWidget(box, number, column)
        curve = CurveButton(style)
        curve.setAccessibleName(f"{words(name)}: {tr('Curve')}")
        curve.clicked.connect(lambda _=False, name=name: self.choose_curve(name))
        self._group.addButton(curve)
        self.curves[name] = curve
        grid.addWidget(curve, number, 7)
        self.rows[name] = found

    def _show(self) -> None:
        for name, widgets in self.rows.items():
            curve = self._settings.channels.get(name, ChannelCurve())
            for field, widget in widgets.items():
                widget.blockSignals(True)
                if isinstance(widget, QDoubleSpinBox):
                    widget.setValue(getattr(curve, field))
                elif isinstance(widget, QCheckBox):
                    widget.setChecked(getattr(curve, field))
                widget.blockSignals(False)
            self.curves[name].show_points(curve.points)
            if name == self._bent:
                self.editor.show_points(curve.points)
                self.straighten.setEnabled(bool(curve.points))
        self.undo.setEnabled(bool(self._history))

    def _read(self, name: str) -> None:
        before = self._settings.channels.get(name, ChannelCurve())
        values: dict[str, object] = {"points": before.points}
        for field, widget in self.rows[name].items():
            values[field] = widget.value() if isinstance(widget, QDoubleSpinBox) else widget.isChecked()  # type: ignore[attr-defined]
        channels = dict(self._settings.channels) | {name: ChannelCurve.model_validate(values)}
        self._put(self._settings.model_copy(update={"channels": channels}))

    def _bend(self, points: Points) -> None:
        curve = self._settings.channels.get(self._bent, ChannelCurve()).model_copy(update={"points": points})
        channels = dict(self._settings.channels) | {self._bent: curve}
        self._put(self._settings.model_copy(update={"channels": channels}), merge=f"curve {self._bent}")

    def _straighten(self) -> None:
        self._seal()
        self._bend(())
        self._seal()

    def _seal(self) -> None:
        self._merging = ""

    def _copy(self) -> None:
        channels = dict(self._settings.channels)
        for name in ARKIT_CHANNELS:
            if name.endswith("Left") and name in channels:
                channels[name.removesuffix("Left") + "Right"] = channels[name]
        self._put(self._settings.model_copy(update={"channels": channels}))

    def _undo(self) -> None:
        self._seal()
        if self._history:
            self._settings = self._history.pop()
            self._show()
            self.changed.emit(self._settings)

    def _put(self, settings: RetargetSettings, merge: str = "") -> None:
        """Use these; steps in a row with the same `merge` (a point being dragged) are taken back as one."""
        if settings != self._settings:
            if not merge or merge != self._merging:
                self._history.append(self._settings)
            self._merging = merge
            self._settings = settings
            self._show()
            self.changed.emit(settings)


def words(name: str) -> str:
    """`mouthSmileLeft` as words."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return text[0].upper() + text[1:]
