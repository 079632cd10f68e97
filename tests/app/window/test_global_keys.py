"""Keys that work while another program has the keyboard: really pressed on the X display, by another connection."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox

from app.settings import Settings
from app.state.actions import ACTIONS
from app.state.preferences import Preferences
from app.state.shortcuts import EXPRESSIONS, ActionInfo, ShortcutMap
from app.views.settings_dialog import SettingsDialog
from app.window.global_keys import GlobalKeys
from app.window.run import Opened
from app.window.x11_keys import KeyNameError, X11Keys, problem_here, x11_combination
from tests.app.window.conftest import Until

needs_x11 = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 alone so far")
pytestmark = pytest.mark.usefixtures("no_leaked_threads")


class Keyboard:
    """Another program that presses keys."""

    def __init__(self) -> None:
        from Xlib import XK, X, display

        self._x, self._xk = X, XK
        self._display = display.Display()

    def __call__(self, *symbols: str, up: bool = True) -> None:
        from Xlib.ext import xtest

        codes = [self._display.keysym_to_keycode(self._xk.string_to_keysym(symbol)) for symbol in symbols]
        for code in codes:
            xtest.fake_input(self._display, self._x.KeyPress, code)
        for code in reversed(codes) if up else ():
            xtest.fake_input(self._display, self._x.KeyRelease, code)
        self._display.sync()

    def close(self) -> None:
        self._display.close()


@pytest.fixture
def press(qapp: object) -> Iterator[Keyboard]:
    pytest.importorskip("Xlib")
    keyboard = Keyboard()
    yield keyboard
    keyboard.close()


@pytest.mark.parametrize(
    ("key", "masks", "name"),
    [
        ("Ctrl+Alt+H", ("ControlMask", "Mod1Mask"), "h"),
        ("F7", (), "F7"),
        ("Shift+F12", ("ShiftMask",), "F12"),
        ("Meta+PgUp", ("Mod4Mask",), "Prior"),
        ("Ctrl++", ("ControlMask",), "plus"),
        ("Ctrl+,", ("ControlMask",), "comma"),
        ("Alt+1", ("Mod1Mask",), "1"),
    ],
)
def test_names_of_keys(key: str, masks: tuple[str, ...], name: str) -> None:
    assert x11_combination(key) == (masks, name)


@pytest.mark.parametrize("key", ["H", "Shift+H", "Space", "Ctrl+Media Play", "Ctrl+Ä", "", "Hyper+F3"])
def test_keys_that_people_type_or_x_has_not_are_refused(key: str) -> None:
    with pytest.raises(KeyNameError, match=r"\.$"):
        x11_combination(key)


@needs_x11
def test_a_grabbed_key_is_heard_down_and_up_and_no_other(press: Keyboard, until: Until) -> None:
    heard: list[tuple[str, bool]] = []
    problems: list[str] = []
    keys = X11Keys(lambda name, down: heard.append((name, down)), problems.append)
    keys.hear({"hide": "Ctrl+Alt+H", "mood": "F9"})
    until(lambda: len(keys._grabbed) == 2)
    press("Control_L", "Alt_L", "h")
    press("h")
    press("Control_L", "h")
    press("F9", up=False)
    until(lambda: len(heard) == 3)
    press("F9")
    until(lambda: heard[-1] == ("mood", False))
    assert heard[:3] == [("hide", True), ("hide", False), ("mood", True)]
    keys.hear({"mood": "F10"})
    until(lambda: list(keys._grabbed.values()) == ["mood"])
    before = len(heard)
    press("Control_L", "Alt_L", "h")
    press("F10")
    until(lambda: len(heard) == before + 2)
    keys.hear({"more": "Ctrl++"})
    until(lambda: list(keys._grabbed.values()) == ["more"])
    press("Control_L", "Shift_L", "plus")
    until(lambda: ("more", True) in heard)
    keys.close()
    assert not problems


@needs_x11
def test_keys_that_go_up_together_are_all_heard_and_repeats_are_not() -> None:
    """Events that came in one go, as when the machine was busy."""
    x = pytest.importorskip("Xlib").X

    def event(kind: int, code: int, at: int) -> SimpleNamespace:
        return SimpleNamespace(type=kind, detail=code, state=0, time=at)

    waiting = [
        event(x.KeyPress, 10, 1), event(x.KeyPress, 11, 1), SimpleNamespace(type=x.MappingNotify),
        event(x.KeyRelease, 10, 5), event(x.KeyPress, 10, 5),
        event(x.KeyRelease, 11, 9), event(x.KeyRelease, 10, 9), SimpleNamespace(type=x.MappingNotify),
    ]  # fmt: skip
    heard: list[tuple[str, bool]] = []
    keys = X11Keys.__new__(X11Keys)
    keys._x, keys._grabbed = x, {(10, 0): "first", (11, 0): "second"}
    keys._on_key = lambda name, down: heard.append((name, down))
    keys._display = SimpleNamespace(pending_events=lambda: len(waiting), next_event=lambda: waiting.pop(0))
    keys._read_events()
    keys._read_events()  # nothing is waiting
    assert heard == [("first", True), ("second", True), ("second", False), ("first", False)]


@needs_x11
def test_a_key_that_another_program_has_is_named(press: Keyboard, until: Until) -> None:
    problems: list[str] = []
    first = X11Keys(lambda name, down: None, problems.append)
    first.hear({"hide": "F8"})
    until(lambda: bool(first._grabbed))
    second = X11Keys(lambda name, down: None, problems.append)
    second.hear({"hide": "F8", "freeze": "F9"})
    until(lambda: bool(problems) and bool(second._grabbed))
    assert problems == ["Another program hears F8 already: choose another key."]
    first.close()
    second.close()


@needs_x11
@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [("XDG_SESSION_TYPE", "wayland", "Wayland"), ("DISPLAY", "", "no X display"), ("DISPLAY", ":987", "be reached")],
)
def test_where_no_key_can_be_heard_that_is_said(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    pytest.importorskip("Xlib")
    monkeypatch.setenv(variable, value)
    with pytest.raises(OSError, match=said):
        X11Keys(lambda name, down: None, lambda sentence: None)


class Listener:
    """Stands for the system."""

    def __init__(self, on_key: Callable[[str, bool], None], on_problem: Callable[[str], None]) -> None:
        self.on_key, self.keys, self.closed = on_key, dict[str, str](), False

    def hear(self, keys: dict[str, str]) -> None:
        self.keys = keys

    def close(self) -> None:
        self.closed = True


class Parts:
    """Global keys with a stand-in for the system, and whether a window of the program has the keyboard."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self.active = False
        monkeypatch.setattr(GlobalKeys, "own_window_active", property(lambda _: self.active))
        self.shortcuts = ShortcutMap(Preferences(Settings(), path / "settings.json"))
        self.shortcuts.add(*ACTIONS)
        self.made: list[Listener] = []
        self.heard: list[tuple[str, bool]] = []
        self.keys = GlobalKeys(self.shortcuts, lambda *key: self.heard.append(key), print, self._make)

    def _make(self, *callbacks: Any) -> Listener:
        self.made.append(Listener(*callbacks))
        return self.made[-1]

    def tell(self, name: str, down: bool) -> None:
        self.made[-1].on_key(name, down)
        QCoreApplication.processEvents()


