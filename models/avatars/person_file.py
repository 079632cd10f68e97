"""The avatar file of a person, `.mien`: everything that belongs to one head in one container.

A ZIP archive of a few members with fixed names, stored or deflated. Every size is checked before memory is taken, and
nothing in it is ever executed: JSON, JPEG or PNG, safetensors. See docs/person_avatars.md for the layout.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from models.avatars.errors import AvatarFileError
from models.avatars.person_manifest import (
    FORMAT,
    MIGRATIONS,
    SCHEMA_VERSION,
    CapturePart,
    HairPart,
    NeutralPart,
    PersonManifest,
)
from models.whole_file import write_whole_file

if TYPE_CHECKING:
    from models.avatars.person_sources import SkinSources

__all__ = [
    "LARGEST_FILE",
    "SUFFIX",
    "CapturePart",
    "HairPart",
    "NeutralPart",
    "PersonAvatar",
    "PersonManifest",
    "PersonSummary",
    "read_person",
    "read_summary",
    "write_person",
]

Image = NDArray[np.uint8]
SUFFIX = ".mien"
LARGEST_FILE = 30_000_000
"""Bytes of a whole avatar file."""
MANIFEST = "manifest.json"
_PICTURES = (".jpg", ".png")
LIMITS = {
    MANIFEST: 1 << 20,
    **{f"texture{kind}": 16 << 20 for kind in _PICTURES},
    **{f"thumbnail{kind}": 1 << 20 for kind in _PICTURES},
    "adapters.safetensors": 12 << 20,
    "sources.safetensors": 8 << 20,
}
"""The members there may be, and how many bytes each may have when unpacked."""
LARGEST_TEXTURE, LARGEST_THUMBNAIL = 4096, 1024
"""Pixels a side."""
LARGEST_DIRECTORY = 4096
TEXTURE_QUALITY, THUMBNAIL_QUALITY = 93, 88
_END = struct.Struct("<4s4H2LH")


@dataclass(frozen=True, slots=True)
class PersonAvatar:
    """A person to draw.

    Attributes:
        manifest: all that is not an array.
        identity: (K,) float32 coefficients of the face model that the manifest names.
        texture: (S, S, 3) uint8 sRGB over the face map.
        thumbnail: (H, W, 3) uint8 sRGB.
        adapters: safetensors of the networks' person-specific parts; None where the file has none.
        sources: pictures of the skin, by which the networks fold it; None where the file has none.
    """

    manifest: PersonManifest
    identity: NDArray[np.float32]
    texture: Image
    thumbnail: Image
    adapters: dict[str, NDArray[Any]] | None = None
    sources: SkinSources | None = None


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """What a list shows: the manifest and (H, W, 3) uint8 of the thumbnail. The texture has not been read."""

    manifest: PersonManifest
    thumbnail: Image


def read_person(path: Path) -> PersonAvatar:
    """Reads an avatar file.

    Raises:
        AvatarFileError: not such a file, damaged, too large, hostile, or made by a newer version.
    """
    with _opened(path) as archive:
        manifest = _manifest(archive, path)
        texture = _picture(archive, path, "texture", LARGEST_TEXTURE)
        thumbnail = _picture(archive, path, "thumbnail", LARGEST_THUMBNAIL)
        adapters, skin = (_tensors(archive, path, f"{part}.safetensors") for part in ("adapters", "sources"))
    if texture.shape[0] != texture.shape[1]:
        raise AvatarFileError(f"{path.name} is damaged: its texture is not square.")
    sources = None
    if skin is not None:
        from models.avatars.person_sources import from_tensors  # late: most avatars that are read are only listed

        sources = from_tensors(skin, path.name)
    return PersonAvatar(manifest, np.array(manifest.identity, np.float32), texture, thumbnail, adapters, sources)


def read_summary(path: Path) -> PersonSummary:
    """Reads what a list shows of an avatar file.

    Raises:
        AvatarFileError: as `read_person`; a damaged texture goes unnoticed.
    """
    with _opened(path) as archive:
        return PersonSummary(_manifest(archive, path), _picture(archive, path, "thumbnail", LARGEST_THUMBNAIL))


def write_person(avatar: PersonAvatar, path: Path) -> None:
    """Writes an avatar file in one piece: a crash or a full disk leaves the old file or none.

    Raises:
        AvatarFileError: it would be larger than 30 MB, or the disk refuses.
        ValueError: the arrays are not as described.
    """
    if avatar.texture.ndim != 3 or avatar.texture.shape[0] != avatar.texture.shape[1] or avatar.texture.shape[2] != 3:
        raise ValueError(f"a texture (S, S, 3) is needed, not {avatar.texture.shape}")
    manifest = avatar.manifest.model_copy(update={"identity": tuple(float(v) for v in avatar.identity)})
    members = {
        MANIFEST: manifest.model_dump_json(indent=1).encode(),
        "texture.jpg": _jpeg(avatar.texture, TEXTURE_QUALITY),
        "thumbnail.jpg": _jpeg(avatar.thumbnail, THUMBNAIL_QUALITY),
    }
    if avatar.adapters is not None or avatar.sources is not None:
        from safetensors.numpy import save

        from models.avatars.person_sources import to_tensors

        sources = None if avatar.sources is None else to_tensors(avatar.sources)
        for name, arrays in (("adapters", avatar.adapters), ("sources", sources)):
            if arrays is not None:
                members[f"{name}.safetensors"] = save(arrays)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            if len(data) > LIMITS[name]:
                raise AvatarFileError(f"The avatar cannot be saved: its part {name} is larger than avatar files allow.")
            kind = zipfile.ZIP_DEFLATED if name == MANIFEST else zipfile.ZIP_STORED
            # One date for all, so that equal avatars are equal files.
            archive.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), data, kind)
    if content.tell() > LARGEST_FILE:
        raise AvatarFileError(f"The avatar cannot be saved: it is larger than {LARGEST_FILE // 1_000_000} MB.")
    write_in_one_piece(path, content.getvalue())


def write_in_one_piece(path: Path, content: bytes) -> None:
    """Puts a file in place of whatever is there; the old one stays until the new one is complete.

    Raises:
        AvatarFileError: the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole_file(path, content)
    except OSError as error:
        raise AvatarFileError(
            f"The avatar cannot be saved in {path.parent} ({error.strerror or error}): make room, or choose another"
            " place."
        ) from error


