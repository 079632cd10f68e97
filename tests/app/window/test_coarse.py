"""The coarse network chosen in the settings, really loaded and at work."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
from PySide6.QtCore import Qt

from app.state.avatars import AvatarChoice
from app.state.coarse import CoarseStage
from app.state.live import Phase
from app.views.settings_dialog import SettingsDialog
from app.window.run import Opened
from models.avatars.person_file import read_person
from tests.app.window.conftest import Until
from tests.app.window.test_main_window import click
from tracking.types import TrackedFace


def opened_settings(window: Opened) -> SettingsDialog:
    window.window.dialogs.settings()
    dialog = cast(SettingsDialog, window.window.dialogs.open["settings"])
    dialog.tabs.setCurrentWidget(dialog.coarse)
    return dialog


def test_it_leads_after_a_click_and_rests_after_undo(tracking: Opened, until: Until) -> None:
    models, session = tracking.window.models, tracking.director.session
    stages: list[set[str]] = []
    session.result_taps += (lambda face: stages.append({stage.name for stage in face.stages}),)
    dialog = opened_settings(tracking)
    click(dialog.coarse.mode.buttons["lead"])
    until(lambda: models.coarse.stage is CoarseStage.ON, seconds=120)
    assert dialog.coarse.stands.text().startswith("On: lite, ")
    until(lambda: any("coarse" in names for names in stages[-3:]))
    assert models.live.now.phase is Phase.TRACKING
    click(dialog.undo)
    assert models.coarse.stage is CoarseStage.OFF
    until(lambda: len(stages) > 3 and not any("coarse" in names for names in stages[-3:]))
    dialog.close()


def test_whoever_has_an_avatar_is_offered(window: Opened, until: Until, tmp_path: Path) -> None:
    models = window.window.models
    dialog = opened_settings(window)
    page = dialog.coarse
    ada = AvatarChoice("Ada", tmp_path / "ada.mien", kind="person", own_file=True, adapted=True)
    bob = AvatarChoice("Bob", tmp_path / "bob.mien", kind="person", own_file=True)
    mei = AvatarChoice("Mei", tmp_path / "mei.mien", kind="person")
    vroid = AvatarChoice("Cat", tmp_path / "cat.vrm", kind="model", own_file=True)
    models.avatars.set_choices((AvatarChoice("", None), ada, bob, mei, vroid))
    assert [page.person.itemText(n) for n in range(page.person.count())] == ["Anybody", "Ada", "Bob"]
    page.person.setCurrentIndex(1)
    page.person.activated.emit(1)
    tracker = models.preferences.settings.tracker
    assert (tracker.person, tracker.coarse.person) == (tmp_path / "ada.mien", tmp_path / "ada.mien")
    until(lambda: models.preferences.settings.tracker.person is None)
    assert "ada.mien" in window.window.banner.sentence.text(), "there is no such file"
    assert page.person.currentText() == "Anybody"
    coarse = models.preferences.settings.tracker.coarse
    assert coarse.person is None
    # As settings of earlier versions have it.
    models.preferences.set_coarse(coarse.model_copy(update={"person": tmp_path / "bob.mien"}))
    assert page.person.currentText().lower() == "bob", "in the list or not"
    page.person.activated.emit(0)
    assert models.preferences.settings.tracker.coarse.person is None
    dialog.close()


def test_its_size_is_chosen_and_adapters_go_with_the_small_one(window: Opened, tmp_path: Path) -> None:
    models = window.window.models
    dialog = opened_settings(window)
    page, ada = dialog.coarse, tmp_path / "ada.mien"
    ada.write_bytes(b"read later, on another thread")
    models.avatars.set_choices((AvatarChoice("Ada", ada, kind="person", own_file=True, adapted=True),))
    page.person.activated.emit(1)

    def chosen() -> tuple[str, Path | None]:
        coarse = models.preferences.settings.tracker.coarse
        return coarse.preset, coarse.person

    assert chosen() == ("lite", ada)
    click(page.preset.buttons["paper"])
    assert chosen() == ("paper", None)
    click(page.preset.buttons["lite"])
    assert chosen() == ("lite", ada)
    click(dialog.undo)
    assert chosen() == ("paper", None) and page.preset.buttons["paper"].isChecked()
    dialog.close()


def test_whoever_was_made_from_a_clip_is_tracked(tracking: Opened, until: Until, home: Path) -> None:
    """A shipped person's file stands for one that was made here."""
    from app.avatar_store import LIBRARY

    own = home / "sam.mien"
    own.write_bytes(next(LIBRARY.glob("*.mien")).read_bytes())
    identity = read_person(own).identity[:100]  # as many as are fitted
    models, session = tracking.window.models, tracking.director.session
    faces: list[TrackedFace] = []
    session.result_taps += (faces.append,)
    dialog = opened_settings(tracking)
    choice = AvatarChoice("Sam", own, kind="person", own_file=True)
    models.avatars.set_choices((AvatarChoice("", None), choice))
    dialog.coarse.person.activated.emit(1)

    def known() -> bool:
        raw = faces[-1].raw if faces else None
        return raw is not None and bool(np.allclose(raw.identity[:100], identity, atol=1e-4))

    until(known)
    assert models.preferences.settings.tracker.coarse.person is None, "it holds no adapters"
    click(dialog.undo)
    until(lambda: not known() and models.live.now.phase is Phase.TRACKING)
    models.avatars.set_choices((AvatarChoice("", None),))
    assert dialog.coarse.person.currentText() == "Anybody"
    dialog.close()


def test_avatars_teach_it_their_face_while_it_is_on(window: Opened) -> None:
    part, preferences = window.window.avatars, window.window.models.preferences
    assert part._arguments("Ada", "clip.mp4") == ["avatar", "create", "--from=clip.mp4", "--", "Ada"]
    preferences.set_coarse(preferences.settings.tracker.coarse.model_copy(update={"mode": "opinion"}))
    assert "--adapters" in part._arguments("Ada", "clip.mp4")


def test_the_page_is_reached_with_the_keyboard(window: Opened) -> None:
    page = opened_settings(window).coarse
    for widget in (page.person, page.mode.buttons["off"]):
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
