"""A button that shows a colour and lets one choose another, live."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QColorDialog, QPushButton, QWidget

from app.window.style import Style

Colour = tuple[int, int, int]


class ColourButton(QPushButton):
    """Opens a colour picker.

    Args:
        text: what the colour is of.
        style: sizes and the swatch's border.
    """

    chosen = Signal(object)
    """Another Colour; also while the picker is open."""
    done = Signal()
    """The picker was closed."""

    def __init__(self, text: str, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._style = style
        self._colour: Colour = (0, 0, 0)
        self.dialog: QColorDialog | None = None
        self.setAccessibleName(text)
        self.clicked.connect(self._open)
        style.changed.connect(self._paint)
        self._paint()

    @property
    def colour(self) -> Colour:
        """The one that is shown."""
        return self._colour

    def show_colour(self, colour: Colour) -> None:
        """Show this one without telling anybody."""
        if colour != self._colour:
            self._colour = colour
            self._paint()

    def _paint(self) -> None:
        side = self._style.px(14)
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(round(side * ratio), round(side * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QColor(self._style.colours.muted))
        painter = QPainter(pixmap)
        painter.fillRect(1, 1, side - 2, side - 2, QColor(*self._colour))
        painter.end()
        self.setIcon(QIcon(pixmap))
        self.setIconSize(QSize(side, side))
        self.setToolTip(QColor(*self._colour).name())

    def _open(self) -> None:
        if self.dialog is not None:
            self.dialog.raise_()
            return
        before = self._colour
        dialog = QColorDialog(QColor(*before), self.window())
        dialog.setWindowTitle(self.text())
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.currentColorChanged.connect(self._take)
        dialog.rejected.connect(lambda: self._take(QColor(*before)))
        dialog.finished.connect(self._on_finished)
        self.dialog = dialog
        dialog.open()

    def _take(self, colour: QColor) -> None:
        wanted = (colour.red(), colour.green(), colour.blue())
        if wanted != self._colour:
            self.show_colour(wanted)
            self.chosen.emit(wanted)

    def _on_finished(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None
        self.done.emit()
