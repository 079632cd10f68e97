"""Where the wrinkles of the head come from, in words."""

from __future__ import annotations

from app.state.live import Live
from app.window.texts import tr
from tracking.types import DetailState

RELIEF = {
    DetailState.LIVE: "wrinkles live",
    DetailState.HELD: "wrinkles held",
    DetailState.NONE: "no wrinkles",
}
SENTENCES = {
    DetailState.LIVE: "Wrinkles come from the camera's picture.",
    DetailState.HELD: "Wrinkles come from the last good view and follow the expression.",
    DetailState.NONE: "There are no wrinkles so far.",
}
NOT_TRACKING = "Wrinkles appear while a face is tracked."


def detail_sentence(live: Live) -> str:
    """One or two sentences: where the wrinkles come from, and why they are not live."""
    text = tr(SENTENCES[live.detail])
    note = live.detail_note.strip()
    return f"{text} {note[0].upper()}{note[1:].rstrip('.')}." if note else text
