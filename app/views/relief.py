"""Where the wrinkles of the head come from, in words."""

from __future__ import annotations

from app.state.live import Live
from app.window.texts import tr
from tracking.detail_settings import RESTING
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
AVATAR = "the avatar's wrinkles"
AVATAR_SENTENCE = "An avatar of a person folds its own skin; yours is not looked at meanwhile."
NOT_TRACKING = "Wrinkles appear while a face is tracked."


def relief_words(live: Live) -> str:
    """Where the wrinkles come from, in two words."""
    return tr(AVATAR if of_avatar(live) else RELIEF[live.detail])


def of_avatar(live: Live) -> bool:
    """Whether the wrinkles are those of an avatar, if it has any."""
    return live.detail is DetailState.NONE and live.detail_note == RESTING


def detail_sentence(live: Live) -> str:
    """One or two sentences: where the wrinkles come from, and why they are not live."""
    if of_avatar(live):
        return tr(AVATAR_SENTENCE)
    text = tr(SENTENCES[live.detail])
    note = live.detail_note.strip()
    return f"{text} {note[0].upper()}{note[1:].rstrip('.')}." if note else text
