"""The guided capture in the window, with clicks and keys; renaming and exporting avatars."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QLineEdit, QMenu, QPushButton, QWidget

from app.avatar_store import AvatarStore
from app.avatar_work import kept_captures
from app.state.capture_guide import CaptureStage, GuidedCaptureState
from app.tasks import Task, TaskList, TaskState
from app.views.capture_dialog import CaptureDialog
from app.views.tasks_panel import TasksPanel
from app.window.run import Opened
from app.window.style import Style
from app.window_settings import SourceSettings
from models.avatars.person_file import read_person
from tests.app.window.conftest import Until
from tests.app.window.test_avatars import names, press
from tests.app.window.test_main_window import click
from tests.helpers.sitter import Sitter
from tests.models.avatars.test_person_file import avatar
from tracking.capture_coverage import Light
from tracking.capture_guide import LOST, OVERDUE, CaptureGuide, GuideStatus, StepState
from tracking.capture_steps import STEPS

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("no_leaked_threads")]


@pytest.fixture
def state() -> GuidedCaptureState:
    state = GuidedCaptureState()
    state.begin(CaptureGuide().status())
    return state


@pytest.fixture
def dialog(qapp: QApplication, state: GuidedCaptureState) -> CaptureDialog:
    dialog = CaptureDialog(state, Style(qapp))
    dialog.show()
    return dialog


def heard(dialog: CaptureDialog) -> list[str]:
    """What the dialog asks for from now on, in order."""
    found: list[str] = []
    for name in ("skip", "back", "finish"):
        getattr(dialog, f"{name}_wanted").connect(lambda name=name: found.append(name))
    dialog.cancelled.connect(lambda: found.append("cancel"))
    dialog.make_wanted.connect(lambda name, licence: found.append(f"make {name}, {licence}"))
    return found


def at(name: str, **changes: object) -> GuideStatus:
    """A status in which everything before a step is done."""
    n = [step.name for step in STEPS].index(name)
    states = [StepState.DONE] * n + [StepState.CURRENT] + [StepState.WAITING] * (len(STEPS) - n - 1)
    plain = replace(
        CaptureGuide().status(), states=tuple(states), step=STEPS[n], number=n + 1, usable=50, settling=False
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def over(skipped: int = 0, **changes: object) -> GuideStatus:
    """A status at the end."""
    states = [StepState.DONE] * (len(STEPS) - skipped) + [StepState.SKIPPED] * skipped
    return replace(at("rest"), states=tuple(states), step=None, number=len(STEPS), **changes)  # type: ignore[arg-type]


def test_the_step_is_said_and_its_buttons_work(dialog: CaptureDialog, state: GuidedCaptureState) -> None:
    found = heard(dialog)
    assert "relax" in dialog.now.instruction.text() and not dialog.back.isEnabled()
    state.show(at("right", progress=0.4), "", "")
    assert dialog.now.number.text() == f"Step 3 of {len(STEPS)}"
    assert "to your right" in dialog.now.instruction.text()
    assert dialog.now.ring.accessibleDescription() == "40 %"
    assert [label.accessibleName() for label in dialog.steps.texts[:4]] == [
        "Relax: done", "Turn left: done", "Turn right: now", "Look up: to do",
    ]  # fmt: skip
    for button in (dialog.skip, dialog.back, dialog.enough):
        click(button)
    assert found == ["skip", "back", "finish"]
    assert not dialog.make.isVisible()


def test_pauses_and_slow_steps_are_said(dialog: CaptureDialog, state: GuidedCaptureState) -> None:
    state.show(at("smile", paused=LOST), "", "")
    assert dialog.now.hint.text() == LOST
    state.show(at("smile", paused=LOST), "The camera is gone.", "")
    assert dialog.now.hint.text() == "The camera is gone."
    state.show(at("smile", hint=OVERDUE, overdue=True), "", "")
    assert dialog.now.hint.text() == OVERDUE and dialog.skip.property("role") == "primary"
    state.show(at("brows", settling=True), "", "")
    assert dialog.now.hint.text() == "Good." and dialog.skip.property("role") is None
    state.show(at("brows"), "", "")
    assert dialog.now.hint.text() == ""
    state.show(at("frown", settling=True, states=at("brows").states), "", "")
    assert dialog.now.hint.text() == "", "a skipped step is not praised"


def test_coverage_is_shown_and_painted(dialog: CaptureDialog, state: GuidedCaptureState) -> None:
    coverage = at("smile").coverage
    directions = ((0.0,) * 5, (0.0, 0.0, 1.0, 1.0, 1.0), (0.0,) * 5)
    shown = replace(
        coverage, directions=directions, here=(1, 4), light=Light(30.0, 0.0, 0.0), side=200.0,
        expressions=(("smile", 1.0), *coverage.expressions[1:]),
    )  # fmt: skip
    state.show(at("smile", coverage=shown), "", "")
    assert dialog.meters.bars["smile"].value() == 100 and dialog.meters.bars["jaw"].value() == 0
    assert not dialog.meters.ticks["smile"].pixmap().isNull() and dialog.meters.ticks["jaw"].pixmap().isNull()
    assert "It is dark" in dialog.light.text()
    assert dialog.grid.accessibleDescription() == "3 of 15"
    picture = dialog.grid.grab().toImage()
    cell = picture.width() // 5
    # The person's left is to the left, as in a looking glass.
    blue = [picture.pixelColor(round((n + 0.25) * cell), round(1.5 * cell)).blue() for n in range(5)]
    assert min(blue[:3]) > max(blue[3:]) + 60
    state.show(at("smile", coverage=replace(shown, light=Light(120.0, 0.0, 0.0))), "", "")
    assert dialog.light.text() == "The light is good."


def test_the_person_sees_themselves_mirrored(dialog: CaptureDialog) -> None:
    picture = np.full((180, 200, 3), 30, np.uint8)
    picture[:, 100:] = 220  # the person's left side
    sitter = Sitter()
    dialog.note_face(sitter.face(sitter.state(), image=picture))
    drawn = dialog.now.ring.grab().toImage()
    middle, quarter = drawn.height() // 2, drawn.width() // 4
    assert drawn.pixelColor(quarter, middle).lightness() > 180 > 60 > drawn.pixelColor(3 * quarter, middle).lightness()


def test_at_the_end_a_name_is_asked_for(dialog: CaptureDialog, state: GuidedCaptureState) -> None:
    found = heard(dialog)
    state.show(over(skipped=2), "", "")
    review = dialog.review
    assert "mouth open, say a sentence" in review.missing.text() and "yourself" in _texts(dialog)
    assert review.name.text() == "Me" and not dialog.skip.isVisible()
    review.name.setText("  ")
    assert not dialog.make.isEnabled()
    review.name.setText("Ada")
    QTest.keyClicks(review.licence, "CC0")
    click(dialog.make)
    state.refuse("There is an avatar called 'Ada' already.")
    assert review.problem.text() == "There is an avatar called 'Ada' already." and review.problem.isVisible()
    review.name.setText("Grace")
    QTest.keyClick(review.name, Qt.Key.Key_Return)
    assert found == ["make Ada, CC0", "make Grace, CC0"]
    state.keep()
    assert not dialog.make.isEnabled() and not dialog.cancel.isEnabled() and not review.name.isEnabled()
    state.end()
    assert not dialog.isVisible()


def test_what_cannot_be_made_says_why(dialog: CaptureDialog, state: GuidedCaptureState) -> None:
    state.show(over(), "", "There are several people in the picture.")
    assert "several people" in dialog.review.problem.text() and "Everything" in dialog.review.title.text()
    assert not dialog.make.isEnabled()


def test_escape_and_cancel_ask_once_more_where_something_would_be_lost(
    dialog: CaptureDialog, state: GuidedCaptureState
) -> None:
    found = heard(dialog)
    state.show(at("smile"), "", "")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert found == [] and dialog.isVisible() and "discard" in dialog.cancel.text()
    click(dialog.cancel)
    assert found == ["cancel"]
    dialog._armed.stop()
    dialog._disarm()
    state.show(at("rest"), "", "")
    click(dialog.cancel)
    assert found == ["cancel", "cancel"], "nothing would be lost yet"


def test_every_button_is_reached_by_tab(dialog: CaptureDialog, state: GuidedCaptureState) -> None:
    state.show(at("smile"), "", "")
    dialog.activateWindow()
    reached: set[QWidget | None] = set()
    for _ in range(8):
        reached.add(dialog.focusWidget())
        QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Tab)
    assert {dialog.cancel, dialog.back, dialog.skip, dialog.enough} <= reached


def test_all_is_seen_at_any_size_of_text(qapp: QApplication, state: GuidedCaptureState) -> None:
    style = Style(qapp)
    try:
        for scale in (80, 200):
            style.set("light", scale)
            dialog = CaptureDialog(state, style)
            dialog.show()
            room = dialog.screen().availableSize()
            assert dialog.width() <= room.width() and dialog.height() <= room.height()
            for label in dialog.findChildren(QPushButton):
                assert not label.isVisible() or label.width() >= label.sizeHint().width()
            dialog.close()
    finally:
        style.set("dark", 100)


def _texts(dialog: CaptureDialog) -> str:
    from PySide6.QtWidgets import QLabel

    return " ".join(label.text() for label in dialog.findChildren(QLabel))


def test_a_task_shows_what_emerges(qapp: QApplication, until: Until) -> None:
    tasks = TaskList()
    go = threading.Event()

    def work(task: Task) -> None:
        task.picture = np.full((40, 40, 3), (200, 40, 40), np.uint8)
        go.wait(10)

    panel = TasksPanel(tasks)
    task = tasks.start("Make the avatar", work)
    until(lambda: task.picture is not None)
    tasks.poll()
    shown = panel.rows[task].picture
    assert not shown.isHidden() and shown.pixmap().toImage().pixelColor(5, 5).red() > 190
    go.set()
    until(lambda: task.state is TaskState.DONE)
    tasks.close()


# --- in the main window -----------------------------------------------------------------------------------------------


def open_guide(opened: Opened, until: Until) -> CaptureDialog:
    """By the dock's button and the first entry of its menu."""
    window = opened.window
    window.show_dock("avatar")
    until(lambda: window.avatars.panel.create_.isVisible())
    click(window.avatars.panel.create_)
    until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert [action.text() for action in menu.actions()] == ["Guided capture…", "From the demo clip…"]
    menu.actions()[0].trigger()
    menu.close()
    dialog = window.avatars.capture
    assert dialog is not None and dialog.isVisible()
    return dialog


