"""Each part of a recording failing while the others go on."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from recordings import read_manifest, records
from recordings.disk_guard import DiskGuard
from recordings.manifest import SessionFileError
from recordings.mcap_reader import RecordFile, read_mcap
from recordings.media import MediaWriter
from recordings.recorder_types import RecorderState
from recordings.recovery import find_unfinished, recover
from tests.helpers.recordings import SimulatedMicrophone, beep_times, picture_times, sound_of
from tests.helpers.studio import PATIENT, Studio, finish

pytestmark = pytest.mark.usefixtures("no_leaked_threads")
WaitUntil = Callable[[Callable[[], bool]], None]
SOUND_AND_PICTURES = ["frames.csv", "records.mcap", "session.json", "video.mkv"]


def losses(folder: Path) -> dict[str, int]:
    return {record.part: record.total for _, record in RecordFile(folder / "records.mcap").messages(records.LOST)}


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
