"""Expressions that keys show: which are on, how they come and go, and what they add to the tracked face."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.channels import CHANNEL_INDEX, GAZE_CHANNELS, channels_to_gaze
from tracking.retarget.settings import Hotkey, HotkeySettings

if TYPE_CHECKING:
    from tracking.retarget.apply import Driven

__all__ = ["ExpressionFades", "pressed", "released"]

_EYE_LOOKS = list(GAZE_CHANNELS)


def pressed(settings: HotkeySettings, shown: tuple[str, ...], name: str) -> tuple[str, ...]:
    """What is shown once an expression's key went down.

    Of the expressions that are shown instead of the tracked one, a toggle sends the other toggles away.

    Args:
        settings: all expressions.
        shown: names of those that were, the newest last.
        name: whose key it is; an unknown one changes nothing.
    """
    hotkey = settings.get(name)
    if hotkey is None or (hotkey.hold and name in shown):
        return shown
    if name in shown:
        return tuple(each for each in shown if each != name)
    if hotkey.replace and not hotkey.hold:
        others = {each.name for each in settings.expressions if each.replace and not each.hold}
        shown = tuple(each for each in shown if each not in others)
    return (*shown, name)


def released(settings: HotkeySettings, shown: tuple[str, ...], name: str) -> tuple[str, ...]:
    """What is shown once an expression's key went up; see `pressed`."""
    hotkey = settings.get(name)
    if hotkey is None or not hotkey.hold:
        return shown
    return tuple(each for each in shown if each != name)


@dataclass(frozen=True, slots=True)
class _Expression:
    """A hotkey, ready to be applied.

    Attributes:
        replace: see Hotkey.
        index, amounts: channels and their values.
        own: the avatar's own expressions by name, and their values.
        looks: whether it turns the eyes.
    """

    replace: bool
    index: NDArray[np.intp]
    amounts: NDArray[np.float32]
    own: tuple[tuple[str, float], ...]
    looks: bool

    @classmethod
    def of(cls, hotkey: Hotkey) -> _Expression:
        channels = {CHANNEL_INDEX[name]: value for name, value in hotkey.values.items() if name in CHANNEL_INDEX}
        return cls(
            hotkey.replace,
            np.array(list(channels), np.intp),
            np.array(list(channels.values()), np.float32),
            tuple((name, value) for name, value in hotkey.values.items() if name not in CHANNEL_INDEX),
            any(i in channels for i in _EYE_LOOKS),
        )


class ExpressionFades:
    """How far each expression is shown. Knows no clock: it is told how much time has passed."""

    def __init__(self) -> None:
        self._fade_s = 0.0
        self._known: dict[str, _Expression] = {}
        self._shown: tuple[str, ...] = ()
        self._shares: dict[str, float] = {}
        """Of those that are not gone: 0 to 1, straight in time."""

    def configure(self, settings: HotkeySettings) -> None:
        """Take other expressions; those that are gone end at once."""
        self._fade_s = settings.fade_s
        self._known = {each.name: _Expression.of(each) for each in settings.expressions}
        self._shares = {name: share for name, share in self._shares.items() if name in self._known}

    def show(self, names: Iterable[str]) -> None:
        """Have these come, the newest last, and all others go."""
        self._shown = tuple(names)

    def finish(self) -> None:
        """Be where the fades lead."""
        self._shares = dict.fromkeys(self._targets(), 1.0)

    def advance(self, step_s: float) -> None:
        """Let so many seconds pass."""
        targets = self._targets()
        moved = step_s / self._fade_s if self._fade_s > 0 else 1.0
        for name in {*targets, *self._shares}:
            share = self._shares.get(name, 0.0)
            share = min(share + moved, 1.0) if name in targets else max(share - moved, 0.0)
            self._shares[name] = share
        self._shares = {name: share for name, share in self._shares.items() if share > 0.0}

    def on(self, driven: Driven) -> Driven:
        """What drives the avatar, with the expressions."""
        if not self._shares:
            return driven
        weights = {name: share * share * (3.0 - 2.0 * share) for name, share in self._shares.items()}
        shown = [(self._known[name], weight) for name, weight in weights.items()]
        # While one gives way to another their weights add up to 1: the tracked face does not shine through.
        instead = min(sum(weight for expression, weight in shown if expression.replace), 1.0)
        values = driven.values * np.float32(1.0 - instead)
        values[_EYE_LOOKS] = driven.values[_EYE_LOOKS]
        own: dict[str, float] = {}
        for expression, weight in shown:
            values[expression.index] += expression.amounts * np.float32(weight)
            for name, amount in expression.own:
                own[name] = min(own.get(name, 0.0) + amount * weight, 1.0)
        values = np.minimum(np.maximum(values, 0.0), 1.0).astype(np.float32)
        gaze = channels_to_gaze(values) if any(expression.looks for expression, _ in shown) else driven.gaze
        return replace(driven, values=values, gaze=gaze, own=tuple(own.items()))

    def _targets(self) -> set[str]:
        """Those that come or stay; of those that replace the tracked expression, the newest."""
        names = [name for name in self._shown if name in self._known]
        newest = next((name for name in reversed(names) if self._known[name].replace), None)
        return {name for name in names if not self._known[name].replace or name == newest}
