"""`session.json`: written at the start, finished at the end, refused when it cannot be trusted."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recordings import SessionFileError, SessionManifest, SessionWriter, read_manifest
from recordings import manifest as manifest_module
from recordings.manifest import SourcePart, hash_file, hash_files, write_manifest
from tests.helpers.faces import face_state
from tests.recordings.test_table import tracked


def new_manifest() -> SessionManifest:
    return SessionManifest(
        command="track", created=datetime(2026, 1, 2, tzinfo=UTC), source=SourcePart(kind="video", name="a.mp4")
    )


def test_a_session_from_start_to_end(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s", new_manifest())
    started = read_manifest(tmp_path / "s")
    assert started.complete is False and started.finished is None
    state = face_state({"jawOpen": 0.5})
    for index in range(3):
        writer.add(tracked(state, raw=state, index=index))
    writer.close(complete=True, warnings=["Something was odd."])
    ended = read_manifest(tmp_path / "s")
    assert ended.complete and ended.finished is not None
    assert (ended.media.frames, ended.parameters.frames, ended.parameters.valid_frames) == (3, 3, 3)
    assert ended.media.duration_s == pytest.approx(0.08)
    assert ended.parameters.identity == [0.0] * 10
    assert ended.parameters.fov_degrees is not None and 10 < ended.parameters.fov_degrees < 120
    assert ended.warnings == ["Something was odd."]
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == ["frames.csv", "session.json"]


def test_every_optional_part_says_whether_it_is_there(tmp_path: Path) -> None:
    write_manifest(tmp_path, new_manifest())
    content: dict[str, Any] = json.loads((tmp_path / "session.json").read_text())
    for part in ("media", "parameters", "avatar", "calibration", "render"):
        assert content[part]["present"] is False
    assert content["schema_version"] == 2


def test_writing_again_replaces(tmp_path: Path) -> None:
    write_manifest(tmp_path, new_manifest())
    write_manifest(tmp_path, new_manifest().model_copy(update={"command": "demo"}))
    assert read_manifest(tmp_path).command == "demo"
    assert [path.name for path in tmp_path.iterdir()] == ["session.json"]


@pytest.mark.skipif(os.name != "posix", reason="other systems have other permissions")
def test_a_manifest_is_as_readable_as_other_files(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    path = write_manifest(tmp_path, new_manifest())
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"schema_version": 2}', b'{"schema_version": "1"}', b'{"schema_version": 0}', b"[" * 100_000],
)
def test_damaged_manifests(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "session.json").write_bytes(content)
    with pytest.raises(SessionFileError, match="damaged"):
        read_manifest(tmp_path)


def test_manifests_of_a_newer_version(tmp_path: Path) -> None:
    (tmp_path / "session.json").write_text('{"schema_version": 99}')
    with pytest.raises(SessionFileError, match="newer version"):
        read_manifest(tmp_path)


def test_a_folder_that_is_no_session(tmp_path: Path) -> None:
    with pytest.raises(SessionFileError, match="is not a session"):
        read_manifest(tmp_path)


def test_old_manifests_are_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = json.loads(new_manifest().model_dump_json()) | {"schema_version": 0}
    old["order"] = old.pop("command")
    (tmp_path / "session.json").write_text(json.dumps(old))

    def rename(data: dict[str, Any]) -> dict[str, Any]:
        return {("command" if key == "order" else key): value for key, value in data.items()}

    monkeypatch.setitem(manifest_module.MIGRATIONS, 0, rename)
    assert read_manifest(tmp_path).command == "track"


def test_hashes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").write_bytes(b"")
    assert hash_file(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    both = hash_files([tmp_path / "a", tmp_path / "b"])
    assert both != hash_files([tmp_path / "b", tmp_path / "a"])


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SessionFileError, match="cannot be written"):
        SessionWriter(tmp_path / "file" / "s", new_manifest())
