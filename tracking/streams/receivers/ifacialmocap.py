"""Receives iFacialMocap's text, and asks the phone for it. See `tracking.streams.ifacialmocap` for layout and signs."""

from __future__ import annotations

import socket
from math import isfinite

import numpy as np

from models.channels import ARKIT_CHANNELS, CHANNEL_COUNT, CHANNEL_INDEX, channels_to_gaze
from models.geometry.rotations import HEAD_TO_CAMERA, from_euler
from tracking.streams.base import StreamError, parse_address
from tracking.streams.ifacialmocap import START_REQUEST, wire_name
from tracking.streams.receivers.base import PacketError, Parser, ReceivedFace, Receiver, angles, channel_values

PHONE_PORT = 49983
_LONGEST_PACKET = 16384
_MOST_PARTS = 256
_GREET_EVERY_NS = 1_000_000_000
_FARTHEST_M = 100.0
_INDEX = {wire_name(name).lower(): CHANNEL_INDEX[name] for name in ARKIT_CHANNELS} | {
    name.lower(): CHANNEL_INDEX[name] for name in ARKIT_CHANNELS
}


class IFacialMocapReceiver(Receiver):
    """Listens for iFacialMocap.

    Args:
        port: to listen at; the app sends to 49983.
        bind: own address to listen at.
        phone: the phone's address, in numbers, which is asked to start once a second until it does; None waits for a
            sender that starts by itself.
        phone_port: at which the phone waits for requests.

    Raises:
        StreamError: an address or port that cannot be.
    """

    title = "iFacialMocap"

    def __init__(
        self, port: int = 49983, bind: str = "127.0.0.1", phone: str | None = None, phone_port: int = PHONE_PORT
    ) -> None:
        super().__init__(port, bind)
        self._phone: tuple[str, int] | None = None
        if phone is not None:
            address = parse_address(phone)
            if address.is_unspecified or (":" in str(address)) != (":" in self._bind):
                raise StreamError(f"The phone's address {address} does not go with {self._bind}: type its own address.")
            self._phone = str(address), phone_port
        self._greeted_ns = -_GREET_EVERY_NS

    def _make_parser(self) -> Parser:
        return IFacialMocapParser()

    def _greet(self, sock: socket.socket, now_ns: int) -> None:
        if self._phone is None or now_ns - self._greeted_ns < _GREET_EVERY_NS:
            return
        if now_ns - self._understood_ns < _GREET_EVERY_NS:
            return
        self._greeted_ns = now_ns
        try:
            sock.sendto(START_REQUEST, self._phone)
        except OSError:
            pass  # it cannot be reached yet: `problem` says that nothing arrives, and it is asked again


class IFacialMocapParser(Parser):
    """Reads versions 1 and 2 of the text."""

    def feed(self, data: bytes, now_ns: int) -> ReceivedFace | None:
        if len(data) > _LONGEST_PACKET:
            raise PacketError("too long")
        try:
            text = data.decode("ascii")
        except UnicodeDecodeError:
            raise PacketError("not plain text") from None
        if text.startswith(START_REQUEST.decode()):
            raise PacketError("a request, not an answer")
        parts = text.split("|", _MOST_PARTS)
        if len(parts) > _MOST_PARTS:
            raise PacketError("too many parts")
        values = np.zeros(CHANNEL_COUNT, np.float64)
        joints: dict[str, list[float]] = {}
        found, present = 0, True
        for part in parts:
            name, _, numbers = part.strip().partition("#")
            if numbers:
                if name in ("=head", "rightEye", "leftEye"):
                    joints[name] = _numbers(numbers)
                continue
            name, value = _pair(name)
            if name == "trackingstatus":
                present = value > 0.0
            elif (index := _INDEX.get(name)) is not None:
                values[index] = value / 100.0
                found += 1
        if not found or "=head" not in joints or len(joints["=head"]) < 3:
            raise PacketError("neither channels nor a head")
        return _face(channel_values(values), joints, present, now_ns)


def _face(
    expression: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    joints: dict[str, list[float]],
    present: bool,
    now_ns: int,
) -> ReceivedFace:
    head = joints["=head"]
    pitch, yaw, roll = angles(np.radians(head[:3])).tolist()
    translation = None
    if len(head) >= 6 and any(head[3:6]):
        translation = HEAD_TO_CAMERA @ np.clip(head[3:6], -_FARTHEST_M, _FARTHEST_M)
    gaze = np.zeros((2, 2), np.float32)
    for row, name in enumerate(("leftEye", "rightEye")):
        eye = joints.get(name, [])
        if len(eye) >= 2:
            gaze[row] = angles(np.radians([eye[1], eye[0]]))
    if not gaze.any():
        gaze = channels_to_gaze(expression)
    return ReceivedFace("", present, expression, from_euler(yaw, pitch, roll), translation, gaze, now_ns)


def _pair(part: str) -> tuple[str, float]:
    """Name in lower case and value of `name-7` or `name&-7`; an empty name where it is neither."""
    for between in "&-":
        name, separator, number = part.partition(between)
        if separator:
            try:
                value = float(number)
            except ValueError:
                return "", 0.0
            return (name.lower(), value) if isfinite(value) else ("", 0.0)
    return "", 0.0


def _numbers(text: str) -> list[float]:
    try:
        values = [float(number) for number in text.split(",", 8)]
    except ValueError:
        raise PacketError("an angle that is no number") from None
    if not all(isfinite(value) for value in values):
        raise PacketError("an angle that is no number")
    return values
