"""The space on the disk: refused where there is none, told how long it lasts, its end survived."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from recordings.disk_guard import BALLAST_BYTES, BALLAST_NAME, DiskGuard, GuardedFile
from recordings.manifest import SessionFileError
from tests.helpers.recordings import ManualClock


def guard_of(folder: Path, free: Callable[[Path], int] = lambda path: 10**12, **options: int) -> DiskGuard:
    return DiskGuard(folder, options.get("reserve", 0), free=free)


def test_no_room_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SessionFileError, match=r"not enough space .* make room or choose another disk\.$"):
        guard_of(tmp_path, lambda path: 400_000_000, reserve=500_000_000)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(SessionFileError, match="cannot be written to"):
        guard_of(tmp_path / "not there")


def test_how_long_the_space_lasts(tmp_path: Path) -> None:
    clock = ManualClock()
    guard = DiskGuard(tmp_path, 1000, free=lambda path: 10**9, clock=clock)
    assert guard.space().seconds_left is None
    clock.now += 2_000_000_000
    guard.written += 2_000_000
    space = guard.space()
    assert space.seconds_left == pytest.approx((10**9 - 1000) / 1_000_000)
    assert not guard.must_stop(space)
    guard.release()
    guard.release()


def test_the_reserve_is_kept(tmp_path: Path) -> None:
    free = [10**9]
    guard = DiskGuard(tmp_path, 10**8, free=lambda path: free[0])
    assert not guard.must_stop(guard.space())
    free[0] = 10**8 - 1
    assert guard.must_stop(guard.space())


def test_a_disk_that_was_pulled_out_has_no_space(tmp_path: Path) -> None:
    calls = [0]

    def free(path: Path) -> int:
        calls[0] += 1
        if calls[0] > 1:
            raise OSError(errno.EIO, "gone")
        return 10**12

    guard = DiskGuard(tmp_path, 1, free=free)
    assert guard.must_stop(guard.space())


def test_a_full_disk_gives_back_the_ballast_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = guard_of(tmp_path)
    ballast = tmp_path / BALLAST_NAME
    assert ballast.stat().st_size == BALLAST_BYTES
    room = [5]
    real = os.write

    def write(handle: int, data: memoryview) -> int:
        if not ballast.exists():
            room[0] += 6
        count = min(len(data), room[0])
        if not count:
            raise OSError(errno.ENOSPC, "No space left on device")
        room[0] -= count
        return real(handle, data[:count])

    file = GuardedFile(tmp_path / "file", guard)
    monkeypatch.setattr("recordings.disk_guard.os.write", write)
    assert file.write(b"0123456789") == 10
    assert guard.full and not ballast.exists() and guard.written == 10
    monkeypatch.setattr(
        "recordings.disk_guard.os.write", lambda handle, data: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full"))
    )
    with pytest.raises(OSError, match="full"):
        file.write(b"x")
    file.close()
    file.close()
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_guarded_files_hold_nothing_back_and_can_be_corrected(tmp_path: Path) -> None:
    guard = guard_of(tmp_path)
    file = GuardedFile(tmp_path / "file", guard)
    file.write(b"hello")
    assert (tmp_path / "file").read_bytes() == b"hello"
    file.seek(1)
    file.write(memoryview(b"a"))
    assert file.tell() == 2
    file.sync()
    file.close()
    assert (tmp_path / "file").read_bytes() == b"hallo"
    guard.release()
