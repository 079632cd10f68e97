"""What the user has set, kept between runs in one file of the user's configuration folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from platformdirs import user_config_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.output_settings import OutputSettings
from app.window_settings import WindowSettings
from models.whole_file import write_whole_file
from tracking import TrackerSettings

SCHEMA_VERSION = 3

Migration = Callable[[dict[str, Any]], dict[str, Any]]


def _add_window(data: dict[str, Any]) -> dict[str, Any]:
    """Version 2 has the window's settings beside the tracker's."""
    return data | {"window": {}}


def _add_outputs(data: dict[str, Any]) -> dict[str, Any]:
    """Version 3 has recordings, streams and the virtual camera."""
    return data | {"outputs": {}}


MIGRATIONS: dict[int, Migration] = {1: _add_window, 2: _add_outputs}
"""From schema version n (the key) to n + 1. Add one here, and a test of it, whenever `Settings` changes."""

_MAX_BYTES = 1_000_000


class SettingsError(Exception):
    """The settings cannot be written. The message is one sentence: what was wrong and what to do."""


class Settings(BaseModel):
    """All settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = Field(default=SCHEMA_VERSION, ge=SCHEMA_VERSION, le=SCHEMA_VERSION)
    tracker: TrackerSettings = TrackerSettings()
    """How faces are tracked."""
    window: WindowSettings = WindowSettings()
    """How the window looks and what it opens."""
    outputs: OutputSettings = OutputSettings()
    """What the window records and sends."""


def settings_file() -> Path:
    """Where the settings are kept."""
    chosen = os.environ.get("MIEN_CONFIG")
    return Path(chosen).expanduser() if chosen else user_config_path("mien", appauthor=False) / "settings.json"


def load_settings(path: Path | None = None, warn: Callable[[str], None] = lambda sentence: None) -> Settings:
    """The user's settings; the defaults where there are none or they cannot be used.

    A damaged file is kept aside as `*.damaged`, so that the next save does not destroy what might be mended.

    Args:
        path: the file; None takes `settings_file()`.
        warn: told in one sentence what was wrong.
    """
    path = path or settings_file()
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        warn(f"The settings {path} cannot be read ({error.strerror}): the defaults are used.")
        return Settings()
    try:
        return _parse(content)
    except _NewerVersionError:
        warn(f"The settings {path} were made by a newer version of Mien: the defaults are used.")
    except ValueError:
        aside = _put_aside(path)
        kept = f"is kept as {aside}" if aside else "cannot be moved aside"
        warn(f"The settings file {path} was damaged and {kept}: the defaults are used.")
    return Settings()


def save_settings(settings: Settings, path: Path | None = None) -> Path:
    """Write the settings in one piece: a crash leaves the old file or the new one.

    Raises:
        SettingsError: they cannot be written.
    """
    path = path or settings_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole_file(path, f"{settings.model_dump_json(indent=2)}\n".encode())
    except OSError as error:
        raise SettingsError(f"The settings {path} cannot be written ({error.strerror}): check the folder.") from error
    return path


class _NewerVersionError(Exception):
    pass


def _parse(content: bytes) -> Settings:
    """The settings of a file's content, migrated to the present schema.

    Raises:
        ValueError: damaged.
        _NewerVersionError: of a version to come.
    """
    try:
        data = json.loads(content)
        version = data["schema_version"]
        if not isinstance(version, int):
            raise TypeError("a schema version is a whole number")
        if version > SCHEMA_VERSION:
            raise _NewerVersionError
        while version < SCHEMA_VERSION:
            data = MIGRATIONS[version](data)
            version += 1
            data["schema_version"] = version
        return Settings.model_validate(data)
    except (ValidationError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not settings") from error


def _put_aside(path: Path) -> Path | None:
    """Rename a damaged file; None where that is not allowed."""
    number = 0
    while (aside := path.with_name(f"{path.name}{number or ''}.damaged")).exists():
        number += 1
    try:
        path.replace(aside)
    except OSError:
        return None
    return aside
