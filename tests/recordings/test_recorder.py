"""A session from start to end, and each of its parts failing while the others go on."""

from __future__ import annotations

import csv
import errno
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from models.channels import CHANNEL_INDEX
from recordings import read_manifest, records
from recordings.disk_guard import DiskGuard
from recordings.manifest import SessionFileError
from recordings.mcap_reader import RecordFile, read_details, read_marks, read_mcap
from recordings.media import MediaWriter
from recordings.recorder import Recorder
from recordings.recorder_types import RecorderSettings, RecorderState, RecordingOutcome
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

pytestmark = pytest.mark.usefixtures("no_leaked_threads")
WaitUntil = Callable[[Callable[[], bool]], None]
PATIENT = RecorderSettings(wait_s=None, reserve_bytes=0)
SOUND_AND_PICTURES = ["frames.csv", "records.mcap", "session.json", "video.mkv"]


class Studio:
    """A recorder on a clock that the test turns, with what it needs around it."""

    def __init__(self, folder: Path, settings: RecorderSettings = PATIENT, **options: Any) -> None:
        self.clock = ManualClock()
        self.sound: SimulatedMicrophone | None = options.pop("sound", None)
        self.size = options.pop("size", (64, 48))
        facts = options.pop("facts", session_facts(size=self.size))
        self.recorder = Recorder(folder, settings, facts, audio=self.sound, clock=self.clock, **options)
        self.next = 0

    def run(self, count: int, *, faces: bool = True, reliefs: bool = False) -> None:
        """So many pictures, with sound and faces."""
        for index in range(self.next, self.next + count):
            self.clock.now = START_NS + index * 1_000_000_000 // 30
            if self.sound is not None:
                self.sound.advance(index / 30 + 0.1)
            frame = frame_at(index, size=self.size)
            self.recorder.add_frame(frame)
            if faces:
                shown = _relief(index // 3) if reliefs else None
                self.recorder.add_face(face_in(frame, displacement=shown, seen=index % 10 != 9))
        self.next += count


@cache
def _relief(number: int) -> NDArray[np.float32]:
    """The same array for the same number, as a detail stage that has nothing new gives."""
    return relief(number)


def finish(studio: Studio) -> RecordingOutcome:
    outcome = studio.recorder.stop()
    assert studio.recorder.stop() is outcome
    assert studio.recorder.status().state is RecorderState.STOPPED
    return outcome


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


def test_an_encoder_that_is_too_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_until: WaitUntil) -> None:
    real, hold = MediaWriter.add_picture, [True]

    def slow(self: MediaWriter, *args: Any) -> None:
        while hold[0]:
            time.sleep(0.005)
        real(self, *args)

    monkeypatch.setattr(MediaWriter, "add_picture", slow)
    studio = Studio(tmp_path / "s", replace(PATIENT, wait_s=0.01))
    studio.run(40)
    status = studio.recorder.status()
    assert status.state is RecorderState.DISK_SLOW and status.lost_frames > 20
    assert "too slow" in status.problems[0]
    lost = status.lost_frames
    hold[0] = False
    wait_until(lambda: studio.recorder._media is not None and studio.recorder._media.line.fullness == 0.0)
    studio.run(1)
    assert studio.recorder.status().state is RecorderState.RECORDING
    assert studio.recorder.status().lost_frames == lost
    outcome = finish(studio)
    assert outcome.lost_frames == lost == outcome.frames - outcome.stored_frames
    assert len(picture_times(tmp_path / "s" / "video.mkv")) == 41 - lost
    assert f"{lost} of 41 pictures were lost" in outcome.warnings[0]
    assert read_manifest(tmp_path / "s").lost.pictures == lost == losses(tmp_path / "s")["picture"]
    assert outcome.faces == 41 and outcome.complete


def test_an_encoder_that_fails_takes_nothing_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = MediaWriter.add_picture

    def fail(self: MediaWriter, picture: Any, time_ns: int) -> None:
        if time_ns > 1e9:
            raise OSError(errno.EIO, "Input/output error")
        real(self, picture, time_ns)

    monkeypatch.setattr(MediaWriter, "add_picture", fail)
    studio = Studio(tmp_path / "s", sound=SimulatedMicrophone())
    studio.run(90)
    outcome = finish(studio)
    assert outcome.faces == 90 and not outcome.complete
    assert outcome.stored_frames == len(picture_times(tmp_path / "s" / "video.mkv")) == 31
    assert outcome.lost_frames == 59 == losses(tmp_path / "s")["picture"]
    assert any("not stored any more (Input/output error)" in warning for warning in outcome.warnings)
    assert len(read_mcap(tmp_path / "s" / "records.mcap")) == 90
    recover(tmp_path / "s")
    assert len(picture_times(tmp_path / "s" / "video.mkv")) == 31


def test_records_that_cannot_be_written_do_not_stop_the_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "recordings.mcap_writer.RecordWriter.flush", lambda self: (_ for _ in ()).throw(OSError(errno.EIO, "I/O error"))
    )
    studio = Studio(tmp_path / "s")
    studio.run(60)
    time.sleep(0.5)
    studio.run(30)
    outcome = finish(studio)
    assert outcome.stored_frames == 90 == len(picture_times(tmp_path / "s" / "video.mkv"))
    assert not outcome.complete and any("not recorded any more (I/O error)" in text for text in outcome.warnings)
    assert find_unfinished(tmp_path)


