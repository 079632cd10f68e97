"""What a recorder says of its troubles: one sentence each, with what to do."""

from __future__ import annotations

from typing import ClassVar

from recordings.audio import AudioFeed
from recordings.audio_clock import OUTPUT_RATE
from recordings.media_thread import MediaThread
from recordings.record_files import RecordFiles
from recordings.records import RecordTimes

_SILENCE_TOLD_S = 1.0

__all__ = ["LossLog", "losses_in_words", "passing_trouble", "stopped_for_space"]


class LossLog:
    """Writes a record whenever something more was lost."""

    _REASONS: ClassVar[dict[str, tuple[str, int]]] = {
        "picture": ("The disk or the encoder did not keep up or failed.", 0),
        "face": ("The disk did not keep up.", 0),
        # The silence before a device's first sample is no loss.
        "sound": ("No sound came; the file is silent there.", 100),
    }

    def __init__(self) -> None:
        self._told = dict.fromkeys(self._REASONS, 0)

    def tell(self, files: RecordFiles, times: RecordTimes, *, pictures: int, faces: int, sound_ms: int) -> None:
        """Compare what was lost in all with what was told already, and tell the rest."""
        for part, total in (("picture", pictures), ("face", faces), ("sound", sound_ms)):
            reason, slack = self._REASONS[part]
            count = total - self._told[part]
            if count > slack:
                self._told[part] = total
                files.loss(part, count, total, reason, times)


def stopped_for_space(reserve: int | None) -> str:
    """Why a recording ended by itself.

    Args:
        reserve: bytes that had to stay free; None where the disk was full already.
    """
    if reserve is None:
        return "The disk is full: the recording was stopped and completed."
    return (
        f"The recording was stopped because less than {reserve // 1_000_000} MB are free: make room for the next one."
    )


def passing_trouble(*, lost: int | None, feed: AudioFeed | None, gone: str | None) -> list[str]:
    """What is wrong at this moment.

    Args:
        lost: pictures lost so far, where they are being lost now.
        feed: of the sound.
        gone: name of a source that gives no pictures any more.
    """
    found = []
    if lost is not None:
        found.append(
            f"The disk or the encoder is too slow: {lost} pictures are lost; choose a faster disk or a smaller picture."
        )
    if feed is not None and (silent := feed.problem()):
        found.append(silent)
    if gone is not None:
        found.append(f"No pictures come from {gone}: check its plug; the recording goes on.")
    return found


def losses_in_words(
    media: MediaThread | None, feed: AudioFeed | None, frames: int, lost: int, lost_faces: int
) -> list[str]:
    """What was lost in the whole session.

    Args:
        media, feed: where there are any.
        frames: pictures that were captured.
        lost: those that were not stored.
        lost_faces: tracked frames that were not written.
    """
    found = []
    if media is not None and media.failure:
        found.append(media.failure)
    if media is not None and media.adjusted:
        found.append(f"{media.adjusted} pictures had times that did not go forward and were moved.")
    if lost:
        found.append(f"{lost} of {frames} pictures were lost: the disk or the encoder did not keep up.")
    if lost_faces:
        found.append(f"{lost_faces} tracked frames were lost: the disk did not keep up.")
    silent_s = media.aligner.silence / OUTPUT_RATE if media is not None and media.aligner is not None else 0.0
    if feed is not None and silent_s > _SILENCE_TOLD_S:
        found.append(f"{silent_s:.1f} s of the recording are silent because nothing came from {feed.source.name}.")
    if feed is not None and feed.overrun:
        found.append(f"{feed.overrun} blocks of sound were lost: the encoder did not keep up.")
    return found