@pytest.fixture
def parts(qapp: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Parts]:
    parts = Parts(monkeypatch, tmp_path)
    yield parts
    parts.keys.close()
    assert all(listener.closed for listener in parts.made)


def test_nothing_is_heard_unless_it_is_asked_for(parts: Parts) -> None:
    assert not parts.made
    parts.shortcuts.set_everywhere("face.hide", True, "keys")
    assert parts.made[0].keys == {"face.hide": parts.shortcuts.key("face.hide")}
    parts.shortcuts.assign("face.hide", "Ctrl+Alt+J", "key")
    assert parts.made[0].keys == {"face.hide": "Ctrl+Alt+J"}
    parts.shortcuts.set_everywhere("face.hide", False, "keys")
    assert parts.made[0].keys == {} and len(parts.made) == 1


def test_expressions_are_asked_for_together(parts: Parts) -> None:
    parts.shortcuts.set_everywhere(EXPRESSIONS, True, "keys")
    parts.shortcuts.lend(ActionInfo("expression.Joy", "Joy", "Moods", "Alt+1"), ActionInfo("expression.Sad", "Sad", ""))
    assert parts.made[0].keys == {"expression.Joy": "Alt+1"}
    parts.shortcuts.lend()
    assert parts.made[0].keys == {}


def test_the_own_window_hears_its_keys_itself(parts: Parts) -> None:
    parts.shortcuts.set_everywhere("face.hide", True, "keys")
    parts.tell("face.hide", True)
    parts.active = True
    parts.keys._follow()
    assert parts.made[0].keys == {}
    assert parts.heard == [("face.hide", True), ("face.hide", False)], "what was held is let go"
    parts.tell("face.hide", True)
    assert len(parts.heard) == 2, "a press that was on its way is not doubled"
    parts.active = False
    parts.keys._follow()
    assert parts.made[0].keys


def test_a_system_without_such_keys_is_said_once(qapp: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> Listener:
        raise OSError("There is no X display.")

    monkeypatch.setattr(GlobalKeys, "own_window_active", property(lambda _: False))
    shortcuts = ShortcutMap(Preferences(Settings(), tmp_path / "settings.json"))
    shortcuts.add(*ACTIONS)
    said: list[str] = []
    # Chosen in an earlier run: it fails as soon as the window is made.
    shortcuts.set_everywhere("face.hide", True, "keys")
    keys = GlobalKeys(shortcuts, lambda *_: None, said.append, refuse)
    shortcuts.set_everywhere("view.freeze", True, "keys")
    assert said == ["There is no X display."]
    keys.close()


def tick(box: QCheckBox) -> None:
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(10, box.height() // 2))


@needs_x11
def test_hide_works_from_another_program(
    window: Opened, until: Until, press: Keyboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not problem_here()
    main = window.window
    main.dialogs.settings()
    dialog = cast(SettingsDialog, main.dialogs.open["settings"])
    editor = dialog.shortcuts
    dialog.tabs.setCurrentWidget(editor)
    names = [a.name for a in editor._shortcuts.actions]
    editor.table.selectRow(names.index("face.hide"))
    editor._assign("H")
    tick(editor.everywhere)
    assert not editor.everywhere.isChecked() and "typed in other programs" in editor.message.text()
    editor._assign("Ctrl+Alt+H")
    tick(editor.everywhere)
    assert editor.everywhere.isChecked()
    assert main.models.preferences.settings.window.everywhere == ("face.hide",)
    dialog.close()
    monkeypatch.setattr(GlobalKeys, "own_window_active", property(lambda _: False))
    main.everywhere._follow()
    until(lambda: bool(main.everywhere._listener._grabbed))  # type: ignore[union-attr]
    time.sleep(0.05)
    press("Control_L", "Alt_L", "h")
    until(lambda: main.models.view.hidden)
    press("Control_L", "Alt_L", "h")
    until(lambda: not main.models.view.hidden)
    # Closing does not wait for libraries that are still being loaded.
    until(lambda: window.director.session._tracker is not None)
