"""Keys that are heard while another program has the keyboard, on X11.

Each key is grabbed by itself (XGrabKey): no other key press reaches this program. A connection of its own and a thread
read them, since Qt does not give out its own connection.
"""

from __future__ import annotations

import itertools
import os
import select
import sys
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["KeyNameError", "X11Keys", "x11_combination"]

MODIFIERS = {"ctrl": "ControlMask", "shift": "ShiftMask", "alt": "Mod1Mask", "meta": "Mod4Mask"}
"""Qt's names, and X's."""
NAMES = {
    "space": "space", "tab": "Tab", "return": "Return", "enter": "KP_Enter", "esc": "Escape", "backspace": "BackSpace",
    "ins": "Insert", "del": "Delete", "home": "Home", "end": "End", "pgup": "Prior", "pgdown": "Next", "left": "Left",
    "right": "Right", "up": "Up", "down": "Down", "pause": "Pause", "print": "Print", ",": "comma", ".": "period",
    "-": "minus", "+": "plus", "=": "equal", ";": "semicolon", "'": "apostrophe", "/": "slash", "\\": "backslash",
    "[": "bracketleft", "]": "bracketright", "`": "grave", "#": "numbersign",
}  # fmt: skip
"""Qt's names of keys, in lower case, and X's."""
LOCKS = ("LockMask", "Mod2Mask")
"""Caps lock and num lock: a grab holds for one state of them, so there is one for each."""
_JOIN_S = 1.0


class KeyNameError(ValueError):
    """A key that cannot be heard everywhere; the message is one sentence for the user."""


def x11_combination(key: str) -> tuple[tuple[str, ...], str]:
    """Modifier masks and the key's name as X has them, of a key as Qt writes it ("Ctrl+Alt+H").

    Raises:
        KeyNameError: X has no such key, or it is one that people type: it would be lost to every program.
    """
    # Of "Ctrl++" the last plus is the key.
    name = "+" if key.endswith("+") else key.rpartition("+")[2]
    before = [part for part in key[: len(key) - len(name)].split("+") if part]
    masks = tuple(MODIFIERS[part.lower()] for part in before if part.lower() in MODIFIERS)
    lower = name.lower()
    function = lower.startswith("f") and lower[1:].isdigit()
    found = NAMES.get(lower) or (name.upper() if function else lower if len(name) == 1 and name.isalnum() else "")
    if not found or len(masks) < len(before) or not name.isascii():
        raise KeyNameError(f"{key} cannot be used while another program has the keyboard: choose another key.")
    if not function and not {"ControlMask", "Mod1Mask", "Mod4Mask"} & set(masks):
        raise KeyNameError(f"{key} is typed in other programs: take a key with Ctrl, Alt or Meta, or F1 to F24.")
    return masks, found


