"""The list of long tasks: progress, time left, cancel, and what came of them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.tasks import Task, TaskList, TaskState
from app.views.widgets import muted, picture_pixmap
from app.window.texts import tr


class TasksPanel(QWidget):
    """A row for each task, the newest on top.

    Args:
        tasks: the list.
    """

    def __init__(self, tasks: TaskList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.rows: dict[Task, TaskRow] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._none = muted(tr("Nothing is running. Tracked files, reports and other long work appear here."))
        self._column.addWidget(self._none)
        self._column.addStretch(1)
        tasks.added.connect(self._on_added)
        tasks.changed.connect(self._on_changed)
        tasks.removed.connect(self._on_removed)

    def _on_added(self, task: Task) -> None:
        if not task.quiet:
            self._show(task)

    def _show(self, task: Task) -> None:
        row = TaskRow(task, self._tasks)
        self.rows[task] = row
        self._column.insertWidget(0, row)
        self._none.hide()

    def _on_changed(self, task: Task) -> None:
        if task not in self.rows and task.quiet and task.state is TaskState.FAILED:
            self._show(task)
        if task in self.rows:
            self.rows[task].refresh()

    def _on_removed(self, task: Task) -> None:
        row = self.rows.pop(task, None)
        if row is not None:
            self._column.removeWidget(row)
            row.deleteLater()
        self._none.setVisible(not self.rows)


PICTURE = 64


class TaskRow(QFrame):
    """One task.

    Args:
        task: the task.
        tasks: its list, to take it off.
    """

    def __init__(self, task: Task, tasks: TaskList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.task = task
        self.title = QLabel(task.title)
        self.title.setProperty("role", "heading")
        self.title.setWordWrap(True)
        self.detail = muted()
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.picture = QLabel()
        self.picture.setAccessibleName(tr("What emerges"))
        self.picture.hide()
        self._picture: object = None
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.cancel = QPushButton(tr("Cancel"))
        self.cancel.setAccessibleName(tr("Cancel {title}", title=task.title))
        self.cancel.clicked.connect(self._on_cancel)
        self.copy = QPushButton(tr("Copy report"))
        self.copy.clicked.connect(
            lambda: QGuiApplication.clipboard().setText(f"{task.title}\n{task.sentence}\n\n{task.report}")
        )
        self.remove = QPushButton(tr("Remove"))
        self.remove.setProperty("role", "flat")
        self.remove.clicked.connect(lambda: tasks.remove(task))
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        for button in (self.copy, self.remove, self.cancel):
            top.addWidget(button)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.bar)
        column.addWidget(self.detail)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 4)
        row.setSpacing(10)
        row.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        self.refresh()

    def refresh(self) -> None:
        """Show how it stands."""
        task = self.task
        running = task.state is TaskState.RUNNING
        self.bar.setVisible(running)
        self.cancel.setVisible(running)
        self.cancel.setEnabled(not task.cancelling)
        self.copy.setVisible(task.state is TaskState.FAILED)
        self.remove.setVisible(not running)
        fraction = task.fraction
        self.bar.setRange(0, 0 if fraction is None else 1000)
        if fraction is not None:
            self.bar.setValue(round(fraction * 1000))
        self.detail.setText(_in_words(task))
        if task.picture is not None and task.picture is not self._picture:
            self._picture = task.picture
            self.picture.setPixmap(picture_pixmap(task.picture, PICTURE, self.devicePixelRatioF()))
            self.picture.show()

    def _on_cancel(self) -> None:
        self.task.cancel()
        self.refresh()


def _in_words(task: Task) -> str:
    if task.state is TaskState.RUNNING:
        if task.cancelling:
            return tr("Being cancelled; what was written so far is kept.")
        left = task.left_s
        parts = [task.detail] if task.detail else []
        if task.fraction is not None:
            parts.append(f"{task.fraction * 100:.0f} %")
        if left is not None:
            parts.append(tr("{time} left", time=_duration(left)))
        return " · ".join(parts)
    if task.state is TaskState.CANCELLED:
        return task.sentence or tr("Cancelled. What was written so far is kept.")
    if task.state is TaskState.FAILED:
        return task.sentence
    return task.sentence or tr("Done in {time}.", time=_duration(task.elapsed_s))


def _duration(seconds: float) -> str:
    whole = max(1, round(seconds))
    return tr("{s} s", s=whole) if whole < 90 else tr("{m} min", m=round(whole / 60))
