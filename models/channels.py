"""The 52 ARKit expression channels: the one vocabulary in which the whole program speaks of expressions.

The order is Live Link Face's slot order. Everything maps by name; nothing may rely on an index of another program.
Left and right are the subject's own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ARKIT_CHANNELS: tuple[str, ...] = (
    *("eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft"),
    *("eyeSquintLeft", "eyeWideLeft"),
    *("eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight"),
    *("eyeSquintRight", "eyeWideRight"),
    *("jawForward", "jawLeft", "jawRight", "jawOpen"),
    *("mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight"),
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut"),
)
CHANNEL_COUNT = len(ARKIT_CHANNELS)
CHANNEL_INDEX: dict[str, int] = {name: i for i, name in enumerate(ARKIT_CHANNELS)}


def mirrored_name(name: str) -> str:
    """The channel on the other side: `mouthLeft` for `mouthRight`; a channel without a side gives itself."""
    if name.endswith("Left"):
        return name[:-4] + "Right"
    if name.endswith("Right"):
        return name[:-5] + "Left"
    return name


MIRROR_PERMUTATION: NDArray[np.int64] = np.array([CHANNEL_INDEX[mirrored_name(n)] for n in ARKIT_CHANNELS])
"""(52,) index of each channel's mirror image: `values[MIRROR_PERMUTATION]` is the mirrored expression."""

GAZE_CHANNELS: tuple[int, ...] = tuple(i for i, n in enumerate(ARKIT_CHANNELS) if n.startswith("eyeLook"))
"""Indices of the eight eyeLook* channels, which are derived from gaze and never fitted."""

# Angles at which an eyeLook* channel reads 1. Reconstruction: ARKit does not publish its scale; these are the
# comfortable limits of human eye rotation.
GAZE_FULL_YAW = 0.61
GAZE_FULL_PITCH = 0.52


def gaze_to_channels(gaze: NDArray[np.floating]) -> NDArray[np.float32]:
    """The eyeLook* values that belong to a gaze.

    Args:
        gaze: (2, 2) radians, rows left and right eye, columns yaw (> 0 to the subject's left) and pitch (> 0 down),
            relative to the head.

    Returns:
        (52,) float32 in 0..1, zero for every channel that is not eyeLook*.
    """
    values = np.zeros(CHANNEL_COUNT, np.float32)
    for eye, side in enumerate(("Left", "Right")):
        outward = gaze[eye, 0] / GAZE_FULL_YAW * (1.0 if side == "Left" else -1.0)
        down = gaze[eye, 1] / GAZE_FULL_PITCH
        values[CHANNEL_INDEX[f"eyeLookOut{side}"]] = min(max(outward, 0.0), 1.0)
        values[CHANNEL_INDEX[f"eyeLookIn{side}"]] = min(max(-outward, 0.0), 1.0)
        values[CHANNEL_INDEX[f"eyeLookDown{side}"]] = min(max(down, 0.0), 1.0)
        values[CHANNEL_INDEX[f"eyeLookUp{side}"]] = min(max(-down, 0.0), 1.0)
    return values


def channels_to_gaze(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """The gaze (2, 2) in radians that `gaze_to_channels` would turn into these (52,) values."""
    gaze = np.zeros((2, 2), np.float32)
    for eye, side in enumerate(("Left", "Right")):
        outward = values[CHANNEL_INDEX[f"eyeLookOut{side}"]] - values[CHANNEL_INDEX[f"eyeLookIn{side}"]]
        down = values[CHANNEL_INDEX[f"eyeLookDown{side}"]] - values[CHANNEL_INDEX[f"eyeLookUp{side}"]]
        gaze[eye] = outward * GAZE_FULL_YAW * (1.0 if side == "Left" else -1.0), down * GAZE_FULL_PITCH
    return gaze
