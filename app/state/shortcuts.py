"""Which key does what: actions with their default keys, and the user's own."""

from __future__ import annotations

from dataclasses import dataclass

from psygnal import Signal

from app.settings import Settings
from app.state.preferences import Preferences


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

    @property
    def actions(self) -> tuple[ActionInfo, ...]:
        """All actions, in the order in which they were added."""
        return tuple(self._actions.values())

    def key(self, name: str) -> str:
        """The key of an action, empty for none.

        Raises:
            KeyError: there is no such action.
        """
        return self._preferences.settings.window.shortcuts.get(name, self._actions[name].key)

    def owner(self, key: str) -> ActionInfo | None:
        """The action that a key belongs to."""
        return next((a for a in self.actions if key and self.key(a.name).casefold() == key.casefold()), None)

    def assign(self, name: str, key: str, text: str) -> ActionInfo | None:
        """Give an action a key, as a step that can be taken back. An action that had it loses it.

        Args:
            name: of the action.
            key: as Qt writes keys; empty for none.
            text: of the step, for the menu.

        Returns:
            The action that lost the key.
        """
        own = dict(self._preferences.settings.window.shortcuts)
        loser = self.owner(key)
        if loser is not None and loser.name != name:
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
        if before.window.shortcuts != after.window.shortcuts:
            self.changed.emit()
