"""What the window says of the source and of the run before, as notices. No Qt."""

from __future__ import annotations

from collections.abc import Callable

from app.live.marker import UncleanEnd
from app.state.live import Live, Phase
from app.state.notices import Notice, NoticeBoard, NoticeLevel

__all__ = ["Translate", "post_source", "post_unclean_end"]

Translate = Callable[..., str]


def post_source(notices: NoticeBoard, live: Live, tr: Translate) -> None:
    """What is wrong with the source, or no longer is.

    Args:
        notices: changed here.
        live: how the source does.
        tr: translates sentences.
    """
    if live.phase is Phase.ERROR:
        again = tr("Try again")
        notices.post(
            Notice(
                "source",
                NoticeLevel.ERROR,
                live.sentence,
                live.remedy,
                live.sentence,
                action="retry",
                action_text=again,
            )
        )
    elif live.phase is Phase.NO_CAMERA:
        waiting = tr("It is waited for: nothing needs to be pressed.")
        notices.post(Notice("source", NoticeLevel.WARNING, live.sentence, live.remedy or waiting, live.sentence))
    else:
        notices.clear("source")
    if live.warning:
        notices.post(Notice("source warning", NoticeLevel.WARNING, live.warning))
    else:
        notices.clear("source warning")


def post_unclean_end(notices: NoticeBoard, left: UncleanEnd, tr: Translate) -> None:
    """What is safe although the last run did not end properly.

    Settings and calibrations are written in one piece whenever they change.
    """
    saved = [tr("settings"), tr("calibrations"), *(str(folder) for folder in left.results)]
    remedy = tr("Saved: {things}.", things=", ".join(saved))
    told = tr("Mien did not end properly last time.")
    notices.post(Notice("crash", NoticeLevel.WARNING, told, remedy, lasting=True))
