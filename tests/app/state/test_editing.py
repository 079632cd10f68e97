"""Undo, preferences and keys: what panels that edit rely on."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings, SettingsError, load_settings
from app.state.actions import ACTIONS
from app.state.preferences import Preferences
from app.state.shortcuts import ActionInfo, ShortcutMap
from app.state.undo import Change, UndoStack
from tracking.smoothing import SmoothingSettings


def adding(values: list[int], number: int, merge: str = "") -> Change:
    return Change(f"add {number}", lambda: values.append(number), lambda: values.remove(number), merge)


def test_steps_go_back_and_forth() -> None:
    values: list[int] = []
    undo = UndoStack()
    undo.do(adding(values, 1))
    undo.do(adding(values, 2))
    assert undo.undo_text == "add 2" and undo.redo_text is None
    undo.undo()
    assert values == [1] and undo.redo_text == "add 2"
    undo.redo()
    assert values == [1, 2]
    undo.undo()
    undo.do(adding(values, 3))
    undo.redo()
    assert values == [1, 3], "what had been taken back is forgotten after a new step"
    for _ in range(5):
        undo.undo()
    assert values == [] and undo.undo_text is None


def test_a_dragged_slider_is_one_step_and_two_drags_are_two(tmp_path: Path) -> None:
    preferences = Preferences(Settings(), tmp_path / "settings.json")
    for scale in (110, 120, 130):
        preferences.edit_window("size", text_scale=scale)
    preferences.undo.seal()
    preferences.edit_window("size", text_scale=150)
    preferences.undo.undo()
    assert preferences.settings.window.text_scale == 130
    preferences.undo.undo()
    assert preferences.settings.window.text_scale == 100


def test_impossible_values_change_nothing(tmp_path: Path) -> None:
    preferences = Preferences(Settings(), tmp_path / "settings.json")
    with pytest.raises(ValidationError):
        preferences.set_window(text_scale=500)
    with pytest.raises(ValidationError):
        preferences.set_window(nonsense=1)
    assert preferences.settings == Settings()


def test_changes_are_heard_once_and_saved(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    preferences = Preferences(Settings(), path)
    heard: list[str] = []
    preferences.changed.connect(lambda before, after: heard.append(after.tracker.smoothing.preset))
    assert not preferences.unsaved
    preferences.edit_smoothing("smoothing", SmoothingSettings(preset="strong"))
    preferences.edit_smoothing("smoothing", SmoothingSettings(preset="strong"))
    assert heard == ["strong"] and preferences.unsaved
    preferences.save()
    assert not preferences.unsaved and load_settings(path).tracker.smoothing.preset == "strong"
    preferences.undo.undo()
    assert heard == ["strong", "light"] and preferences.unsaved


def test_what_could_not_be_saved_stays_unsaved(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    preferences = Preferences(Settings(), tmp_path / "file" / "settings.json")
    preferences.set_window(mirror=False)
    work = preferences.take_for_saving()
    with pytest.raises(SettingsError):
        work()
    preferences.saving_failed()
    assert preferences.unsaved


@pytest.fixture
def keys(tmp_path: Path) -> ShortcutMap:
    shortcuts = ShortcutMap(Preferences(Settings(), tmp_path / "settings.json"))
    shortcuts.add(*ACTIONS)
    return shortcuts


def test_default_keys_are_all_different(keys: ShortcutMap) -> None:
    used = [keys.key(action.name).casefold() for action in keys.actions if keys.key(action.name)]
    assert len(used) == len(set(used))


def test_a_key_that_is_taken_changes_its_owner(keys: ShortcutMap) -> None:
    loser = keys.assign("view.recentre", "M", "key")
    assert loser is not None and loser.name == "view.mirror"
    assert keys.key("view.recentre") == "M" and keys.key("view.mirror") == ""
    keys._preferences.undo.undo()
    assert keys.key("view.recentre") == "R" and keys.key("view.mirror") == "M"


def test_only_differences_are_stored(keys: ShortcutMap) -> None:
    keys.assign("view.mirror", "X", "key")
    assert keys._preferences.settings.window.shortcuts == {"view.mirror": "X"}
    keys.assign("view.mirror", "M", "key")
    assert keys._preferences.settings.window.shortcuts == {}
    keys.assign("view.mirror", "X", "key")
    keys.reset("keys")
    assert keys.key("view.mirror") == "M"


def test_later_parts_add_actions_but_never_twice(keys: ShortcutMap) -> None:
    keys.add(ActionInfo("record.start", "Record", "Output", "Ctrl+R"))
    assert keys.owner("ctrl+r") is not None
    with pytest.raises(ValueError, match="record"):
        keys.add(ActionInfo("record.start", "Record", "Output"))


def test_keys_are_lent_where_no_action_has_them(keys: ShortcutMap) -> None:
    keys.lend(ActionInfo("expression.a", "A", "Expressions", "Ctrl+1"), ActionInfo("expression.b", "B", "", "R"))
    assert keys.key("expression.a") == "Ctrl+1" and keys.key("expression.b") == "", "R recentres"
    assert keys.key("view.recentre") == "R" and [guest.text for guest in keys.guests] == ["A", "B"]
    loser = keys.assign("view.mirror", "ctrl+1", "key")
    assert loser is not None and loser.text == "A" and keys.key("expression.a") == ""
    assert "expression.a" not in keys._preferences.settings.window.shortcuts
    keys._preferences.undo.undo()
    assert keys.key("expression.a") == "Ctrl+1"
    keys.lend()
    assert keys.owner("Ctrl+1") is None


def test_a_new_action_does_not_take_a_key_that_the_user_gave_away(keys: ShortcutMap) -> None:
    keys.assign("view.clay", "J", "key")
    keys.add(ActionInfo("new.thing", "New", "Face", "J"))
    assert keys.key("view.clay") == "J" and keys.key("new.thing") == ""