def test_a_capture_runs_beside_the_window_and_cancelling_keeps_nothing(tracking: Opened, until: Until) -> None:
    window = tracking.window
    dialog = open_guide(tracking, until)
    guided = window.avatars.guided
    until(lambda: guided.state.status is not None and guided.state.status.usable > 3)
    until(lambda: dialog.now.ring._image is not None)
    count = window.head.drawn_count
    until(lambda: window.head.drawn_count > count + 2)
    click(dialog.skip)
    until(lambda: "left" in dialog.now.instruction.text())
    click(dialog.back)
    until(lambda: "relax" in dialog.now.instruction.text())
    window.avatars.show_capture()
    assert window.avatars.capture is dialog, "the same one again"
    click(dialog.enough)
    until(lambda: guided.state.stage is CaptureStage.REVIEW)
    assert dialog.make.isVisible() and "Missing: relax" in dialog.review.missing.text()
    click(dialog.cancel)
    until(lambda: window.avatars.capture is None)
    assert not guided.state.busy and tracking.director.session.result_taps == ()
    assert not AvatarStore().folder.exists()


def test_closing_the_window_ends_the_capture(tracking: Opened, until: Until) -> None:
    open_guide(tracking, until)
    tracking.window.close()
    assert tracking.window.avatars.capture is None and not tracking.window.avatars.guided.state.busy


