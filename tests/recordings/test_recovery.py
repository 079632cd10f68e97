"""Sessions that were cut short: found, mended, and nothing made worse."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from recordings import read_manifest
from recordings import recovery as recovery_module
from recordings.manifest import SessionFileError, SourcePart, write_manifest
from recordings.mcap_reader import RecordFile, read_details, read_mcap
from recordings.recorder import Recorder
from recordings.recorder_types import RecorderSettings
from recordings.recovery import find_unfinished, recover
from tests.benchmarks.kill_recordings import kill_one
from tests.helpers.recordings import (
    START_NS,
    ManualClock,
    SimulatedMicrophone,
    beep_times,
    face_in,
    frame_at,
    picture_times,
    relief,
    session_facts,
    sound_of,
)
from tests.recordings.test_session import new_manifest

FRAMES = 180


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete session of six seconds."""
    folder = tmp_path_factory.mktemp("whole") / "session"
    clock, sound = ManualClock(), SimulatedMicrophone()
    settings = RecorderSettings(wait_s=None, reserve_bytes=0, timecode="zero", take="Take ü")
    with pytest.MonkeyPatch.context() as patch:
        # Six seconds pass here in a fraction of one: as many flushes as they would have had.
        patch.setattr("recordings.recorder._FLUSH_S", 0.005)
        recorder = Recorder(folder, settings, session_facts(), audio=sound, clock=clock)
        for index in range(FRAMES):
            clock.now = START_NS + index * 1_000_000_000 // 30
            sound.advance(index / 30 + 0.1)
            recorder.add_frame(frame_at(index))
            recorder.add_face(face_in(frame_at(index), seen=index % 10 != 9, displacement=relief(index // 9)))
            if index == 30:
                recorder.add_marker("early")
        recorder.stop()
    return folder


@pytest.fixture
def cut(whole: Path, tmp_path: Path) -> Path:
    """The same session as a crash after two thirds leaves it."""
    folder = tmp_path / "session"
    shutil.copytree(whole, folder)
    for name in ("video.mkv", "records.mcap", "frames.csv"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) * 2 // 3])
    change(folder, complete=False, finished=None)
    (folder / ".space").write_bytes(bytes(100))
    (folder / ".recording").write_bytes(b"")
    return folder


def change(folder: Path, **values: Any) -> None:
    path = folder / "session.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_recording_is_killed_and_recovered(tmp_path: Path) -> None:
    killed = kill_one(tmp_path / "session", 1.7)
    assert killed.seconds > 1.0 and killed.worst_s <= 1.0
    assert killed.pictures - killed.decoded <= 30
    manifest = read_manifest(tmp_path / "session")
    assert manifest.recovery.present and not manifest.complete
    assert manifest.takes.takes[0].name == "Take" and manifest.takes.takes[0].end_s is None
    assert manifest.timecode.present


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.05, 0.4, 2.9])
def test_a_vp9_recording_is_killed_at_any_moment(tmp_path: Path, after_s: float) -> None:
    assert kill_one(tmp_path / "session", after_s, "vp9").worst_s <= 1.0


def test_a_session_that_was_cut_short(cut: Path, whole: Path) -> None:
    found = find_unfinished(cut.parent)
    assert [session.folder for session in found] == [cut] == [session.folder for session in find_unfinished(cut)]
    assert found[0].started == read_manifest(whole).created and found[0].size > 10_000
    report = recover(cut)
    assert report.changed and 60 < report.faces < FRAMES and 60 < report.pictures < FRAMES
    assert any("tracked frames were saved" in note for note in report.notes)
    assert report.notes[-1] == "Whatever came in the last second before the end may be missing."
    assert sorted(path.name for path in cut.iterdir()) == ["frames.csv", "records.mcap", "session.json", "video.mkv"]

    track, before = read_mcap(cut / "records.mcap"), read_mcap(whole / "records.mcap")
    assert len(track) == report.faces
    assert track.expression.tobytes() == before.expression[: len(track)].tobytes()
    assert track.quaternion.tobytes() == before.quaternion[: len(track)].tobytes()
    assert len(list(read_details(cut / "records.mcap"))) > 50
    rows, rows_before = (_numbers(folder / "frames.csv") for folder in (cut, whole))
    assert rows == rows_before[: report.faces + 1]
    times = picture_times(cut / "video.mkv")
    assert len(times) == report.pictures and times == picture_times(whole / "video.mkv")[: len(times)]
    assert beep_times(sound_of(cut / "video.mkv"))[0] == pytest.approx(2.0, abs=5e-3)

    manifest = read_manifest(cut)
    assert not manifest.complete and manifest.recovery.present
    assert (manifest.recovery.pictures, manifest.recovery.faces) == (report.pictures, report.faces)
    assert manifest.recovery.notes == list(report.notes)
    assert (manifest.media.video, manifest.media.audio, manifest.media.frames) == ("video.mkv", "video.mkv", len(times))
    assert manifest.takes.takes[0].name == "Take ü" and manifest.takes.takes[0].end_s is None
    assert manifest.takes.markers[0].name == "early"
    assert manifest.parameters.frames == report.faces and manifest.parameters.identity == [0.0] * 10


def _numbers(path: Path) -> list[list[str]]:
    """The cells of a table; 0 and -0 are the same number."""
    lines = path.read_text().splitlines()
    return [[cell.lstrip("-") if not cell.strip("-0.") else cell for cell in line.split(",")] for line in lines]


def test_doing_it_again_changes_nothing(cut: Path) -> None:
    recover(cut)
    before = {path.name: path.read_bytes() for path in cut.iterdir()}
    assert find_unfinished(cut.parent) == []
    again = recover(cut)
    assert not again.changed and "recovered already" in again.notes[0]
    assert {path.name: path.read_bytes() for path in cut.iterdir()} == before


def test_a_complete_session_is_left_alone(whole: Path) -> None:
    before = {path.name: path.read_bytes() for path in whole.iterdir()}
    report = recover(whole)
    assert not report.changed and report.pictures == FRAMES and "is complete" in report.notes[0]
    assert {path.name: path.read_bytes() for path in whole.iterdir()} == before


def test_a_recovery_that_is_itself_interrupted(cut: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    originals = {name: (cut / name).read_bytes() for name in ("video.mkv", "records.mcap")}

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(recovery_module, "remux", interrupt)
    with pytest.raises(KeyboardInterrupt):
        recover(cut)
    assert (cut / "video.mkv").read_bytes() == originals["video.mkv"]
    monkeypatch.setattr(recovery_module, "rewrite", interrupt)
    with pytest.raises(KeyboardInterrupt):
        recover(cut)
    assert not [path for path in cut.iterdir() if path.name.endswith(".recovering")]
    monkeypatch.undo()
    assert find_unfinished(cut.parent)
    assert recover(cut).faces > 60


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"schema_version": 2}'])
def test_a_lost_manifest_comes_back_from_the_records(cut: Path, whole: Path, content: bytes | None) -> None:
    if content is None:
        (cut / "session.json").unlink()
    else:
        (cut / "session.json").write_bytes(content)
    assert [session.started for session in find_unfinished(cut.parent)] == [None]
    assert recover(cut).faces > 60
    manifest, before = read_manifest(cut), read_manifest(whole)
    assert (manifest.source, manifest.created) == (before.source, before.created)
    assert manifest.media.fps == before.media.fps and manifest.audio.device == before.audio.device


def test_without_records_the_video_is_saved(cut: Path) -> None:
    (cut / "records.mcap").write_bytes(b"destroyed")
    report = recover(cut)
    assert report.pictures > 60 and report.faces == 0
    assert "Nothing can be read of records.mcap; it stays as it is." in report.notes
    assert (cut / "records.mcap").read_bytes() == b"destroyed"


def test_without_video_the_records_are_saved(cut: Path) -> None:
    (cut / "video.mkv").write_bytes(b"destroyed")
    report = recover(cut)
    assert report.faces > 60 and report.pictures == 0
    assert any(note.startswith("Nothing can be read of video.mkv (") for note in report.notes)
    assert (cut / "video.mkv").read_bytes() == b"destroyed"
    assert read_manifest(cut).media.present is False


def test_a_session_killed_before_anything_was_written(cut: Path) -> None:
    content = (cut / "records.mcap").read_bytes()
    (cut / "records.mcap").write_bytes(content[: content.index(b"\x04\x00\x00\x00zstd") - 37])
    (cut / "video.mkv").unlink()
    report = recover(cut)
    assert (report.faces, report.pictures) == (0, 0)
    assert len(read_mcap(cut / "records.mcap")) == 0 and find_unfinished(cut.parent) == []


def test_nothing_at_all_can_be_saved(cut: Path) -> None:
    for name in ("video.mkv", "records.mcap"):
        (cut / name).write_bytes(b"")
    with pytest.raises(SessionFileError, match=r"^Nothing can be saved of the session .*\.$"):
        recover(cut)


def test_damage_in_the_middle_is_counted(cut: Path) -> None:
    content = bytearray((cut / "records.mcap").read_bytes())
    # Inside a chunk's compressed records: a byte of an index between two chunks would harm nothing.
    chunks = [found.start() for found in re.finditer(rb"\x04\x00\x00\x00zstd", content)]
    assert len(chunks) >= 3
    content[chunks[len(chunks) // 2] + 40] ^= 0xFF
    (cut / "records.mcap").write_bytes(content)
    report = recover(cut)
    assert any("damaged parts of records.mcap" in note for note in report.notes)
    assert read_mcap(cut / "records.mcap").time_s[-1] > 2.0


def test_a_lost_table_is_made_anew(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "session"
    shutil.copytree(whole, folder)
    (folder / "frames.csv").unlink()
    report = recover(folder)
    assert report.faces == FRAMES and report.pictures == FRAMES
    assert len((folder / "frames.csv").read_text().splitlines()) == FRAMES + 1
    assert read_manifest(folder).complete


def test_what_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    (tmp_path / "tracked").mkdir()
    write_manifest(tmp_path / "tracked", new_manifest())
    for name, what in (
        ("file", "is a file"),
        ("none", "does not exist"),
        ("empty", "holds no recording"),
        ("tracked", "not recorded but tracked"),
    ):
        with pytest.raises(SessionFileError, match=what) as caught:
            recover(tmp_path / name)
        assert str(caught.value).endswith(".")
    assert find_unfinished(tmp_path) == [] == find_unfinished(tmp_path / "none")


def test_newer_sessions_are_not_touched(cut: Path) -> None:
    change(cut, schema_version=99)
    assert find_unfinished(cut.parent) == []
    with pytest.raises(SessionFileError, match="newer version"):
        recover(cut)
    assert (cut / ".space").exists()


def test_no_room_for_the_copies(cut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recordings.recovery.shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1000}))
    with pytest.raises(SessionFileError, match=r"can be recovered once there is room: \d+ MB are needed\.$"):
        recover(cut)


def test_a_link_to_somewhere_else_is_replaced_not_followed(cut: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.mkv"
    (cut / "video.mkv").rename(target)
    content = target.read_bytes()
    (cut / "video.mkv").symlink_to(target)
    recover(cut)
    assert target.read_bytes() == content and not (cut / "video.mkv").is_symlink()


def test_the_manifest_inside_the_records_is_checked_like_any_other(cut: Path) -> None:
    assert json.loads(RecordFile(cut / "records.mcap", recover=True).manifest)["source"]["kind"] == "camera"
    part = SourcePart(kind="receiver", name="phone")
    assert part.kind == "receiver"
