"""The settings that have no place in a panel: appearance, language, the coarse network, keys."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.state.avatars import AvatarsState
from app.state.coarse import CoarseState
from app.state.preferences import Preferences
from app.state.shortcuts import ShortcutMap
from app.views.coarse_page import CoarsePage
from app.views.shortcut_views import ShortcutEditor
from app.views.widgets import Segmented, muted
from app.window.texts import tr

SMALLEST, LARGEST, STEP = 80, 200, 10


class SettingsDialog(QDialog):
    """Every change holds at once and can be undone.

    Args:
        preferences: changed.
        shortcuts: edited on a page.
        avatars, coarse: for the page of the coarse network.
    """

    def __init__(
        self,
        preferences: Preferences,
        shortcuts: ShortcutMap,
        avatars: AvatarsState,
        coarse: CoarseState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self.setWindowTitle(tr("Settings"))
        self.tabs = QTabWidget()
        self.tabs.addTab(self._appearance(), tr("Appearance"))
        self.coarse = CoarsePage(preferences, avatars, coarse)
        self.tabs.addTab(self.coarse, tr("Tracking"))
        self.shortcuts = ShortcutEditor(shortcuts)
        self.tabs.addTab(self.shortcuts, tr("Keyboard"))
        self.undo = QPushButton(tr("Undo"))
        self.undo.clicked.connect(preferences.undo.undo)
        self.redo = QPushButton(tr("Redo"))
        self.redo.clicked.connect(preferences.undo.redo)
        close = QPushButton(tr("Close"))
        close.setDefault(True)
        close.clicked.connect(self.close)
        row = QHBoxLayout()
        row.addWidget(self.undo)
        row.addWidget(self.redo)
        row.addStretch(1)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 14)
        column.setSpacing(12)
        column.addWidget(self.tabs, 1)
        column.addLayout(row)
        self.resize(580, 520)
        preferences.changed.connect(self._on_settings)
        preferences.undo.changed.connect(self._on_undo)
        self.finished.connect(self._disconnect)
        self._on_settings()
        self._on_undo()

    def _appearance(self) -> QWidget:
        self.theme = Segmented(
            [
                ("system", tr("As the system"), tr("Light or dark, as the system is")),
                ("light", tr("Light"), ""),
                ("dark", tr("Dark"), ""),
            ],
            tr("Theme"),
        )
        self.theme.chosen.connect(lambda value: self._edit(tr("theme"), theme=value))
        self.scale = QSlider(Qt.Orientation.Horizontal)
        self.scale.setRange(SMALLEST // STEP, LARGEST // STEP)
        self.scale.setPageStep(1)
        self.scale.setAccessibleName(tr("Size of text"))
        self.scale.valueChanged.connect(self._on_scale)
        self.scale.sliderReleased.connect(lambda: self._on_scale(self.scale.value()))
        self.scale_text = QLabel()
        size = QHBoxLayout()
        size.addWidget(self.scale, 1)
        size.addWidget(self.scale_text)
        page = QWidget()
        form = QFormLayout(page)
        form.setContentsMargins(8, 18, 8, 8)
        form.setVerticalSpacing(16)
        form.setHorizontalSpacing(24)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(tr("Theme"), self.theme)
        form.addRow(tr("Size of text"), size)
        form.addRow(tr("Language"), muted(tr("English; translations can be added, see docs/window.md.")))
        return page

    def _on_scale(self, value: int) -> None:
        self.scale_text.setText(f"{value * STEP} %")
        if not self.scale.isSliderDown():
            self._edit(tr("size of text"), text_scale=value * STEP)

    def _edit(self, text: str, **values: object) -> None:
        self._preferences.edit_window(text, **values)

    def _on_settings(self, *_: object) -> None:
        window = self._preferences.settings.window
        self.theme.show_choice(window.theme)
        if not self.scale.isSliderDown():
            self.scale.setValue(round(window.text_scale / STEP))
            self.scale_text.setText(f"{window.text_scale} %")

    def _on_undo(self) -> None:
        self.undo.setEnabled(self._preferences.undo.undo_text is not None)
        self.redo.setEnabled(self._preferences.undo.redo_text is not None)

    def _disconnect(self) -> None:
        self._preferences.changed.disconnect(self._on_settings)
        self._preferences.undo.changed.disconnect(self._on_undo)
        self.coarse.disconnect_models()
        self.shortcuts.disconnect_models()
