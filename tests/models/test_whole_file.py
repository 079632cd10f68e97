"""Files written in one piece."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.whole_file import umask, write_whole_file

posix = pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")


def test_a_new_file_is_there_alone(tmp_path: Path) -> None:
    write_whole_file(tmp_path / "new.json", b"whole\n")
    assert [path.name for path in tmp_path.iterdir()] == ["new.json"]
    assert (tmp_path / "new.json").read_bytes() == b"whole\n"


def test_an_old_file_is_replaced_and_whoever_reads_it_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    write_whole_file(path, b"old" * 100)
    with path.open("rb") as reading:
        write_whole_file(path, b"new")
        if os.name == "posix":
            assert reading.read() == b"old" * 100
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.json"
    write_whole_file(path, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os if step == "fsync" else Path, step, full)
    with pytest.raises(OSError, match="No space left"):
        write_whole_file(path, b"new")
    assert [found.name for found in tmp_path.iterdir()] == ["file.json"]
    assert path.read_bytes() == b"old"


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole_file(tmp_path / "file.json", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole_file(tmp_path / "nowhere" / "file.json", b"")


@posix
def test_permissions(tmp_path: Path) -> None:
    write_whole_file(tmp_path / "private", b"")
    write_whole_file(tmp_path / "public", b"", private=False)
    (tmp_path / "plain").touch()
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "public").stat().st_mode == (tmp_path / "plain").stat().st_mode


@posix
def test_the_mask_is_read_and_left_as_it_was() -> None:
    before = os.umask(0o027)
    try:
        assert umask() == 0o027
        assert umask() == 0o027
    finally:
        os.umask(before)
