"""What every stream has in common: the face as it is sent, the encoders' interface, addresses, the module's error."""

from __future__ import annotations

import ipaddress
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.channels import MIRROR_PERMUTATION
from models.geometry.rotations import to_euler
from tracking.types import TrackedFace

MTU_BYTES = 1400
"""What surely fits into one Ethernet frame after the headers of IP, UDP and a tunnel."""
_MIRROR = np.diag([-1.0, 1.0, 1.0])


class StreamError(ValueError):
    """A stream is set up in a way that cannot work. The message is one sentence: what was wrong and what to do."""


@dataclass(frozen=True, slots=True)
class FaceValues:
    """A tracked face as it is sent, in our conventions; the encoders turn the axes.

    Attributes:
        expression: (52,) float32 in 0..1, ARKIT_CHANNELS order.
        rotation: (3, 3) of the head.
        yaw, pitch, roll: of `rotation`, radians: to the subject's left, down, to the right shoulder.
        translation: (3,) metres, camera frame (x right, y down, z forward).
        gaze: (2, 2) radians, rows left and right eye, columns yaw and pitch, relative to the head.
    """

    expression: NDArray[np.float32]
    rotation: NDArray[np.float64]
    yaw: float
    pitch: float
    roll: float
    translation: NDArray[np.float64]
    gaze: NDArray[np.float32]


def face_values(face: TrackedFace, mirror: bool = False) -> FaceValues | None:
    """What a stream sends of a face; None where there is nothing to send (SEARCHING).

    Args:
        face: with held or fading values while it is lost.
        mirror: the subject's left becomes the right: the avatar moves as a looking glass would.
    """
    p = face.parameters
    if p is None:
        return None
    expression, rotation, translation, gaze = p.expression, p.rotation, p.translation, p.gaze
    if mirror:
        expression = expression[MIRROR_PERMUTATION]
        rotation = _MIRROR @ rotation @ _MIRROR
        translation = translation * (-1.0, 1.0, 1.0)
        gaze = gaze[::-1] * np.array([-1.0, 1.0], np.float32)
    yaw, pitch, roll = to_euler(rotation).tolist()
    return FaceValues(expression, rotation, yaw, pitch, roll, translation, gaze)


class Encoder(ABC):
    """Turns faces into one protocol's packets. Knows no sockets; one thread at a time."""

    @abstractmethod
    def encode(self, face: TrackedFace) -> list[bytes]:
        """The packets of one frame, in the order in which they are sent; none where the protocol has nothing to say.

        A face that nobody has seen so far, or that is gone for good (SEARCHING), is told in the protocol's own way.
        """


def pascal_name(name: str) -> str:
    """`EyeBlinkLeft` for `eyeBlinkLeft`."""
    return name[0].upper() + name[1:]


def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address a person typed: numbers, or localhost.

    Names are not looked up: that may block for seconds, and whom it reaches would be up to the network.

    Raises:
        StreamError: it is no address, or one of many receivers at once.
    """
    wanted = text.strip().strip("[]")
    if wanted.lower() == "localhost":
        wanted = "127.0.0.1"
    try:
        address = ipaddress.ip_address(wanted)
    except ValueError:
        raise StreamError(
            f"{text!r} is not a network address: type one in numbers such as 192.168.0.20, or localhost."
        ) from None
    if address.is_multicast or address == ipaddress.ip_address("255.255.255.255"):
        raise StreamError(f"{wanted} reaches many machines at once: type the address of one machine.")
    return address


def is_loopback(text: str) -> bool:
    """True where packets to (or a socket bound to) this address stay on this machine."""
    return parse_address(text).is_loopback
