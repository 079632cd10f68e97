"""Time plots of what moves most: expression above, head angles below."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.state.history import History
from app.window.style import Style
from app.window.texts import tr
from models.channels import CHANNEL_INDEX
from models.geometry.rotations import to_euler
from tracking.types import TrackedFace

SECONDS = 10.0
EXPRESSION = (
    ("Jaw open", ("jawOpen",), "#5b9cff"),
    ("Smile", ("mouthSmileLeft", "mouthSmileRight"), "#2fae6d"),
    ("Blink", ("eyeBlinkLeft", "eyeBlinkRight"), "#d99a2b"),
    ("Brow up", ("browInnerUp",), "#d0679d"),
)
ANGLES = (("Yaw", "#5b9cff"), ("Pitch", "#2fae6d"), ("Roll", "#d99a2b"))


class Plots(QWidget):
    """Two plots over the last ten seconds. pyqtgraph is loaded on a worker thread first: see `build`.

    Args:
        style: colours.
    """

    def __init__(self, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = style
        self.history = History(len(EXPRESSION) + len(ANGLES))
        self._curves: list[Any] = []
        self._widgets: list[Any] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._waiting = QLabel(tr("The plots are being loaded."))
        self._waiting.setProperty("role", "muted")
        self._layout.addWidget(self._waiting)
        self.setAccessibleName(tr("Values over time"))
        style.changed.connect(self._on_style)

    @staticmethod
    def load() -> None:
        """Import pyqtgraph; half a second, on a worker thread."""
        importlib.import_module("pyqtgraph")

    @property
    def built(self) -> bool:
        """Whether there is something to draw into."""
        return bool(self._curves)

    def build(self) -> None:
        """Make the plots; `load` has to be done."""
        if self.built:
            return
        import pyqtgraph as pg

        self._waiting.hide()
        for title, names, limits in (
            (tr("Expression"), [(name, colour) for name, _, colour in EXPRESSION], (0.0, 1.0)),
            (tr("Head angles in degrees"), list(ANGLES), (-45.0, 45.0)),
        ):
            heading = QLabel(title)
            heading.setProperty("role", "heading")
            self._layout.addWidget(heading)
            legend = QLabel()
            legend.setText("&nbsp;&nbsp; ".join(_entry(name, colour) for name, colour in names))
            self._layout.addWidget(legend)
            plot = pg.PlotWidget(useOpenGL=False, background=None, enableMenu=False)
            plot.setMouseEnabled(False, False)
            plot.hideButtons()
            plot.setXRange(-SECONDS, 0.0, padding=0)
            plot.setYRange(*limits, padding=0.02)
            plot.getViewBox().disableAutoRange()
            plot.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
            plot.setMinimumHeight(110)
            for _, colour in names:
                self._curves.append(plot.plot(pen=pg.mkPen(colour, width=1), connect="finite"))
            self._widgets.append(plot)
            self._layout.addWidget(plot, 1)
        self._on_style()

    def add(self, face: TrackedFace, time_s: float) -> None:
        """One more result; what has no face leaves a gap."""
        sample = np.full(len(EXPRESSION) + len(ANGLES), np.nan, np.float32)
        if face.parameters is not None:
            p = face.parameters
            for i, (_, channels, _) in enumerate(EXPRESSION):
                sample[i] = np.mean([p.expression[CHANNEL_INDEX[name]] for name in channels])
            sample[len(EXPRESSION) :] = np.degrees(to_euler(p.rotation))
        self.history.add(time_s, sample)

    def refresh(self) -> None:
        """Draw what was added since."""
        if not self.built or not self.isVisible() or len(self.history) < 2:
            return
        times = self.history.times()
        for i, curve in enumerate(self._curves):
            curve.setData(times, self.history.values(i))

    def _on_style(self) -> None:
        c = self._style.colours
        for plot in self._widgets:
            for side in ("left", "bottom"):
                axis = plot.getAxis(side)
                axis.setPen(c.line)
                axis.setTextPen(c.muted)
            plot.showGrid(x=False, y=True, alpha=0.15)


def _entry(name: str, colour: str) -> str:
    """One name of a legend with its colour, as rich text that does not break."""
    return f'<span style="color:{colour}">&#9644;</span>&nbsp;{tr(name).replace(" ", "&nbsp;")}'
