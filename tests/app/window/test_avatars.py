"""Choosing whose head is drawn, in the window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDoubleSpinBox

from app.views.retarget_dialog import words
from app.window.run import Opened
from tests.app.window.conftest import Until
from tests.app.window.test_main_window import click
from tracking.retarget.settings import ChannelCurve

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("no_leaked_threads")]


def names(opened: Opened) -> list[str]:
    return [choice.name for choice in opened.window.models.avatars.choices]


def picture(opened: Opened) -> NDArray[np.float64]:
    return np.asarray(opened.window.head.grab_picture(), np.float64)  # type: ignore[attr-defined]


def press(opened: Opened, name: str, until: Until) -> None:
    """Press an entry of the list."""
    until(lambda: name in names(opened))
    window = opened.window
    window.show_dock("avatar")
    panel = window.avatars.panel
    until(lambda: panel.list.isVisible() and panel.list.count() == len(names(opened)))
    item = panel.list.item(names(opened).index(name))
    panel.list.scrollToItem(item)
    place = panel.list.visualItemRect(item).center()
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_person_that_ships_is_drawn_and_driven(tracking: Opened, until: Until) -> None:
    window, state = tracking.window, tracking.window.models.avatars
    until(lambda: window.head.drawn_count > 5)
    own = picture(tracking)
    assert not window.avatars.panel.driving.isVisibleTo(window.avatars.panel)
    press(tracking, "Kofi", until)
    until(lambda: state.subject.name == "Kofi")
    count = window.head.drawn_count
    until(lambda: window.head.drawn_count > count + 5)
    drawn = picture(tracking)
    assert drawn.shape == own.shape and np.abs(drawn - own).mean() > 3
    rows, columns = drawn.shape[0] // 2, drawn.shape[1] // 2
    middle = slice(rows - 20, rows + 20), slice(columns - 20, columns + 20)
    assert drawn[middle].mean() < own[middle].mean() - 20, "his skin is darker"
    assert window.avatars.panel.driving.isVisibleTo(window.avatars.panel)
    # And back.
    press(tracking, "", until)
    until(lambda: state.subject.own)


def test_how_it_is_driven_is_kept_with_the_avatar(tracking: Opened, until: Until) -> None:
    window, state = tracking.window, tracking.window.models.avatars
    press(tracking, "Mei", until)
    until(lambda: state.subject.name == "Mei")
    panel = window.avatars.panel
    panel.sliders["gaze"].setValue(50)
    assert state.subject.settings.gaze.gain == 0.5
    panel.mirror.setChecked(True)
    window.avatars._show_channels()
    dialog = window.avatars.dialog
    assert dialog is not None
    gain = dialog.rows["mouthSmileLeft"]["gain"]
    assert isinstance(gain, QDoubleSpinBox)
    gain.setValue(1.5)
    click(dialog.copy)
    curves = state.subject.settings.channels
    assert curves["mouthSmileRight"] == curves["mouthSmileLeft"] == ChannelCurve(gain=1.5)
    click(dialog.undo)
    assert "mouthSmileRight" not in state.subject.settings.channels
    until(lambda: dialog.meters["jawOpen"]._values[0] > 0)
    dialog.close()
    press(tracking, "Alva", until)
    until(lambda: state.subject.name == "Alva")
    assert state.subject.settings.gaze.gain == 1.0
    press(tracking, "Mei", until)
    until(lambda: state.subject.name == "Mei")
    kept = state.subject.settings
    assert kept.gaze.gain == 0.5 and kept.mirror and kept.channels["mouthSmileLeft"].gain == 1.5


def test_a_file_that_is_no_avatar_is_told_and_the_head_stays(tracking: Opened, until: Until, tmp_path: Path) -> None:
    window = tracking.window
    for name, content in (("broken.glb", b"glTF nonsense"), ("broken.mien", b"PK nonsense")):
        (tmp_path / name).write_bytes(content)
        window.models.notices.dismiss("avatar")
        window.open_path(tmp_path / name)
        until(lambda: "avatar" in window.models.notices._notices)
        notice = window.models.notices._notices["avatar"]
        assert name in notice.sentence and "Traceback" not in notice.sentence
        assert window.models.avatars.subject.own and not window.models.avatars.loading


def test_without_anything_to_make_an_avatar_from(window: Opened) -> None:
    window.window.avatars._create()
    notice = window.window.models.notices._notices["avatar"]
    assert "Choose your camera first" in notice.sentence


@pytest.mark.parametrize(("name", "text"), [("mouthSmileLeft", "Mouth smile left"), ("jawOpen", "Jaw open")])
def test_names_of_channels_in_words(name: str, text: str) -> None:
    assert words(name) == text
