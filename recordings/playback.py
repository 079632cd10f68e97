"""Plays a session: a source of its pictures that can seek, and a tracker that answers what was tracked then.

So a recording goes the way that a camera goes, and drives everything that a camera drives.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recordings.cleanup import CleanUp, clean
from recordings.exporters.poses import camera_of, tracked_face
from recordings.reader import Session
from recordings.resample import held
from recordings.track import Track
from tracking.sources import Source, SourceError, VideoSource
from tracking.types import DetailState, Frame, Image, TrackedFace, TrackingState

if TYPE_CHECKING:
    from models.face_model import FaceModel

__all__ = ["PlaybackState", "Player", "RecordedTracker"]

SLOWEST, FASTEST = 0.1, 8.0
BLANK = 28
"""Grey of the pictures of a session that has none."""
LARGEST_BLANK = 1280
AHEAD_S = 2.0
"""A jump forward of less than this is decoded through; further ones seek in the file."""


@dataclass(frozen=True, slots=True)
class PlaybackState:
    """Where a player stands.

    Attributes:
        position_s: of the frame that was shown last, in the session's times.
        playing: it moves.
        speed: 1 is as recorded.
        loop: start over at the end of the range.
        start_s, end_s: the range that is played.
    """

    position_s: float
    playing: bool
    speed: float
    loop: bool
    start_s: float
    end_s: float


class Player(Source):
    """A session's frames at their times.

    All methods but `read` may be called from any thread and return at once. At the end of its range it stops and
    waits; it never ends by itself. A consumer that is too slow misses frames, as with a camera.

    Args:
        session: as opened; at least one frame.
        clock: nanoseconds.

    Raises:
        SourceError: the session is empty.
    """

    def __init__(self, session: Session, clock: Callable[[], int] = time.monotonic_ns) -> None:
        if not len(session.track):
            raise SourceError(f"The session {session.name} holds no frames: choose another one.")
        self.session = session
        self._clock = clock
        self._track = session.track
        self._times = session.track.time_s
        self._condition = threading.Condition()
        self._playing = True
        self._speed = 1.0
        self._loop = False
        self._range = (float(self._times[0]), float(self._times[-1]))
        self._row = -1
        self._jump: int | None = 0
        self._anchor = (0, self._range[0])
        self._closed = True
        self._video: _Pictures | None = None
        self._blank: Image | None = None
        self._warning: str | None = None

    @property
    def name(self) -> str:
        return self.session.name

    @property
    def width(self) -> int:
        return self._size[0]

    @property
    def height(self) -> int:
        return self._size[1]

    @property
    def fps(self) -> float:
        return self.session.fps

    @property
    def live(self) -> bool:
        return True

    @property
    def warning(self) -> str | None:
        return self._warning

    @property
    def track(self) -> Track:
        """What is played: as recorded, or cleaned up."""
        return self._track

    @property
    def _size(self) -> tuple[int, int]:
        width, height = self.session.track.image_size
        return (width, height) if min(width, height) > 0 else (640, 480)

    def state(self) -> PlaybackState:
        """Where it stands."""
        with self._condition:
            position = float(self._times[max(self._row, 0)])
            return PlaybackState(position, self._playing, self._speed, self._loop, *self._range)

    def play(self, playing: bool = True) -> None:
        """Go on, or stop. From the end of the range it starts over."""
        with self._condition:
            if playing and not self._playing and self._row >= self._last_row():
                self._jump = self._row_at(self._range[0])
            self._playing = playing
            self._restart_clock()
            self._condition.notify_all()

    def seek(self, time_s: float) -> None:
        """Show the frame that is there at this time of the session, playing or not."""
        with self._condition:
            self._jump = self._row_at(time_s)
            self._condition.notify_all()

    def step(self, frames: int) -> None:
        """Stop, and show the frame so many later (earlier where negative)."""
        with self._condition:
            self._playing = False
            self._jump = int(np.clip(max(self._row, 0) + frames, 0, len(self._times) - 1))
            self._condition.notify_all()

    def set_speed(self, speed: float) -> None:
        """1 is as recorded."""
        with self._condition:
            self._speed = float(np.clip(speed, SLOWEST, FASTEST))
            self._restart_clock()
            self._condition.notify_all()

    def set_loop(self, loop: bool) -> None:
        """Start over at the end of the range, or stop there."""
        with self._condition:
            self._loop = loop
            self._condition.notify_all()

    def set_range(self, start_s: float | None = None, end_s: float | None = None) -> None:
        """Play only this part; None is the session's own start or end. An empty range is ignored."""
        with self._condition:
            first, last = float(self._times[0]), float(self._times[-1])
            start = first if start_s is None else min(max(start_s, first), last)
            end = last if end_s is None else min(max(end_s, first), last)
            if end > start:
                self._range = (start, end)
                if not start <= float(self._times[max(self._row, 0)]) <= end:
                    self._jump = self._row_at(start)
            self._condition.notify_all()

    def clean_up(self, settings: CleanUp) -> None:
        """Play cleaned curves from the next frame on; the session itself stays as it is."""
        track = clean(self.session.track, settings) if settings.any else self.session.track
        with self._condition:
            self._track = track
            if not self._playing and self._jump is None:
                self._jump = max(self._row, 0)
            self._condition.notify_all()

    def open(self) -> None:
        with self._condition:
            if not self._closed:
                return
            self._closed = False
        path = self.session.video_path()
        if path is not None and self._video is None:
            mirrored = self.session.manifest.source.mirrored and not self.session.manifest.media.present
            try:
                self._video = _Pictures(VideoSource(path, mirrored=mirrored))
            except SourceError as error:
                self._warning = f"{error} The curves play without pictures."

    def read(self) -> Frame | None:
        row = self._next_row()
        if row is None:
            return None
        image = self._picture(float(self._times[row]))
        return Frame(row, float(self._times[row]), self._clock(), image)

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        video, self._video = self._video, None
        if video is not None:
            video.close()

    def _next_row(self) -> int | None:
        """Waits until a frame is due; its row, None once closed."""
        with self._condition:
            while not self._closed:
                if self._jump is not None:
                    self._row, self._jump = self._jump, None
                    self._restart_clock()
                    return self._row
                if not self._playing:
                    self._condition.wait()
                    continue
                now = self._anchor[1] + (self._clock() - self._anchor[0]) / 1e9 * self._speed
                if self._row >= self._last_row():
                    # The last frame is shown as long as the others are.
                    left = (float(self._times[self._row]) + 1 / self.session.fps - now) / self._speed
                    if left > 0:
                        self._condition.wait(left)
                    elif self._loop:
                        self._jump = self._row_at(self._range[0])
                    else:
                        self._playing = False
                    continue
                due = float(self._times[self._row + 1])
                if due > now:
                    self._condition.wait((due - now) / self._speed)
                    continue
                self._row = min(max(self._row_at(now), self._row + 1), self._last_row())
                return self._row
            return None

    def _restart_clock(self) -> None:
        self._anchor = (self._clock(), float(self._times[max(self._row, 0)]))

    def _row_at(self, time_s: float) -> int:
        """The last row at or before a time."""
        return int(np.clip(np.searchsorted(self._times, time_s + 1e-6, side="right") - 1, 0, len(self._times) - 1))

    def _last_row(self) -> int:
        return self._row_at(self._range[1])

    def _picture(self, time_s: float) -> Image:
        video = self._video
        if video is not None:
            try:
                image = video.at(time_s)
                if image is not None:
                    return image
            except SourceError as error:
                self._warning = f"{error} The curves play without pictures."
                self._video = None
        if self._blank is None:
            width, height = self._size
            shrink = min(1.0, LARGEST_BLANK / max(width, height))
            shape = (max(1, round(height * shrink)), max(1, round(width * shrink)), 3)
            self._blank = np.full(shape, BLANK, np.uint8)
        return self._blank


