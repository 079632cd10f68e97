"""The state line: what the tracking does, how fast and how late, and what runs besides."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from app.state.live import Live, LiveState, Phase
from app.tasks import Task, TaskList
from app.views.relief import detail_sentence, relief_words
from app.views.widgets import muted, restyle
from app.window.texts import tr

PHASES = {
    Phase.NO_SOURCE: ("plain", "No source"),
    Phase.LOADING: ("plain", "Starting"),
    Phase.SEARCHING: ("caution", "Looking for a face"),
    Phase.TRACKING: ("good", "Tracking"),
    Phase.LOST: ("caution", "Face lost"),
    Phase.NO_CAMERA: ("bad", "No camera"),
    Phase.ENDED: ("plain", "Ended"),
    Phase.ERROR: ("bad", "Stopped by an error"),
    Phase.HIDDEN: ("plain", "Hidden"),
}
RECORDED = {
    Phase.TRACKING: ("good", "Recorded"),
    Phase.SEARCHING: ("caution", "Recorded, no face"),
    Phase.LOST: ("caution", "Recorded, no face here"),
}
"""What replaces these while a session is played."""
WIDE = 170
"""Letters that fit into the line where all of it can be shown beside a running task."""
STAGES = {
    "wait": "waiting",
    "landmarks": "landmarks",
    "fit": "fit",
    "filter": "smoothing",
    "mesh": "mesh",
    "detail": "detail",
}


class StatusLine(QWidget):
    """State, rates, latency, drops; the stages' times on demand; the running task.

    Later parts of the program put their own short states (recording, streaming) into `slots`.

    Args:
        live: the snapshot.
        tasks: whose newest running one is shown.
    """

    tasks_wanted = Signal()
    """The user wants to see the list of tasks."""
    low_power_wanted = Signal(bool)
    """The user switches low power."""

    def __init__(self, live: LiveState, tasks: TaskList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._live = live
        self._tasks = tasks
        self.state = QLabel()
        self.state.setObjectName("statusState")
        self.state.setAccessibleName(tr("State of the tracking"))
        self.rates = muted(wrap=False)
        self.rates.setToolTip(tr("Tracked pictures a second, and what the source gives"))
        self.latency = muted(wrap=False)
        self.latency.setToolTip(tr("From the capture of a picture to its face on the screen: half of the time, 95 %"))
        self.dropped = muted(wrap=False)
        self.dropped.setToolTip(tr("Pictures that were passed over because a newer one was there"))
        self.relief = muted(wrap=False)
        self.details = QPushButton(tr("Stages"))
        self.details.setProperty("role", "flat")
        self.details.setCheckable(True)
        self.details.setToolTip(tr("Show how long each stage takes"))
        self.details.toggled.connect(lambda _: self._on_live(self._live.now))
        self.stages = muted(wrap=False)
        self.slots = QHBoxLayout()
        """Where further short states go."""
        self.task_text = QPushButton()
        self.task_text.setProperty("role", "flat")
        self.task_text.clicked.connect(self.tasks_wanted)
        self.task_bar = QProgressBar()
        self.task_bar.setTextVisible(False)
        self.task_bar.setFixedWidth(110)
        self.low_power = QPushButton(tr("Low power"))
        self.low_power.setProperty("role", "flat")
        self.low_power.setCheckable(True)
        self.low_power.setToolTip(tr("Track every second picture, draw less often, stop the plots"))
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 2, 10, 4)
        row.setSpacing(16)
        for widget in (self.state, self.rates, self.latency, self.dropped, self.relief, self.details, self.stages):
            row.addWidget(widget)
        self.stages.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.setStretchFactor(self.stages, 1)
        row.addStretch(1)
        row.addLayout(self.slots)
        row.addWidget(self.task_text)
        row.addWidget(self.task_bar, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.low_power)
        self.low_power.clicked.connect(self.low_power_wanted)
        live.changed.connect(self._on_live)
        for signal in (tasks.added, tasks.changed, tasks.ended, tasks.removed):
            signal.connect(self._on_tasks)
        self._on_live(live.now)
        self._on_tasks()

    def _on_live(self, live: Live) -> None:
        colour, text = (PHASES | RECORDED if live.recorded else PHASES)[live.phase]
        self.state.setText(f"●  {tr(text)}")
        if self.state.property("state") != colour:
            self.state.setProperty("state", colour)
            restyle(self.state)
        running = live.phase in (Phase.TRACKING, Phase.SEARCHING, Phase.LOST)
        for label in (self.rates, self.latency, self.dropped, self.relief, self.details):
            label.setVisible(running)
        self.stages.setVisible(running and self.details.isChecked())
        if running and self._tasks.running and self.width() < WIDE * self.fontMetrics().averageCharWidth():
            for label in (self.dropped, self.relief, self.details):
                label.hide()
        if not running:
            return
        self.rates.setText(tr("{fps:.0f} of {source:.0f} pictures/s", fps=live.fps, source=live.capture_fps))
        if live.latency_ms is None:
            self.latency.setText("")
        else:
            self.latency.setText(tr("{p50:.0f} ms delay ({p95:.0f})", p50=live.latency_ms.p50, p95=live.latency_ms.p95))
        self.relief.setText(relief_words(live))
        self.relief.setToolTip(detail_sentence(live))
        self.dropped.setText(tr("{dropped} dropped", dropped=live.dropped))
        if self.details.isChecked():
            self.stages.setText(
                "   ".join(f"{tr(STAGES.get(stage.name, stage.name))} {stage.ms.p50:.0f} ms" for stage in live.stages)
            )

    def _on_tasks(self, task: Task | None = None) -> None:
        running = self._tasks.running
        if bool(running) is self.task_bar.isHidden():
            self._on_live(self._live.now)
        self.task_text.setVisible(bool(running))
        self.task_bar.setVisible(bool(running))
        if not running:
            return
        newest = running[-1]
        more = tr(" and {count} more", count=len(running) - 1) if len(running) > 1 else ""
        self.task_text.setText(f"{newest.title}{more}")
        fraction = newest.fraction
        self.task_bar.setRange(0, 0 if fraction is None else 1000)
        if fraction is not None:
            self.task_bar.setValue(round(fraction * 1000))
