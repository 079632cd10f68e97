"""Receives Live Link Face: an iPhone with Epic's app. See `tracking.streams.live_link` for layout and signs."""

from __future__ import annotations

import struct

import numpy as np

from models.channels import CHANNEL_COUNT, channels_to_gaze
from models.geometry.rotations import from_euler
from tracking.streams.live_link import VALUE_COUNT, VERSION
from tracking.streams.receivers.base import PacketError, Parser, ReceivedFace, Receiver, angles, channel_values

_LONGEST_TEXT = 256
_LONGEST_PACKET = 2048


class LiveLinkReceiver(Receiver):
    """Listens for Live Link Face."""

    title = "Live Link Face"

    def __init__(self, port: int = 11111, bind: str = "127.0.0.1") -> None:
        super().__init__(port, bind)

    def _make_parser(self) -> Parser:
        return LiveLinkParser()


class LiveLinkParser(Parser):
    """Reads version 6."""

    def __init__(self) -> None:
        self._last: ReceivedFace | None = None

    def feed(self, data: bytes, now_ns: int) -> ReceivedFace:
        if len(data) > _LONGEST_PACKET or not data or data[0] != VERSION:
            raise PacketError("not version 6")
        _, at = _text(data, 1)
        subject, at = _text(data, at)
        at += 16
        # "No face" is a count of 0, or a packet that ends before the count.
        if at > len(data):
            raise PacketError("breaks off before the time")
        if at == len(data) or data[at] == 0:
            return self._nobody(subject, now_ns)
        if data[at] != VALUE_COUNT or len(data) != at + 1 + 4 * VALUE_COUNT:
            raise PacketError("another number of values")
        values = np.frombuffer(data, ">f4", VALUE_COUNT, at + 1).astype(np.float32)
        expression = channel_values(values[:CHANNEL_COUNT])
        yaw, pitch, roll, *eyes = angles(values[CHANNEL_COUNT:]).tolist()
        gaze = np.array([eyes[0:2], eyes[3:5]], np.float32)
        if not gaze.any():
            gaze = channels_to_gaze(expression)
        self._last = ReceivedFace(subject, True, expression, from_euler(yaw, pitch, roll), None, gaze, now_ns)
        return self._last

    def _nobody(self, subject: str, now_ns: int) -> ReceivedFace:
        last = self._last
        if last is None:
            zeros = np.zeros(CHANNEL_COUNT, np.float32)
            return ReceivedFace(subject, False, zeros, np.eye(3), None, np.zeros((2, 2), np.float32), now_ns)
        return ReceivedFace(subject, False, last.expression, last.rotation, None, last.gaze, now_ns)


def _text(data: bytes, at: int) -> tuple[str, int]:
    if at + 4 > len(data):
        raise PacketError("breaks off in a length")
    (length,) = struct.unpack_from(">i", data, at)
    at += 4
    if not 0 <= length <= _LONGEST_TEXT or at + length > len(data):
        raise PacketError("a text of an impossible length")
    try:
        return data[at : at + length].decode("utf-8"), at + length
    except UnicodeDecodeError:
        raise PacketError("a text that is not UTF-8") from None
