"""Recording's part of the main window: its panel, its dock, the mark in the state line."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QLabel

from app.live.director import Director
from app.live.recording import Recording
from app.state.live import Live, Phase
from app.state.player import clock_text
from app.views.record_panel import RecordPanel
from app.views.status_line import StatusLine
from app.views.widgets import restyle
from app.window.actions import Actions
from app.window.dialogs import Dialogs
from app.window.docks import DockPlace, Side
from app.window.texts import tr


class RecordingPart:
    """Made before the docks are; `connect` once they are there.

    Args:
        director: whose session is recorded.
    """

    def __init__(self, director: Director) -> None:
        self._director = director
        self.recording = Recording(director)
        director.companions.append(self.recording)
        self.panel = RecordPanel(self.recording.state, director.models.preferences)
        self.place = DockPlace("record", "Record", Side.LEFT, self.panel, "tuning")
        self.mark = QLabel()
        self.mark.setObjectName("statusState")
        self.mark.setProperty("state", "bad")
        self.mark.hide()

    def connect(self, actions: Actions, dialogs: Dialogs, status: StatusLine) -> None:
        """Connect buttons, menu and state line, and look around."""
        self._actions, self._dialogs = actions, dialogs
        recording, panel = self.recording, self.panel
        panel.toggled.connect(recording.toggle)
        panel.marked.connect(recording.mark)
        panel.take_wanted.connect(recording.start_take)
        panel.take_ended.connect(recording.end_take)
        panel.refresh_wanted.connect(recording.look_for_microphones)
        status.slots.addWidget(self.mark)
        recording.state.changed.connect(self._on_state)
        self._director.models.live.changed.connect(self._on_live)
        self._on_live(self._director.models.live.now)
        actions.connect({"output.record": recording.toggle, "output.marker": recording.mark})
        self._director.when_shown(recording.look_for_unfinished)
        self._director.when_shown(recording.look_for_microphones)
        self._on_state()

    def recover(self, folder: Path) -> None:
        """Mend a recording that was cut short, as a task."""
        self._director.models.notices.dismiss("recovery")
        self._dialogs.run(tr("Recover {name}", name=folder.name), ["recover", str(folder)], folder)

    def _on_live(self, live: Live) -> None:
        able = live.phase in (Phase.TRACKING, Phase.SEARCHING, Phase.LOST) and not live.recorded
        self.panel.can_record(able)
        self._actions.by_name["output.record"].setEnabled(able or self.recording.state.busy)

    def _on_state(self) -> None:
        state = self.recording.state
        running = state.folder is not None
        self._actions.check("output.record", running)
        self._actions.by_name["output.marker"].setEnabled(running)
        self.mark.setVisible(running)
        if running:
            seconds = state.status.seconds if state.status is not None else 0.0
            self.mark.setText(f"●  {tr('Recording')} {clock_text(seconds).split('.')[0]}")
            restyle(self.mark)
        self._on_live(self._director.models.live.now)
