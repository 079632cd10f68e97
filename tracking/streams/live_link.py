"""Live Link Face over UDP, version 6, big-endian.

`u8 6 | i32 n, n bytes device | i32 m, m bytes subject | i32 frame | f32 sub-frame | i32 fps numerator |
i32 fps denominator | u8 61 | 61 x f32`. The 61 values: ARKIT_CHANNELS, then yaw, pitch, roll of the head, of the left
eye and of the right eye.

Angles are radians. ARKit's face frame (+x to the subject's left, +y up, +z out of the face, right-handed) is our head
frame, and Unreal takes yaw, pitch, roll off it in our order, R = Ry Rx Rz. Its axes are reflected (X = -z, Y = x,
Z = y), so that yaw and roll come out negative; for an unmirrored face the plugin negates these two. What is
sent is therefore our own yaw (to the subject's left), pitch (down) and roll (to the right shoulder), eyes included: in
recordings of the app eyeLookDown comes with a positive pitch, and a left eye that looks in with a negative yaw.
"""

from __future__ import annotations

import struct
from math import floor

import numpy as np

from models.channels import CHANNEL_COUNT
from tracking.streams.base import Encoder, face_values
from tracking.streams.settings import LiveLinkStream
from tracking.types import TrackedFace

VERSION = 6
VALUE_COUNT = CHANNEL_COUNT + 9
FPS = 60
"""Frames a second of the time code; sub-frames carry what lies between."""
_TIME = struct.Struct(">ifii")
_DAY_FRAMES = 24 * 3600 * FPS


class LiveLinkEncoder(Encoder):
    """Encodes Live Link Face."""

    def __init__(self, settings: LiveLinkStream) -> None:
        self._mirror = settings.mirror
        device, subject = settings.device.encode("utf-8"), settings.subject.encode("utf-8")
        self._head = struct.pack(">Bi", VERSION, len(device)) + device + struct.pack(">i", len(subject)) + subject
        self._values = np.zeros(VALUE_COUNT, ">f4")

    def encode(self, face: TrackedFace) -> list[bytes]:
        """One packet. Nobody there: a count of 0."""
        at = face.frame.time_s * FPS
        frame = floor(at)
        head = self._head + _TIME.pack(frame % _DAY_FRAMES, at - frame, FPS, 1)
        values = face_values(face, self._mirror)
        if values is None:
            return [head + b"\0"]
        (left_yaw, left_pitch), (right_yaw, right_pitch) = values.gaze.tolist()
        self._values[:CHANNEL_COUNT] = values.expression
        self._values[CHANNEL_COUNT:] = (
            *(values.yaw, values.pitch, values.roll),
            *(left_yaw, left_pitch, 0.0),
            *(right_yaw, right_pitch, 0.0),
        )
        return [head + bytes((VALUE_COUNT,)) + self._values.tobytes()]
