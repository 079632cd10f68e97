"""Whose head is drawn, and how the tracked face drives it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.state.avatars import AvatarChoice, AvatarsState
from app.views.widgets import heading, muted, rule
from app.window.style import Style
from app.window.texts import tr
from tracking.retarget.settings import RetargetSettings

THUMBNAIL = 72
GAINS = (("head", "Head turns"), ("place", "Head moves"), ("gaze", "Eyes"))
MOST_GAIN = 200


class AvatarPanel(QWidget):
    """A list with pictures, and what one changes most.

    Args:
        state: who there is and who is drawn.
        style: sizes.
    """

    chosen = Signal(object)
    """An AvatarChoice."""
    opened = Signal(object)
    """The path of a file to load."""
    deleted = Signal(object)
    """An AvatarChoice to remove."""
    renamed = Signal(object, str)
    """An AvatarChoice and its new name."""
    exported = Signal(object, object)
    """An AvatarChoice and the path of the file to write."""
    create_wanted = Signal()
    """Make one of the person."""
    driven = Signal(object)
    """RetargetSettings to use from now on."""
    channels_wanted = Signal()
    """Show every channel."""
    hotkeys_wanted = Signal()
    """Show the expressions that keys show."""

    def __init__(self, state: AvatarsState, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._style = style
        self._filling = False
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Avatars"))
        self.list.setViewMode(QListWidget.ViewMode.IconMode)
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setMovement(QListWidget.Movement.Static)
        self.list.setWordWrap(True)
        self.list.setMinimumHeight(220)
        self.list.itemClicked.connect(self._on_item)
        self.list.itemActivated.connect(self._on_item)
        self.list.currentItemChanged.connect(lambda *_: self._on_selection())
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._on_context)
        self.open_ = QPushButton(tr("Open…"))
        self.open_.setToolTip(tr("A file of Mien's, a VRM, GLB or glTF"))
        self.open_.clicked.connect(self._ask_file)
        self.create_ = QPushButton(tr("Make one of me…"))
        self.create_.clicked.connect(self.create_wanted)
        self.remove = QPushButton(tr("Remove"))
        self.remove.clicked.connect(self._on_remove)
        self.more = QToolButton()
        self.more.setText(tr("More"))
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self)
        self.rename = self.menu.addAction(tr("Rename…"), self._ask_name)
        self.export = self.menu.addAction(tr("Export a copy…"), self._ask_target)
        self.more.setMenu(self.menu)
        self.making = QVBoxLayout()
        """For rows of avatars that are being made."""
        self.told = muted()
        self.mirror = QCheckBox(tr("Moves like a mirror image"))
        self.mirror.toggled.connect(self._on_changed)
        self.idle = QCheckBox(tr("Blinks and breathes when no face is seen"))
        self.idle.toggled.connect(self._on_changed)
        self.alone = QCheckBox(tr("Also without a source, and while I hide"))
        self.alone.toggled.connect(self._on_changed)
        self.sliders: dict[str, QSlider] = {}
        self.values: dict[str, QLabel] = {}
        self.channels = QPushButton(tr("Every channel…"))
        self.channels.clicked.connect(self.channels_wanted)
        self.hotkeys = QPushButton(tr("Expressions…"))
        self.hotkeys.setToolTip(tr("Expressions that keys show"))
        self.hotkeys.clicked.connect(self.hotkeys_wanted)
        self.on_now = muted()
        self.driving = QWidget()
        self._arrange()
        state.list_changed.connect(self._fill)
        state.subject_changed.connect(self._on_subject)
        style.changed.connect(self._fill)
        self._fill()
        self._on_subject()

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.list, 1)
        row = QHBoxLayout()
        row.setSpacing(6)
        for button in (self.open_, self.create_):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.remove)
        row.addWidget(self.more)
        column.addLayout(row)
        column.addLayout(self.making)
        column.addWidget(self.told)
        inner = QVBoxLayout(self.driving)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(8)
        inner.addWidget(rule())
        inner.addWidget(heading(tr("How it is driven")))
        grid = QGridLayout()
        for at, (name, text) in enumerate(GAINS):
            slider = QSlider(Qt.Orientation.Horizontal)
            slider.setRange(0, MOST_GAIN)
            slider.setAccessibleName(tr(text))
            slider.valueChanged.connect(self._on_changed)
            value = muted(wrap=False)
            self.sliders[name], self.values[name] = slider, value
            grid.addWidget(QLabel(tr(text)), at, 0)
            grid.addWidget(slider, at, 1)
            grid.addWidget(value, at, 2)
        inner.addLayout(grid)
        inner.addWidget(self.mirror)
        inner.addWidget(self.idle)
        under = QHBoxLayout()
        under.addSpacing(22)
        under.addWidget(self.alone, 1)
        inner.addLayout(under)
        further = QHBoxLayout()
        further.setSpacing(6)
        for button in (self.hotkeys, self.channels):
            further.addWidget(button)
        inner.addLayout(further)
        inner.addWidget(self.on_now)
        column.addWidget(self.driving)

    def _fill(self) -> None:
        side = self._style.px(THUMBNAIL)
        self.list.setIconSize(QSize(side, side))
        self.list.setGridSize(QSize(side + self._style.px(14), side + self._style.px(30)))
        self.list.clear()
        for choice in self._state.choices:
            name = choice.name or tr("My head")
            item = QListWidgetItem(_icon(choice, side, self._style.colours.control_hover), name)
            item.setData(Qt.ItemDataRole.UserRole, choice)
            item.setToolTip(choice.problem or name)
            if choice.problem:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
            self.list.addItem(item)
            if choice.path == self._state.path:
                item.setSelected(True)
                self.list.setCurrentItem(item)
        loading = self._state.loading
        self.told.setText(tr("Loading {name}…", name=loading) if loading else "")
        self.told.setVisible(bool(loading))
        self._on_selection()

    def _on_item(self, item: QListWidgetItem) -> None:
        choice = item.data(Qt.ItemDataRole.UserRole)
        if isinstance(choice, AvatarChoice) and choice.path != self._state.path:
            self.chosen.emit(choice)
        self._on_selection()

    def _selected(self) -> AvatarChoice | None:
        item = self.list.currentItem()
        choice = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        return choice if isinstance(choice, AvatarChoice) else None

    def _on_selection(self) -> None:
        choice = self._selected()
        self.remove.setEnabled(choice is not None and choice.own_file)
        self.rename.setEnabled(choice is not None and choice.can_be_renamed)
        self.export.setEnabled(choice is not None and choice.can_be_exported)
        self.more.setEnabled(self.rename.isEnabled() or self.export.isEnabled())

    def _on_remove(self) -> None:
        choice = self._selected()
        if choice is not None and choice.own_file:
            self.deleted.emit(choice)

    def _on_context(self, place: QPoint) -> None:
        item = self.list.itemAt(place)
        if item is not None:
            self.list.setCurrentItem(item)
            if self.more.isEnabled():
                self.menu.popup(self.list.viewport().mapToGlobal(place))

    def _ask_name(self) -> None:
        choice = self._selected()
        if choice is None:
            return
        dialog = QInputDialog(self)
        dialog.setWindowTitle(tr("Rename {name}", name=choice.name))
        dialog.setLabelText(tr("What shall it be called?"))
        dialog.setTextValue(choice.name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(lambda name: self.renamed.emit(choice, name.strip()))
        dialog.open()

    def _ask_target(self) -> None:
        choice = self._selected()
        if choice is None:
            return
        dialog = QFileDialog(self, tr("Export {name}", name=choice.name))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(tr("Avatars") + " (*.mien)")
        dialog.setDefaultSuffix("mien")
        dialog.selectFile(plain_file_name(choice.name))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.exported.emit(choice, Path(path)))
        dialog.open()

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, tr("Open an avatar"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(tr("Avatars") + " (*.mien *.vrm *.glb *.gltf)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.opened.emit(Path(path)))
        dialog.open()

    def _on_subject(self) -> None:
        subject = self._state.subject
        self.driving.setVisible(not subject.own)
        self.on_now.setText(tr("Shown now: {names}", names=", ".join(subject.shown)))
        self.on_now.setVisible(bool(subject.shown))
        settings = subject.settings
        self._filling = True
        self.sliders["head"].setValue(round(100 * settings.head.rotation_gain[0]))
        self.sliders["place"].setValue(round(100 * settings.head.translation_gain))
        self.sliders["gaze"].setValue(round(100 * settings.gaze.gain))
        self.mirror.setChecked(settings.mirror)
        self.idle.setChecked(settings.idle.blink or settings.idle.breathing)
        self.alone.setChecked(settings.idle.without_source)
        self.alone.setEnabled(self.idle.isChecked())
        for name, slider in self.sliders.items():
            self.values[name].setText(f"{slider.value()} %")
        self._filling = False

    def _on_changed(self, *_: object) -> None:
        if self._filling:
            return
        before = self._state.subject.settings
        gain = self.sliders["head"].value() / 100
        values = before.model_dump()
        values["head"] |= {
            "rotation_gain": (gain, gain, gain),
            "translation_gain": self.sliders["place"].value() / 100,
        }
        values["gaze"]["gain"] = self.sliders["gaze"].value() / 100
        values["mirror"] = self.mirror.isChecked()
        values["idle"]["without_source"] = self.alone.isChecked()
        if self.idle.isChecked() is not (before.idle.blink or before.idle.breathing):
            values["idle"] |= {"blink": self.idle.isChecked(), "breathing": self.idle.isChecked()}
        self.driven.emit(RetargetSettings.model_validate(values))


def plain_file_name(name: str) -> str:
    """A name of a file that every system takes."""
    return "".join(c if c.isalnum() or c in " ._-()" else "-" for c in name).strip(" .") or "avatar"


def _icon(choice: AvatarChoice, side: int, back: str) -> QIcon:
    """The thumbnail in a square; a plain square where there is none."""
    pixmap = QPixmap(side, side)
    pixmap.fill(back)
    if choice.thumbnail is not None:
        height, width = choice.thumbnail.shape[:2]
        image = QImage(choice.thumbnail.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        smooth = Qt.TransformationMode.SmoothTransformation
        pixmap = QPixmap.fromImage(image).scaled(side, side, Qt.AspectRatioMode.KeepAspectRatioByExpanding, smooth)
    return QIcon(pixmap)
