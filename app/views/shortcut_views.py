"""The keys: a table to change them, and a sheet to read them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.state.shortcuts import EXPRESSIONS, ActionInfo, ShortcutMap
from app.views.widgets import heading, muted
from app.window.texts import tr
from app.window.x11_keys import KeyNameError, problem_here, x11_combination


class ShortcutEditor(QWidget):
    """All actions with their keys; the chosen one's key is changed below.

    Args:
        shortcuts: edited, each change as a step that can be taken back.
    """

    def __init__(self, shortcuts: ShortcutMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shortcuts = shortcuts
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels([tr("Action"), tr("Where"), tr("Key")])
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setAccessibleName(tr("Actions and their keys"))
        self.table.itemSelectionChanged.connect(self._on_selected)
        self.edit = QKeySequenceEdit()
        self.edit.setMaximumSequenceLength(1)
        self.edit.setAccessibleName(tr("New key"))
        self.edit.editingFinished.connect(self._on_edited)
        self.clear = QPushButton(tr("No key"))
        self.clear.clicked.connect(lambda: self._assign(""))
        self.reset = QPushButton(tr("All defaults"))
        self.reset.clicked.connect(lambda: shortcuts.reset(tr("keys")))
        self.everywhere = QCheckBox(tr("Also while another program has the keyboard"))
        self.everywhere.clicked.connect(self._on_everywhere)
        self.expressions = QCheckBox(tr("The keys of all expressions, too"))
        self.expressions.clicked.connect(
            lambda on: shortcuts.set_everywhere(EXPRESSIONS, on, tr("keys in other programs"))
        )
        reason = problem_here()
        for box in (self.everywhere, self.expressions):
            box.setEnabled(not reason)
            box.setToolTip(reason)
        self.message = muted(tr("Choose an action, click the field and press the new key."))
        row = QHBoxLayout()
        row.addWidget(self.edit, 1)
        row.addWidget(self.clear)
        row.addWidget(self.reset)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.table, 1)
        column.addWidget(self.message)
        column.addLayout(row)
        column.addWidget(self.everywhere)
        column.addWidget(self.expressions)
        if reason:
            column.addWidget(muted(tr(reason)))
        shortcuts.changed.connect(self._fill)
        self._fill()
        self.table.selectRow(0)

    def disconnect_models(self) -> None:
        """The dialog is closed."""
        self._shortcuts.changed.disconnect(self._fill)

    @property
    def chosen(self) -> ActionInfo:
        """The action whose key is changed."""
        return self._shortcuts.actions[max(0, self.table.currentRow())]

    def _fill(self) -> None:
        actions = self._shortcuts.actions
        self.table.setRowCount(len(actions))
        for row, action in enumerate(actions):
            texts = (tr(action.text).replace("…", ""), tr(action.group), native_key(self._shortcuts.key(action.name)))
            for column, text in enumerate(texts):
                item = self.table.item(row, column)
                if item is None:
                    item = QTableWidgetItem()
                    self.table.setItem(row, column, item)
                item.setText(text)
        self.expressions.setChecked(self._shortcuts.is_everywhere(EXPRESSIONS))
        self.everywhere.setChecked(self._shortcuts.is_everywhere(self.chosen.name))

    def _on_selected(self) -> None:
        self.edit.setKeySequence(QKeySequence(self._shortcuts.key(self.chosen.name)))
        self.everywhere.setChecked(self._shortcuts.is_everywhere(self.chosen.name))

    def _on_everywhere(self, on: bool) -> None:
        action = self.chosen
        key = self._shortcuts.key(action.name)
        try:
            if on and key:
                x11_combination(key)
        except KeyNameError as refused:
            self.everywhere.setChecked(False)
            self.message.setText(str(refused))
            return
        self._shortcuts.set_everywhere(action.name, on, tr("keys in other programs"))

    def _on_edited(self) -> None:
        self._assign(self.edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText))

    def _assign(self, key: str) -> None:
        action = self.chosen
        if key == self._shortcuts.key(action.name):
            return
        loser = self._shortcuts.assign(action.name, key, tr("key"))
        self.edit.setKeySequence(QKeySequence(key))
        name = tr(action.text).replace("…", "")
        if loser is not None:
            lost = tr(loser.text).replace("…", "")
            self.message.setText(
                tr("{key} is now for {name}; {lost} has no key any more.", key=native_key(key), name=name, lost=lost)
            )
        elif key:
            self.message.setText(tr("{key} is now for {name}.", key=native_key(key), name=name))
        else:
            self.message.setText(tr("{name} has no key any more.", name=name))


class CheatSheet(QDialog):
    """All keys in columns.

    Args:
        shortcuts: shown.
    """

    COLUMNS = 2

    def __init__(self, shortcuts: ShortcutMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keyboard shortcuts"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(48)
        grid.setVerticalSpacing(20)
        groups: dict[str, list[ActionInfo]] = {}
        for action in (*shortcuts.actions, *shortcuts.guests):
            if shortcuts.key(action.name):
                groups.setdefault(action.group, []).append(action)
        halves: list[QVBoxLayout] = [QVBoxLayout() for _ in range(self.COLUMNS)]
        lengths = [0] * self.COLUMNS
        for group, actions in groups.items():
            at = lengths.index(min(lengths))
            lengths[at] += len(actions) + 2
            halves[at].addWidget(_group(group, actions, shortcuts))
        for i, half in enumerate(halves):
            half.setSpacing(16)
            half.addStretch(1)
            grid.addLayout(half, 0, i)
        close = QPushButton(tr("Close"))
        close.setDefault(True)
        close.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 22, 28, 18)
        column.setSpacing(16)
        column.addLayout(grid)
        column.addWidget(muted(tr("On the head: drag or arrows turn it, plus and minus zoom, double click recentres.")))
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)


def _group(title: str, actions: list[ActionInfo], shortcuts: ShortcutMap) -> QWidget:
    box = QWidget()
    grid = QGridLayout(box)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(24)
    grid.addWidget(heading(tr(title)), 0, 0, 1, 2)
    for row, action in enumerate(actions, start=1):
        grid.addWidget(QLabel(tr(action.text).replace("…", "")), row, 0)
        grid.addWidget(muted(native_key(shortcuts.key(action.name)), wrap=False), row, 1, Qt.AlignmentFlag.AlignRight)
    grid.setColumnStretch(0, 1)
    return box


def native_key(key: str) -> str:
    """A key as the system writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
