"""One expression that a key shows: its name, key, mode and values."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.state.shortcuts import ShortcutMap
from app.views.retarget_dialog import words
from app.views.shortcut_views import native_key
from app.views.widgets import Segmented, muted
from app.window.style import Style
from app.window.texts import tr
from models.channels import ARKIT_CHANNELS
from tracking.retarget.settings import Hotkey, HotkeySettings

RESERVED = (
    *("Esc", "Tab", "Shift+Tab", "Backtab", "Return", "Enter", "Space", "Backspace", "Del"),
    *("Left", "Right", "Up", "Down", "PgUp", "PgDown", "Home", "End", "+", "-", "="),
)
"""What lists, fields, the time line and the head need themselves."""


class HotkeyForm(QWidget):
    """Tells what the user changes; shows what it is given.

    Args:
        own_names: the avatar's own expressions; none for a person, who has ARKit's channels.
        shortcuts: all keys in use.
        style: sizes.
    """

    edited = Signal(object, str)
    """A Hotkey to use instead, and which steps in a row are one."""
    let_go = Signal()
    """The next change is a step of its own."""
    take_wanted = Signal()
    """Make it of the tracked face."""

    def __init__(
        self, own_names: tuple[str, ...], shortcuts: ShortcutMap, style: Style, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._shortcuts = shortcuts
        self._names = own_names or ARKIT_CHANNELS
        self._hotkey: Hotkey | None = None
        self._all = HotkeySettings()
        self.name = QLineEdit()
        self.name.setMaxLength(60)
        self.name.setAccessibleName(tr("Name"))
        self.name.editingFinished.connect(self._on_name)
        self.key = QKeySequenceEdit()
        self.key.setMaximumSequenceLength(1)
        self.key.setAccessibleName(tr("Key"))
        self.key.editingFinished.connect(self._on_key)
        self.no_key = QPushButton(tr("No key"))
        self.no_key.setAutoDefault(False)
        self.no_key.clicked.connect(lambda: self._edit(key=""))
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setProperty("role", "problem")
        self.hold = Segmented(
            [
                ("toggle", tr("On and off"), tr("One press shows it, the next takes it away")),
                ("hold", tr("While pressed"), tr("Shown as long as the key is down")),
            ],
            tr("The key shows it"),
        )
        self.hold.chosen.connect(lambda value: self._edit(hold=value == "hold"))
        self.replace = Segmented(
            [
                ("add", tr("Added"), tr("To what the tracked face does")),
                ("instead", tr("Instead"), tr("Of the tracked expression; head and eyes go on")),
            ],
            tr("Tracked face"),
        )
        self.replace.chosen.connect(lambda value: self._edit(replace=value == "instead"))
        self.more = QComboBox()
        self.more.setAccessibleName(tr("Add a part"))
        self.more.activated.connect(self._on_more)
        self.take = QPushButton(tr("Take my face now"))
        self.take.setToolTip(tr("Hold the expression before the camera and press: what you do becomes this expression"))
        self.take.setAutoDefault(False)
        self.take.setEnabled(False)
        self.take.clicked.connect(self.take_wanted)
        self.sliders: dict[str, QSlider] = {}
        self._numbers: dict[str, QLabel] = {}
        self._rows: QWidget | None = None
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._arrange(style)

    def show_hotkey(self, hotkey: Hotkey | None, everything: HotkeySettings) -> None:
        """Show one of them; None for none."""
        other = hotkey is None or self._hotkey is None or hotkey.name != self._hotkey.name
        self._hotkey, self._all = hotkey, everything
        self.setEnabled(hotkey is not None)
        shown = hotkey or Hotkey(name="-")
        if other or not self.name.hasFocus():
            self.name.setText("" if hotkey is None else shown.name)
        self.key.setKeySequence(QKeySequence(shown.key))
        self._complain(key_problem(shown.key, shown.name, everything, self._shortcuts))
        self.hold.show_choice("hold" if shown.hold else "toggle")
        self.replace.show_choice("instead" if shown.replace else "add")
        if list(shown.values) != list(self.sliders):
            self._make_rows(shown)
        for name, slider in self.sliders.items():
            slider.blockSignals(True)
            slider.setValue(round(100 * shown.values[name]))
            slider.blockSignals(False)
            self._numbers[name].setText(f"{slider.value()} %")

    def _arrange(self, style: Style) -> None:
        grid = QGridLayout()
        grid.setVerticalSpacing(10)
        grid.setColumnStretch(1, 1)
        keys = QHBoxLayout()
        keys.addWidget(self.key, 1)
        keys.addWidget(self.no_key)
        grid.addWidget(QLabel(tr("Name")), 0, 0)
        grid.addWidget(self.name, 0, 1)
        grid.addWidget(QLabel(tr("Key")), 1, 0)
        grid.addLayout(keys, 1, 1)
        grid.addWidget(self.problem, 2, 1)
        grid.addWidget(QLabel(tr("The key shows it")), 3, 0)
        grid.addWidget(self.hold, 3, 1)
        grid.addWidget(QLabel(tr("Tracked face")), 4, 0)
        grid.addWidget(self.replace, 4, 1)
        below = QHBoxLayout()
        below.addWidget(self.more, 1)
        below.addWidget(self.take)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(grid)
        column.addWidget(self._scroll, 1)
        column.addLayout(below)
        self.setMinimumWidth(style.px(360))

    def _make_rows(self, hotkey: Hotkey) -> None:
        page = QWidget()
        page.setObjectName("page")
        grid = QGridLayout(page)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        self.sliders, self._numbers = {}, {}
        for row, name in enumerate(hotkey.values):
            slider = QSlider(Qt.Orientation.Horizontal)
            slider.setRange(0, 100)
            slider.setAccessibleName(part_text(name))
            slider.valueChanged.connect(lambda value, name=name: self._on_value(name, value / 100))
            slider.sliderReleased.connect(self.let_go)
            number = muted(wrap=False)
            number.setMinimumWidth(number.fontMetrics().horizontalAdvance("100 %"))
            away = QToolButton()
            away.setText("×")
            away.setAutoRaise(True)
            away.setToolTip(tr("Take out"))
            away.setAccessibleName(f"{tr('Take out')}: {part_text(name)}")
            away.clicked.connect(lambda _=False, name=name: self._take_out(name))
            self.sliders[name], self._numbers[name] = slider, number
            for column, part in enumerate((QLabel(part_text(name)), slider, number, away)):
                grid.addWidget(part, row, column)
        if not hotkey.values:
            grid.addWidget(muted(tr("Nothing moves yet: add a part below.")), 0, 0, 1, 4)
        grid.setRowStretch(len(hotkey.values) + 1, 1)
        self._rows = page
        self._scroll.setWidget(page)
        self.more.clear()
        self.more.addItem(tr("Add a part…"))
        for name in self._names:
            if name not in hotkey.values:
                self.more.addItem(part_text(name), name)

    def _on_name(self) -> None:
        name, hotkey = self.name.text().strip(), self._hotkey
        if hotkey is None or name == hotkey.name:
            return
        if not name or self._all.get(name) is not None:
            self._complain(tr("Another expression is called {name}.", name=name) if name else tr("It needs a name."))
            self.name.setText(hotkey.name)
            return
        self._edit(name=name)

    def _on_key(self) -> None:
        hotkey = self._hotkey
        key = self.key.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        if hotkey is None or key == hotkey.key:
            return
        problem = key_problem(key, hotkey.name, self._all, self._shortcuts)
        if problem:
            self.key.setKeySequence(QKeySequence(hotkey.key))
            self._complain(problem)
        else:
            self._edit(key=key)

    def _on_more(self, at: int) -> None:
        name = self.more.itemData(at)
        if name is not None and self._hotkey is not None:
            self._edit(values=self._hotkey.values | {name: 1.0})

    def _on_value(self, name: str, value: float) -> None:
        if self._hotkey is not None:
            self._edit(merge=name, values=self._hotkey.values | {name: value})

    def _take_out(self, name: str) -> None:
        if self._hotkey is not None:
            self._edit(values={each: value for each, value in self._hotkey.values.items() if each != name})

    def _edit(self, *, merge: str = "", **values: object) -> None:
        if self._hotkey is not None:
            self.edited.emit(self._hotkey.model_copy(update=values), merge)

    def _complain(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))


def key_problem(key: str, name: str, hotkeys: HotkeySettings, shortcuts: ShortcutMap) -> str:
    """Why an expression cannot have a key, one sentence; empty where it can."""
    if not key:
        return ""
    shown = native_key(key)
    if key in RESERVED:
        return tr("{key} is needed in the window itself: choose another.", key=shown)
    owner = next((a for a in shortcuts.actions if shortcuts.key(a.name).casefold() == key.casefold()), None)
    if owner is not None:
        action = tr(owner.text).replace("…", "")
        return tr(
            "{key} belongs to {action}: choose another, or change that one in Settings > Keyboard.",
            key=shown,
            action=action,
        )
    earlier = next((h for h in hotkeys.expressions if h.key.casefold() == key.casefold() and h.name != name), None)
    return tr("{key} shows {name} already: choose another.", key=shown, name=earlier.name) if earlier else ""


def part_text(name: str) -> str:
    """What a channel, or an expression of the avatar's own, is called."""
    return words(name) if name in ARKIT_CHANNELS else name
