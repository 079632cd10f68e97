"""The user's avatars: files in one folder, and the ready-made people that ship with Mien."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_data_path

import models.avatars
from models.avatars.errors import AvatarFileError
from models.avatars.person_file import (
    SUFFIX,
    PersonAvatar,
    PersonManifest,
    read_person,
    read_summary,
    write_person,
)
from tracking.calibration import Calibration
from tracking.coarse_person import TRAINED_ON

__all__ = ["LIBRARY", "AvatarEntry", "AvatarStore", "calibration_of", "checked_name"]

LIBRARY = Path(models.avatars.__file__).parent / "library"
"""The people that ship: read-only."""
LONGEST_NAME = 100
_LONGEST_FILE = 120


@dataclass(frozen=True, slots=True)
class AvatarEntry:
    """One avatar of a list.

    Attributes:
        name: what to call it.
        path: its file.
        shipped: it came with Mien and can be neither renamed nor deleted.
        kind: `person` or `synthetic`.
        created: when; None where the file cannot be read.
        thumbnail: (H, W, 3) uint8; None where the file cannot be read.
        problem: why it cannot be read, one sentence; empty where it can.
        adapted: adapters of the coarse network are in it.
    """

    name: str
    path: Path
    shipped: bool
    kind: str
    created: datetime | None
    thumbnail: NDArray[np.uint8] | None
    problem: str = ""
    adapted: bool = False


class AvatarStore:
    """Lists, reads and keeps avatars. No avatar is ever replaced unless that is asked for.

    Args:
        folder: where; by default the user's data folder. Made when something is saved.
        library: of the people that ship.
    """

    def __init__(self, folder: Path | None = None, library: Path = LIBRARY) -> None:
        self._folder = folder or user_data_path("mien", appauthor=False) / "avatars"
        self._library = library

    @property
    def folder(self) -> Path:
        """Where the user's files lie."""
        return self._folder

    def path(self, name: str) -> Path:
        """The file of an avatar of the user's, whether it exists or not. Any name is possible on any file system."""
        quoted = quote(name.casefold(), safe=" ")
        if len(quoted) > _LONGEST_FILE:
            quoted = f"{quoted[:_LONGEST_FILE]}-{sha256(name.casefold().encode()).hexdigest()[:12]}"
        # The prefix keeps clear of names that an operating system reserves; case is folded, as some file systems do.
        return self._folder / f"avatar-{quoted}{SUFFIX}"

    def unfinished(self, name: str) -> Path:
        """Where the unfinished work on an avatar is kept."""
        return self.path(name).with_suffix(".unfinished")

    def entries(self) -> list[AvatarEntry]:
        """All avatars: the user's in alphabetical order, then those that ship. Damaged ones say what is wrong."""
        found = []
        for folder, shipped in ((self._folder, False), (self._library, True)):
            part = [_entry(path, shipped) for path in folder.glob(f"*{SUFFIX}")] if folder.is_dir() else []
            found += sorted(part, key=lambda entry: entry.name.casefold())
        return found

    def find(self, name: str) -> Path:
        """The file of an avatar: the user's, or one that ships.

        Raises:
            AvatarFileError: there is none of this name.
        """
        own = self.path(name)
        if own.is_file():
            return own
        for path in sorted(self._library.glob(f"*{SUFFIX}")) if self._library.is_dir() else []:
            if _entry(path, shipped=True).name.casefold() == name.strip().casefold():
                return path
        known = ", ".join(entry.name for entry in self.entries()[:12])
        raise AvatarFileError(f"There is no avatar called {name!r}: there are {known or 'none yet'}.")

    def load(self, name: str) -> PersonAvatar:
        """An avatar by its name.

        Raises:
            AvatarFileError: there is none, or its file is damaged.
        """
        return read_person(self.find(name))

    def save(self, avatar: PersonAvatar, *, replace_old: bool = False) -> Path:
        """Keeps an avatar under the name in its manifest; the file.

        Raises:
            AvatarFileError: there is one of this name already, or the disk refuses.
        """
        name = checked_name(avatar.manifest.name)
        path = self.path(name)
        self.refuse_taken(name, replace_old=replace_old)
        write_person(avatar, path)
        return path

    def refuse_taken(self, name: str, *, replace_old: bool = False) -> None:
        """Raises AvatarFileError where a name is no name, is taken, or belongs to a person that ships."""
        checked_name(name)
        if self.path(name).exists() and not replace_old:
            raise AvatarFileError(f"There is an avatar called {name!r} already: choose another name or --replace it.")
        for entry in self.entries():
            if entry.shipped and entry.name.casefold() == name.casefold():
                raise AvatarFileError(f"{entry.name!r} is one of the people that ship with Mien: choose another name.")

    def import_file(self, path: Path, name: str | None = None, *, replace_old: bool = False) -> PersonManifest:
        """Takes a copy of an avatar file, checked from end to end; what it is then.

        Args:
            path: of the file.
            name: to give it; None keeps its own.
            replace_old: replace an avatar of this name.

        Raises:
            AvatarFileError: the file cannot be used, or the name is taken.
        """
        avatar = read_person(path)
        if name is not None:
            avatar = _renamed(avatar, name)
        # Written anew: nothing that the file may hide beside what we read is kept.
        self.save(avatar, replace_old=replace_old)
        return avatar.manifest

    def export(self, name: str, target: Path, *, replace_old: bool = False) -> Path:
        """Writes a copy of an avatar; into a folder under its own name.

        Raises:
            AvatarFileError: there is no such avatar, something is there already, or the disk refuses.
        """
        avatar = self.load(name)
        if target.is_dir():
            plain = "".join(c if c.isalnum() or c in " ._-()" else "-" for c in avatar.manifest.name).strip(" .")
            target = target / f"{plain or 'avatar'}{SUFFIX}"
        elif target.suffix.lower() != SUFFIX:
            target = target.with_name(target.name + SUFFIX)
        if target.exists() and not replace_old:
            raise AvatarFileError(f"{target} exists: choose another name or --replace it.")
        write_person(avatar, target)
        return target

    def rename(self, name: str, new: str) -> None:
        """Gives one of the user's avatars another name.

        Raises:
            AvatarFileError: there is no such avatar, it ships with Mien, or the new name is taken.
        """
        path = self._own(name)
        target = self.path(checked_name(new))
        if target != path:
            self.refuse_taken(new)
        write_person(_renamed(read_person(path), new), target)
        if target != path:
            path.unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """Removes one of the user's avatars for good.

        Raises:
            AvatarFileError: there is no such avatar, or it ships with Mien.
        """
        path = self._own(name)
        try:
            path.unlink()
        except OSError as error:
            raise AvatarFileError(f"{path} cannot be deleted: {error.strerror or error}.") from error

    def _own(self, name: str) -> Path:
        path = self.find(name)
        if path.parent == self._library:
            raise AvatarFileError(f"{name!r} ships with Mien and stays as it is: export it to have a copy of your own.")
        return path


