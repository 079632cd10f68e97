"""A session from start to end, and folders that it can or cannot be recorded into."""

from __future__ import annotations

import csv
import errno
import itertools
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from models.channels import CHANNEL_INDEX
from recordings import read_manifest, records
from recordings.manifest import SessionFileError
from recordings.mcap_reader import RecordFile, read_details, read_marks, read_mcap
from recordings.recorder import Recorder
from recordings.recorder_types import RecorderState
from recordings.recovery import find_unfinished, recover
from tests.helpers.recordings import (
    START_NS,
    ManualClock,
    SimulatedMicrophone,
    beep_times,
    face_in,
    flash_times,
    frame_at,
    picture_times,
    relief,
    session_facts,
    sound_of,
)
from tests.helpers.studio import PATIENT, Studio, finish

pytestmark = pytest.mark.usefixtures("no_leaked_threads")
WaitUntil = Callable[[Callable[[], bool]], None]
SOUND_AND_PICTURES = ["frames.csv", "records.mcap", "session.json", "video.mkv"]


def losses(folder: Path) -> dict[str, int]:
    return {record.part: record.total for _, record in RecordFile(folder / "records.mcap").messages(records.LOST)}


def test_a_session_from_start_to_end(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    sound = SimulatedMicrophone(ppm=300, jitter_s=0.002)
    studio = Studio(folder, replace(PATIENT, take="First", timecode="zero"), sound=sound)
    assert studio.recorder.status().state is RecorderState.WAITING
    assert read_manifest(folder).complete is False
    studio.run(150, reliefs=True)
    studio.recorder.add_marker("here")
    status = studio.recorder.status()
    assert (status.state, status.frames, status.take) == (RecorderState.RECORDING, 150, "First")
    assert status.seconds == pytest.approx(149 / 30) and status.timecode == "00:00:04:29"
    assert status.problems == () and status.audio is not None
    studio.recorder.start_take("Second")
    studio.run(60, reliefs=True)
    outcome = finish(studio)
    assert outcome.complete and outcome.warnings == ()
    assert (outcome.frames, outcome.stored_frames, outcome.lost_frames) == (210, 210, 0)
    assert (outcome.faces, outcome.valid_faces) == (210, 189)
    assert sorted(path.name for path in folder.iterdir()) == SOUND_AND_PICTURES

    times = picture_times(folder / "video.mkv")
    assert times == pytest.approx([n / 30 for n in range(210)], abs=6e-4)
    flashes, heard = flash_times(folder / "video.mkv"), beep_times(sound_of(folder / "video.mkv"))
    assert flashes == pytest.approx([2.0, 4.0, 6.0], abs=1e-3)
    assert heard == pytest.approx(flashes, abs=0.01)
    track = read_mcap(folder / "records.mcap")
    assert track.time_s == pytest.approx([n / 30 for n in range(210)], abs=1e-8)
    assert track.expression[57, CHANNEL_INDEX["jawOpen"]] == pytest.approx(0.285)
    reliefs = list(read_details(folder / "records.mcap"))
    assert len(reliefs) == 70 and np.abs(reliefs[5][1] - relief(5)).max() < 6e-4
    with (folder / "frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == list(range(210))
    assert float(rows[57]["time_s"]) == pytest.approx(1.9) and rows[9]["valid"] == "0" and rows[9]["jawOpen"] == ""
    assert float(rows[57]["jawOpen"]) == pytest.approx(0.285) and float(rows[57]["ms_landmarks"]) == 4.0

    manifest = read_manifest(folder)
    assert manifest.complete and manifest.finished is not None and manifest.command == "record"
    assert (manifest.media.video, manifest.media.audio, manifest.media.camera_picture) == (
        "video.mkv",
        "video.mkv",
        True,
    )
    assert (manifest.media.frames, manifest.media.codec) == (210, "h264")
    assert (manifest.parameters.file, manifest.parameters.valid_frames) == ("frames.csv", 189)
    assert (manifest.records.file, manifest.records.faces, manifest.records.details) == ("records.mcap", 210, 70)
    assert manifest.audio.present and manifest.audio.device == "simulated microphone"
    assert manifest.timecode.start == "00:00:00:00" and manifest.timecode.rate == 30
    assert [take.name for take in manifest.takes.takes] == ["First", "Second"]
    assert [take.start_s for take in manifest.takes.takes] == pytest.approx([0.0, 149 / 30])
    assert manifest.takes.takes[1].end_s == pytest.approx(209 / 30)
    assert [(marker.name, marker.timecode) for marker in manifest.takes.markers] == [("here", "00:00:04:29")]
    assert [mark.kind for mark in read_marks(folder / "records.mcap")].count("take_end") == 2
    assert manifest.lost.pictures == manifest.lost.faces == 0


def test_vp9_and_odd_and_changing_sizes(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "s", replace(PATIENT, codec="vp9"), size=(65, 49))
    studio.run(20)
    studio.size = (96, 30)
    studio.run(10)
    assert finish(studio).complete
    with av.open(str(tmp_path / "s" / "video.mkv")) as container:
        assert container.streams.video[0].codec_context.name in ("vp9", "libvpx-vp9")
        sizes = {(picture.width, picture.height) for picture in container.decode(video=0)}
    assert sizes == {(64, 48)} and len(picture_times(tmp_path / "s" / "video.mkv")) == 30


def test_without_the_camera_picture(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    studio = Studio(folder, replace(PATIENT, picture=False), sound=SimulatedMicrophone())
    studio.run(150)
    outcome = finish(studio)
    assert (outcome.frames, outcome.stored_frames, outcome.lost_frames) == (150, 0, 0) and outcome.complete
    assert sorted(path.name for path in folder.iterdir()) == ["frames.csv", "records.mcap", "session.json", "sound.mka"]
    with av.open(str(folder / "sound.mka")) as container:
        assert not container.streams.video
    assert beep_times(sound_of(folder / "sound.mka")) == pytest.approx([2.0, 4.0], abs=5e-3)
    manifest = read_manifest(folder)
    assert (manifest.media.camera_picture, manifest.media.video, manifest.media.audio) == (False, None, "sound.mka")
    assert manifest.media.frames == 150
    assert b"matroska" not in (folder / "records.mcap").read_bytes()


def test_without_picture_and_sound(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "s", replace(PATIENT, picture=False))
    for index in range(3, 30):  # a receiver has faces alone
        studio.recorder.add_face(face_in(frame_at(index)))
    assert finish(studio).complete
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == ["frames.csv", "records.mcap", "session.json"]
    track = read_mcap(tmp_path / "s" / "records.mcap")
    assert track.index[0] == 0 and track.time_s[0] == 0.0 and len(track) == 27
    assert read_manifest(tmp_path / "s").media.present is False


def test_files_go_by_their_own_times(tmp_path: Path) -> None:
    settings = replace(PATIENT, timeline="media")
    recorder = Recorder(tmp_path / "s", settings, session_facts("video"))
    for index in range(50):
        frame = replace(frame_at(index), time_s=5.0 + index / 25, captured_ns=time.monotonic_ns())
        recorder.add_frame(frame)
        recorder.add_face(face_in(frame))
    assert recorder.stop().seconds == pytest.approx(49 / 25)
    assert read_mcap(tmp_path / "s" / "records.mcap").time_s == pytest.approx([n / 25 for n in range(50)])
    assert picture_times(tmp_path / "s" / "video.mkv")[-1] == pytest.approx(49 / 25, abs=1e-3)


def test_a_recording_that_starts_in_the_middle(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "s")
    studio.recorder.add_face(face_in(frame_at(99)))  # of a picture from before the first one
    studio.next = 100
    studio.run(30)
    studio.recorder.add_face(face_in(frame_at(98)))
    finish(studio)
    track = read_mcap(tmp_path / "s" / "records.mcap")
    assert track.index.tolist() == list(range(30)) and track.time_s[0] == 0.0
    assert picture_times(tmp_path / "s" / "video.mkv")[0] == 0.0


def test_times_that_stand_still_are_told(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "s", PATIENT, session_facts(), clock=ManualClock())
    for _ in range(10):
        recorder.add_frame(frame_at(0))
    outcome = recorder.stop()
    assert outcome.stored_frames == 10 and "9 pictures had times" in outcome.warnings[0]


def test_pictures_that_come_at_once_after_a_hold_up_are_nothing_to_tell(tmp_path: Path) -> None:
    clock = ManualClock()
    recorder = Recorder(tmp_path / "s", PATIENT, session_facts(), clock=clock)
    for index in range(10):
        recorder.add_frame(replace(frame_at(index), captured_ns=START_NS + index * 200_000))
    outcome = recorder.stop()
    assert outcome.stored_frames == 10 and outcome.warnings == ()
    times = picture_times(tmp_path / "s" / "video.mkv")
    assert all(later - earlier >= 0.0009 for earlier, later in itertools.pairwise(times))


def test_folders_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    with pytest.raises(SessionFileError, match=r"is not empty: choose a new one for the recording\.$"):
        Studio(tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.txt"]
    for name in ("full/thesis.txt", "full/thesis.txt/below"):
        with pytest.raises(SessionFileError, match=r"choose another one\.$"):
            Studio(tmp_path / name)

    def read_only(self: Path, *args: Any, **options: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(SessionFileError, match=r"cannot be written to \(Read-only file system\)"):
        Studio(tmp_path / "new")


def test_a_folder_of_another_recording(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "s")
    studio.run(3)
    assert find_unfinished(tmp_path) == []
    with pytest.raises(SessionFileError, match="not empty"):
        Studio(tmp_path / "s")
    with pytest.raises(SessionFileError, match="at this moment"):
        recover(tmp_path / "s")
    assert finish(studio).complete


@pytest.mark.skipif(sys.platform == "win32", reason="Windows takes fewer names")
@pytest.mark.parametrize("name", ["file:a%d?b#c", "pipe:1", "a\nb'\"\\ü\U0001f600", "-y", "\udcff\udc80", " . "])
def test_names_with_any_characters(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path(name)
    studio = Studio(folder, replace(PATIENT, take=name), sound=SimulatedMicrophone())
    studio.run(10)
    studio.recorder.add_marker(name)
    assert finish(studio).complete
    assert len(read_mcap(folder / "records.mcap")) == 10
    manifest = read_manifest(folder)
    manifest.complete = False
    (folder / "session.json").write_text(manifest.model_dump_json())
    assert recover(folder).pictures == 10


def test_stopping_before_the_first_picture(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "s", replace(PATIENT, take="never"), sound=SimulatedMicrophone())
    outcome = finish(studio)
    assert (outcome.frames, outcome.faces, outcome.complete) == (0, 0, True)
    assert read_manifest(tmp_path / "s").media.present is False
    assert len(read_mcap(tmp_path / "s" / "records.mcap")) == 0


def test_add_face_is_cheap(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "s")
    studio.run(1)
    faces = [face_in(frame_at(index), displacement=relief(index, 256)) for index in range(1, 60)]
    took = []
    for face in faces:
        before = time.perf_counter()
        studio.recorder.add_face(face)
        took.append(time.perf_counter() - before)
        time.sleep(0.005)
    finish(studio)
    assert np.median(took) < 0.0003
