"""What the files of a recorded session are called, and the lock that says who is at work on them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from recordings.manifest import SessionFileError

__all__ = [
    "LOCK_NAME",
    "RECORDS_NAME",
    "SOUND_NAME",
    "VIDEO_NAME",
    "SessionLock",
    "check_new_folder",
    "is_locked",
    "prepare_folder",
]

VIDEO_NAME = "video.mkv"
"""The pictures, and the sound if there is any."""
SOUND_NAME = "sound.mka"
"""The sound of a session without pictures."""
RECORDS_NAME = "records.mcap"
LOCK_NAME = ".recording"


def check_new_folder(folder: Path) -> None:
    """A recording can go into this folder: it is empty, or there is none yet.

    Raises:
        SessionFileError: it is a file, or not empty, or cannot be read.
    """
    try:
        used = folder.exists() and next(folder.iterdir(), None) is not None
    except OSError as error:
        raise SessionFileError(
            f"{folder} cannot be a session's folder ({error.strerror}): choose another one."
        ) from error
    if used:
        raise SessionFileError(f"The folder {folder} is not empty: choose a new one for the recording.")


def prepare_folder(folder: Path) -> None:
    """Make an empty folder.

    Raises:
        SessionFileError: it is not empty, or cannot be made.
    """
    check_new_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SessionFileError(
            f"The folder {folder} cannot be written to ({error.strerror}): choose another one."
        ) from error


class SessionLock:
    """Held while a session is recorded or recovered; the operating system frees it when the program dies.

    Args:
        folder: of the session.

    Raises:
        SessionFileError: somebody else holds it, or the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_NAME
        try:
            self._file: IO[bytes] | None = self._path.open("a+b")
        except OSError as error:
            raise SessionFileError(
                f"The folder {folder} cannot be written to ({error.strerror}): choose another one."
            ) from error
        if not _lock(self._file):
            self._file.close()
            raise SessionFileError(f"The session {folder} is being recorded or recovered at this moment: wait for it.")

    def release(self) -> None:
        """Free it; may be called twice."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            if os.name == "posix":
                self._path.unlink(missing_ok=True)
            file.close()
            self._path.unlink(missing_ok=True)
        except OSError:
            pass  # an empty file stays, which nobody minds


def is_locked(folder: Path) -> bool:
    """Somebody records or recovers this session at this moment."""
    try:
        with (folder / LOCK_NAME).open("rb+") as file:
            return not _lock(file)
    except OSError:
        return False


def _lock(file: IO[bytes]) -> bool:
    """Whether nobody else holds the lock. File systems without locks say that nobody does."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
