"""The main flows with real clicks and keys."""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QSlider, QWidget

from app.live.marker import RunMarker
from app.state.live import Live, Phase
from app.state.source_list import CameraChoice
from app.tasks import Task
from app.views.raster_head_view import RasterHeadView
from app.window.run import Opened, open_window
from app.window_settings import SourceSettings
from rendering import View
from tests.app.window.conftest import Until
from tracking.smoothing import SmoothingSettings
from tracking.types import DetailState

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("no_leaked_threads")]


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def activate(window: QWidget) -> None:
    """Give a window the keyboard, as a window manager would; the virtual screen has none."""
    window.raise_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        QApplication.setActiveWindow(window)


def key(opened: Opened, code: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    activate(opened.window)
    QTest.keyClick(opened.window, code, modifiers)


def phase(opened: Opened) -> Phase:
    return opened.window.models.live.now.phase


def test_one_click_opens_the_demo_clip_and_the_head_moves(window: Opened, until: Until) -> None:
    until(lambda: window.window.start_card.isVisible())
    button = next(b for b in window.window.start_card.buttons if b.text() == "Demo clip")
    click(button)
    until(lambda: phase(window) is Phase.TRACKING)
    until(lambda: window.window.head.drawn_count > 5)
    assert not window.window.start_card.isVisible()
    head = window.window.head
    if isinstance(head, RasterHeadView):
        picture = head.grab_picture()
        assert picture is not None and picture[..., :3].std() > 20, "a head, not a plain background"
    shown = window.window.camera.preview.grab().toImage()
    assert shown.pixelColor(shown.width() // 2, shown.height() // 2).lightness() > 30, "the clip's picture"
    live = window.window.models.live.now
    assert live.latency_ms is not None and live.captured > 0
    assert "Tracking" in window.window.status.state.text()


def test_the_first_run_shows_the_demo_clip_and_the_second_does_not(home: Path, qapp: object, until: Until) -> None:
    opened = open_window(marker=RunMarker(home / "running.json"))
    try:
        until(lambda: opened.window.head.drawn_count > 2)
        assert opened.window.banner.isVisible() and "demo clip" in opened.window.banner.sentence.text()
        opened.director.open_source(SourceSettings())
    finally:
        opened.close()
    opened = open_window(marker=RunMarker(home / "running.json"))
    try:
        until(lambda: opened.window.start_card.isVisible())
        assert not opened.window.banner.isVisible()
    finally:
        opened.close()


def test_keys_change_the_view(tracking: Opened, until: Until) -> None:
    view = tracking.window.models.view
    for code, name in ((Qt.Key.Key_2, "clay"), (Qt.Key.Key_3, "wireframe"), (Qt.Key.Key_5, "overlay")):
        key(tracking, code)
        assert view.view == name
        assert tracking.window.views.buttons[name].isChecked()
        count = tracking.window.head.drawn_count
        until(lambda count=count: tracking.window.head.drawn_count > count + 1)
    mirrored = view.mirror
    key(tracking, Qt.Key.Key_M)
    assert view.mirror is not mirrored
    view.turn(0.5, 0.2)
    key(tracking, Qt.Key.Key_R)
    assert (view.yaw, view.pitch) == (0.0, 0.0)
    click(tracking.window.views.buttons["tension"])
    assert view.view == "tension"


def test_the_mouse_turns_the_head(tracking: Opened) -> None:
    head = tracking.window.head
    target = getattr(head, "native", head)
    QTest.mousePress(target, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    QTest.mouseMove(target, QPoint(150, 120))
    QTest.mouseRelease(target, Qt.MouseButton.LeftButton, pos=QPoint(150, 120))
    assert tracking.window.models.view.yaw != 0.0
    target.setFocus()
    before = tracking.window.models.view.yaw
    QTest.keyClick(target, Qt.Key.Key_Left)
    assert tracking.window.models.view.yaw != before


def test_freezing_holds_the_picture(tracking: Opened, until: Until) -> None:
    key(tracking, Qt.Key.Key_Space)
    assert tracking.window.stage.badge.text() == "Frozen"
    QTest.qWait(300)
    count = tracking.window.head.drawn_count
    QTest.qWait(400)
    assert tracking.window.head.drawn_count <= count + 1
    key(tracking, Qt.Key.Key_Space)
    until(lambda: tracking.window.head.drawn_count > count + 3)


def test_hiding_closes_the_source_and_showing_opens_it(tracking: Opened, until: Until) -> None:
    key(tracking, Qt.Key.Key_H)
    until(lambda: phase(tracking) is Phase.HIDDEN)
    until(lambda: tracking.director.session.poll().status is None)
    assert "Hidden" in tracking.window.stage.badge.text()
    key(tracking, Qt.Key.Key_H)
    until(lambda: phase(tracking) is Phase.TRACKING)


def test_smoothing_by_click_and_back_by_undo(tracking: Opened) -> None:
    preferences = tracking.window.models.preferences

    def smoothing() -> SmoothingSettings:
        return preferences.settings.tracker.smoothing

    click(tracking.window.tuning.presets.buttons["strong"])
    assert smoothing().preset == "strong"
    click(tracking.window.tuning.advanced)
    sliders = tracking.window.tuning.sliders
    assert sliders is not None and sliders.isVisible()
    before = smoothing().groups()
    sliders.sliders["mouth", "min_cutoff"].setValue(90)
    assert smoothing().preset == "custom"
    assert tracking.window.tuning.presets.buttons["custom"].isChecked()
    key(tracking, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert smoothing().preset == "strong" and smoothing().groups() == before
    key(tracking, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert smoothing().preset == "light"


def test_the_window_says_where_wrinkles_come_from(window: Opened) -> None:
    tuning, status, live = window.window.tuning, window.window.status, window.window.models.live
    assert not tuning.detail.isEnabled() and "while a face is tracked" in tuning.detail.toolTip()
    note = "the face is too small to show wrinkles"
    live.update(Live(phase=Phase.TRACKING, detail=DetailState.NONE, detail_note=note))
    assert not tuning.detail.isEnabled() and "too small" in tuning.detail.toolTip()
    assert status.relief.text() == "no wrinkles" and "too small" in status.relief.toolTip()
    live.update(Live(phase=Phase.TRACKING, detail=DetailState.HELD, detail_note=note))
    assert tuning.detail.isEnabled() and status.relief.text() == "wrinkles held"
    assert "last good view" in tuning.detail.toolTip() and "too small" in tuning.detail.toolTip()
    live.update(Live(phase=Phase.TRACKING, detail=DetailState.LIVE))
    assert tuning.detail.isEnabled() and status.relief.text() == "wrinkles live"


def test_the_switch_offers_what_can_be_drawn(window: Opened) -> None:
    assert list(window.window.views.buttons) == [view.value for view in View]


def test_a_broken_file_is_a_sentence_with_a_report_to_copy(window: Opened, until: Until, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    window.window.open_path(broken)
    until(lambda: phase(window) is Phase.ERROR)
    until(lambda: window.window.banner.isVisible())
    assert "broken.mp4 is not a video" in window.window.banner.sentence.text()
    click(window.window.banner.copy)
    copied = QGuiApplication.clipboard().text()
    assert "broken.mp4" in copied and "python" in copied and "Traceback" not in copied
    click(window.window.banner.close_button)
    assert not window.window.banner.isVisible()
    window.director.open_source(SourceSettings(kind="demo"))
    until(lambda: phase(window) is Phase.TRACKING)


def test_cameras_are_offered_by_name(window: Opened, until: Until) -> None:
    until(lambda: window.window.models.sources.listed)
    window.window.models.sources.set_cameras((CameraChoice(2, "Desk Cam"),))
    assert window.window.start_card.buttons[0].text() == "Desk Cam"
    combo = window.window.camera.source.combo
    assert combo.findText("Desk Cam") >= 0
    click(window.window.start_card.buttons[0])
    wanted = window.window.models.sources.current
    assert (wanted.kind, wanted.camera, wanted.name) == ("camera", 2, "Desk Cam")
    until(lambda: phase(window) is Phase.NO_CAMERA)
    assert window.window.banner.isVisible() and "Waiting for the camera" in window.window.stage.badge.text()
    assert window.window.camera.source.modes.isVisible()


def test_a_calibration_from_the_key_to_the_file(tracking: Opened, until: Until, home: Path) -> None:
    tracking.window.models.preferences.set_window(person="Ana")
    key(tracking, Qt.Key.Key_N)
    card = tracking.window.calibration_card
    assert card.isVisible() and card.number.text() == "3"
    until(lambda: not tracking.window.models.calibration.busy)
    if tracking.window.models.calibration.phase.value == "failed":  # the clip's person may have moved just then
        assert tracking.window.models.calibration.sentence.endswith(".")
        return
    until(lambda: tracking.director.people == ["Ana"])
    assert list((home / "data").rglob("person-Ana.json"))


def test_the_settings_dialog_changes_theme_and_size_at_once(window: Opened, until: Until) -> None:
    key(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    dialog = window.window.dialogs.open["settings"]
    click(dialog.theme.buttons["light"])  # type: ignore[attr-defined]
    assert not window.style.dark
    dialog.scale.setValue(15)  # type: ignore[attr-defined]
    assert window.style.scale == 1.5
    click(dialog.undo)  # type: ignore[attr-defined]
    assert window.style.scale == 1.0
    dialog.close()
    until(lambda: not window.window.dialogs.open)


def test_a_key_is_changed_in_the_dialog_and_works(window: Opened) -> None:
    window.window.dialogs.settings()
    editor = window.window.dialogs.open["settings"].shortcuts  # type: ignore[attr-defined]
    names = [a.name for a in editor._shortcuts.actions]
    editor.table.selectRow(names.index("view.mirror"))
    QTest.keyClick(editor.edit, Qt.Key.Key_F7)
    editor._on_edited()
    assert "F7 is now for Mirror" in editor.message.text()
    window.window.dialogs.close()
    before = window.window.models.view.mirror
    key(window, Qt.Key.Key_F7)
    assert window.window.models.view.mirror is not before


def test_the_cheat_sheet_shows_every_key(window: Opened) -> None:
    key(window, Qt.Key.Key_F1)
    from PySide6.QtWidgets import QLabel

    texts = {label.text() for label in window.window.dialogs.open["shortcuts"].findChildren(QLabel)}
    assert {"Recentre", "R", "Freeze", "Full screen", "F11"} <= texts
    window.window.dialogs.close()


def test_a_file_is_tracked_as_a_task(window: Opened, until: Until, face_clip: Path, tmp_path: Path) -> None:
    window.window.dialogs.track()
    dialog = window.window.dialogs.open["track"]
    click(dialog.act)  # type: ignore[attr-defined]
    assert "choose the input" in dialog.problem.text()  # type: ignore[attr-defined]
    dialog.input.setText(str(face_clip))  # type: ignore[attr-defined]
    dialog.folder.setText(str(tmp_path / "results"))  # type: ignore[attr-defined]
    click(dialog.act)  # type: ignore[attr-defined]
    tasks = window.window.models.tasks
    until(lambda: bool(tasks.running))
    assert window.window.status.task_bar.isVisible()
    until(lambda: not tasks.running, 90)
    until(lambda: "a face in 24 of 24" in tasks.tasks[-1].sentence)
    assert json.loads((tmp_path / "results" / "session.json").read_text())["complete"]


def test_the_task_panel_shows_and_cancels(window: Opened, until: Until) -> None:
    def work(task: Task) -> None:
        task.start("half", 2)
        task.step()
        while True:
            task.step(0)
            time.sleep(0.01)

    task = window.window.models.tasks.start("Long work", work)
    click(window.window.status.task_text)
    row = window.window.tasks.rows[task]
    until(lambda: row.bar.value() == 500)
    click(row.cancel)
    until(lambda: "Cancelled" in row.detail.text())
    click(row.remove)
    assert not window.window.tasks.rows


def test_the_output_window_shows_the_head_alone(tracking: Opened, until: Until) -> None:
    key(tracking, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    output = tracking.window.output
    assert output is not None
    until(lambda: output.head.drawn_count > 2)
    activate(output)
    QTest.keyClick(output, Qt.Key.Key_Escape)
    until(lambda: tracking.window.output is None)


def test_panels_and_full_screen_come_and_go(window: Opened) -> None:
    key(window, Qt.Key.Key_F10)
    assert not window.window.docks["camera"].isVisible() and not window.window.tool_bar.isVisible()
    key(window, Qt.Key.Key_F10)
    assert window.window.docks["camera"].isVisible() and window.window.tool_bar.isVisible()
    key(window, Qt.Key.Key_F11)
    assert window.window.isFullScreen()
    key(window, Qt.Key.Key_F11)
    assert not window.window.isFullScreen()


def test_plots_are_built_when_they_are_shown(tracking: Opened, until: Until) -> None:
    assert not tracking.window.plots.built
    tracking.window.show_dock("plots")
    until(lambda: tracking.window.plots.built)
    until(lambda: len(tracking.window.plots.history) > 10)
    QTest.qWait(300)
    data = tracking.window.plots._curves[0].getData()[1]
    assert data is not None and np.isfinite(data).any()


def test_settings_and_docks_survive_a_restart(home: Path, qapp: object, until: Until) -> None:
    opened = open_window(SourceSettings(), marker=RunMarker(home / "running.json"))
    opened.window.models.view.view = "clay"
    opened.window.docks["plots"].close()
    click(opened.window.status.low_power)
    opened.close()
    opened = open_window(SourceSettings(), marker=RunMarker(home / "running.json"))
    try:
        assert opened.window.models.view.view == "clay" and opened.window.status.low_power.isChecked()
        assert opened.window.docks["plots"].isHidden()
    finally:
        opened.close()


def test_after_a_crash_the_window_says_what_is_saved(home: Path, qapp: object) -> None:
    (home / "results").mkdir()
    marker = home / "running.json"
    marker.write_text(json.dumps({"pid": 2**30, "results": [str(home / "results")]}))
    opened = open_window(SourceSettings(), marker=RunMarker(marker))
    try:
        assert "did not end properly" in opened.window.banner.sentence.text()
        assert "calibrations" in opened.window.banner.remedy.text() and "results" in opened.window.banner.remedy.text()
    finally:
        opened.close()
    assert not marker.exists()


def test_everything_is_reached_by_tab_and_has_a_name(window: Opened) -> None:
    main = window.window
    reached: set[int] = set()
    widget: QWidget | None = main.nextInFocusChain()
    while widget is not None and id(widget) not in reached:
        reached.add(id(widget))
        widget = widget.nextInFocusChain()
    nameless = []
    for kind in (QAbstractButton, QComboBox, QSlider, QLineEdit):
        for part in main.findChildren(kind):
            if part.isVisible() and not part.objectName().startswith("qt_") and part.focusPolicy():
                assert id(part) in reached
                if not (part.accessibleName() or getattr(part, "text", str)() or part.toolTip()):
                    nameless.append(part)
    assert not nameless