def checked_name(name: str) -> str:
    """The name, if an avatar can be called so.

    Raises:
        AvatarFileError: it is empty, too long or holds characters that nobody can see.
    """
    if not name or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise AvatarFileError(
            f"An avatar's name has 1 to {LONGEST_NAME} visible characters and no spaces around it: choose another one."
        )
    return name


def calibration_of(avatar: PersonAvatar) -> Calibration | None:
    """The person's neutral face, None where the avatar has none (nobody sat for it)."""
    neutral = avatar.manifest.neutral
    if neutral is None:
        return None
    return Calibration(person=avatar.manifest.name, created=avatar.manifest.created, **neutral.model_dump())


def _renamed(avatar: PersonAvatar, name: str) -> PersonAvatar:
    return replace(avatar, manifest=avatar.manifest.model_copy(update={"name": checked_name(name)}))


def _entry(path: Path, shipped: bool) -> AvatarEntry:
    try:
        summary = read_summary(path)
    except AvatarFileError as error:
        return AvatarEntry(path.stem.removeprefix("avatar-"), path, shipped, "", None, None, str(error))
    manifest = summary.manifest
    adapted = TRAINED_ON in manifest.versions
    return AvatarEntry(
        manifest.name, path, shipped, manifest.kind, manifest.created, summary.thumbnail, adapted=adapted
    )  # fmt: skip
