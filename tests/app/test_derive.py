"""`clean` and `reprocess`: new sessions, and the old ones untouched."""

from __future__ import annotations

import hashlib
from pathlib import Path

from models.channels import CHANNEL_INDEX
from recordings.reader import open_session
from tests.app.conftest import Run
from tests.recordings.exporters.conftest import BLIND, FRAMES, MakeSession, make_session

__all__ = ["make_session"]


def digest(folder: Path) -> str:
    content = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    return hashlib.sha256(content).hexdigest()


def test_clean_writes_a_new_session(run: Run, make_session: MakeSession) -> None:
    folder = make_session("ada")
    before = digest(folder)
    result = run("clean", folder, "--fill-gaps-s", 0.5, "--smooth-s", 0.05)
    assert result.status == 0 and not result.err, result.err
    assert f"{FRAMES} frames cleaned, {len(BLIND)} bridged" in result.out
    assert digest(folder) == before
    cleaned = open_session(folder.with_name("ada-clean"))
    assert cleaned.track.valid.all() and cleaned.manifest.command == "clean"
    assert cleaned.manifest.parameters.settings["clean_up"]["fill_gaps_s"] == 0.5
    assert cleaned.track.identity[0] == open_session(folder).track.identity[0]
    assert abs(cleaned.track.expression[BLIND[0], CHANNEL_INDEX["jawOpen"]] - 0.8 * BLIND[0] / FRAMES) < 0.01
    # Once more goes beside that one.
    assert run("clean", folder, "--spikes").status == 0
    assert folder.with_name("ada-clean2").is_dir()


def test_clean_refuses(run: Run, make_session: MakeSession, tmp_path: Path) -> None:
    folder = make_session()
    for args, words in (
        ([folder], "Nothing to clean"),
        ([folder, "--spikes", "--out", folder], "choose a new folder"),
        ([tmp_path / "none", "--spikes"], "does not exist"),
    ):
        result = run("clean", *args)
        assert result.status == 2 and words in result.err and "Traceback" not in result.err


def test_reprocess_tracks_the_pictures_again(run: Run, face_clip: Path, tmp_path: Path) -> None:
    assert run("track", face_clip, "--out", tmp_path / "first", "--seconds", 0.4).status == 0
    before = digest(tmp_path / "first")
    result = run("reprocess", tmp_path / "first", "--out", tmp_path / "again", "--raw")
    assert result.status == 0, result.err
    assert digest(tmp_path / "first") == before
    again = open_session(tmp_path / "again")
    assert len(again.track) == 24 and again.manifest.parameters.raw
    assert again.manifest.command == "reprocess"


def test_reprocess_without_pictures(run: Run, make_session: MakeSession) -> None:
    result = run("reprocess", make_session())
    assert result.status == 2 and "has no pictures" in result.err
