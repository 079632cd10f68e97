"""Settings that somebody may have edited or been given: a JSON file of one model, read with care."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from models.whole_file import write_whole_file

__all__ = ["JsonFileError", "read_model", "write_model"]

Model = TypeVar("Model", bound=BaseModel)


class JsonFileError(Exception):
    """A file that cannot be used, or written. The message is one sentence for the user."""


def write_model(path: Path, values: BaseModel) -> None:
    """Writes a model in one piece; folders on the way are made.

    Raises:
        JsonFileError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole_file(path, values.model_dump_json(indent=1).encode())
    except OSError as error:
        raise JsonFileError(f"{path} cannot be written: {error.strerror or error}.") from error


def read_model(
    path: Path, kind: type[Model], *, what: str, newest: int, largest: int, assumed: int | None = None
) -> Model:
    """Reads what `write_model` wrote.

    Args:
        path: the file.
        kind: of a model with a field `schema_version`.
        what: it holds, for people: "a scene".
        newest: schema version that this program knows.
        largest: bytes that are read at most.
        assumed: schema version of a file that does not say; None refuses it.

    Raises:
        JsonFileError: it cannot be read, is damaged, of a newer version, or a value is out of its range.
    """
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise JsonFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(data) > largest:
        raise JsonFileError(f"{path.name} is too large for {what}.")
    try:
        values: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise JsonFileError(f"{path.name} is damaged: it is not valid JSON.") from error
    version = values.get("schema_version", assumed) if isinstance(values, dict) else None
    if isinstance(version, bool) or not isinstance(version, int):
        raise JsonFileError(f"{path.name} does not hold {what}.")
    if version > newest:
        raise JsonFileError(f"{path.name} was written by a newer version of Mien: update Mien.")
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise JsonFileError(f"{path.name} has a value that cannot be used ({where}: {first['msg']}).") from error
