"""The theme as Qt takes it: palette, font and style sheet."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from app.theme import THEMES, Colours
from app.window.icons import mark_file
from app.window_settings import Theme


class Style(QObject):
    """Applies the theme and the size of text, and follows the system where the setting says so."""

    changed = Signal()
    """Colours or sizes changed: what is painted by hand has to be painted again."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._base_points = max(app.font().pointSizeF(), 8.0)
        self._theme: Theme = "system"
        self._scale = 100
        self._shown: tuple[Theme, int] | None = None
        self.colours = THEMES["dark"]
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(lambda _: self._apply())

    @property
    def dark(self) -> bool:
        """Whether the dark theme is shown."""
        if self._theme != "system":
            return self._theme == "dark"
        # Where the system says nothing, dark: faces are judged better on it.
        return self._app.styleHints().colorScheme() is not Qt.ColorScheme.Light

    @property
    def scale(self) -> float:
        """1 for the usual size of text."""
        return self._scale / 100.0

    def px(self, pixels: float) -> int:
        """A length that grows with the text."""
        return round(pixels * self.scale)

    def set(self, theme: Theme, scale: int) -> None:
        """Take a theme and a text size in percent."""
        if (theme, scale) == self._shown:
            return  # every widget is measured anew otherwise, for a tenth of a second
        self._theme, self._scale = theme, scale
        self._apply()

    def _apply(self) -> None:
        self._shown = self._theme, self._scale
        self.colours = THEMES["dark" if self.dark else "light"]
        font = self._app.font()
        font.setPointSizeF(self._base_points * self.scale)
        self._app.setFont(font)
        self._app.setPalette(palette(self.colours))
        self._app.setStyleSheet(style_sheet(self.colours, self.scale))
        self.changed.emit()


def palette(c: Colours) -> QPalette:
    """For what is drawn without the style sheet."""
    result = QPalette()
    role = QPalette.ColorRole
    for roles, colour in (
        ((role.Window,), c.window),
        ((role.Base, role.AlternateBase), c.panel),
        ((role.Button, role.ToolTipBase), c.control),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText, role.BrightText), c.text),
        ((role.PlaceholderText,), c.muted),
        ((role.Highlight, role.Accent), c.accent),
        ((role.HighlightedText,), c.on_accent),
        ((role.Link,), c.focus),
        ((role.Mid, role.Midlight, role.Dark, role.Shadow), c.line),
    ):
        for each in roles:
            result.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, each, QColor(c.muted))
    return result