def test_hiding_pauses_the_capture(tracking: Opened, until: Until) -> None:
    dialog = open_guide(tracking, until)
    tracking.window.models.view.hidden = True
    until(lambda: "hidden" in dialog.now.hint.text())
    tracking.window.models.view.hidden = False
    until(lambda: "hidden" not in dialog.now.hint.text())
    dialog.cancelled.emit()


def test_rename_and_export(window: Opened, until: Until, tmp_path: Path) -> None:
    store, plain = AvatarStore(), avatar()
    for name in ("Ada", "Bob"):
        store.save(replace(plain, manifest=plain.manifest.model_copy(update={"name": name})))
    part, state = window.window.avatars, window.window.models.avatars
    part.avatars.look()
    press(window, "Ada", until)
    until(lambda: state.subject.name == "Ada")
    panel = part.panel
    panel.sliders["gaze"].setValue(50)
    assert panel.rename.isEnabled() and panel.export.isEnabled()

    def answer(text: str) -> None:
        panel.rename.trigger()
        dialog = panel.findChild(QInputDialog)
        assert dialog is not None
        field = dialog.findChild(QLineEdit)
        assert field is not None
        field.setText(text)
        dialog.accept()

    answer("Bob")
    until(lambda: "avatar" in window.window.models.notices._notices)
    assert "already" in window.window.models.notices._notices["avatar"].sentence
    answer("Émilie")
    until(lambda: "Émilie" in names(window) and state.subject.name == "Émilie")
    assert "Ada" not in names(window) and state.path == store.path("Émilie")
    assert state.subject.settings.gaze.gain == 0.5, "how it is driven stays with it"
    panel.export.trigger()
    files = panel.findChild(QFileDialog)
    assert files is not None and files.selectedFiles()[0].endswith("Émilie.mien")
    files.fileSelected.emit(str(tmp_path / "copy"))
    files.close()
    until(lambda: (tmp_path / "copy.mien").is_file())
    assert read_person(tmp_path / "copy.mien").manifest.name == "Émilie"
    until(lambda: "written to" in window.window.models.notices._notices["avatar"].sentence)
    # People that ship can be exported, one's own head neither.
    press(window, "Mei", until)
    until(lambda: state.subject.name == "Mei")
    assert not panel.rename.isEnabled() and panel.export.isEnabled() and not panel.remove.isEnabled()
    panel._on_context(panel.list.visualItemRect(panel.list.currentItem()).center())
    until(lambda: panel.menu.isVisible())
    panel.menu.close()
    press(window, "", until)
    until(lambda: state.subject.own)
    assert not panel.more.isEnabled()
    panel._on_context(QPoint(-5, -5))
    assert not panel.menu.isVisible()


