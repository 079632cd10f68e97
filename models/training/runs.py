"""Where training keeps what it makes: outside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def runs_folder() -> Path:
    """Folder of checkpoints, curves and caches: MIEN_RUNS, or `runs` in the user's state folder."""
    chosen = os.environ.get("MIEN_RUNS")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_state_path("mien")) / "runs"
