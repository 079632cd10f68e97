"""The outer layer of glTF files: GLB chunks, JSON and buffers, all inside the one file that was opened."""

from __future__ import annotations

import base64
import binascii
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.avatars.errors import AvatarFileError

__all__ = ["Document", "as_int", "as_list", "as_number", "as_object", "read_document"]

LARGEST_FILE = 512 * 1024 * 1024
LARGEST_JSON = 64 * 1024 * 1024
GLB_MAGIC = b"glTF"
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942

SUPPORTED_EXTENSIONS = frozenset(
    {
        "KHR_mesh_quantization",
        "EXT_meshopt_compression",
        "KHR_texture_transform",
        "EXT_texture_webp",
        "KHR_materials_unlit",
        "KHR_materials_emissive_strength",
        "KHR_materials_specular",
        "KHR_materials_ior",
        "KHR_materials_clearcoat",
        "KHR_materials_sheen",
        "KHR_lights_punctual",
        "KHR_node_visibility",
        "VRM",
        "VRMC_vrm",
        "VRMC_materials_mtoon",
        "VRMC_springBone",
        "VRMC_node_constraint",
        "VRMC_materials_hdr_emissiveMultiplier",
    }
)
"""What a file may require: extensions that are read, and those that can be left out without harm to the form."""


@dataclass(frozen=True, slots=True)
class Document:
    """A glTF file whose bytes are all here.

    Attributes:
        path: where it came from, for messages.
        json: the parsed scene; nothing in it has been checked beyond being an object.
        buffers: the bytes of every buffer.
    """

    path: Path
    json: dict[str, Any]
    buffers: tuple[memoryview, ...]

    def error(self, text: str) -> AvatarFileError:
        """An error that names the file; `text` goes on after "NAME "."""
        return AvatarFileError(f"{self.path.name} {text}")

    def items(self, key: str) -> list[dict[str, Any]]:
        """A top-level array of objects; empty where there is none.

        Raises:
            AvatarFileError: it is something else.
        """
        return as_objects(self.json.get(key), self, f'"{key}"')


def as_objects(value: Any, document: Document, what: str) -> list[dict[str, Any]]:
    """`value` as a list of JSON objects; None gives an empty one.

    Raises:
        AvatarFileError: it is something else.
    """
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise document.error(f"is damaged: {what} is not a list of objects.")
    return value


def as_object(value: Any) -> dict[str, Any]:
    """`value` where it is a JSON object, otherwise an empty one: for optional parts."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """`value` where it is a JSON array, otherwise an empty one: for optional parts."""
    return value if isinstance(value, list) else []


def as_int(value: Any, default: int = -1) -> int:
    """`value` where it is a whole number, otherwise the default."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def as_number(value: Any, default: float) -> float:
    """`value` where it is a finite number, otherwise the default."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e30 or value != value:
        return default
    return float(value)


def read_document(path: Path) -> Document:
    """Opens a .glb, .vrm or .gltf file.

    Buffers may be in the file itself or in `data:` addresses. No other address is ever opened.

    Raises:
        AvatarFileError: not such a file, damaged, too large, or it refers to other files or needs an extension that is
            not supported.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise AvatarFileError(
                f"{path.name} has {size / 2**20:.0f} MB; avatars of up to {LARGEST_FILE // 2**20} MB are read."
            )
        data = path.read_bytes()
    except OSError as error:
        raise AvatarFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    if data[:4] == GLB_MAGIC:
        text, binary = _chunks(path, data)
    elif data[:1].lstrip() in (b"{", b"") or data.lstrip()[:1] == b"{":
        text, binary = memoryview(data), None
    else:
        raise AvatarFileError(f"{path.name} is not a glTF, GLB or VRM file.")
    if len(text) > LARGEST_JSON:
        raise AvatarFileError(
            f"{path.name} describes its scene in {len(text) >> 20} MB; at most {LARGEST_JSON >> 20} are read."
        )
    try:
        parsed = json.loads(bytes(text))
    except (ValueError, RecursionError) as error:
        raise AvatarFileError(f"{path.name} is damaged: its scene description is not valid JSON.") from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("asset"), dict):
        raise AvatarFileError(f'{path.name} is not a glTF file: it has no "asset" entry.')
    version = parsed["asset"].get("version")
    if not isinstance(version, str) or not version.startswith("2"):
        raise AvatarFileError(f"{path.name} is glTF {version}; version 2 is read: export it anew.")
    document = Document(path, parsed, ())
    _check_extensions(document)
    return Document(path, parsed, _buffers(document, binary))


