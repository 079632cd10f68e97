"""Receives VMC: blend shapes and the bones of the head. See `tracking.streams.vmc` for the axes."""

from __future__ import annotations

from math import isfinite

import numpy as np

from models.channels import ARKIT_CHANNELS, CHANNEL_COUNT, CHANNEL_INDEX, channels_to_gaze
from models.geometry.rotations import Matrix, from_quaternion
from tracking.streams.osc import OscError, Received, read_packet
from tracking.streams.receivers.base import PacketError, Parser, ReceivedFace, Receiver, channel_values
from tracking.streams.vmc import from_unity
from tracking.streams.vrm import PRESET_INDEX, VRM0_PRESETS, from_presets

_BONES = ("neck", "head", "lefteye", "righteye")
_CHANNELS = {name.lower(): CHANNEL_INDEX[name] for name in ARKIT_CHANNELS}
_WITHOUT_APPLY_NS = 500_000_000
"""Senders that give bones alone never apply blends: after so long the bones count by themselves."""


class VmcReceiver(Receiver):
    """Listens for VMC."""

    title = "VMC"
    # Some senders put every value into a packet of its own: 70 packets a frame.
    packet_limit = 12_000

    def __init__(self, port: int = 39539, bind: str = "127.0.0.1") -> None:
        super().__init__(port, bind)

    def _make_parser(self) -> Parser:
        return VmcParser()


class VmcParser(Parser):
    """Collects blends until they are applied. ARKit's names win; VRM's presets stand in where there are none."""

    def __init__(self) -> None:
        self._channels = np.zeros(CHANNEL_COUNT)
        self._presets = np.zeros(len(VRM0_PRESETS))
        self._arkit_seen = self._presets_seen = False
        self._bones: dict[str, Matrix] = {}
        self._present = True
        self._applied_ns = -(1 << 62)
        self._last: ReceivedFace | None = None

    def feed(self, data: bytes, now_ns: int) -> ReceivedFace | None:
        face: ReceivedFace | None = None
        understood = False
        try:
            for message in read_packet(data):
                if not message.address.startswith("/VMC/"):
                    continue
                understood = True
                face = self._take(message, now_ns) or face
        except OscError as error:
            raise PacketError(str(error)) from None
        if not understood:
            raise PacketError("OSC, but not VMC")
        return face

    def _take(self, message: Received, now_ns: int) -> ReceivedFace | None:
        arguments = message.arguments
        match message.address:
            case "/VMC/Ext/Blend/Val":
                self._blend(arguments)
            case "/VMC/Ext/Blend/Apply":
                self._applied_ns = now_ns
                return self._face(now_ns)
            case "/VMC/Ext/Bone/Pos":
                self._bone(arguments)
                bones_alone = now_ns - self._applied_ns > _WITHOUT_APPLY_NS
                if bones_alone and arguments and str(arguments[0]).lower() == "head":
                    return self._face(now_ns)
            case "/VMC/Ext/OK":
                # The fourth number tells whether the sender sees anybody; older senders give fewer.
                self._present = len(arguments) < 4 or arguments[3] != 0
                if not self._present:
                    return self._face(now_ns)
        return None

    def _blend(self, arguments: tuple[object, ...]) -> None:
        if len(arguments) < 2 or not isinstance(arguments[0], str):
            return
        value = arguments[1]
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            return
        name = arguments[0].lower()
        limited = min(max(float(value), 0.0), 1.0)
        if (index := _CHANNELS.get(name)) is not None:
            self._channels[index] = limited
            self._arkit_seen = True
        elif (index := PRESET_INDEX.get(name)) is not None:
            self._presets[index] = limited
            self._presets_seen = True
        elif name == "blink":
            self._presets[[VRM0_PRESETS.index("Blink_L"), VRM0_PRESETS.index("Blink_R")]] = limited
            self._presets_seen = True

    def _bone(self, arguments: tuple[object, ...]) -> None:
        if len(arguments) < 8 or str(arguments[0]).lower() not in _BONES:
            return
        turn = [float(a) for a in arguments[4:8] if isinstance(a, int | float) and isfinite(a)]
        if len(turn) < 4 or not 0.25 < sum(t * t for t in turn) < 4.0:
            return  # no rotation that anybody could mean
        self._bones[str(arguments[0]).lower()] = from_quaternion(from_unity(*turn))

    def _face(self, now_ns: int) -> ReceivedFace:
        still = np.eye(3)
        rotation = self._bones.get("neck", still) @ self._bones.get("head", still)
        presets_alone = self._presets_seen and not self._arkit_seen
        expression = channel_values(from_presets(self._presets) if presets_alone else self._channels)
        if "lefteye" in self._bones or "righteye" in self._bones:
            gaze = np.array([_direction(self._bones.get(eye, still)) for eye in ("lefteye", "righteye")], np.float32)
        else:
            gaze = channels_to_gaze(expression)
        return ReceivedFace("", self._present, expression, rotation, None, gaze, now_ns)


def _direction(rotation: Matrix) -> tuple[float, float]:
    """Yaw and pitch of where an eye with this rotation looks."""
    x, y, z = rotation[:, 2]
    return float(np.arctan2(x, z)), float(np.arcsin(np.clip(-y, -1.0, 1.0)))
