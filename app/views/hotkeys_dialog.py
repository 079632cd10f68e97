"""Expressions that keys show on the avatar: a list with key, name and mode, and one of them to edit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDoubleSpinBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.state.shortcuts import ShortcutMap
from app.views.hotkey_form import HotkeyForm, key_problem
from app.views.shortcut_views import native_key
from app.views.widgets import muted
from app.window.style import Style
from app.window.texts import tr
from tracking.retarget.settings import Hotkey, HotkeySettings

if TYPE_CHECKING:
    from rendering.subject import Subject
    from tracking.retarget import Driven

TAKEN_FROM = 0.1
"""Of a channel of the tracked face: what is less is left out of an expression that is made of it."""


class HotkeysDialog(QDialog):
    """Every change shows at once.

    Args:
        subject: who is drawn.
        shortcuts: all keys in use.
        style: sizes.
    """

    changed = Signal(object)
    """HotkeySettings to use from now on."""
    toggled = Signal(str)
    """Show this expression, or take it away."""

    def __init__(self, subject: Subject, shortcuts: ShortcutMap, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Expressions of {name}", name=subject.name))
        self._shortcuts = shortcuts
        self._settings = subject.settings.hotkeys
        self._shown = subject.shown
        self._own_names = () if subject.avatar is None else tuple(subject.avatar.expressions)
        self._history: list[HotkeySettings] = []
        self._merging = ""
        self._filling = False
        self._driven: Driven | None = None
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels([tr("Expression"), tr("Key"), tr("Mode")])
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            self.table.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.horizontalHeader().setHighlightSections(False)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setAccessibleName(tr("Expressions and their keys"))
        self.table.itemSelectionChanged.connect(self._on_selected)
        self.table.itemChanged.connect(self._on_ticked)
        self.add = QPushButton(tr("New"))
        self.add.clicked.connect(self._add)
        self.usual = QPushButton(tr("Add the usual ones"))
        self.usual.clicked.connect(self._add_usual)
        self.remove = QPushButton(tr("Delete"))
        self.remove.clicked.connect(self._remove)
        self.fade = QDoubleSpinBox()
        self.fade.setRange(0.0, 5.0)
        self.fade.setSingleStep(0.05)
        self.fade.setSuffix(" s")
        self.fade.setAccessibleName(tr("Seconds in which they come and go"))
        self.fade.valueChanged.connect(lambda value: self._put(fade_s=value, merge="fade"))
        self.told = muted()
        self.form = HotkeyForm(self._own_names, shortcuts, style)
        self.form.edited.connect(self._on_edited)
        self.form.let_go.connect(self._seal)
        self.form.take_wanted.connect(self._take_face)
        self.undo = QPushButton(tr("Undo"))
        self.undo.clicked.connect(self._undo)
        self.close_ = QPushButton(tr("Close"))
        self.close_.setDefault(True)
        self.close_.clicked.connect(self.close)
        self._arrange(style)
        shortcuts.changed.connect(self._show)
        self.finished.connect(lambda _: shortcuts.changed.disconnect(self._show))
        self._show()
        self.table.selectRow(0)
        self.resize(style.px(860), style.px(540))

    @property
    def settings(self) -> HotkeySettings:
        """As they are edited."""
        return self._settings

    def show_shown(self, names: tuple[str, ...]) -> None:
        """These are on now."""
        if names != self._shown:
            self._shown = names
            self._show()

    def note_driven(self, driven: Driven) -> None:
        """What the tracked face does to the avatar at the moment, without expressions."""
        self._driven = driven
        self.form.take.setEnabled(True)

    # --- making and showing ---------------------------------------------------------------------------------------

    def _arrange(self, style: Style) -> None:
        buttons = QHBoxLayout()
        for button in (self.add, self.usual, self.remove):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        left = QVBoxLayout()
        left.setSpacing(10)
        left.addWidget(self.table, 1)
        left.addLayout(buttons)
        left.addWidget(self.told)
        middle = QHBoxLayout()
        middle.setSpacing(style.px(20))
        middle.addLayout(left, 1)
        middle.addWidget(self.form, 1)
        row = QHBoxLayout()
        row.addWidget(QLabel(tr("They come and go in")))
        row.addWidget(self.fade)
        row.addSpacing(style.px(12))
        row.addWidget(self.undo)
        row.addStretch(1)
        row.addWidget(self.close_)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 14, 16, 14)
        outer.setSpacing(12)
        outer.addLayout(middle, 1)
        outer.addLayout(row)

    def _show(self) -> None:
        self._filling = True
        expressions = self._settings.expressions
        self.table.setRowCount(len(expressions))
        for row, each in enumerate(expressions):
            for column, text in enumerate((each.name, self._key_text(each), mode_text(each))):
                item = self.table.item(row, column)
                if item is None:
                    item = QTableWidgetItem()
                    self.table.setItem(row, column, item)
                item.setText(text)
                if column == 0:
                    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                    on = each.name in self._shown
                    item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.fade.setValue(self._settings.fade_s)
        self._filling = False
        self.undo.setEnabled(bool(self._history))
        self.usual.setEnabled(any(self._settings.get(each.name) is None for each in self._usual()))
        clear = native_key(self._shortcuts.key("face.no_expressions"))
        tick = tr("Tick one to see it.")
        self.told.setText(tick + (" " + tr("{key} clears all.", key=clear) if clear else ""))
        self._show_chosen()

    def _show_chosen(self) -> None:
        chosen = self._chosen()
        self.remove.setEnabled(chosen is not None)
        self.form.show_hotkey(chosen, self._settings)

    def _key_text(self, hotkey: Hotkey) -> str:
        problem = key_problem(hotkey.key, hotkey.name, self._settings, self._shortcuts)
        return tr("{key}, taken", key=native_key(hotkey.key)) if problem else native_key(hotkey.key)

    def _chosen(self) -> Hotkey | None:
        row = self.table.currentRow()
        return self._settings.expressions[row] if 0 <= row < len(self._settings.expressions) else None

    # --- what the user does ---------------------------------------------------------------------------------------

    def _on_selected(self) -> None:
        if not self._filling:
            self._seal()
            self._show_chosen()

    def _on_ticked(self, item: QTableWidgetItem) -> None:
        if self._filling or item.column() != 0:
            return
        name = self._settings.expressions[item.row()].name
        if (item.checkState() is Qt.CheckState.Checked) is not (name in self._shown):
            self.toggled.emit(name)

    def _on_edited(self, hotkey: Hotkey, merge: str) -> None:
        row = self.table.currentRow()
        expressions = list(self._settings.expressions)
        if 0 <= row < len(expressions):
            expressions[row] = hotkey
            self._put(expressions=expressions, merge=merge and f"{row} {merge}")

    def _add(self) -> None:
        number = 1
        while self._settings.get(name := tr("Expression {number}", number=number)) is not None:
            number += 1
        self._append([Hotkey(name=name)])
        self.form.name.setFocus()
        self.form.name.selectAll()

    def _usual(self) -> tuple[Hotkey, ...]:
        from models.channels import ARKIT_CHANNELS
        from tracking.retarget import usual_hotkeys

        return usual_hotkeys(self._own_names or ARKIT_CHANNELS)

    def _add_usual(self) -> None:
        missing = [each for each in self._usual() if self._settings.get(each.name) is None]
        free = [
            each.model_copy(update={"key": ""})
            if key_problem(each.key, each.name, self._settings, self._shortcuts)
            else each
            for each in missing
        ]
        self._append(free)

    def _append(self, more: Iterable[Hotkey]) -> None:
        self._put(expressions=[*self._settings.expressions, *more])
        self.table.selectRow(len(self._settings.expressions) - 1)

    def _remove(self) -> None:
        row = self.table.currentRow()
        self._put(expressions=[each for i, each in enumerate(self._settings.expressions) if i != row])

    def _take_face(self) -> None:
        """Make the chosen expression of what the tracked face does now; the eyes' direction is no part of it."""
        from models.channels import ARKIT_CHANNELS, GAZE_CHANNELS

        chosen = self._chosen()
        if chosen is None or self._driven is None:
            return
        values = {
            name: round(value, 2)
            for i, (name, value) in enumerate(zip(ARKIT_CHANNELS, self._driven.values.tolist(), strict=True))
            if value >= TAKEN_FROM and i not in GAZE_CHANNELS
        }
        self._on_edited(chosen.model_copy(update={"values": values}), "")

    def _seal(self) -> None:
        self._merging = ""

    def _undo(self) -> None:
        self._seal()
        if self._history:
            self._settings = self._history.pop()
            self._show()
            self.changed.emit(self._settings)

    def _put(self, *, merge: str = "", **values: object) -> None:
        """Use these; steps in a row with the same `merge` are taken back as one."""
        if self._filling:
            return
        settings = HotkeySettings.model_validate(dict(self._settings) | values)
        if settings == self._settings:
            return
        if not merge or merge != self._merging:
            self._history.append(self._settings)
        self._merging = merge
        self._settings = settings
        self._show()
        self.changed.emit(settings)


def mode_text(hotkey: Hotkey) -> str:
    """How a key shows its expression, in a few words."""
    how = tr("While pressed") if hotkey.hold else tr("On and off")
    return f"{how}, {tr('instead') if hotkey.replace else tr('added')}"
