"""iFacialMocap's text over UDP.

`eyeBlink_L-7|...|=head#pitch,yaw,roll,x,y,z|rightEye#pitch,yaw,roll|leftEye#pitch,yaw,roll|`: channels as whole numbers
0..100 (`-` between name and value, or `&` when version 2 was asked for), angles in degrees, metres.

The app sends ARKit's values. Its head frame is ours, so pitch > 0 looks down, yaw > 0 turns to the subject's left and
roll > 0 tilts to the right shoulder: its own Unity sample makes Euler(pitch, -yaw, -roll) of them, which is what the
reflection x -> -x makes of our signs. Position is in ARKit's camera axes (+x to the right in the picture, which is the
subject's left, +y up, +z towards the viewer): (x, -y, -z) of our camera frame.

The protocol has no word for "nobody": nothing is sent then.
"""

from __future__ import annotations

from math import degrees

import numpy as np

from models.channels import ARKIT_CHANNELS
from models.geometry.rotations import HEAD_TO_CAMERA
from tracking.streams.base import Encoder, face_values
from tracking.streams.settings import IFacialMocapStream
from tracking.types import TrackedFace

START_REQUEST = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
VERSION_2 = b"|sendDataVersion=v2"
_SIDELESS = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
"""Channels whose side is a direction: the app leaves their names as they are."""


def wire_name(name: str) -> str:
    """`eyeBlink_L` for `eyeBlinkLeft`; `jawLeft` stays."""
    if name in _SIDELESS:
        return name
    if name.endswith("Left"):
        return name[:-4] + "_L"
    return name[:-5] + "_R" if name.endswith("Right") else name


class IFacialMocapEncoder(Encoder):
    """Encodes iFacialMocap's text.

    Args:
        settings: see IFacialMocapStream.
        version: 1 or 2 of the text.
    """

    def __init__(self, settings: IFacialMocapStream, version: int = 1) -> None:
        self._mirror = settings.mirror
        between = "&" if version == 2 else "-"
        self._template = (
            "|".join(f"{wire_name(name)}{between}%d" for name in ARKIT_CHANNELS)
            + "|=head#%.3f,%.3f,%.3f,%.4f,%.4f,%.4f|rightEye#%.3f,%.3f,0|leftEye#%.3f,%.3f,0|"
        )

    def encode(self, face: TrackedFace) -> list[bytes]:
        """One packet, none where nobody is seen."""
        values = face_values(face, self._mirror)
        if values is None:
            return []
        (left_yaw, left_pitch), (right_yaw, right_pitch) = values.gaze.tolist()
        angles = (values.pitch, values.yaw, values.roll, right_pitch, right_yaw, left_pitch, left_yaw)
        pitch, yaw, roll, *eyes = (degrees(angle) for angle in angles)
        position = (HEAD_TO_CAMERA @ values.translation).tolist()
        shares = np.rint(values.expression * 100.0).tolist()
        text = self._template % (*shares, pitch, yaw, roll, *position, *eyes)
        return [text.encode("ascii")]


def parse_request(data: bytes) -> int | None:
    """The version that a start request asks for, 1 or 2; None for anything else."""
    if not data.startswith(START_REQUEST):
        return None
    return 2 if data[len(START_REQUEST) :].startswith(VERSION_2) else 1
