"""VMC: OSC bundles for VRM avatars.

Unity's axes are left-handed: +x to the avatar's right, +y up, +z forward, metres. The avatar faces +z, so its left is
-x: our head frame (+x left, +y up, +z forward) becomes Unity's by x -> -x. A reflection M = diag(-1, 1, 1) turns a
rotation R into M R M, and a quaternion (w, x, y, z) into (w, x, -y, -z). So a turn to the subject's left by 20 degrees,
(cos 10, 0, sin 10, 0) here, is sent as x 0, y -sin 10, z 0, w cos 10: in Unity, a positive turn about y goes right.
"""

from __future__ import annotations

from math import atan2, cos, sin, sqrt

import numpy as np

from models.channels import ARKIT_CHANNELS, CHANNEL_INDEX
from models.geometry.rotations import to_quaternion
from tracking.streams.base import MTU_BYTES, Encoder, FaceValues, face_values, pascal_name
from tracking.streams.osc import Message, PatchedBundles
from tracking.streams.settings import VmcStream
from tracking.streams.vrm import VRM0_PRESETS, VRM1_PRESETS, to_presets
from tracking.types import TrackedFace

UNDIVIDED_BYTES = 60_000
"""Limit of a bundle that stays on this machine, where packets of any size arrive in one piece."""
JAW_ANGLE = 0.35
"""Radians that the jaw bone turns downwards at jawOpen 1: about 20 degrees."""

# Places of the bones in the bone above, metres in Unity's axes, of a grown person. Receivers that take positions over
# would pull the head into the chest if these were zero; the rotations are what counts.
_PLACES: dict[str, tuple[float, float, float]] = {
    "Neck": (0.0, 0.11, -0.01),
    "Head": (0.0, 0.08, 0.01),
    "LeftEye": (-0.03, 0.06, 0.05),
    "RightEye": (0.03, 0.06, 0.05),
    "Jaw": (0.0, 0.0, 0.02),
}
_JAW_OPEN = CHANNEL_INDEX["jawOpen"]
Quaternion = tuple[float, float, float, float]


class VmcEncoder(Encoder):
    """Encodes VMC.

    Args:
        settings: names, bones and mirror.
        divided: make bundles that fit into one network packet each, for targets beyond this machine.
    """

    def __init__(self, settings: VmcStream, divided: bool = False) -> None:
        self._settings = settings
        limit = MTU_BYTES if divided else UNDIVIDED_BYTES
        self._bones = ["Neck", "Head", "LeftEye", "RightEye"] if settings.bones else []
        self._bones += ["Jaw"] if settings.jaw else []
        names = [pascal_name(n) if settings.arkit_case == "pascal" else n for n in ARKIT_CHANNELS]
        blends = names if settings.arkit else []
        blends = blends + list({"none": (), "vrm0": VRM0_PRESETS, "vrm1": VRM1_PRESETS}[settings.presets])
        body = [Message("/VMC/Ext/T", (0.0,))]
        if settings.root:
            body.append(Message("/VMC/Ext/Root/Pos", ("root", *_still(), 0.0, 0.0, 0.0, 1.0)))
        body += [Message("/VMC/Ext/Bone/Pos", (bone, *_PLACES[bone], 0.0, 0.0, 0.0, 1.0)) for bone in self._bones]
        body += [Message("/VMC/Ext/Blend/Val", (name, 0.0)) for name in blends]
        body += [Message("/VMC/Ext/Blend/Apply")] if blends else []
        # Loaded, calibrated, mode normal; then 1 where the face is seen in this very frame.
        self._seen, self._unseen = (
            PatchedBundles([Message("/VMC/Ext/OK", (1, 3, 0, status)), *body], limit) for status in (1, 0)
        )
        self._nobody = PatchedBundles([Message("/VMC/Ext/OK", (1, 3, 0, 0)), Message("/VMC/Ext/T", (0.0,))], limit)

    def encode(self, face: TrackedFace) -> list[bytes]:
        """One bundle, or several that fit the network. Nobody there: tracking status 0, neither bones nor blends."""
        values = face_values(face, self._settings.mirror)
        floats = [face.frame.time_s]
        if values is None:
            return self._nobody.encode(np.array(floats))
        if self._settings.root:
            floats += (*_still(), 0.0, 0.0, 0.0, 1.0)
        if self._bones:
            turns = self._turns(values)
            for bone in self._bones:
                floats += (*_PLACES[bone], *turns[bone])
        if self._settings.arkit:
            floats += values.expression.tolist()
        if self._settings.presets != "none":
            floats += to_presets(values.expression)
        bundles = self._seen if face.valid else self._unseen
        return bundles.encode(np.array(floats))

    def _turns(self, values: FaceValues) -> dict[str, Quaternion]:
        """Unity's quaternions x, y, z, w of each bone against the one above."""
        w, x, y, z = to_quaternion(values.rotation).tolist()
        # Neck and head turn about the same axis, so that one after the other they make the whole rotation.
        length = sqrt(x * x + y * y + z * z)
        half = atan2(length, w)
        share = self._settings.neck_share
        axis = (x / length, y / length, z / length) if length > 1e-9 else (0.0, 0.0, 0.0)
        (left_yaw, left_pitch), (right_yaw, right_pitch) = values.gaze.tolist()
        jaw = float(values.expression[_JAW_OPEN]) * JAW_ANGLE
        return {
            "Neck": to_unity(cos(half * share), *(a * sin(half * share) for a in axis)),
            "Head": to_unity(cos(half * (1 - share)), *(a * sin(half * (1 - share)) for a in axis)),
            "LeftEye": _eye(left_yaw, left_pitch),
            "RightEye": _eye(right_yaw, right_pitch),
            "Jaw": to_unity(cos(jaw / 2), sin(jaw / 2), 0.0, 0.0),
        }


def to_unity(w: float, x: float, y: float, z: float) -> Quaternion:
    """Unity's x, y, z, w of our quaternion; see the module."""
    return x, -y, -z, w


def from_unity(x: float, y: float, z: float, w: float) -> Quaternion:
    """Our w, x, y, z of Unity's quaternion."""
    return w, x, -y, -z


def _eye(yaw: float, pitch: float) -> Quaternion:
    """Unity's quaternion of Ry(yaw) Rx(pitch)."""
    cy, sy, cx, sx = cos(yaw / 2), sin(yaw / 2), cos(pitch / 2), sin(pitch / 2)
    return to_unity(cy * cx, cy * sx, sy * cx, -sy * sx)


def _still() -> tuple[float, float, float]:
    return 0.0, 0.0, 0.0
