"""What the user has to know: one sentence, its remedy, and a report to copy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from psygnal import Signal


class NoticeLevel(Enum):
    """How much it matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to know.

    Attributes:
        key: what it is about; a newer notice of the same key takes its place.
        level: see NoticeLevel.
        sentence: what happened, for a person.
        remedy: what to do; empty where the sentence says it already.
        report: details for a bug report; empty for none.
        action: name of the action that a button beside it triggers; empty for none.
        action_text: what the button says.
        lasting: stays when the thing that it is about is over; else `clear` takes it away.
    """

    key: str
    level: NoticeLevel
    sentence: str
    remedy: str = ""
    report: str = ""
    action: str = ""
    action_text: str = ""
    lasting: bool = False


class NoticeBoard:
    """The notices that are due, one for each key."""

    changed = Signal()

    def __init__(self) -> None:
        self._notices: dict[str, Notice] = {}
        self._dismissed: dict[str, str] = {}

    @property
    def shown(self) -> Notice | None:
        """The most important one: errors before warnings, newer before older."""
        ranks = list(NoticeLevel)
        return max(reversed(self._notices.values()), key=lambda notice: ranks.index(notice.level), default=None)

    @property
    def count(self) -> int:
        """How many are due."""
        return len(self._notices)

    def post(self, notice: Notice) -> None:
        """Show a notice, unless the user has dismissed this very sentence and it was not cleared since."""
        if self._notices.get(notice.key) == notice or self._dismissed.get(notice.key) == notice.sentence:
            return
        self._notices.pop(notice.key, None)
        self._notices[notice.key] = notice
        self.changed.emit()

    def clear(self, key: str) -> None:
        """What a notice was about is over; a lasting notice stays."""
        self._dismissed.pop(key, None)
        found = self._notices.get(key)
        if found is not None and not found.lasting:
            del self._notices[key]
            self.changed.emit()

    def dismiss(self, key: str) -> None:
        """The user has seen it."""
        found = self._notices.pop(key, None)
        if found is not None:
            if not found.lasting:
                self._dismissed[key] = found.sentence
            self.changed.emit()
