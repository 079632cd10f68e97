"""Calibrations on disk: one JSON file for each person in the user's data folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from platformdirs import user_data_path
from pydantic import ValidationError

from models.whole_file import write_whole_file
from tracking.calibration import SCHEMA_VERSION, Calibration

Migration = Callable[[dict[str, Any]], dict[str, Any]]

MIGRATIONS: dict[int, Migration] = {}
"""From schema version n (the key) to n + 1. Add one here, and a test of it, whenever `Calibration` changes."""

_MAX_BYTES = 1_000_000
_LONGEST_NAME = 100


class CalibrationFileError(Exception):
    """A calibration file cannot be used or written. The message is one sentence: what was wrong and what to do."""


class CalibrationStore:
    """Reads and writes calibrations.

    Args:
        folder: where; by default the user's data folder. Made when something is saved.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or user_data_path("mien", appauthor=False) / "calibrations"

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self._folder

    def path(self, person: str) -> Path:
        """The file of a person, whether it exists or not. Any name is possible."""
        name = quote(person, safe=" ")
        if len(name) > _LONGEST_NAME:
            name = f"{name[:_LONGEST_NAME]}-{sha256(person.encode()).hexdigest()[:12]}"
        # The prefix keeps clear of names that an operating system reserves.
        return self._folder / f"person-{name}.json"

    def people(self) -> list[str]:
        """Who has a readable calibration, in alphabetical order. Damaged files are left alone."""
        found = []
        for path in self._folder.glob("person-*.json"):
            try:
                found.append(_parse(path.read_bytes()[:_MAX_BYTES]).person)
            except (OSError, ValueError):
                continue
        return sorted(found, key=str.casefold)

    def save(self, calibration: Calibration) -> Path:
        """Write a calibration in one piece, replacing the person's last one: a crash leaves the old or the new file.

        Raises:
            CalibrationFileError: it cannot be written.
        """
        path = self.path(calibration.person)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole_file(path, calibration.model_dump_json(indent=2).encode())
        except OSError as error:
            raise CalibrationFileError(
                f"The calibration cannot be saved in {self._folder} ({error.strerror}): check the folder."
            ) from error
        return path

    def load(self, person: str) -> Calibration | None:
        """A person's calibration, None where there is none.

        Raises:
            CalibrationFileError: the file is damaged (it is then kept aside under another name), written by a newer
                version, or cannot be read.
        """
        path = self.path(person)
        try:
            content = path.read_bytes()[:_MAX_BYTES]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CalibrationFileError(
                f"The calibration {path} cannot be read ({error.strerror}): check its permissions."
            ) from error
        try:
            return _parse(content)
        except _NewerVersionError:
            raise CalibrationFileError(
                f"The calibration {path} was made by a newer version of Mien: update Mien or calibrate again."
            ) from None
        except ValueError:
            aside = _put_aside(path)
            raise CalibrationFileError(
                f"The calibration of {person} was damaged and is kept as {aside}: calibrate again."
            ) from None

    def delete(self, person: str) -> None:
        """Remove a person's calibration; nothing happens where there is none."""
        self.path(person).unlink(missing_ok=True)


class _NewerVersionError(Exception):
    pass


def _parse(content: bytes) -> Calibration:
    """The calibration of a file's content, migrated to the present schema.

    Raises:
        ValueError: damaged.
        _NewerVersionError: of a version to come.
    """
    try:
        data = json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if not isinstance(version, int):
        raise ValueError("no schema version")
    if version > SCHEMA_VERSION:
        raise _NewerVersionError
    try:
        while version < SCHEMA_VERSION:
            data = MIGRATIONS[version](data)
            version += 1
            data["schema_version"] = version
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError("cannot be migrated") from error
    try:
        return Calibration.model_validate(data)
    except ValidationError as error:
        raise ValueError("not a calibration") from error


def _put_aside(path: Path) -> Path:
    """Rename a damaged file so that it is neither lost nor read again."""
    number = 0
    while (aside := path.with_suffix(f".damaged{number or ''}")).exists():
        number += 1
    path.replace(aside)
    return aside
