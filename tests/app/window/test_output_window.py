"""The output window shows what is behind it where the scene has no background."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from app.state.view import ViewState
from app.views.head_view import HeadView
from app.window.output_window import OutputWindow
from app.window_settings import Drawing
from rendering import Background, Backing, Look
from tests.app.window.conftest import Until
from tests.helpers.tiny_model import tiny_model
from tests.helpers.tracked import tracked_face

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("no_leaked_threads")]


def grabbed(window: OutputWindow) -> NDArray[np.uint8]:
    """(H, W, 4), colours multiplied by alpha, of what the window gives to the system."""
    head = window.head
    image = head.native.grabFramebuffer() if isinstance(head, HeadView) else window.grab().toImage()  # type: ignore[attr-defined]
    image = image.convertToFormat(QImage.Format.Format_RGBA8888_Premultiplied)
    flat = np.frombuffer(image.constBits(), np.uint8)
    return flat.reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width()].copy()


@pytest.mark.parametrize("drawing", ["processor", "card"])
def test_what_is_transparent_lets_through(drawing: Drawing, until: Until) -> None:
    view = ViewState(look=Look(background=Background(alpha=0.0)))
    window = OutputWindow(view, drawing)
    assert window.testAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    window.resize(200, 160)
    window.show()
    try:
        window.head.set_model(tiny_model())
        face = tracked_face(tiny_model())
        window.head.show_face(face)
        until(lambda: window.head.prepared and grabbed(window)[80, 100, 0] > 50)
        shown = grabbed(window)
        assert shown[80, 100, 3] == 255
        assert shown[3, 3].tolist() == [0, 0, 0, 0] == shown[-4, -4].tolist()
        assert (shown[..., :3].max(axis=2) <= shown[..., 3]).all()
        view.look = Look()
        until(lambda: grabbed(window)[3, 3, 3] == 255)
        assert (grabbed(window)[..., 3] == 255).all()
        view.look = Look(background=Background.plain((1.0, 0.0, 1.0), Backing.KEY))
        until(lambda: grabbed(window)[3, 3].tolist() == [255, 0, 255, 255])
        view.look = replace(view.look, background=Background(alpha=0.0))
        until(lambda: grabbed(window)[3, 3].tolist() == [0, 0, 0, 0])
        # Nobody there: nothing is shown at all.
        window.head.show_face(None)
        until(lambda: grabbed(window)[80, 100].tolist() == [0, 0, 0, 0])
    finally:
        window.close()
