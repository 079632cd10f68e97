"""Opens the window's dialogs, each once at a time and none of them blocking. Each is loaded when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.live.commands import run_command, system_report
from app.live.director import Director
from app.state.shortcuts import ShortcutMap
from app.tasks import Task, TaskState
from app.views.widgets import muted
from app.window.style import Style
from app.window.texts import tr

if TYPE_CHECKING:
    from app.views.export_dialog import ExportWish
    from app.views.track_dialog import TrackWish
    from recordings.playback import Player


class Dialogs:
    """Everything that opens beside the main window.

    Args:
        parent: the main window.
        director: what the dialogs show and change.
        key_map: for the sheet of keys.
        style: colours.
    """

    def __init__(self, parent: QWidget, director: Director, key_map: ShortcutMap, style: Style) -> None:
        self._parent = parent
        self._director = director
        self._keys = key_map
        self._style = style
        self.open: dict[str, QDialog] = {}

    def settings(self) -> None:
        """Appearance, the coarse network, keys."""
        from app.views.settings_dialog import SettingsDialog

        models = self._director.models
        self._show(
            "settings",
            lambda: SettingsDialog(models.preferences, self._keys, models.avatars, models.coarse, self._parent),
        )

    def shortcuts(self) -> None:
        """All keys at a glance."""
        from app.views.shortcut_views import CheatSheet

        self._show("shortcuts", lambda: CheatSheet(self._keys, self._parent))

    def about(self) -> None:
        """Version and licence."""
        self._show("about", lambda: AboutDialog(self._parent))

    def track(self) -> None:
        """Track a file into a folder of results, as a task."""

        def make() -> QDialog:
            from app.views.track_dialog import TrackDialog

            dialog = TrackDialog(self._parent)
            dialog.wanted.connect(self._start_tracking)
            return dialog

        self._show("track", make)

    def export(self, sessions: tuple[Path, ...], player: Player | None = None) -> None:
        """Export sessions, as a task.

        Args:
            sessions: folders.
            player: what plays the only one of them, whose range is offered.
        """

        def make() -> QDialog:
            from app.views.export_dialog import ExportDialog

            span, relief, pictures = None, True, True
            if player is not None:
                state = player.state()
                first, last = float(player.track.time_s[0]), float(player.track.time_s[-1])
                if (state.start_s, state.end_s) != (first, last):
                    # The frame at the end of the range belongs to it.
                    span = state.start_s, state.end_s + 0.5 / player.fps
                relief = player.session.details() is not None
                pictures = player.session.video_path() is not None
            dialog = ExportDialog(sessions, span, has_relief=relief, has_pictures=pictures, parent=self._parent)
            dialog.wanted.connect(self._start_export)
            return dialog

        self._show("export", make)

    def receiver(self) -> None:
        """Take a face from a phone or another program."""

        def make() -> QDialog:
            from app.views.receiver_dialog import ReceiverDialog

            dialog = ReceiverDialog(self._director.models.sources.current, self._parent)
            dialog.wanted.connect(self._director.open_source)
            return dialog

        self._show("receiver", make)

    def run(self, title: str, args: list[str], result: Path) -> None:
        """Run a command of the program as a task whose last line is shown when it is done."""
        self._director.marker.note_result(result)

        def work(task: Task) -> Path:
            task.start(tr("starting"), None)
            said = run_command(task, args).strip().splitlines()
            task.sentence = said[-1] if said else ""
            return result

        self._director.models.tasks.start(title, work)

    def report(self) -> None:
        """Check the system as `doctor` does, as a task, and show what it found."""
        self._director.models.tasks.start(tr("System report"), system_report, on_done=self._show_report)

    def close(self) -> None:
        """Close all that is open."""
        for dialog in list(self.open.values()):
            dialog.close()

    def _show(self, name: str, make: Callable[[], QDialog]) -> None:
        dialog = self.open.get(name)
        if dialog is None:
            dialog = make()
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.finished.connect(lambda _: self.open.pop(name, None))
            self.open[name] = dialog
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def _start_tracking(self, wish: TrackWish) -> None:
        args = wish.arguments(self._director.models.preferences.settings)
        self.run(tr("Track {name}", name=wish.input.name), args, wish.folder)

    def _start_export(self, wish: ExportWish) -> None:
        self.run(tr("Export to {name}", name=wish.out.name), wish.arguments(), wish.out)

    def _show_report(self, task: Task) -> None:
        if task.state is TaskState.DONE:
            self._show("report", lambda: ReportDialog(task.result, self._parent))


class ReportDialog(QDialog):
    """What `doctor` found, to read and to copy.

    Args:
        found: the report's dictionary.
    """

    def __init__(self, found: dict[str, Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("System report"))
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 16)
        self.text = QPlainTextEdit(_report_lines(found))
        self.text.setReadOnly(True)
        self.text.setAccessibleName(tr("System report"))
        copy = QPushButton(tr("Copy report"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        close = QPushButton(tr("Close"))
        close.clicked.connect(self.close)
        row = QHBoxLayout()
        row.addWidget(copy)
        row.addStretch(1)
        row.addWidget(close)
        column.addWidget(self.text)
        column.addLayout(row)
        self.resize(680, 480)


class AboutDialog(QDialog):
    """Name, version, licence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        from recordings.versions import package_version

        self.setWindowTitle(tr("About Mien"))
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 20)
        column.setSpacing(10)
        title = QLabel("Mien")
        title.setProperty("role", "title")
        column.addWidget(title)
        column.addWidget(QLabel(tr("Version {version}", version=package_version("mien"))))
        column.addWidget(muted(tr("Real-time face tracking and animation. Nothing leaves your computer.")))
        column.addWidget(muted(tr("Apache-2.0; the files and libraries of others are listed in NOTICE.")))
        close = QPushButton(tr("Close"))
        close.clicked.connect(self.close)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        self.setMinimumWidth(380)


def _report_lines(found: dict[str, Any]) -> str:
    lines = []
    for check in found["checks"]:
        lines.append(f"{check['level']:8} {check['name']}: {check['found']}")
        if check["remedy"]:
            lines.append(f"{'':8} -> {check['remedy']}")
    for part in ("machine", "versions"):
        lines += ["", f"{part}:"] + [f"  {name}: {value}" for name, value in found[part].items()]
    return "\n".join(lines)