def _chunks(path: Path, data: bytes) -> tuple[memoryview, memoryview | None]:
    """JSON and binary chunk of a GLB."""
    view = memoryview(data)
    if len(data) < 20:
        raise AvatarFileError(f"{path.name} is cut off: a GLB file has at least 20 bytes.")
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2:
        raise AvatarFileError(f"{path.name} is GLB version {version}; version 2 is read: export it anew.")
    if length > len(data):
        raise AvatarFileError(f"{path.name} is cut off: {len(data)} of {length} bytes are there.")
    found: dict[int, memoryview] = {}
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<II", data, at)
        at += 8
        if at + size > length:
            raise AvatarFileError(f"{path.name} is damaged: a chunk is longer than the file.")
        found.setdefault(kind, view[at : at + size])
        at += size
    if JSON_CHUNK not in found:
        raise AvatarFileError(f"{path.name} is damaged: it has no scene description.")
    return found[JSON_CHUNK], found.get(BINARY_CHUNK)


def _check_extensions(document: Document) -> None:
    required = [name for name in as_list(document.json.get("extensionsRequired")) if isinstance(name, str)]
    missing = sorted(set(required) - SUPPORTED_EXTENSIONS)
    if missing:
        hint = (
            "export it without Draco compression"
            if "KHR_draco_mesh_compression" in missing
            else "export it without that"
        )
        raise document.error(f"needs {', '.join(missing)[:120]}, which is not supported: {hint}.")


def _buffers(document: Document, binary: memoryview | None) -> tuple[memoryview, ...]:
    buffers: list[memoryview] = []
    for i, entry in enumerate(document.items("buffers")):
        uri, length = entry.get("uri"), as_int(entry.get("byteLength"))
        if length < 0:
            raise document.error(f"is damaged: buffer {i} has no length.")
        if uri is None:
            if i == 0 and binary is not None:
                data = binary
            elif _is_fallback(entry):
                # What EXT_meshopt_compression decodes into: the bytes are nowhere, only the size is.
                data = memoryview(b"")
                length = 0
            else:
                raise document.error(f"is incomplete: the bytes of buffer {i} are missing.")
        else:
            data = memoryview(data_uri(document, uri, f"buffer {i}"))
        if len(data) < length:
            raise document.error(f"is cut off: buffer {i} has {len(data)} of {length} bytes.")
        buffers.append(data[:length])
    return tuple(buffers)


def _is_fallback(entry: dict[str, Any]) -> bool:
    extensions = as_object(entry.get("extensions"))
    return as_object(extensions.get("EXT_meshopt_compression")).get("fallback") is True


def data_uri(document: Document, uri: Any, what: str) -> bytes:
    """The bytes of a `data:` address.

    Raises:
        AvatarFileError: another address: other files and the network are never opened; or damaged base64.
    """
    if not isinstance(uri, str) or not uri.startswith("data:"):
        shown = str(uri)[:60]
        raise document.error(
            f"keeps {what} in another place ({shown}), which is not opened: export it as one GLB or VRM file."
        )
    head, _, payload = uri.partition(",")
    if not head.endswith(";base64"):
        raise document.error(f"is damaged: {what} is not base64.")
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise document.error(f"is damaged: {what} is not base64.") from error
