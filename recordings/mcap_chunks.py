"""Chunks of an MCAP file that nobody vouches for: read within limits, unpacked within limits, found again."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from typing import IO

import zstandard  # mcap depends on it
from mcap.exceptions import EndOfFile, McapError
from mcap.opcode import Opcode
from mcap.records import Chunk

__all__ = ["BoundedFile", "chunk_content", "next_chunk"]

LARGEST_READ = 64 << 20
"""Bytes of the largest record: a summary of some weeks."""
LARGEST_CHUNK = 16 << 20
"""Bytes of an unpacked chunk. Ours have 256 KiB and one relief at most."""

_SIGNATURE = b"\x04\x00\x00\x00zstd"
_BEFORE_SIGNATURE = 1 + 8 + 8 + 8 + 8 + 4
_WINDOW = 1 << 20


class BoundedFile:
    """A file that never gives more at once than a record may have, and never fewer bytes than were asked for.

    Args:
        file: open for reading, binary.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """So many bytes.

        Raises:
            McapError: too many.
            EndOfFile: the file has fewer.
        """
        if not 0 <= size <= LARGEST_READ:
            raise McapError(f"{size} bytes at once")
        data = self._file.read(size)
        if len(data) < size:
            raise EndOfFile
        return data


def chunk_content(chunk: Chunk) -> Chunk:
    """The same chunk, unpacked and checked against its checksum.

    Raises:
        McapError: it is damaged, too large, or packed by another program in another way.
    """
    if chunk.uncompressed_size > LARGEST_CHUNK or len(chunk.data) > LARGEST_CHUNK:
        raise McapError("a chunk that is too large")
    if chunk.compression == "zstd":
        try:
            # What the frame itself claims is what the library would reserve.
            if zstandard.frame_content_size(chunk.data) > LARGEST_CHUNK:
                raise McapError("a chunk that is too large")
            data = zstandard.ZstdDecompressor(max_window_size=LARGEST_CHUNK).decompress(
                chunk.data, max_output_size=max(1, chunk.uncompressed_size)
            )
        except zstandard.ZstdError as error:
            raise McapError("a damaged chunk") from error
    elif chunk.compression == "":
        data = chunk.data
    else:
        raise McapError("a chunk of another program")
    if len(data) != chunk.uncompressed_size or (chunk.uncompressed_crc and zlib.crc32(data) != chunk.uncompressed_crc):
        raise McapError("a damaged chunk")
    return replace(chunk, compression="", data=data)


def next_chunk(file: IO[bytes], start: int, size: int) -> int | None:
    """Where the next record that looks like one of our chunks begins, at or after a place in a damaged file.

    Args:
        file: open for reading, binary; its position is changed.
        start: in bytes.
        size: of the file.

    Returns:
        None if there is none.
    """
    position = start
    while position < size:
        file.seek(position)
        window = file.read(_WINDOW)
        found = window.find(_SIGNATURE)
        while found >= 0:
            begin = position + found - _BEFORE_SIGNATURE
            if begin >= start and _is_chunk(file, begin, size):
                return begin
            found = window.find(_SIGNATURE, found + 1)
        if len(window) < _WINDOW:
            return None
        position += len(window) - len(_SIGNATURE) + 1
    return None


def _is_chunk(file: IO[bytes], begin: int, size: int) -> bool:
    file.seek(begin)
    opcode, length = struct.unpack("<BQ", file.read(9))
    return bool(opcode == Opcode.CHUNK and length <= LARGEST_CHUNK + 64 and begin + 9 + length <= size)
