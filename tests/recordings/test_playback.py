"""The player: frames at their times, seeking, ranges, loops; and what the recorded tracker answers."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from models.channels import CHANNEL_INDEX
from models.face_model import load_face_model
from recordings.cleanup import CleanUp
from recordings.playback import Player, RecordedTracker
from recordings.reader import Session, open_session
from tests.helpers.media import write_clip
from tests.recordings.exporters.conftest import BLIND, FPS, FRAMES, MakeSession, face_at, make_session
from tracking.sources import SourceError
from tracking.types import TrackingState

__all__ = ["make_session"]


@pytest.fixture
def filmed(make_session: MakeSession, tmp_path: Path) -> Session:
    pictures = [np.full((48, 64, 3), 10 * n, np.uint8) for n in range(FRAMES)]
    return open_session(make_session("filmed", video=str(write_clip(tmp_path / "clip.mkv", pictures, FPS))))


def test_frames_come_at_their_times(filmed: Session) -> None:
    with Player(filmed) as player:
        first, rows = 0.0, [-1]
        while rows[-1] < 9:
            frame = player.read()
            assert frame is not None and frame.index > rows[-1] and frame.time_s == pytest.approx(frame.index / FPS)
            assert float(frame.image.mean()) == pytest.approx(10 * frame.index, abs=4)
            first = first or time.monotonic()
            assert time.monotonic() - first >= frame.time_s - 0.02, "never early"
            rows.append(frame.index)


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> int:
        return round(self.seconds * 1e9)


def test_speed(filmed: Session) -> None:
    clock = Hand()
    with Player(filmed, clock) as player:
        player.read()
        player.set_speed(4)
        clock.seconds = 0.1
        frame = player.read()
        assert frame is not None and frame.time_s == pytest.approx(0.4)


def test_a_slow_reader_misses_frames_and_does_not_fall_behind(filmed: Session) -> None:
    clock = Hand()
    with Player(filmed, clock) as player:
        player.read()
        clock.seconds = 0.4
        frame = player.read()
        assert frame is not None and frame.time_s == pytest.approx(0.4)


def test_seeking_back_and_forth_while_it_stands_still(filmed: Session) -> None:
    with Player(filmed) as player:
        player.read()
        player.play(False)
        for row in (12, 3, 19, 0, 7):
            player.seek(row / FPS + 0.01)
            frame = player.read()
            assert frame is not None and frame.index == row
            assert float(frame.image.mean()) == pytest.approx(10 * row, abs=4)
        player.step(-1)
        frame = player.read()
        assert frame is not None and frame.index == 6 and not player.state().playing


def test_it_stops_at_the_end_of_its_range_and_starts_over(filmed: Session) -> None:
    with Player(filmed) as player:
        player.set_range(4 / FPS, 6 / FPS)
        player.set_speed(8)
        rows: list[int] = []
        while 6 not in rows:
            frame = player.read()
            assert frame is not None
            rows.append(frame.index)
        assert rows[0] == 4 and max(rows) == 6
        reader = threading.Thread(target=player.read)
        reader.start()
        until = time.monotonic() + 5
        while player.state().playing and time.monotonic() < until:
            time.sleep(0.01)
        assert reader.is_alive() and not player.state().playing
        player.play()
        reader.join(5)
        assert player.state().position_s == pytest.approx(4 / FPS)


def test_a_loop(filmed: Session) -> None:
    with Player(filmed) as player:
        player.set_range(0, 2 / FPS)
        player.set_loop(True)
        player.set_speed(8)
        rows = [frame.index for frame in (player.read() for _ in range(9)) if frame is not None]
    assert rows.count(0) >= 2 and max(rows) <= 2


def test_an_empty_range_is_ignored(filmed: Session) -> None:
    player = Player(filmed)
    player.set_range(0.5, 0.4)
    assert (player.state().start_s, player.state().end_s) == pytest.approx((0.0, (FRAMES - 1) / FPS))


def test_close_ends_a_wait(filmed: Session) -> None:
    player = Player(filmed)
    player.open()
    player.read()
    player.play(False)
    got: list[object] = ["nothing yet"]
    reader = threading.Thread(target=lambda: got.__setitem__(0, player.read()))
    reader.start()
    time.sleep(0.05)
    player.close()
    reader.join(1)
    assert not reader.is_alive() and got == [None]


def test_without_pictures_the_curves_play_all_the_same(make_session: MakeSession) -> None:
    with Player(open_session(make_session())) as player:
        frame = player.read()
        assert frame is not None and frame.image.shape == (480, 640, 3) and frame.image.std() == 0


def test_a_broken_video_is_told_and_the_curves_play(make_session: MakeSession, tmp_path: Path) -> None:
    (tmp_path / "clip.mkv").write_bytes(b"no video")
    with Player(open_session(make_session("broken", video=str(tmp_path / "clip.mkv")))) as player:
        assert player.warning is not None and "play without pictures" in player.warning
        assert player.read() is not None


def test_an_empty_session(make_session: MakeSession) -> None:
    with pytest.raises(SourceError, match="holds no frames"):
        Player(open_session(make_session("empty", [])))


def test_the_recorded_tracker_answers_what_was_tracked(filmed: Session) -> None:
    model = load_face_model()
    with Player(filmed) as player:
        tracker = RecordedTracker(player, model)
        player.play(False)
        for row in (2, BLIND[0]):
            player.seek(row / FPS)
            frame = player.read()
            assert frame is not None
            face = tracker.process(frame)
            truth = face_at(row if row not in BLIND else BLIND[0] - 1)
            assert face.parameters is not None and truth.parameters is not None
            assert truth.vertices is not None and face.vertices is not None
            assert np.abs(face.parameters.expression - truth.parameters.expression).max() < 1e-5
            assert np.abs(face.vertices - truth.vertices).max() < 1e-4
            assert face.state is (TrackingState.HOLDING if row in BLIND else TrackingState.TRACKING)
            assert face.frame is frame


def test_cleaned_curves_play_and_the_session_stays(filmed: Session) -> None:
    jaw = CHANNEL_INDEX["jawOpen"]
    with Player(filmed) as player:
        tracker = RecordedTracker(player, load_face_model())
        player.play(False)
        player.seek(BLIND[0] / FPS)
        player.read()
        player.clean_up(CleanUp(fill_gaps_s=1.0))
        frame = player.read()
        assert frame is not None and frame.index == BLIND[0], "what is shown is shown again, cleaned"
        face = tracker.process(frame)
        assert face.valid and face.parameters is not None
        assert face.parameters.expression[jaw] == pytest.approx(0.8 * BLIND[0] / FRAMES, abs=1e-3)
        assert not filmed.track.valid[BLIND[0]]
        player.clean_up(CleanUp())
        assert player.track is filmed.track
