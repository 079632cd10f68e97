"""What goes to the clipboard for a bug report: versions, machine, what was said, the last lines of the log."""

from __future__ import annotations

import logging
from collections import deque

LINES = 200


class LogTail(logging.Handler):
    """Keeps the last lines of the log. Any thread."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self.lines: deque[str] = deque(maxlen=LINES)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.lines.append(self.format(record))
        except Exception:  # logging must not fail
            pass


def report_text(sentence: str, details: str, log: LogTail | None) -> str:
    """The whole report; holds no picture and no setting.

    Args:
        sentence: what the user was told.
        details: a traceback or what else is known; may be empty.
        log: the last lines.
    """
    from app.machine import machine_facts
    from recordings.versions import software_versions

    parts = [sentence, "", *_table(software_versions()), *_table(machine_facts())]
    if details:
        parts += ["", details.rstrip()]
    if log is not None and log.lines:
        parts += ["", "log:", *log.lines]
    return "\n".join(parts) + "\n"


def _table(values: object) -> list[str]:
    if hasattr(values, "model_dump"):
        values = values.model_dump()
    return [f"{name}: {value}" for name, value in values.items()] if isinstance(values, dict) else [str(values)]