def style_sheet(c: Colours, scale: float) -> str:
    """Of the whole application; lengths grow with the text."""

    def px(value: float) -> str:
        return f"{max(1, round(value * scale))}px"

    arrow, tick = mark_file("chevron", c.muted), mark_file("good", c.on_accent)
    return f"""
QMainWindow, QDialog {{ background: {c.window}; }}
QToolTip {{ background: {c.control}; color: {c.text}; border: 1px solid {c.line}; padding: {px(4)}; }}
QMainWindow::separator {{ background: {c.window}; width: {px(6)}; height: {px(6)}; }}
QMainWindow::separator:hover {{ background: {c.accent}; }}
QDockWidget {{ color: {c.muted}; font-weight: 600; }}
QDockWidget::title {{ background: {c.window}; text-align: left; padding: {px(5)} 0 {px(5)} {px(12)}; }}
QDockWidget > QWidget#dockBody {{ background: {c.panel}; border-radius: {px(8)}; }}
QLabel[role="muted"] {{ color: {c.muted}; }}
QLabel[role="problem"] {{ color: {c.bad}; }}
QLabel[role="heading"] {{ font-weight: 600; }}
QLabel[role="title"] {{ font-weight: 600; font-size: {px(19)}; }}
QLabel[role="instruction"] {{ font-weight: 600; font-size: {px(24)}; }}
QLabel[role="big"] {{ font-weight: 600; font-size: {px(64)}; }}
QToolBar {{ background: {c.window}; border: none; padding: {px(6)} {px(8)}; spacing: {px(4)}; }}
QMenuBar {{ background: {c.window}; padding: {px(2)} {px(6)}; }}
QMenuBar::item {{ padding: {px(4)} {px(8)}; border-radius: {px(4)}; background: transparent; }}
QMenuBar::item:selected {{ background: {c.control_hover}; }}
QMenu {{ background: {c.panel}; border: 1px solid {c.line}; padding: {px(4)}; }}
QMenu::item {{ padding: {px(5)} {px(28)} {px(5)} {px(24)}; border-radius: {px(4)}; }}
QMenu::item:selected {{ background: {c.accent}; color: {c.on_accent}; }}
QMenu::item:disabled {{ color: {c.muted}; }}
QMenu::separator {{ height: 1px; background: {c.line}; margin: {px(4)} {px(8)}; }}
QStatusBar {{ background: {c.window}; }}
QStatusBar::item {{ border: none; }}
QScrollArea, QScrollArea > QWidget > QWidget#page {{ background: transparent; border: none; }}
QPushButton, QToolButton, QComboBox, QLineEdit, QSpinBox, QKeySequenceEdit {{
  background: {c.control}; color: {c.text}; border: 1px solid transparent; border-radius: {px(6)};
  padding: {px(4)} {px(10)}; min-height: {px(20)};
}}
QPushButton:hover, QToolButton:hover, QComboBox:hover {{ background: {c.control_hover}; }}
QPushButton:disabled, QToolButton:disabled, QComboBox:disabled {{ color: {c.muted}; background: {c.panel};
  border: 1px solid {c.line}; }}
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus, QSpinBox:focus, QKeySequenceEdit:focus {{
  border: {px(2)} solid {c.focus}; padding: {px(3)} {px(9)};
}}
QPushButton[role="primary"], QPushButton:default {{ background: {c.accent}; color: {c.on_accent}; font-weight: 600; }}
QPushButton[role="primary"]:focus {{ border: {px(2)} solid {c.text}; }}
QPushButton[role="flat"] {{ background: transparent; }}
QPushButton[role="flat"]:hover {{ background: {c.control_hover}; }}
QToolButton[popupMode="2"] {{ padding-right: {px(24)}; }}
QToolButton::menu-indicator {{ image: url({arrow}); width: {px(12)}; height: {px(12)};
  subcontrol-origin: padding; subcontrol-position: right center; right: {px(7)}; }}
QToolBar QToolButton {{ background: transparent; padding: {px(5)} {px(8)}; }}
QToolBar QToolButton:hover {{ background: {c.control_hover}; }}
QToolBar QToolButton:focus {{ padding: {px(4)} {px(7)}; }}
QToolButton:checked, QPushButton:checked {{ background: {c.accent}; color: {c.on_accent}; }}
QToolBar QToolButton:checked {{ background: {c.accent}; color: {c.on_accent}; }}
QWidget#segments {{ background: {c.control}; border-radius: {px(6)}; }}
QWidget#segments QToolButton {{ background: transparent; border-radius: {px(5)}; padding: {px(4)} {px(6)}; }}
QWidget#segments QToolButton:hover {{ background: {c.control_hover}; }}
QWidget#segments QToolButton:checked {{ background: {c.accent}; color: {c.on_accent}; }}
QWidget#segments QToolButton:focus {{ border: {px(2)} solid {c.focus}; padding: {px(3)} {px(5)}; }}
QWidget#segments QToolButton:checked:focus {{ border: {px(2)} solid {c.text}; }}
QComboBox::drop-down {{ border: none; width: {px(22)}; }}
QComboBox::down-arrow {{ image: url({arrow}); width: {px(12)}; height: {px(12)}; }}
QComboBox QAbstractItemView {{ background: {c.panel}; border: 1px solid {c.line}; outline: none; padding: {px(4)};
  selection-background-color: {c.accent}; selection-color: {c.on_accent}; }}
QLineEdit, QSpinBox, QKeySequenceEdit {{ border: 1px solid {c.line}; }}
QCheckBox {{ spacing: {px(8)}; border: {px(2)} solid transparent; border-radius: {px(4)}; padding: {px(2)}; }}
QCheckBox::indicator, QTableView::indicator {{ width: {px(14)}; height: {px(14)}; border: 1px solid {c.muted};
  border-radius: {px(4)}; background: {c.control}; }}
QCheckBox::indicator:checked, QTableView::indicator:checked {{ background: {c.accent}; border-color: {c.accent};
  image: url({tick}); }}
QCheckBox::indicator:disabled {{ border-color: {c.line}; }}
QCheckBox:focus {{ border: {px(2)} solid {c.focus}; }}
QCheckBox:disabled, QLabel:disabled {{ color: {c.muted}; }}
QSlider {{ min-height: {px(22)}; border: {px(2)} solid transparent; border-radius: {px(4)}; }}
QSlider:focus {{ border: {px(2)} solid {c.focus}; }}
QSlider::groove:horizontal {{ height: {px(4)}; background: {c.control_hover}; border-radius: {px(2)}; }}
QSlider::sub-page:horizontal {{ background: {c.accent}; border-radius: {px(2)}; }}
QSlider::sub-page:horizontal:disabled {{ background: {c.line}; }}
QSlider::handle:horizontal {{ width: {px(14)}; height: {px(14)}; margin: -{px(5)} 0; border-radius: {px(7)};
  background: {c.text}; }}
QSlider::handle:horizontal:disabled {{ background: {c.muted}; }}
QProgressBar {{ background: {c.bar_back}; border: none; border-radius: {px(3)}; max-height: {px(6)};
  min-height: {px(6)}; }}
QProgressBar::chunk {{ background: {c.accent}; border-radius: {px(3)}; }}
QTabBar::tab {{ background: transparent; color: {c.muted}; padding: {px(6)} {px(12)};
  border: {px(2)} solid transparent; }}
QTabBar::tab:selected {{ color: {c.text}; border-bottom: {px(2)} solid {c.accent}; }}
QTabBar::tab:focus {{ color: {c.text}; border: {px(2)} solid {c.focus}; }}
QTabBar {{ qproperty-drawBase: 0; }}
QTabWidget::pane {{ border: none; }}
QTableWidget, QTableView, QPlainTextEdit, QListWidget {{ background: {c.panel}; border: 1px solid {c.line};
  border-radius: {px(6)}; gridline-color: {c.line}; selection-background-color: {c.accent};
  selection-color: {c.on_accent}; }}
QTableWidget:focus, QPlainTextEdit:focus, QListWidget:focus {{ border: {px(2)} solid {c.focus}; }}
QHeaderView::section {{ background: {c.panel}; color: {c.muted}; border: none; padding: {px(4)} {px(8)}; }}
QScrollBar:vertical {{ background: transparent; width: {px(10)}; margin: 0; }}
QScrollBar::handle:vertical {{ background: {c.control_hover}; border-radius: {px(4)}; min-height: {px(24)};
  margin: {px(2)}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
QScrollBar:horizontal {{ background: transparent; height: {px(10)}; }}
QScrollBar::handle:horizontal {{ background: {c.control_hover}; border-radius: {px(4)}; min-width: {px(24)};
  margin: {px(2)}; }}
QFrame#banner[level="error"] {{ background: {c.bad_back}; border-radius: {px(8)}; }}
QFrame#banner[level="warning"] {{ background: {c.caution_back}; border-radius: {px(8)}; }}
QFrame#banner[level="info"] {{ background: {c.info_back}; border-radius: {px(8)}; }}
QFrame#guidance[on="true"] {{ background: {c.caution_back}; border-radius: {px(6)}; }}
QFrame#card {{ background: {c.panel}; border: 1px solid {c.line}; border-radius: {px(10)}; }}
QFrame#rule {{ background: {c.line}; max-height: 1px; min-height: 1px; border: none; }}
QLabel#statusState[state="good"] {{ color: {c.good}; font-weight: 600; }}
QLabel#statusState[state="caution"] {{ color: {c.caution}; font-weight: 600; }}
QLabel#statusState[state="bad"] {{ color: {c.bad}; font-weight: 600; }}
QLabel#statusState[state="plain"] {{ color: {c.muted}; font-weight: 600; }}
"""
