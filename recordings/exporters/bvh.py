"""BVH: the motion of head, neck and eyes as a skeleton that every animation program reads."""

from __future__ import annotations

from math import degrees

import numpy as np
from numpy.typing import NDArray

from models.geometry.rotations import from_euler, from_quaternion, from_rotvec, to_euler, to_rotvec
from recordings.exporters.base import ExportError, Job, part_file

__all__ = ["NECK_SHARE", "export_bvh"]

NECK_SHARE = 0.35
"""Of the head's turn that the neck takes over, as animators split it; the two together are the head's whole turn."""
CENTIMETRES = 100.0
_EYE_LEFT, _EYE_RIGHT = np.array([0.031, 0.0, 0.0]), np.array([-0.031, 0.0, 0.0])
_NECK = np.array([0.0, -0.13, -0.06])
_HEAD = np.array([0.0, 0.09, 0.02])


def export_bvh(job: Job) -> None:
    """A root at the base of the neck that moves, with Neck, Head, LeftEye and RightEye below it.

    Centimetres and degrees, +y up, +z out of the face, +x to the subject's left; rotations are written Z X Y, that is
    R = Rz Rx Ry. The root carries the head's place in the camera's frame turned upright (y up, z towards the camera).
    Frames without a face hold the last values.
    """
    _, fps = job.even_track()
    track = job.animation(even=True)
    joints = _rest_joints(job)
    lines = _hierarchy(joints)
    lines += ["MOTION", f"Frames: {len(track)}", f"Frame Time: {1 / fps:.8f}"]
    with part_file(job.out) as part, part.open("w", newline="\n", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
        for row in range(len(track)):
            turn = from_quaternion(track.quaternion[row])
            vector = to_rotvec(turn)
            neck = from_rotvec(vector * NECK_SHARE)
            head = neck.T @ turn
            place = track.translation[row] * (1, -1, -1)
            # So that the eyes' middle, which is what was tracked, comes out where it was.
            root = place - neck @ (joints["Head"] + head @ joints["Eyes"])
            eyes = [from_euler(float(yaw), float(pitch), 0.0) for yaw, pitch in track.gaze[row]]
            numbers = [*(root * CENTIMETRES), 0.0, 0.0, 0.0]
            for rotation in (neck, head, *eyes):
                numbers += [degrees(a) for a in _zxy(rotation)]
            file.write(" ".join(f"{v:.6f}" for v in numbers) + "\n")
            if row % 500 == 0:
                job.progress(row, len(track))
    job.progress(len(track), len(track))


def _rest_joints(job: Job) -> dict[str, NDArray[np.float64]]:
    """Offsets in metres: of the head from the neck, of the eyes' middle from the head, of each eye from that."""
    try:
        neck, _, left, right = (np.asarray(p, np.float64) for p in job.model().joints(job.session.track.identity))
    except ExportError:
        # Another face model's person: an adult's usual measures.
        neck, left, right = _NECK, _EYE_LEFT, _EYE_RIGHT
    head = neck + _HEAD
    return {"Head": _HEAD, "Eyes": -head, "LeftEye": left - head, "RightEye": right - head}


def _hierarchy(joints: dict[str, NDArray[np.float64]]) -> list[str]:
    def offset(values: NDArray[np.float64]) -> str:
        return "OFFSET " + " ".join(f"{v * CENTIMETRES:.6f}" for v in values)

    turns = "CHANNELS 3 Zrotation Xrotation Yrotation"
    eye_end = np.array([0.0, 0.0, 0.012])
    lines = ["HIERARCHY", "ROOT Root", "{", "\tOFFSET 0.0 0.0 0.0"]
    lines += ["\tCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"]
    lines += ["\tJOINT Neck", "\t{", "\t\tOFFSET 0.0 0.0 0.0", f"\t\t{turns}", "\t\tJOINT Head", "\t\t{"]
    lines += [f"\t\t\t{offset(joints['Head'])}", f"\t\t\t{turns}"]
    for name in ("LeftEye", "RightEye"):
        lines += [f"\t\t\tJOINT {name}", "\t\t\t{", f"\t\t\t\t{offset(joints[name])}", f"\t\t\t\t{turns}"]
        lines += ["\t\t\t\tEnd Site", "\t\t\t\t{", f"\t\t\t\t\t{offset(eye_end)}", "\t\t\t\t}", "\t\t\t}"]
    return [*lines, "\t\t}", "\t}", "}"]


def _zxy(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    """Angles z, x, y in radians of R = Rz Rx Ry."""
    # Transposed, that is Ry(-y) Rx(-x) Rz(-z): our own order with all signs turned.
    yaw, pitch, roll = to_euler(rotation.T).tolist()
    return -roll, -pitch, -yaw
