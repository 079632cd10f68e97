"""What a session holds is listed before it is shared."""

from __future__ import annotations

from pathlib import Path

from recordings.contents import contents_of
from recordings.manifest import MarkerEntry, read_manifest, write_manifest
from recordings.reader import open_session
from tests.app.conftest import Run, run
from tests.recordings.exporters.conftest import MakeSession, make_session

__all__ = ["make_session", "run"]


def test_personal_things_are_named(make_session: MakeSession) -> None:
    folder = make_session("ada", video="/home/ada/holiday.mkv")
    manifest = read_manifest(folder)
    manifest.takes.markers.append(MarkerEntry(name="secret", time_s=0.1, timecode="00:00:00:02"))
    manifest.media.present, manifest.media.video = True, "video.mkv"
    (folder / "video.mkv").write_bytes(b"x" * 2_000_000)
    manifest.parameters.settings = {"person": "/home/ada/ada.mien", "coarse": {"person": "/home/ada/ada.mien"}}
    write_manifest(folder, manifest)
    found = {content.what: content for content in contents_of(open_session(folder))}
    assert found["Pictures of the person and the room"].detail == "video.mkv, 2.0 MB"
    assert "/home/ada/holiday.mkv" in found["Where it came from"].detail
    assert found["Name of a marker"].detail == "secret"
    assert found["Avatar file of whoever was expected"].detail == "/home/ada/ada.mien"
    assert found["Movements of face, head and eyes"].detail == "18 of 20 frames show a face"
    assert found["When it was made"].detail == "2026-01-02 00:00:00 UTC"
    assert all(content.personal for name, content in found.items() if name != "Settings and versions")


def test_the_command(run: Run, make_session: MakeSession, tmp_path: Path) -> None:
    result = run("session", "info", make_session())
    assert result.status == 0 and "Shape of the face" in result.out and "18 of 20" in result.out
    result = run("session", "info", tmp_path)
    assert result.status == 2 and "is not a session" in result.err
