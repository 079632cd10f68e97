"""Records: one button, what it costs, and what goes into it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.state.player import clock_text
from app.state.preferences import Preferences
from app.state.recording import RecordingState
from app.views.widgets import heading, muted, rule
from app.window.texts import tr
from recordings.recorder_types import RecorderState, RecorderStatus

QUIET_DB = -60.0


class RecordPanel(QWidget):
    """Everything about recording.

    Args:
        state: how it goes.
        preferences: how it is done.
    """

    toggled = Signal()
    """Start, or stop."""
    marked = Signal(str)
    """A marker of this name."""
    take_wanted = Signal(str)
    """Begin a take of this name."""
    take_ended = Signal()
    refresh_wanted = Signal()
    """Look for microphones again."""

    def __init__(self, state: RecordingState, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._preferences = preferences
        self.button = QPushButton(tr("Record"))
        self.button.setProperty("role", "primary")
        self.button.clicked.connect(self.toggled)
        self.clock = QLabel("0:00.0")
        self.clock.setProperty("role", "title")
        self.clock.setAccessibleName(tr("Length of the recording"))
        self.facts = muted()
        self.trouble = QLabel()
        self.trouble.setWordWrap(True)
        self.trouble.setProperty("role", "problem")
        self.level = QProgressBar()
        self.level.setRange(0, 100)
        self.level.setTextVisible(False)
        self.level.setAccessibleName(tr("Loudness"))
        self.name = QLineEdit()
        self.name.setPlaceholderText(tr("Name of a take or marker"))
        self.name.setAccessibleName(tr("Name of a take or marker"))
        self.name.setMaxLength(100)
        self.take = QPushButton(tr("New take"))
        self.take.setToolTip(tr("A named stretch of the recording begins here"))
        self.take.clicked.connect(self._on_take)
        self.mark = QPushButton(tr("Marker"))
        self.mark.setToolTip(tr("Mark this moment"))
        self.mark.clicked.connect(lambda: self.marked.emit(self.name.text().strip()))
        self.microphone = QComboBox()
        self.microphone.setAccessibleName(tr("Microphone"))
        self.microphone.setMinimumContentsLength(10)
        self.microphone.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.microphone.activated.connect(lambda i: preferences.set_recording(audio=self.microphone.itemData(i)))
        self.picture = QCheckBox(tr("Store the camera's pictures"))
        self.picture.setToolTip(tr("Without them a session holds what was tracked, and sound"))
        self.picture.toggled.connect(lambda on: preferences.set_recording(picture=on))
        self.folder = muted()
        self.choose = QPushButton(tr("Folder…"))
        self.choose.clicked.connect(self._choose_folder)
        self._arrange()
        state.changed.connect(self._on_state)
        state.devices_changed.connect(self._fill)
        preferences.changed.connect(self._on_settings)
        self._fill()
        self._on_settings()
        self._on_state()

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        row = QHBoxLayout()
        row.addWidget(self.button, 1)
        row.addWidget(self.clock, 0, Qt.AlignmentFlag.AlignRight)
        column.addLayout(row)
        column.addWidget(self.facts)
        column.addWidget(self.trouble)
        column.addWidget(rule())
        column.addWidget(self.name)
        row = QHBoxLayout()
        row.addWidget(self.take)
        row.addWidget(self.mark)
        column.addLayout(row)
        column.addWidget(rule())
        column.addWidget(heading(tr("Sound")))
        column.addWidget(self.microphone)
        column.addWidget(self.level)
        column.addWidget(rule())
        column.addWidget(self.picture)
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(self.choose)
        column.addLayout(row)
        column.addStretch(1)

    def can_record(self, able: bool) -> None:
        """Whether there is something to record."""
        self.button.setEnabled(able or self._state.busy)

    def _on_state(self) -> None:
        state, status = self._state, self._state.status
        text = tr("Record")
        if state.folder is not None:
            text = tr("Finishing…") if state.stopping else tr("Stop recording")
        elif state.starting:
            text = tr("Starting…")
        self.button.setText(text)
        self.button.setEnabled(self.button.isEnabled() and not (state.stopping or state.starting))
        running = state.folder is not None and not state.stopping
        self.take.setEnabled(running)
        self.mark.setEnabled(running)
        for widget in (self.microphone, self.picture, self.choose):
            widget.setEnabled(not state.busy)
        outcome = state.outcome
        if status is not None:
            self.clock.setText(clock_text(status.seconds))
            self.facts.setText(_facts(status))
            self.take.setText(tr("End take") if status.take is not None else tr("New take"))
        elif outcome is not None:
            self.clock.setText(clock_text(outcome.seconds))
            self.facts.setText(tr("{frames} pictures, in {name}.", frames=outcome.frames, name=outcome.folder.name))
        elif not state.busy:
            self.clock.setText(clock_text(0))
            self.facts.setText(tr("Pictures, sound and everything that is tracked, in a folder of its own."))
        problems = status.problems if status is not None else ()
        self.trouble.setText(" ".join(problems))
        self.trouble.setVisible(bool(problems))
        sound = status.audio if status is not None else None
        self.level.setVisible(sound is not None)
        if sound is not None:
            self.level.setValue(round(100 * max(0.0, 1 - sound.peak_db / QUIET_DB)))

    def _on_take(self) -> None:
        status = self._state.status
        if status is not None and status.take is not None:
            self.take_ended.emit()
        else:
            self.take_wanted.emit(self.name.text().strip())

    def _fill(self) -> None:
        wanted = self._preferences.settings.outputs.recording.audio
        self.microphone.clear()
        self.microphone.addItem(tr("Default microphone"), "default")
        self.microphone.addItem(tr("No sound"), "none")
        for name in self._state.microphones:
            self.microphone.addItem(name, name)
        if self.microphone.findData(wanted) < 0:
            self.microphone.addItem(wanted, wanted)
        self.microphone.setCurrentIndex(self.microphone.findData(wanted))

    def _on_settings(self, *_: object) -> None:
        recording = self._preferences.settings.outputs.recording
        self.picture.setChecked(recording.picture)
        at = self.microphone.findData(recording.audio)
        if at >= 0:
            self.microphone.setCurrentIndex(at)
        self.folder.setText(tr("To {folder}", folder=_short(recording.place)))
        self.folder.setToolTip(str(recording.place))

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, tr("Folder for recordings"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self._preferences.set_recording(folder=path))
        dialog.open()


def _facts(status: RecorderStatus) -> str:
    if status.state is RecorderState.WAITING:
        return tr("Waiting for the first picture.")
    size = status.bytes_written / 1e6
    megabytes = f"{size:.1f} MB" if size < 10 else f"{size:.0f} MB"
    parts = [tr("{frames} pictures", frames=status.frames), megabytes, status.timecode]
    if status.lost_frames:
        parts.insert(1, tr("{lost} lost", lost=status.lost_frames))
    if status.take is not None:
        parts.append(tr("take {name}", name=status.take) if status.take else tr("take"))
    if status.disk_seconds_left is not None and status.disk_seconds_left < 6 * 3600:
        parts.append(tr("room for {time}", time=clock_text(status.disk_seconds_left)))
    return "  ·  ".join(part for part in parts if part)


def _short(place: Path) -> str:
    home = str(Path.home())
    text = str(place)
    return "~" + text[len(home) :] if text.startswith(home) else text
