"""What VTube Studio's phone app sends to those who ask, also MeowFace: JSON over UDP.

Asked on port 21412 by `{"messageType": "iOSTrackingDataRequest", "time": s, "sentBy": name, "ports": [p, ...]}`,
repeated before s seconds (0.5 to 10) are over; answered to those ports of the one who asked.

The author publishes neither units nor signs; these follow his sample and MeowFace's receivers. Degrees.
Rotation: x = yaw to the subject's right, y = pitch down, z = roll to the left shoulder. EyeLeft, EyeRight: x = pitch
down, y = yaw to the subject's right, z = 0. Position: x to the subject's left, y up, z away from the camera, in
centimetres (a reconstruction: the samples only show a box that moves).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import degrees, isfinite

from models.channels import ARKIT_CHANNELS
from tracking.streams.base import Encoder, face_values, pascal_name
from tracking.streams.settings import VTubeStudioStream
from tracking.types import TrackedFace

REQUEST = "iOSTrackingDataRequest"
SHORTEST_S, LONGEST_S = 0.5, 10.0
MOST_PORTS = 16
_LONGEST_REQUEST = 2048
_VECTOR = '{"x":%.4f,"y":%.4f,"z":%.4f}'


class VTubeStudioEncoder(Encoder):
    """Encodes VTube Studio's phone format.

    Args:
        settings: see VTubeStudioStream.
        clock: seconds since 1970, for the time stamp.
    """

    def __init__(self, settings: VTubeStudioStream, clock: Callable[[], float] = time.time) -> None:
        self._mirror = settings.mirror
        self._clock = clock
        names = [pascal_name(n) if settings.names == "vtube_studio" else n for n in ARKIT_CHANNELS]
        shapes = ",".join(f'{{"k":"{name}","v":%.5f}}' for name in names)
        head = '{"Timestamp":%d,"Hotkey":-1,"FaceFound":%s,"Rotation":' + _VECTOR + ',"Position":' + _VECTOR
        self._template = head + f',"EyeLeft":{_VECTOR},"EyeRight":{_VECTOR},"BlendShapes":[{shapes}]}}'
        self._nothing = (0.0,) * (12 + len(names))

    def encode(self, face: TrackedFace) -> list[bytes]:
        """One packet. `FaceFound` is false while the face is not seen: held values, or zeros if nobody is there."""
        values = face_values(face, self._mirror)
        head = (round(self._clock() * 1000.0), "true" if face.valid else "false")
        if values is None:
            return [(self._template % (*head, *self._nothing)).encode("ascii")]
        (left_yaw, left_pitch), (right_yaw, right_pitch) = values.gaze.tolist()
        x, y, z = values.translation.tolist()
        text = self._template % (
            *head,
            *(degrees(-values.yaw), degrees(values.pitch), degrees(-values.roll)),
            *(100.0 * x, -100.0 * y, 100.0 * z),
            *(degrees(left_pitch), degrees(-left_yaw), 0.0),
            *(degrees(right_pitch), degrees(-right_yaw), 0.0),
            *values.expression.tolist(),
        )
        return [text.encode("ascii")]


@dataclass(frozen=True, slots=True)
class Request:
    """Who asked: for how many seconds, and at which ports."""

    seconds: float
    ports: tuple[int, ...]


def parse_request(data: bytes) -> Request | None:
    """The request in a packet, with its seconds limited to what the format allows; None for anything else."""
    if len(data) > _LONGEST_REQUEST:
        return None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("messageType") != REQUEST:
        return None
    seconds, ports = found.get("time"), found.get("ports")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not isinstance(ports, list):
        return None
    try:
        limited = min(max(float(seconds), SHORTEST_S), LONGEST_S)
    except OverflowError:
        return None
    if not isfinite(limited) or not 1 <= len(ports) <= MOST_PORTS:
        return None
    if not all(isinstance(p, int) and not isinstance(p, bool) and 1 <= p <= 65535 for p in ports):
        return None
    return Request(limited, tuple(dict.fromkeys(ports)))
