"""Which key does what: actions with their default keys, and the user's own."""

from __future__ import annotations

from dataclasses import dataclass

from psygnal import Signal

from app.settings import Settings
from app.state.preferences import Preferences

EXPRESSIONS = "expressions"
"""Stands for all guests where keys work everywhere."""


@dataclass(frozen=True, slots=True)
class ActionInfo:
    """Something that a key can do.

    Attributes:
        name: for the settings file; stays the same for ever.
        text: for people.
        group: heading in lists.
        key: by default, as Qt writes keys ("Ctrl+R"); empty for none.
    """

    name: str
    text: str
    group: str
    key: str = ""


class ShortcutMap:
    """All actions and the keys in use.

    Later parts of the program add their actions with `add` before the window is built.

    Args:
        preferences: where the user's own keys are kept.
    """

    changed = Signal()
    """A key changed, or an action was added."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences
        self._actions: dict[str, ActionInfo] = {}
        self._guests: dict[str, ActionInfo] = {}
        preferences.changed.connect(self._on_settings)

    def add(self, *actions: ActionInfo) -> None:
        """Actions that were not there yet.

        Raises:
            ValueError: one of them is.
        """
        for action in actions:
            if action.name in self._actions:
                raise ValueError(f"there is an action {action.name!r} already")
            self._actions[action.name] = action
        self.changed.emit()

    def lend(self, *guests: ActionInfo) -> None:
        """Have these use keys as well, instead of those that were lent before: they come and go with whoever is drawn,
        and their keys are kept elsewhere. The program's own actions come first."""
        self._guests = {guest.name: guest for guest in guests}
        self.changed.emit()

    @property
    def guests(self) -> tuple[ActionInfo, ...]:
        """Those that keys are lent to."""
        return tuple(self._guests.values())

    @property
    def actions(self) -> tuple[ActionInfo, ...]:
        """All actions, in the order in which they were added."""
        return tuple(self._actions.values())

    def key(self, name: str) -> str:
        """The key of an action or guest, empty for none.

        Raises:
            KeyError: there is neither.
        """
        guest = self._guests.get(name)
        if guest is not None:
            return guest.key if self.owner(guest.key) is guest else ""
        own = self._preferences.settings.window.shortcuts
        key = self._actions[name].key
        if name not in own and key:
            given = {own[other].casefold() for other in self._actions if other in own}
            # The user may have given it away before there was this action.
            return "" if key.casefold() in given else key
        return own.get(name, key)

    def is_everywhere(self, name: str) -> bool:
        """Whether the key of an action, or with EXPRESSIONS those of all guests, works while another program has the
        keyboard."""
        return name in self._preferences.settings.window.everywhere

    def set_everywhere(self, name: str, on: bool, text: str) -> None:
        """Change that, as a step that can be taken back."""
        before = self._preferences.settings.window.everywhere
        after = (*(n for n in before if n != name), *((name,) if on else ()))
        self._preferences.edit_window(text, everywhere=after)
        self._preferences.undo.seal()

    @property
    def everywhere(self) -> dict[str, str]:
        """Name -> key of the actions and guests whose keys work while another program has the keyboard."""
        names = [a.name for a in self.actions if self.is_everywhere(a.name)]
        if self.is_everywhere(EXPRESSIONS):
            names += [guest.name for guest in self.guests]
        return {name: key for name in names if (key := self.key(name))}

    def owner(self, key: str) -> ActionInfo | None:
        """The action that a key belongs to, or the guest where no action has it."""
        if not key:
            return None
        own = next((a for a in self.actions if self.key(a.name).casefold() == key.casefold()), None)
        return own or next((g for g in self.guests if g.key.casefold() == key.casefold()), None)

    def assign(self, name: str, key: str, text: str) -> ActionInfo | None:
        """Give an action a key, as a step that can be taken back. An action or guest that had it loses it.

        Args:
            name: of the action.
            key: as Qt writes keys; empty for none.
            text: of the step, for the menu.

        Returns:
            The action or guest that lost the key.
        """
        own = dict(self._preferences.settings.window.shortcuts)
        loser = self.owner(key)
        if loser is not None and loser.name != name and loser.name in self._actions:
            own[loser.name] = ""
        own[name] = key
        self._preferences.edit_window(text, shortcuts=self._without_defaults(own))
        self._preferences.undo.seal()
        return loser if loser is not None and loser.name != name else None

    def reset(self, text: str) -> None:
        """Back to the default keys, as a step that can be taken back."""
        self._preferences.edit_window(text, shortcuts={})
        self._preferences.undo.seal()

    def _without_defaults(self, own: dict[str, str]) -> dict[str, str]:
        return {name: key for name, key in own.items() if name not in self._actions or key != self._actions[name].key}

    def _on_settings(self, before: Settings, after: Settings) -> None:
        keys_before, keys_after = (
            (settings.window.shortcuts, settings.window.everywhere) for settings in (before, after)
        )
        if keys_before != keys_after:
            self.changed.emit()
