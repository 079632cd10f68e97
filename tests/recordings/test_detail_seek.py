"""Relief is found at any time, wherever one begins to read."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from recordings.detail_seek import DetailSeeker
from recordings.mcap_reader import RecordFile, read_details
from recordings.reader import open_session
from recordings.recorder import Recorder
from recordings.recorder_types import RecorderSettings
from tests.helpers.recordings import ManualClock, face_in, frame_at, relief, session_facts

FPS, SECONDS = 30, 8


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds with a map each tenth of a second; between 4 and 7.5 s there is none."""
    folder = tmp_path_factory.mktemp("seek") / "session"
    clock = ManualClock()
    start = clock.now
    settings = RecorderSettings(picture=False, wait_s=None, reserve_bytes=0)
    with Recorder(folder, settings, session_facts(fps=FPS, size=(64, 48)), clock=clock) as recorder:
        # Of noise, so that the file has many chunks.
        rng = np.random.default_rng(0)
        held = relief(0, 160)
        for index in range(FPS * SECONDS):
            clock.now = start + index * 1_000_000_000 // FPS
            frame = frame_at(index, FPS, (64, 48))
            if index % 3 == 0 and not 4.0 <= index / FPS < 7.5:
                held = rng.normal(0, 1, (256, 256)).astype(np.float32)
            recorder.add_frame(frame)
            recorder.add_face(face_in(frame, displacement=held))
    return folder


@pytest.mark.parametrize("time_s", [-1.0, 0.0, 0.05, 1.99, 3.95, 5.0, 6.9, 7.49, 7.6, 7.95, 50.0])
def test_from_any_time_on(recording: Path, time_s: float) -> None:
    path = recording / "records.mcap"
    assert len(RecordFile(path).chunk_offsets()) > 10
    wanted = list(islice(read_details(path, start_s=time_s), 3))
    found = list(islice(DetailSeeker(path).read(time_s), 3))
    assert [t for t, _ in found] == [t for t, _ in wanted] and found
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(found, wanted, strict=True))
    if time_s >= 0:
        assert found[0][0] <= time_s


def test_a_session_gives_its_relief(recording: Path) -> None:
    details = open_session(recording).details()
    assert details is not None
    at = details.follow(5.0)(5.0)
    assert at is not None
    earlier = details.follow(0.0)
    held, later = earlier(4.5), earlier(7.9)
    assert held is not None and later is not None
    assert np.array_equal(at, held) and not np.array_equal(at, later)


def test_a_file_without_its_end_is_read_from_the_beginning(recording: Path, tmp_path: Path) -> None:
    cut = tmp_path / "records.mcap"
    data = (recording / "records.mcap").read_bytes()
    cut.write_bytes(data[: len(data) * 3 // 4])
    assert RecordFile(cut, recover=True).chunk_offsets() == []
    assert next(DetailSeeker(cut).read(1.0))[0] == pytest.approx(1.0)