class _Pictures:
    """The picture of a video at a time, forwards and backwards.

    Args:
        source: opened here.

    Raises:
        SourceError
    """

    def __init__(self, source: VideoSource) -> None:
        self._source = source
        source.open()
        self._half = 0.5 / max(source.fps, 1.0)
        self._now: Frame | None = None
        self._following = source.read()

    def at(self, time_s: float) -> Image | None:
        """The picture that is shown at a time; None where there is none at all."""
        passed = self._now is not None and time_s < self._now.time_s - self._half
        far = self._following is not None and time_s > self._following.time_s + AHEAD_S
        if passed or far:
            self._source.seek(max(0.0, time_s - self._half))
            self._now, self._following = None, self._source.read()
        while self._following is not None and (self._now is None or self._following.time_s <= time_s + self._half):
            self._now, self._following = self._following, self._source.read()
        return None if self._now is None else self._now.image

    def close(self) -> None:
        self._source.close()


class RecordedTracker:
    """Answers a player's frames with what was tracked then.

    Args:
        player: whose frames are processed.
        model: the face model that is posed.
    """

    def __init__(self, player: Player, model: FaceModel) -> None:
        self._player = player
        self._model = model
        self._camera = camera_of(player.session.track)
        self._filled: tuple[Track, Track | None] | None = None
        own = player.session.track.identity
        fits = player.session.manifest.parameters.face_model in (None, model.name)
        # The values of another face model's session still move the mean face.
        self._identity = model.identity(own if fits and len(own) <= model.identity_count else None)
        self._details = player.session.details()
        self._detail_at: Callable[[float], NDArray[np.float32] | None] | None = None
        self._detail_time = -np.inf

    def process(self, frame: Frame) -> TrackedFace:
        """The face of a frame; see `FrameTracker`."""
        track = self._player.track
        if self._filled is None or self._filled[0] is not track:
            self._filled = (track, held(track) if track.valid.any() else None)
        filled = self._filled[1]
        if filled is None:
            return TrackedFace(frame, TrackingState.SEARCHING, 0.0, None, None, None, None, None, None, ())
        row = min(frame.index, len(filled) - 1)
        posed = self._model.pose(self._identity, filled.expression[row], filled.gaze[row])
        face = tracked_face(replace(filled, identity=self._identity), row, posed, self._camera, frame.image)
        relief = self._relief(frame.time_s)
        face = replace(face, frame=frame, raw=face.parameters if face.valid else None)
        return face if relief is None else replace(face, displacement=relief, detail=DetailState.HELD)

    def reset(self) -> None:
        """Nothing is remembered between frames."""

    def _relief(self, time_s: float) -> NDArray[np.float32] | None:
        if self._details is None:
            return None
        # Forwards it reads on, unless it would have to unpack what nobody sees.
        if self._detail_at is None or not 0 <= time_s - self._detail_time < AHEAD_S:
            self._detail_at = self._details.follow(time_s)
        self._detail_time = time_s
        return self._detail_at(time_s)
