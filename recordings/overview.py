"""A session at a glance: small pictures, the sound's outline, and curves, each as wide as a timeline.

PyAV is loaded late: the window loads this file when it starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.channels import CHANNEL_INDEX
from recordings.reader import Session
from recordings.track import Track
from tracking.sources import SourceError

__all__ = ["CURVES", "Overview", "curve_outline", "overview", "sound_outline", "thumbnails"]

Floats = NDArray[np.float32]
THUMBNAIL_HEIGHT = 54
COLUMNS = 1200
CURVES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Jaw open", ("jawOpen",)),
    ("Smile", ("mouthSmileLeft", "mouthSmileRight")),
    ("Blink", ("eyeBlinkLeft", "eyeBlinkRight")),
    ("Brow up", ("browInnerUp",)),
)
"""What is drawn of a session: name and the channels whose mean it is."""


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it. Columns divide the time from the first frame to the last evenly.

    Attributes:
        thumbnails: (time in seconds, (h, w, 3) uint8) in order; empty without pictures.
        sound: (C,) 0..1, the loudest sample of each column; empty without sound.
        curves: (len(CURVES), C) 0..1, the largest value of each column; NaN where no face was seen.
        seen: (C,) 0..1, share of frames with a face.
    """

    thumbnails: tuple[tuple[float, NDArray[np.uint8]], ...]
    sound: Floats
    curves: Floats
    seen: Floats


def overview(session: Session, pictures: int = 16, cancelled: Callable[[], bool] = lambda: False) -> Overview:
    """Reads what is needed of the media. Seconds for an hour, so not for a thread that shows things.

    What cannot be read is left empty: an overview is no reason to refuse a session.

    Args:
        session: of at least one frame.
        pictures: thumbnails, evenly spread.
        cancelled: asked now and then; what is missing then stays empty.
    """
    curves, seen = curve_outline(session.track)
    shown = thumbnails(session, pictures, cancelled)
    sound = np.zeros(0, np.float32) if cancelled() else sound_outline(session, cancelled)
    return Overview(shown, sound, curves, seen)


def curve_outline(track: Track, columns: int = COLUMNS) -> tuple[Floats, Floats]:
    """Curves and the share of frames with a face, as in `Overview`."""
    column = _column_of(track.time_s, track, columns)
    curves = np.full((len(CURVES), columns), np.nan, np.float32)
    for k, (_, names) in enumerate(CURVES):
        values = track.expression[:, [CHANNEL_INDEX[name] for name in names]].mean(axis=1)
        np.fmax.at(curves[k], column, values)
    frames, seen = np.zeros(columns, np.float32), np.zeros(columns, np.float32)
    np.add.at(frames, column, 1)
    np.add.at(seen, column, track.valid)
    # Fewer frames than columns: those between hold what came before.
    empty = np.flatnonzero(frames == 0)
    filled = np.flatnonzero(frames > 0)
    before = filled[np.maximum(np.searchsorted(filled, empty) - 1, 0)]
    frames[empty], seen[empty] = frames[before], seen[before]
    curves[:, empty] = curves[:, before]
    return curves, seen / frames


def thumbnails(
    session: Session, count: int, cancelled: Callable[[], bool] = lambda: False
) -> tuple[tuple[float, NDArray[np.uint8]], ...]:
    """Small pictures at evenly spread times, from the middle of each stretch."""
    from tracking.sources.video import VideoSource

    path = session.video_path()
    if path is None:
        return ()
    first, last = float(session.track.time_s[0]), float(session.track.time_s[-1])
    mirrored = session.manifest.source.mirrored and not session.manifest.media.present
    found = []
    try:
        with VideoSource(path, mirrored=mirrored) as source:
            for k in range(count):
                if cancelled():
                    break
                source.seek(first + (last - first) * (k + 0.5) / count)
                frame = source.read()
                if frame is None:
                    break
                height, width = frame.image.shape[:2]
                size = (max(1, round(width * THUMBNAIL_HEIGHT / height)), THUMBNAIL_HEIGHT)
                small = np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA), np.uint8)
                found.append((frame.time_s, small))
    except SourceError:
        pass  # as far as it goes
    return tuple(found)


def sound_outline(session: Session, cancelled: Callable[[], bool] = lambda: False, columns: int = COLUMNS) -> Floats:
    """The loudest sample of each column; empty where there is no sound."""
    import av

    path = session.audio_path()
    if path is None:
        return np.zeros(0, np.float32)
    loud = np.zeros(columns, np.float32)
    first, last = (float(time_s) for time_s in session.track.time_s[[0, -1]])
    width_s = (last - first) / columns
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                return np.zeros(0, np.float32)
            for frame in container.decode(audio=0):
                if cancelled():
                    break
                values = np.abs(frame.to_ndarray().astype(np.float32))
                if frame.format.name.startswith("s16"):
                    values /= 32768
                elif frame.format.name.startswith("s32"):
                    values /= 2147483648
                if not values.size:
                    continue
                if frame.format.is_planar:
                    values = values.max(axis=0)
                else:
                    values = values.reshape(-1, max(1, frame.layout.nb_channels)).max(axis=1)
                start_s = float(frame.time or 0.0)
                if len(values) < width_s * frame.sample_rate:
                    # Shorter than a column, as all are in long sessions: its loudest sample is enough.
                    values, times = values.max(keepdims=True), np.array([start_s])
                else:
                    times = start_s + np.arange(len(values)) / frame.sample_rate
                inside = (times >= first) & (times <= last)
                np.maximum.at(loud, _column_of(times[inside], session.track, columns), values[inside])
    except (av.FFmpegError, OSError):
        pass  # as far as it goes
    return np.clip(loud, 0, 1)


def _column_of(times: NDArray[np.float64], track: Track, columns: int) -> NDArray[np.intp]:
    first, last = float(track.time_s[0]), float(track.time_s[-1])
    share = (times - first) / max(last - first, 1e-9)
    return np.clip((share * columns).astype(np.intp), 0, columns - 1)
