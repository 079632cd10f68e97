"""What the training commands share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.cli.console import terminal

if TYPE_CHECKING:
    from models.training.loop import Progress

INTERVAL_S = 15.0
_last = 0.0


def report_progress(progress: Progress) -> None:
    """A line of progress on standard error, now and then: training runs for hours, often into a file."""
    global _last
    now = time.monotonic()
    if now - _last < INTERVAL_S and progress.share < 1:
        return
    _last = now
    left = "" if progress.seconds_left is None else f", {progress.seconds_left / 60:.0f} min left"
    terminal().print(
        f"step {progress.step}, {100 * progress.share:.1f} %{left}, {progress.images_per_second:.1f} images/s, "
        f"loss {progress.loss:.4g}",
        highlight=False,
    )