@pytest.mark.slow
def test_from_the_guide_to_an_avatar(tracking: Opened, until: Until) -> None:
    window, tasks = tracking.window, tracking.window.models.tasks
    dialog = open_guide(tracking, until)
    guided = window.avatars.guided
    until(lambda: guided.state.status is not None and guided.state.status.usable > 40, 60)
    for step in STEPS:
        until(lambda step=step: guided.state.status.step is step)  # type: ignore[union-attr]
        click(dialog.skip)
    until(lambda: dialog.make.isVisible())
    dialog.review.name.setText("Sam")
    click(dialog.make)
    until(lambda: window.avatars.row is not None)
    tracking.director.open_source(SourceSettings())
    row, store = window.avatars.row, AvatarStore()
    assert row is not None
    until(row.isVisible)
    # Cancelled while it learns, it can be gone on with by the menu.
    until(lambda: row.task.detail == "learning the shape" and not row.picture.isHidden(), 60)
    click(row.cancel)
    until(lambda: row.task.state is TaskState.CANCELLED, 60)
    until(lambda: window.models.avatars.unfinished == ("Sam",))
    ways = {text: act for text, act in window.avatars._ways()}
    assert "Go on with Sam" in ways and not store.path("Sam").exists()
    ways["Go on with Sam"]()
    until(lambda: "Sam" in names(tracking), 120)
    assert window.avatars.row is None and kept_captures(store.folder) == []
    made = store.load("Sam")
    assert made.manifest.capture is not None and made.manifest.capture.usable > 40
    assert [task.state for task in tasks.tasks if task.title.startswith("Make")][-1] is TaskState.DONE
    press(tracking, "Sam", until)
    until(lambda: window.models.avatars.subject.name == "Sam")


def test_what_was_captured_can_be_deleted(window: Opened, until: Until) -> None:
    from app.avatar_work import CAPTURED, AvatarWork, save_work
    from tracking.person_capture import PersonCapture

    sitter, capture = Sitter(), PersonCapture()
    for n in range(3):
        capture.add(sitter.doing("rest", n))
    store = AvatarStore()
    seen, frames = tuple(capture.seen), tuple(capture.frames())
    save_work(AvatarWork(CAPTURED, capture.check(), seen, frames, name="Sam"), store.unfinished("Sam"))
    part = window.window.avatars
    part.avatars.look()
    until(lambda: window.window.models.avatars.unfinished == ("Sam",))
    ways = dict(part._ways())
    assert list(ways) == ["Go on with Sam", "Delete what was captured of Sam"]
    ways["Delete what was captured of Sam"]()
    until(lambda: window.window.models.avatars.unfinished == ())
    assert not store.unfinished("Sam").exists()