def test_no_microphone_at_the_start(tmp_path: Path) -> None:
    microphone = SimulatedMicrophone()
    microphone.fails = True
    studio = Studio(tmp_path / "s", sound=microphone)
    studio.run(30)
    assert studio.recorder.status().problems == ("There is no sound: The microphone is not there: plug it in.",)
    outcome = finish(studio)
    assert outcome.complete and outcome.stored_frames == 30 and len(outcome.warnings) == 1
    assert read_manifest(tmp_path / "s").audio.present is False
    with av.open(str(tmp_path / "s" / "video.mkv")) as container:
        assert not container.streams.audio


def test_a_microphone_that_vanishes(tmp_path: Path) -> None:
    microphone = SimulatedMicrophone(paced=True)
    studio = Studio(tmp_path / "s", sound=microphone)
    studio.run(75)
    studio.sound = None
    studio.run(105)
    assert any(text.startswith("No sound comes from simulated") for text in studio.recorder.status().problems)
    studio.sound = microphone
    microphone.skip(3.5)
    studio.run(75)
    outcome = finish(studio)
    assert outcome.complete and outcome.stored_frames == 255
    assert "s of the recording are silent because nothing came from simulated microphone." in outcome.warnings[0]
    sound = sound_of(tmp_path / "s" / "video.mkv")
    assert beep_times(sound) == pytest.approx([2.0, 8.0], abs=0.01)
    assert len(sound) / 48_000 > 8.4
    assert 3.0 < read_manifest(tmp_path / "s").audio.silence_s < 4.0
    assert losses(tmp_path / "s")["sound"] > 3000


def test_a_camera_that_vanishes(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "s")
    studio.run(30)
    studio.clock.now += 3_000_000_000
    assert studio.recorder.status().problems == (
        "No pictures come from test camera: check its plug; the recording goes on.",
    )
    studio.next += 90
    studio.run(30)
    assert studio.recorder.status().problems == ()
    assert finish(studio).complete
    assert picture_times(tmp_path / "s" / "video.mkv")[29:31] == pytest.approx([29 / 30, 4.0], abs=1e-3)


def test_what_others_note_is_kept(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "s")
    studio.recorder.note("The camera was another one.")
    assert finish(studio).warnings == ("The camera was another one.",)
    assert read_manifest(tmp_path / "s").warnings == ["The camera was another one."]


def test_the_recording_ends_before_the_disk_is_full(tmp_path: Path, wait_until: WaitUntil) -> None:
    free = [10**12]

    def guard(folder: Path, reserve: int) -> DiskGuard:
        return DiskGuard(folder, reserve, free=lambda path: free[0])

    studio = Studio(tmp_path / "s", replace(PATIENT, reserve_bytes=500_000_000), guard=guard)
    studio.run(60)
    free[0] = 499_000_000
    wait_until(lambda: studio.recorder.status().state is RecorderState.STOPPED)
    studio.run(30)  # comes too late, and does no harm
    outcome = finish(studio)
    assert outcome.complete and outcome.stored_frames == outcome.frames == outcome.faces == 60
    assert outcome.warnings[0].startswith("The recording was stopped because less than 500 MB are free")
    assert studio.recorder.status().problems == outcome.warnings
    assert len(picture_times(tmp_path / "s" / "video.mkv")) == 60


def test_a_disk_that_is_full_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_until: WaitUntil) -> None:
    """Another program takes the last byte: what the ballast gives back completes every file."""
    folder = tmp_path / "s"
    studio = Studio(folder)
    studio.run(60)
    wait_until(lambda: studio.recorder._files.faces == 60)
    real = os.write

    def write(handle: int, data: Any) -> int:
        if (folder / ".space").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data)

    monkeypatch.setattr("recordings.disk_guard.os.write", write)
    studio.run(30)
    wait_until(lambda: studio.recorder.status().state is RecorderState.STOPPED)
    outcome = finish(studio)
    assert outcome.complete and outcome.stored_frames == outcome.frames >= 60
    assert outcome.frames - outcome.faces in (0, 1)  # it may end between a picture and its face
    assert outcome.warnings == ("The disk is full: the recording was stopped and completed.",)
    assert len(read_mcap(folder / "records.mcap")) == outcome.faces
    assert len(picture_times(folder / "video.mkv")) == outcome.frames


def test_no_room_at_the_start_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(SessionFileError, match="not enough space"):
        Studio(tmp_path / "s", replace(PATIENT, reserve_bytes=10**18))
    assert not list((tmp_path / "s").iterdir())


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


def test_old_manifests_are_read(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "s")
    finish(studio)
    path = tmp_path / "s" / "session.json"
    old = json.loads(path.read_text())
    for part in ("audio", "records", "takes", "timecode", "lost", "recovery"):
        del old[part]
    for key in ("camera_picture", "codec"):
        del old["media"][key]
    path.write_text(json.dumps(old | {"schema_version": 1}))
    manifest = read_manifest(tmp_path / "s")
    assert manifest.schema_version == 2 and not manifest.records.present and not manifest.audio.present


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "C:\\x", "a/b", ""])
def test_manifests_that_point_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    studio = Studio(tmp_path / "s")
    finish(studio)
    path = tmp_path / "s" / "session.json"
    content = json.loads(path.read_text())
    content["records"]["file"] = name
    path.write_text(json.dumps(content))
    with pytest.raises(SessionFileError, match="damaged"):
        read_manifest(tmp_path / "s")