def _opened(path: Path) -> zipfile.ZipFile:
    """The archive, its directory checked.

    Raises:
        AvatarFileError
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise AvatarFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > LARGEST_FILE:
        raise AvatarFileError(f"{path.name} is larger than {LARGEST_FILE // 1_000_000} MB: it is no avatar file.")
    _check_end(content, path)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        raise AvatarFileError(f"{path.name} is damaged: get it again from where it came from.") from error
    names: set[str] = set()
    for member in archive.infolist():
        name = member.filename
        if name not in LIMITS or name in names:
            raise AvatarFileError(f"{path.name} holds parts that do not belong in an avatar file: it was not opened.")
        names.add(name)
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise AvatarFileError(f"{path.name} is encrypted or packed in a way that avatar files are not.")
        if member.file_size > LIMITS[name]:
            raise AvatarFileError(f"{path.name} is too large: its part {name} would take {member.file_size:,} bytes.")
    return archive


def _check_end(content: bytes, path: Path) -> None:
    """Looks at the archive's last record, so that a directory of a million members is never built in memory."""
    if len(content) < _END.size or content[-_END.size : -_END.size + 4] != b"PK\x05\x06":
        kind = "is damaged or cut short" if content[:2] == b"PK" else "is no avatar file of Mien"
        raise AvatarFileError(f"{path.name} {kind}: avatar files end in {SUFFIX} and come from `avatar export`.")
    _, _, _, _, _, directory, _, comment = _END.unpack(content[-_END.size :])
    before = content[-_END.size - 20 : -_END.size - 16]
    if comment or directory > LARGEST_DIRECTORY or before == b"PK\x06\x07":
        raise AvatarFileError(f"{path.name} holds parts that do not belong in an avatar file: it was not opened.")


def _member(archive: zipfile.ZipFile, path: Path, name: str) -> bytes:
    limit = LIMITS[name]
    try:
        with archive.open(name) as file:
            data = file.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, OSError, EOFError, struct.error) as error:
        raise AvatarFileError(f"{path.name} is damaged: its part {name} cannot be unpacked.") from error
    if len(data) > limit:
        raise AvatarFileError(f"{path.name} is too large: its part {name} is longer than {limit:,} bytes.")
    return data


def _manifest(archive: zipfile.ZipFile, path: Path) -> PersonManifest:
    if MANIFEST not in archive.namelist():
        raise AvatarFileError(f"{path.name} is no avatar file of Mien: it has no {MANIFEST}.")
    damaged = f"{path.name} is damaged: its {MANIFEST} is not as it should be"
    try:
        data = json.loads(_member(archive, path, MANIFEST))
    except (ValueError, RecursionError) as error:
        raise AvatarFileError(f"{damaged}.") from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or data.get("format") != FORMAT:
        raise AvatarFileError(f"{damaged}.")
    if version > SCHEMA_VERSION:
        raise AvatarFileError(f"{path.name} was made by a newer version of Mien: update Mien to open it.")
    try:
        while version < SCHEMA_VERSION:
            data = MIGRATIONS[version](data)
            version += 1
            data["schema_version"] = version
        return PersonManifest.model_validate(data)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])[:60]
        raise AvatarFileError(f"{damaged} (at {where!r}).") from error
    except (LookupError, TypeError, AttributeError) as error:
        raise AvatarFileError(f"{damaged}: it cannot be brought to the present version.") from error


def _picture(archive: zipfile.ZipFile, path: Path, part: str, largest: int) -> Image:
    """(H, W, 3) of a member, its size checked before it is decoded."""
    from PIL import Image as Pictures
    from PIL import UnidentifiedImageError

    found = [f"{part}{kind}" for kind in _PICTURES if f"{part}{kind}" in archive.namelist()]
    if len(found) != 1:
        raise AvatarFileError(f"{path.name} is damaged: it has no {part}, or two.")
    data = _member(archive, path, found[0])
    try:
        with Pictures.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
            if max(picture.size) > largest or min(picture.size) < 8:
                raise AvatarFileError(
                    f"{path.name} has a {part} of {picture.width} x {picture.height} pixels: {largest} a side are read."
                )
            return np.array(picture.convert("RGB"), np.uint8)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Pictures.DecompressionBombError) as error:
        raise AvatarFileError(f"{path.name} is damaged: its {part} cannot be decoded.") from error


def _tensors(archive: zipfile.ZipFile, path: Path, name: str) -> dict[str, NDArray[Any]] | None:
    if name not in archive.namelist():
        return None
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(_member(archive, path, name))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise AvatarFileError(f"{path.name} is damaged: its {name} cannot be read.") from error


def _jpeg(picture: Image, quality: int) -> bytes:
    from PIL import Image as Pictures

    out = io.BytesIO()
    Pictures.fromarray(np.ascontiguousarray(picture)).save(out, "JPEG", quality=quality, subsampling=0, optimize=True)
    return out.getvalue()
