"""Which way of showing the head suits this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.state.view import ViewState
from app.views.head_surface import HeadSurface
from app.window_settings import Drawing

CARDS = ("dri/renderD*", "nvidia[0-9]*", "dxg")
"""What a graphics card is called below /dev."""


def has_graphics_card(devices: Path = Path("/dev")) -> bool:
    """Whether OpenGL is likely drawn by a card. On Windows and macOS it always is."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.access(path, os.R_OK | os.W_OK) for pattern in CARDS for path in devices.glob(pattern))


def drawn_by_card(drawing: Drawing) -> bool:
    """Whether the window draws with the card itself."""
    return drawing == "card" or (drawing == "auto" and has_graphics_card())


def make_head(
    state: ViewState, drawing: Drawing, parent: QWidget | None = None, *, interactive: bool = True
) -> HeadSurface:
    """The head's widget.

    Args:
        state, interactive: see HeadSurface.
        drawing: by the card in the window, by the processor beside it, or whichever suits.
    """
    if drawn_by_card(drawing):
        from app.views.head_view import HeadView

        return HeadView(state, parent, interactive=interactive)
    from app.views.raster_head_view import RasterHeadView

    return RasterHeadView(state, parent, interactive=interactive)
