"""OSC 1.0: bundles that are encoded once and patched for each frame, and a reader for packets of strangers.

python-osc builds a bundle in about a millisecond; here only the floats change from frame to frame, so they are written
into the finished bytes. Its reader recurses without a limit; this one is bounded in depth, count and length.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BUNDLE_HEAD = b"#bundle\0" + struct.pack(">Q", 1)
"""Start of a bundle that is due at once."""
_DEEPEST = 4
_MOST_MESSAGES = 2048
_MOST_ARGUMENTS = 32
_LONGEST_STRING = 256

_INT, _FLOAT = struct.Struct(">i"), struct.Struct(">f")
_LONG, _DOUBLE, _TIME = struct.Struct(">q"), struct.Struct(">d"), struct.Struct(">Q")
_FIXED = {"i": _INT, "f": _FLOAT, "h": _LONG, "d": _DOUBLE, "t": _TIME, "c": _INT, "r": _INT, "m": _INT}
Argument = float | int | str


class OscError(ValueError):
    """The bytes are not OSC, or not within reason."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to send: an address, and its arguments; floats are what changes."""

    address: str
    arguments: tuple[Argument, ...] = ()

    def build(self) -> tuple[bytes, list[int]]:
        """The encoded message, and the offsets of its floats in it."""
        tags = "," + "".join({float: "f", int: "i", str: "s"}[type(a)] for a in self.arguments)
        data = _padded(self.address) + _padded(tags)
        floats = []
        for argument in self.arguments:
            if isinstance(argument, str):
                data += _padded(argument)
            elif isinstance(argument, int):
                data += struct.pack(">i", argument)
            else:
                floats.append(len(data))
                data += struct.pack(">f", argument)
        return data, floats


class PatchedBundles:
    """Messages in as few bundles as fit, whose floats are replaced for each frame.

    Args:
        messages: in the order of sending.
        limit: most bytes of one bundle.

    Raises:
        ValueError: one message alone is larger than that.
    """

    def __init__(self, messages: Sequence[Message], limit: int) -> None:
        self._parts: list[tuple[NDArray[np.float32], NDArray[np.intp], slice]] = []
        self._buffers: list[bytearray] = []
        data, offsets, done = bytearray(BUNDLE_HEAD), list[int](), 0
        for message in messages:
            encoded, floats = message.build()
            if len(BUNDLE_HEAD) + 4 + len(encoded) > limit:
                raise ValueError(f"the message {message.address} alone is larger than {limit} bytes")
            if len(data) + 4 + len(encoded) > limit:
                done = self._finish(data, offsets, done)
                data, offsets = bytearray(BUNDLE_HEAD), []
            data += struct.pack(">i", len(encoded))
            offsets += [len(data) + at for at in floats]
            data += encoded
        self.float_count = self._finish(data, offsets, done)

    def encode(self, values: NDArray[np.floating]) -> list[bytes]:
        """The bundles with new floats.

        Args:
            values: (float_count,) in the order of the messages and their arguments.
        """
        if len(values) != self.float_count:
            raise ValueError(f"there are {self.float_count} floats, not {len(values)}")
        for view, places, part in self._parts:
            view[places] = values[part]
        return [bytes(buffer) for buffer in self._buffers]

    def _finish(self, data: bytearray, offsets: list[int], done: int) -> int:
        # Everything in OSC starts at a multiple of four bytes, so the whole bundle can be seen as floats.
        view = np.frombuffer(data, ">f4")
        self._buffers.append(data)
        self._parts.append((view, np.array(offsets, np.intp) // 4, slice(done, done + len(offsets))))
        return done + len(offsets)


@dataclass(frozen=True, slots=True)
class Received:
    """A message of somebody else: address, and arguments of which those that are neither number nor text are None."""

    address: str
    arguments: tuple[Argument | bool | None, ...]


def read_packet(data: bytes) -> list[Received]:
    """The messages of a packet, bundled or not, in their order.

    Raises:
        OscError: something in it is not OSC, or not within reason.
    """
    messages: list[Received] = []
    _read(data, 0, len(data), 0, messages)
    return messages


def _read(data: bytes, start: int, end: int, depth: int, messages: list[Received]) -> None:
    if not data.startswith(b"#bundle\0", start, end):
        if len(messages) >= _MOST_MESSAGES:
            raise OscError("too many messages in one packet")
        messages.append(_read_message(data, start, end))
        return
    if depth >= _DEEPEST:
        raise OscError("bundles within bundles within bundles")
    at = start + 16
    if at > end:
        raise OscError("a bundle without a time")
    while at < end:
        if at + 4 > end:
            raise OscError("a bundle breaks off")
        (size,) = _INT.unpack_from(data, at)
        at += 4
        if size <= 0 or size % 4 or at + size > end:
            raise OscError("an element of an impossible size")
        _read(data, at, at + size, depth + 1, messages)
        at += size


def _read_message(data: bytes, start: int, end: int) -> Received:
    address, at = _text(data, start, end)
    if not address.startswith("/"):
        raise OscError("an address without a slash")
    if at >= end:
        return Received(address, ())
    tags, at = _text(data, at, end)
    if not tags.startswith(",") or len(tags) - 1 > _MOST_ARGUMENTS:
        raise OscError("no list of types, or too long a one")
    arguments: list[Argument | bool | None] = []
    for tag in tags[1:]:
        value, at = _argument(tag, data, at, end)
        arguments.append(value)
    return Received(address, tuple(arguments))


_EMPTY: dict[str, bool | None] = {"T": True, "F": False, "N": None, "I": None}


def _argument(tag: str, data: bytes, at: int, end: int) -> tuple[Argument | bool | None, int]:
    if (layout := _FIXED.get(tag)) is not None:
        if at + layout.size > end:
            raise OscError("an argument breaks off")
        (number,) = layout.unpack_from(data, at)
        return number, at + layout.size
    if tag in "sS":
        return _text(data, at, end)
    if tag in _EMPTY:
        return _EMPTY[tag], at
    if tag == "b":
        if at + 4 > end:
            raise OscError("an argument breaks off")
        (size,) = _INT.unpack_from(data, at)
        following = at + 4 + (size + 3) // 4 * 4
        if size < 0 or following > end:
            raise OscError("a blob of an impossible size")
        return None, following
    raise OscError("an unknown type")


def _text(data: bytes, at: int, end: int) -> tuple[str, int]:
    stop = data.find(b"\0", at, min(end, at + _LONGEST_STRING))
    if stop < 0:
        raise OscError("a text without an end")
    following = at + (stop - at) // 4 * 4 + 4
    if following > end:
        raise OscError("a text breaks off")
    try:
        return data[at:stop].decode("utf-8"), following
    except UnicodeDecodeError:
        raise OscError("a text that is not UTF-8") from None


def _padded(text: str) -> bytes:
    data = text.encode("utf-8")
    return data + b"\0" * (4 - len(data) % 4)
