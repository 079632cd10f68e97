"""What is said of where wrinkles come from."""

from __future__ import annotations

import pytest

from app.state.live import Live, Phase
from app.views.relief import detail_sentence, of_avatar, relief_words
from tracking.detail_settings import RESTING
from tracking.types import DetailState


@pytest.mark.parametrize(
    ("state", "note", "words", "sentence"),
    [
        (DetailState.LIVE, "", "wrinkles live", "Wrinkles come from the camera's picture."),
        (DetailState.NONE, "no face", "no wrinkles", "There are no wrinkles so far. No face."),
        (DetailState.NONE, RESTING, "the avatar's wrinkles", "An avatar of a person folds its own skin"),
    ],
)
def test_words_fit_what_is_shown(state: DetailState, note: str, words: str, sentence: str) -> None:
    live = Live(phase=Phase.TRACKING, detail=state, detail_note=note)
    assert relief_words(live) == words
    assert detail_sentence(live).startswith(sentence)
    assert of_avatar(live) == (note == RESTING)