class X11Keys:
    """Grabs keys and tells when they go down and up.

    Args:
        on_key: called on this object's thread with the name under which the key was given, and whether it is down.
        on_problem: called on that thread with one sentence about a key that another program has.

    Raises:
        OSError: there is no X display that lets keys be grabbed, or python-xlib is missing; one sentence.
    """

    def __init__(self, on_key: Callable[[str, bool], None], on_problem: Callable[[str], None]) -> None:
        problem = problem_here()
        if problem:
            raise OSError(problem)
        from Xlib import XK, X, display, error

        self._x, self._xk, self._error = X, XK, error
        try:
            self._display: Any = display.Display()
        except (error.DisplayError, OSError) as failed:
            raise OSError(f"The X display cannot be reached ({failed}).") from failed
        self._root: Any = self._display.screen().root
        self._on_key, self._on_problem = on_key, on_problem
        self._lock = threading.Lock()
        self._wanted: dict[str, str] | None = None
        self._grabbed: dict[tuple[int, int], str] = {}
        self._closing = False
        self._read, self._write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="mien-keys", daemon=True)
        self._thread.start()

    def hear(self, keys: dict[str, str]) -> None:
        """Hear these keys (name -> key as Qt writes it) and no others from now on. Does not block."""
        with self._lock:
            self._wanted = dict(keys)
        os.write(self._write, b"k")

    def close(self) -> None:
        """Give all keys back; blocks for a second at most."""
        self._closing = True
        os.write(self._write, b"e")
        self._thread.join(_JOIN_S)
        if not self._thread.is_alive():
            os.close(self._read)
            os.close(self._write)

    # --- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._closing:
                self._take_wanted()
                if not self._display.pending_events():
                    ready, _, _ = select.select([self._display.fileno(), self._read], [], [])
                    if self._read in ready:
                        os.read(self._read, 64)
                self._read_events()
            self._release()
            self._display.sync()
        except self._error.ConnectionClosedError:
            pass  # the display is gone, and so is Qt
        finally:
            self._display.close()

    def _take_wanted(self) -> None:
        with self._lock:
            wanted, self._wanted = self._wanted, None
        if wanted is None:
            return
        self._release()
        for name, key in wanted.items():
            try:
                self._grab(name, key)
            except KeyNameError as refused:
                self._on_problem(str(refused))
        self._display.sync()

    def _grab(self, name: str, key: str) -> None:
        masks, symbol = x11_combination(key)
        wanted = self._xk.string_to_keysym(symbol)
        code = self._display.keysym_to_keycode(wanted)
        if not code:
            raise KeyNameError(f"There is no key {key} on this keyboard: choose another one.")
        # A sign above another one, the plus of many keyboards, comes with Shift.
        state = 0 if self._display.keycode_to_keysym(code, 0) == wanted else self._x.ShiftMask
        for mask in masks:
            state |= getattr(self._x, mask)
        refused = self._error.CatchError(self._error.BadAccess)
        for locks in self._lock_states():
            self._root.grab_key(
                code, state | locks, False, self._x.GrabModeAsync, self._x.GrabModeAsync, onerror=refused
            )
        self._display.sync()
        if refused.get_error() is not None:
            self._ungrab(code, state)
            raise KeyNameError(f"Another program hears {key} already: choose another key.")
        self._grabbed[code, state] = name

    def _lock_states(self) -> list[int]:
        caps, num = (getattr(self._x, mask) for mask in LOCKS)
        return [0, caps, num, caps | num]

    def _release(self) -> None:
        for code, state in self._grabbed:
            self._ungrab(code, state)
        self._grabbed = {}

    def _ungrab(self, code: int, state: int) -> None:
        for locks in self._lock_states():
            self._root.ungrab_key(code, state | locks)

    def _read_events(self) -> None:
        events: list[Any] = []
        while self._display.pending_events():
            events.append(self._display.next_event())
        repeated = False
        for event, following in itertools.zip_longest(events, events[1:]):
            if repeated:
                repeated = False
            elif event.type == self._x.KeyPress:
                self._tell(event, True)
            elif event.type == self._x.KeyRelease:
                # A key that is held repeats as up and down at the same moment.
                repeated = (
                    following is not None
                    and following.type == self._x.KeyPress
                    and (following.detail, following.time) == (event.detail, event.time)
                )
                if not repeated:
                    self._tell(event, False)

    def _tell(self, event: Any, is_down: bool) -> None:
        ignored = self._lock_states()[-1]
        state = event.state & ~ignored & 0xFF
        name = self._grabbed.get((event.detail, state))
        if name is None and not is_down:
            # The modifiers may have gone up first.
            name = next((n for (code, _), n in self._grabbed.items() if code == event.detail), None)
        if name is not None:
            self._on_key(name, is_down)


def problem_here() -> str:
    """Why no key can be heard everywhere on this machine, one sentence; empty where it can."""
    if not sys.platform.startswith("linux"):
        return "Keys are heard in other programs on Linux with X11 alone so far."
    if os.environ.get("XDG_SESSION_TYPE") == "wayland" or os.environ.get("WAYLAND_DISPLAY"):
        return "Wayland does not let programs hear keys that are pressed in others; a session with X11 does."
    if not os.environ.get("DISPLAY"):
        return "There is no X display."
    try:
        import Xlib.display  # noqa: F401
    except ImportError:
        return 'Hearing keys in other programs needs python-xlib: pip install "mien[global-keys]".'
    return ""
