"""Keeps a recording from running into a full disk, and lets it end well if that happens all the same."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recordings.manifest import SessionFileError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["BALLAST_NAME", "DiskGuard", "DiskSpace", "GuardedFile"]

BALLAST_NAME = ".space"
BALLAST_BYTES = 8 << 20
"""Taken at the start and given back when the disk is full: room for the ends of all files."""
DEFAULT_RESERVE = 500_000_000

_FULL = (errno.ENOSPC, errno.EDQUOT)
_RATE_SPAN_S = 20.0


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """What is left.

    Attributes:
        free: bytes on the disk.
        seconds_left: until the reserve is reached at the present rate; None while that is unknown.
    """

    free: int
    seconds_left: float | None


class DiskGuard:
    """Watches the space on a recording's disk. `written` and `full` may be read from any thread.

    Args:
        folder: of the session.
        reserve: bytes that are left free.
        free: bytes that are free on a folder's disk, for tests.
        clock: nanoseconds.

    Attributes:
        written: bytes that went through GuardedFile.
        full: the disk was found full while writing.

    Raises:
        SessionFileError: the reserve is reached already, or the folder cannot be written to.
    """

    def __init__(
        self,
        folder: Path,
        reserve: int = DEFAULT_RESERVE,
        *,
        free: Callable[[Path], int] = _free,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.written = 0
        self.full = False
        self._folder = folder
        self._reserve = reserve
        self._free = free
        self._clock = clock
        self._history: list[tuple[int, int]] = []
        self._ballast = folder / BALLAST_NAME
        try:
            left = free(folder)
            if left < reserve + BALLAST_BYTES:
                raise SessionFileError(
                    f"There is not enough space for a recording in {folder} ({left // 1_000_000} MB, of which"
                    f" {reserve // 1_000_000} MB are kept free): make room or choose another disk."
                )
            with self._ballast.open("wb") as file:
                # Not zeros: some file systems would store nothing for them.
                file.write(os.urandom(BALLAST_BYTES))
        except OSError as error:
            self.release()
            raise SessionFileError(
                f"The folder {folder} cannot be written to ({error.strerror}): choose another one."
            ) from error

    def space(self) -> DiskSpace:
        """What is left; asks the operating system, so call it about once a second."""
        try:
            free = self._free(self._folder)
        except OSError:
            free = 0  # the disk was pulled out
        now = self._clock()
        self._history.append((now, self.written))
        while (now - self._history[0][0]) / 1e9 > _RATE_SPAN_S:
            self._history.pop(0)
        (then, before), seconds_left = self._history[0], None
        if now > then and self.written > before:
            rate = (self.written - before) / ((now - then) / 1e9)
            seconds_left = max(0.0, (free - self._reserve) / rate)
        return DiskSpace(free, seconds_left)

    def must_stop(self, space: DiskSpace) -> bool:
        """The recording has to end now, while there is room to end it well."""
        return self.full or space.free < self._reserve

    def note_full(self) -> None:
        """The disk is full: give back what was kept for this moment."""
        self.full = True
        self.release()

    def release(self) -> None:
        """Remove the ballast; may be called twice."""
        try:
            self._ballast.unlink(missing_ok=True)
        except OSError:
            pass  # a folder that went away took it along


class GuardedFile:
    """A file for writing whose bytes are with the operating system as soon as `write` returns.

    When the disk is full the guard is told, and the write is finished in the space that it gives back.

    Args:
        path: replaced if it exists.
        guard: counts the bytes.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: Path, guard: DiskGuard) -> None:
        self.path = path
        self.closed = False
        self._guard = guard
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all of it.

        Raises:
            OSError: it cannot be written; where the disk is full only after the guard's ballast is used up.
        """
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view):
            try:
                done += os.write(self._handle, view[done:])
            except OSError as error:
                if error.errno not in _FULL or self._guard.full:
                    raise
                self._guard.note_full()
        self._guard.written += done
        return done

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """See io.IOBase."""
        return os.lseek(self._handle, offset, whence)

    def tell(self) -> int:
        """See io.IOBase."""
        return os.lseek(self._handle, 0, os.SEEK_CUR)

    def sync(self) -> None:
        """Wait until the disk itself has all of it."""
        os.fsync(self._handle)

    def flush(self) -> None:
        """Does nothing: nothing is held back."""

    def close(self) -> None:
        """May be called twice."""
        if not self.closed:
            self.closed = True
            os.close(self._handle)
