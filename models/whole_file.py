"""Files that are written in one piece: whoever reads one finds the old one or the new one, never half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["umask", "write_whole_file"]


def write_whole_file(path: Path, content: bytes, *, private: bool = True) -> None:
    """Put a file in place of whatever is there; the old one stays until the new one is complete and on the disk.

    Args:
        path: the file; its folder exists.
        content: all of it.
        private: only the owner may read it; False gives it the permissions of any other new file.

    Raises:
        OSError: it cannot be written. Nothing is left behind.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[:40]}-", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not private and os.name == "posix":
            temporary.chmod(0o666 & ~umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def umask() -> int:
    """The process's mask of permissions, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
