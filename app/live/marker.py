"""A file that exists while the window is open: if it is there at the next start, the last run did not end by itself."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

_MAX_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class UncleanEnd:
    """What the run before left.

    Attributes:
        results: folders that finished or interrupted jobs wrote, as far as they still exist.
    """

    results: tuple[Path, ...]


class RunMarker:
    """Keeps the file.

    Args:
        path: by default in the user's state folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or user_state_path("mien", appauthor=False) / "running.json"
        self._results: list[str] = []
        self._active = False

    def begin(self) -> UncleanEnd | None:
        """Say that a run begins; what the last one left where it ended uncleanly, else None.

        A second window beside a running one does not touch the file. Where nothing can be written nothing is kept.
        """
        left = self._read()
        if left is not None and _alive(left.get("pid")):
            return None
        self._active = True
        self._write()
        if left is None:
            return None
        named = left.get("results")
        folders = [Path(item) for item in named if isinstance(item, str)] if isinstance(named, list) else []
        return UncleanEnd(tuple(folder for folder in folders if folder.is_dir()))

    def note_result(self, folder: Path) -> None:
        """Results are being written into this folder."""
        self._results.append(str(folder))
        self._write()

    def end(self) -> None:
        """The run ends as it should."""
        if self._active:
            self._active = False
            try:
                self._path.unlink(missing_ok=True)
            except OSError:
                pass  # it could not be written either

    def _read(self) -> dict[str, Any] | None:
        try:
            with self._path.open("rb") as file:
                data = json.loads(file.read(_MAX_BYTES))
        except OSError:
            return None
        except (ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) else {}

    def _write(self) -> None:
        if not self._active:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps({"pid": os.getpid(), "results": self._results}), encoding="utf-8")
        except OSError:
            pass  # only the message after a crash is lost


def _alive(pid: object) -> bool:
    """Whether a process of ours with this number runs. On Windows nobody asks: two windows are rare there."""
    if not isinstance(pid, int) or pid <= 0 or pid == os.getpid() or sys.platform == "win32":
        return False
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):
        return False
    return True
