"""Small parts that several panels use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPixmap
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget


class Segmented(QWidget):
    """Buttons side by side of which one is chosen; the arrow keys move the choice.

    Args:
        choices: (value, text, tooltip).
        name: for screen readers.
    """

    chosen = Signal(str)
    """The user chose this value."""

    def __init__(self, choices: Sequence[tuple[str, str, str]], name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("segments")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for value, text, tip in choices:
            button = QToolButton()
            button.setText(text)
            button.setCheckable(True)
            button.setToolTip(tip)
            button.setAccessibleName(f"{name}: {text}")
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, value=value: self.chosen.emit(value))
            self._group.addButton(button)
            self.buttons[value] = button
            row.addWidget(button)

    def show_choice(self, value: str) -> None:
        """Mark a value without telling anybody."""
        if value in self.buttons:
            self.buttons[value].setChecked(True)
        self._one_tab_stop()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        values = list(self.buttons)
        at = next((i for i, value in enumerate(values) if self.buttons[value].isChecked()), 0)
        value = values[(at + step) % len(values)]
        self.buttons[value].setChecked(True)
        self._one_tab_stop()
        self.buttons[value].setFocus(Qt.FocusReason.TabFocusReason)
        self.chosen.emit(value)

    def _one_tab_stop(self) -> None:
        """Only the chosen button is reached by Tab, as in a group of radio buttons."""
        for button in self.buttons.values():
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if button.isChecked() else Qt.FocusPolicy.ClickFocus)


def muted(text: str = "", *, wrap: bool = True) -> QLabel:
    """A label in the second colour."""
    label = QLabel(text)
    label.setProperty("role", "muted")
    label.setWordWrap(wrap)
    return label


def heading(text: str) -> QLabel:
    """The title of a part of a panel."""
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label


def rule() -> QFrame:
    """A thin line across."""
    line = QFrame()
    line.setObjectName("rule")
    return line


def picture_pixmap(picture: NDArray[np.uint8], side: int, ratio: float) -> QPixmap:
    """A picture (H, W, 3) RGB that fills a square.

    Args:
        side: of the square, pixels of the window.
        ratio: pixels of the screen for one of the window.
    """
    height, width = picture.shape[:2]
    image = QImage(np.ascontiguousarray(picture).tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    pixels = round(side * max(ratio, 1.0))
    by, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    pixmap = QPixmap.fromImage(image).scaled(pixels, pixels, by, smooth)
    pixmap.setDevicePixelRatio(max(ratio, 1.0))
    return pixmap


def restyle(widget: QWidget) -> None:
    """Have the style sheet look at a widget's properties again."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()
