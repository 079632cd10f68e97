"""Line icons, drawn for this program on a grid of 24, in the colour of the text beside them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.theme import Colours

SIZE = 20
PATHS = {
    "mirror": "M12 3v18 M9 7L3 17h6z M15 7l6 10h-6z",
    "freeze": "M8 5v14 M16 5v14",
    "hide": "M3 12c3-5 6-7 9-7s6 2 9 7c-3 5-6 7-9 7s-6-2-9-7z M4 20L20 4",
    "recentre": "M12 3v5 M12 16v5 M3 12h5 M16 12h5 M12 11.5v1",
    "neutral": "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18z M8.5 9.5v.5 M15.5 9.5v.5 M8.5 15.5h7",
    "output": "M3 5h18v12H3z M8 21h8 M12 17v4",
    "fullscreen": "M4 9V4h5 M15 4h5v5 M20 15v5h-5 M9 20H4v-5",
    "power": "M12 3v8 M7 6.5a7.5 7.5 0 1 0 10 0",
    "refresh": "M19 12a7 7 0 1 1-2-5 M17.5 3v4.5H13",
    "warning": "M12 4L2.5 20h19z M12 10v5 M12 17.5v.5",
    "error": "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18z M9 9l6 6 M15 9l-6 6",
    "info": "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18z M12 11v6 M12 7.5v.5",
    "good": "M5 12.5l4.5 4.5L19 7",
    "chevron": "M5 9l7 7 7-7",
    "play": "M8 5l11 7l-11 7z",
    "stop": "M9 5v14 M15 5v14",
    "back": "M6 5v14 M18 5l-9 7l9 7z",
    "forth": "M18 5v14 M6 5l9 7l-9 7z",
    "record": "M12 6a6 6 0 1 0 0 12a6 6 0 1 0 0-12z",
    "close": "M6 6l12 12 M18 6L6 18",
}


def svg(name: str, colour: str) -> str:
    """The drawing as a text, for Qt's renderer and for style sheets."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="{colour}" stroke-width="1.9"'
        f' stroke-linecap="round" stroke-linejoin="round"><path d="{PATHS[name]}"/></svg>'
    )


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="mien-")


@cache
def mark_file(name: str, colour: str) -> str:
    """Path of a file with the icon, as style sheets want it; it goes away with the program."""
    path = Path(_folder().name) / f"{name}-{colour.removeprefix('#')}.svg"
    path.write_text(svg(name, colour), encoding="utf-8")
    return path.as_posix()


def icon(name: str, colours: Colours, ratio: float = 1.0) -> QIcon:
    """An icon in the theme's colours, for buttons that may be checked or disabled.

    Args:
        name: one of PATHS.
        colours: of the theme.
        ratio: pixels of the screen for one of the window.
    """
    result = QIcon()
    for colour, mode, state in (
        (colours.text, QIcon.Mode.Normal, QIcon.State.Off),
        (colours.on_accent, QIcon.Mode.Normal, QIcon.State.On),
        (colours.muted, QIcon.Mode.Disabled, QIcon.State.Off),
    ):
        result.addPixmap(pixmap(name, colour, SIZE, ratio), mode, state)
    return result


def pixmap(name: str, colour: str, size: int = SIZE, ratio: float = 1.0) -> QPixmap:
    """One icon in one colour, `size` pixels of the window wide."""
    ratio = max(ratio, 1.0)
    image = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(svg(name, colour).encode())).render(painter)
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image
