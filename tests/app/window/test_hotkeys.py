"""Keys that show expressions on the avatar, pressed on a real window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTableWidgetItem, QWidget

from app.views.hotkeys_dialog import HotkeysDialog
from app.window.run import Opened
from models.channels import GAZE_CHANNELS
from tests.app.window.conftest import Until
from tests.app.window.test_avatars import picture
from tests.app.window.test_main_window import activate, click, key
from tests.helpers.avatar_files import HEAD_NODE, as_vrm1, person
from tracking.retarget.settings import Hotkey, HotkeySettings

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("no_leaked_threads")]

CONTROL = Qt.KeyboardModifier.ControlModifier
DOWN = (0.0, -0.04, 0.02)


@pytest.fixture
def drawn_avatar(window: Opened, until: Until, tmp_path: Path) -> Opened:
    """A VRM with two moods of its own is loaded."""
    file = as_vrm1(person({"smile": DOWN, "cry": DOWN}), {"happy": mood(0), "sad": mood(1)})
    window.window.open_path(file.save(tmp_path / "drawn.vrm"))
    session = window.director.session
    state = window.window.models.avatars
    until(lambda: state.subject.avatar is not None and bool(state.choices))
    until(lambda: session.ready_to_draw and session._tracker is not None)
    until(lambda: window.window.head.drawn_count > 3)
    return window


def mood(target: int) -> dict[str, object]:
    return {"morphTargetBinds": [{"node": HEAD_NODE, "index": target, "weight": 1.0}]}


def shown(opened: Opened) -> tuple[str, ...]:
    return opened.window.models.avatars.subject.shown


def dialog_of(opened: Opened) -> HotkeysDialog:
    opened.window.show_dock("avatar")
    click(opened.window.avatars.panel.hotkeys)
    dialog = opened.window.avatars.expressions
    assert dialog is not None
    return dialog


def cell(dialog: HotkeysDialog, row: int, column: int) -> QTableWidgetItem:
    item = dialog.table.item(row, column)
    assert item is not None
    return item


def press(widget: QWidget, code: Qt.Key) -> None:
    activate(widget.window())
    QTest.keyPress(widget, code)


def test_an_avatars_own_moods_have_keys_from_the_start(drawn_avatar: Opened) -> None:
    panel = drawn_avatar.window.avatars.panel
    key(drawn_avatar, Qt.Key.Key_1, CONTROL)
    assert shown(drawn_avatar) == ("Happy",) and "Happy" in panel.on_now.text()
    key(drawn_avatar, Qt.Key.Key_2, CONTROL)
    assert shown(drawn_avatar) == ("Happy", "Sad")
    key(drawn_avatar, Qt.Key.Key_1, CONTROL)
    assert shown(drawn_avatar) == ("Sad",)
    key(drawn_avatar, Qt.Key.Key_0)
    assert shown(drawn_avatar) == () and not panel.on_now.isVisibleTo(panel)


def test_an_expression_is_held_as_long_as_its_key_is_down(drawn_avatar: Opened) -> None:
    window = drawn_avatar.window
    settings = window.models.avatars.subject.settings
    held = HotkeySettings(expressions=(Hotkey(name="Gasp", key="G", hold=True, values={"happy": 1.0}),))
    window.avatars.avatars.drive(settings.model_copy(update={"hotkeys": held}))
    press(window, Qt.Key.Key_G)
    assert shown(drawn_avatar) == ("Gasp",)
    press(window, Qt.Key.Key_B)
    QTest.keyRelease(window, Qt.Key.Key_B)
    assert shown(drawn_avatar) == ("Gasp",), "another key changes nothing"
    QTest.keyRelease(window, Qt.Key.Key_G)
    assert shown(drawn_avatar) == ()
    press(window, Qt.Key.Key_G)
    window.avatars.keys.let_go()
    assert shown(drawn_avatar) == (), "another program has the keyboard"


def test_the_expression_is_seen_and_goes_again(tracking: Opened, until: Until) -> None:
    window, state = tracking.window, tracking.window.models.avatars
    until(lambda: any(choice.name == "Kofi" for choice in state.choices))
    window.avatars.avatars.choose(next(choice for choice in state.choices if choice.name == "Kofi"))
    until(lambda: state.subject.name == "Kofi")
    gasp = Hotkey(name="Gasp", key="G", replace=True, values={"jawOpen": 1.0})
    hotkeys = HotkeySettings(fade_s=0.1, expressions=(gasp,))
    window.avatars.avatars.drive(state.subject.settings.model_copy(update={"hotkeys": hotkeys}))
    window.models.view.locked = True

    def mouth() -> float:
        """Brightness of the lower half: an open mouth is dark."""
        seen = picture(tracking)
        rows, columns = seen.shape[:2]
        return float(seen[rows // 2 : rows * 3 // 4, columns * 2 // 5 : columns * 3 // 5].mean())

    def settled() -> float:
        count = window.head.drawn_count
        until(lambda: window.head.drawn_count > count + 8)
        return mouth()

    closed = settled()
    key(tracking, Qt.Key.Key_G)
    opened = settled()
    key(tracking, Qt.Key.Key_G)
    again = settled()
    assert opened < min(closed, again) - 3, (closed, opened, again)


def test_an_expression_is_made_in_the_dialog_and_kept(drawn_avatar: Opened, until: Until) -> None:
    state, dialog = drawn_avatar.window.models.avatars, dialog_of(drawn_avatar)
    assert [cell(dialog, row, 1).text() for row in range(2)] == ["Ctrl+1", "Ctrl+2"]
    click(dialog.add)
    form = dialog.form
    assert form.name.text() == "Expression 1"
    form.name.setText("Blush")
    form.name.editingFinished.emit()
    form.key.setKeySequence("J")
    form.key.editingFinished.emit()
    click(form.hold.buttons["hold"])
    click(form.replace.buttons["instead"])
    form._on_more(form.more.findText("happy"))
    form.sliders["happy"].setValue(60)
    form.sliders["happy"].setValue(40)
    made = Hotkey(name="Blush", key="J", hold=True, replace=True, values={"happy": 0.4})
    assert state.subject.settings.hotkeys.get("Blush") == made
    assert [cell(dialog, 2, column).text() for column in range(3)] == ["Blush", "J", "While pressed, instead"]
    click(dialog.undo)
    assert state.subject.settings.hotkeys.get("Blush") == made.model_copy(update={"values": {"happy": 1.0}}), (
        "a slider that was dragged is one step"
    )
    dialog.fade.setValue(0.5)
    # What the panel changes meanwhile stays.
    drawn_avatar.window.avatars.panel.mirror.setChecked(True)
    click(dialog.remove)
    kept = state.subject.settings
    assert kept.mirror and kept.hotkeys.fade_s == 0.5 and kept.hotkeys.get("Blush") is None
    click(dialog.undo)
    assert state.subject.settings.mirror and state.subject.settings.hotkeys.get("Blush") is not None
    path = drawn_avatar.window.avatars.avatars.settings_path
    assert path is not None
    until(lambda: path.is_file() and '"Blush"' in path.read_text(encoding="utf-8"))


def test_a_key_that_is_taken_is_told_with_its_owner(drawn_avatar: Opened) -> None:
    dialog = dialog_of(drawn_avatar)
    form = dialog.form
    for keys, words in (
        ("Ctrl+R", "Ctrl+R belongs to Record"),
        ("0", "0 belongs to Clear expressions"),
        ("Ctrl+2", "Ctrl+2 shows Sad already"),
        ("Esc", "Esc is needed in the window itself"),
    ):
        form.key.setKeySequence(keys)
        form.key.editingFinished.emit()
        assert form.problem.isVisible() and form.problem.text().startswith(words)
        assert form.key.keySequence().toString() == "Ctrl+1"
    assert [each.key for each in dialog.settings.expressions] == ["Ctrl+1", "Ctrl+2"]
    # One that an action gets later: the action has it.
    shortcuts = dialog._shortcuts
    shortcuts.assign("view.mirror", "Ctrl+1", "key")
    assert cell(dialog, 0, 1).text() == "Ctrl+1, taken"
    mirror = drawn_avatar.window.models.view.mirror
    key(drawn_avatar, Qt.Key.Key_1, CONTROL)
    assert drawn_avatar.window.models.view.mirror is not mirror and shown(drawn_avatar) == ()
    drawn_avatar.window.models.preferences.undo.undo()


def test_a_tick_shows_it_and_another_avatar_closes_the_dialog(drawn_avatar: Opened) -> None:
    window, dialog = drawn_avatar.window, dialog_of(drawn_avatar)
    item = cell(dialog, 1, 0)
    place = dialog.table.visualItemRect(item)
    QTest.mouseClick(
        dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.left() + 12, place.center().y())
    )
    assert shown(drawn_avatar) == ("Sad",) and item.checkState() is Qt.CheckState.Checked
    window.avatars.avatars.clear_expressions()
    assert item.checkState() is Qt.CheckState.Unchecked
    window.avatars.avatars.choose(window.models.avatars.choices[0])
    assert window.avatars.expressions is None and not window.avatars.keys.keys


def test_an_expression_of_the_face_before_the_camera(tracking: Opened, until: Until) -> None:
    window, state = tracking.window, tracking.window.models.avatars
    until(lambda: any(choice.name == "Mei" for choice in state.choices))
    window.avatars.avatars.choose(next(choice for choice in state.choices if choice.name == "Mei"))
    until(lambda: state.subject.name == "Mei")
    dialog = dialog_of(tracking)
    click(dialog.usual)
    assert [each.name for each in dialog.settings.expressions] == ["Happy", "Angry", "Sad", "Relaxed", "Surprised"]
    click(dialog.add)
    until(dialog.form.take.isEnabled)
    assert dialog._driven is not None
    strongest = float(np.delete(dialog._driven.values, list(GAZE_CHANNELS)).max())
    click(dialog.form.take)
    values = dialog.settings.expressions[-1].values
    assert set(values) == set(dialog.form.sliders) and all(value >= 0.1 for value in values.values())
    assert bool(values) is (strongest >= 0.1) and not any(name.startswith("eyeLook") for name in values)
