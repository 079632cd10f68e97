"""How a third-party avatar holds itself: bones, expressions, and the place it is looked at from. No drawing."""

from __future__ import annotations

from dataclasses import dataclass
from math import tan

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.avatars import Avatar, EyeRange
from models.channels import CHANNEL_INDEX, GAZE_FULL_PITCH, GAZE_FULL_YAW
from models.geometry.camera import Camera
from models.geometry.rotations import from_euler, from_rotvec, to_rotvec
from rendering.projection import HeadView
from rendering.scene import CameraMode, Scene
from tracking.retarget import Driven

__all__ = ["AvatarFrame", "AvatarPose", "avatar_view"]

Matrix = NDArray[np.float64]

NECK_SHARE = 0.35
"""Of the head's rotation that the neck takes; the head bone takes the rest."""
ARMS_DOWN = np.radians(70.0)
"""Angle below the horizontal at which arms hang that the file holds out to the sides."""
ARMS_OUT = np.radians(40.0)
"""Arms that hang less steeply than this are taken to be held out."""
JAW_OPEN = np.radians(20.0)
"""Turn of a jaw bone at jawOpen 1, for avatars that have no morph target for it."""
BREATH_TURN = 0.012
"""Radians that the chest turns with a breath."""
HEAD_HEIGHT = 0.25
"""Metres: the avatar is scaled so that its head, from the head bone to the crown, has this height."""
OPENS_MOUTH = ("jawOpen", "aa", "viseme_aa", "mouthOpen")


@njit(cache=True, nogil=True)
def _worlds(local: Matrix, parents: NDArray[np.int32], out: Matrix) -> None:
    for i in range(len(parents)):
        parent = parents[i]
        if parent < 0:
            out[i] = local[i]
            continue
        for r in range(3):
            for c in range(4):
                value = 0.0
                for k in range(3):
                    value += out[parent, r, k] * local[i, k, c]
                if c == 3:
                    value += out[parent, r, 3]
                out[i, r, c] = value
        out[i, 3, 0] = out[i, 3, 1] = out[i, 3, 2] = 0.0
        out[i, 3, 3] = 1.0


@njit(cache=True, nogil=True)
def _palette(worlds: Matrix, nodes: NDArray[np.int32], inverse: Matrix, out: NDArray[np.float32]) -> None:
    for i in range(len(nodes)):
        node = nodes[i]
        for r in range(3):
            for c in range(4):
                value = 0.0
                for k in range(4):
                    value += worlds[node, r, k] * inverse[i, k, c]
                out[i, r, c] = value


class AvatarPose:
    """Turns what drives an avatar into matrices of its joints.

    Args:
        avatar: any.

    Attributes:
        eyes_turn: whether there are eye bones that the gaze turns.
    """

    def __init__(self, avatar: Avatar) -> None:
        skeleton = avatar.skeleton
        self._avatar = avatar
        self._parents = np.ascontiguousarray(skeleton.parents, np.int32)
        self._roles = skeleton.roles
        self._rest = _arms_down(avatar)
        self._rest_world = skeleton.world(self._rest)
        self._inverse = np.ascontiguousarray(avatar.palette_inverse, np.float64)
        self._nodes = np.ascontiguousarray(avatar.palette_nodes, np.int32)
        self._world = self._rest_world.copy()
        # A joint's parent space, as a rotation alone: a turn in the avatar's axes becomes one in the joint's own.
        self._axes = {role: _rotation_of_parent(self._rest_world, self._parents, i) for role, i in self._roles.items()}
        moved = set(self._nodes.tolist())
        self.eyes_turn = avatar.eyes_by_bones and any(
            self._roles.get(eye) in moved for eye in ("left_eye", "right_eye")
        )
        self._jaw_opens = "jaw" in self._roles and not any(n in avatar.expressions for n in OPENS_MOUTH)
        self._pivot = np.zeros(3)

    def set_pivot(self, pivot: NDArray[np.float64]) -> None:
        """(3,) avatar's space: what an avatar without head and neck bones turns about."""
        self._pivot = pivot

    def rest_palette(self) -> NDArray[np.float32]:
        """(P, 3, 4) float32 of the rest pose with arms down."""
        out = np.empty((len(self._nodes), 3, 4), np.float32)
        _palette(self._rest_world, self._nodes, self._inverse, out)
        return out

    def role_place(self, role: str) -> NDArray[np.float64] | None:
        """(3,) avatar's space: where a bone stands at rest; None without it."""
        node = self._roles.get(role)
        return None if node is None else np.array(self._rest_world[node, :3, 3])

    def palette(self, driven: Driven, *, turn_head: bool = True, out: NDArray[np.float32]) -> NDArray[np.float32]:
        """Fills (P, 3, 4) float32 with each joint's matrix from mesh space to the avatar's.

        Args:
            driven: head, gaze, jaw and breath; its expression is not looked at but for the jaw.
            turn_head: False keeps the head straight.
            out: filled and returned.
        """
        local = self._rest.copy()
        rotation = driven.rotation if turn_head else np.eye(3)
        whole = None
        if "head" in self._roles and "neck" in self._roles:
            axis = to_rotvec(rotation)
            self._turn(local, "neck", from_rotvec(axis * NECK_SHARE))
            self._turn(local, "head", from_rotvec(axis * (1.0 - NECK_SHARE)))
        elif "head" in self._roles or "neck" in self._roles:
            self._turn(local, "head" if "head" in self._roles else "neck", rotation)
        else:
            whole = rotation
        if driven.breath:
            self._turn(local, "chest", from_euler(0.0, -BREATH_TURN * driven.breath, 0.0))
            self._turn(local, "neck", from_euler(0.0, BREATH_TURN * driven.breath, 0.0))
        if self.eyes_turn:
            for eye, role in enumerate(("left_eye", "right_eye")):
                yaw, pitch = _limited(driven.gaze[eye], self._avatar.eye_range, left=eye == 0)
                self._turn(local, role, from_euler(yaw, pitch, 0.0))
        if self._jaw_opens:
            self._turn(local, "jaw", from_euler(0.0, JAW_OPEN * float(driven.values[_JAW]), 0.0))
        if whole is not None:
            around = np.eye(4)
            around[:3, :3] = whole
            around[:3, 3] = self._pivot - whole @ self._pivot
            for root in np.flatnonzero(self._parents < 0):
                local[root] = around @ local[root]
        _worlds(local, self._parents, self._world)
        _palette(self._world, self._nodes, self._inverse, out)
        return out

    def _turn(self, local: Matrix, role: str, turn: Matrix) -> None:
        """Turns a bone about its own place, by a rotation in the avatar's axes."""
        node = self._roles.get(role)
        if node is None:
            return
        axes = self._axes[role]
        local[node, :3, :3] = axes.T @ turn @ axes @ local[node, :3, :3]


_JAW = CHANNEL_INDEX["jawOpen"]


def _limited(gaze: NDArray[np.floating], limits: EyeRange, *, left: bool) -> tuple[float, float]:
    """Yaw and pitch of an eye bone: where the file sets a range, a full human gaze reaches its end."""
    yaw, pitch = float(gaze[0]), float(gaze[1])
    outward = yaw > 0 if left else yaw < 0
    across, along = limits.outward if outward else limits.inward, limits.down if pitch > 0 else limits.up
    if across is not None:
        yaw = float(np.clip(yaw / GAZE_FULL_YAW, -1.0, 1.0)) * across
    if along is not None:
        pitch = float(np.clip(pitch / GAZE_FULL_PITCH, -1.0, 1.0)) * along
    return yaw, pitch


def _rotation_of_parent(world: Matrix, parents: NDArray[np.int32], node: int) -> Matrix:
    parent = int(parents[node])
    if parent < 0:
        return np.eye(3)
    u, _, vt = np.linalg.svd(world[parent, :3, :3])
    return np.asarray(u @ vt, np.float64)


def _below(parents: NDArray[np.int32], node: int) -> list[int]:
    """A node and all that hangs on it; parents come first in the list."""
    found = {node}
    for i, parent in enumerate(parents.tolist()):
        if parent in found:
            found.add(i)
    return sorted(found)


def _arms_down(avatar: Avatar) -> Matrix:
    """The local rest transforms with the arms hanging."""
    skeleton, rest = avatar.skeleton, avatar.skeleton.rest.copy()
    world = skeleton.world()
    for side in ("left", "right"):
        upper, lower = (skeleton.roles.get(f"{side}_{part}_arm") for part in ("upper", "lower"))
        if upper is None or lower is None:
            continue
        along = world[lower, :3, 3] - world[upper, :3, 3]
        reach = float(np.hypot(along[0], along[2]))
        below = float(np.arctan2(-along[1], reach))
        if below > ARMS_OUT or reach < 1e-9:
            continue
        # About the axis that is level and at right angles to the arm.
        axis = np.cross([along[0] / reach, 0.0, along[2] / reach], [0.0, -1.0, 0.0])
        axes = _rotation_of_parent(world, skeleton.parents, upper)
        turn = from_rotvec(axis * (ARMS_DOWN - below))
        rest[upper, :3, :3] = axes.T @ turn @ axes @ rest[upper, :3, :3]
    return rest


@dataclass(frozen=True, slots=True)
class AvatarFrame:
    """Where an avatar's head is, for the camera.

    Attributes:
        centre: (3,) avatar's space: what the middle of the picture shows.
        height: of the picture at zoom 1, in the avatar's units.
        reach: how far the avatar extends towards and away from the viewer, in its units.
        metre: avatar's units that stand for a metre.
    """

    centre: NDArray[np.float64]
    height: float
    reach: float
    metre: float

    @classmethod
    def of(
        cls, avatar: Avatar, pose: AvatarPose, vertices: NDArray[np.float32], joints: NDArray[np.int32]
    ) -> AvatarFrame:
        """Finds head and shoulders.

        Args:
            vertices: (V, 3) at rest.
            joints: (V,) palette row on which each vertex hangs most.
        """
        roles = avatar.skeleton.roles
        heads = {roles[r] for r in ("head", "jaw", "left_eye", "right_eye") if r in roles}
        on_head = np.isin(avatar.palette_nodes[joints], sorted(heads))
        if "head" in roles and on_head.sum() < 3:
            # Meshes that hang on nodes of their own below the head.
            on_head = np.isin(avatar.palette_nodes[joints], _below(avatar.skeleton.parents, roles["head"]))
        places = vertices[on_head] if on_head.sum() >= 3 else vertices
        low, high = places.min(axis=0).astype(np.float64), places.max(axis=0).astype(np.float64)
        box, bone = np.maximum(high - low, 1e-6), pose.role_place("head")
        far = float(np.abs(vertices - (low + high) / 2)[:, [0, 2]].max(initial=0.0))
        if bone is not None and on_head.sum() >= 3 and 0.3 * box[1] < high[1] - bone[1] < 3.0 * box[1]:
            tall = float(high[1] - bone[1])
            centre = np.array([bone[0], bone[1] + 0.36 * tall, bone[2]])
            # Wide ears or hair count, too.
            return cls(centre, max(1.95 * tall, 1.15 * float(box[0])), max(far, tall), tall / HEAD_HEIGHT)
        tall = float(max(box[1], box[0] * 0.8))
        return cls((low + high) / 2, 1.3 * tall, max(far, tall), tall / HEAD_HEIGHT)


def avatar_view(frame: AvatarFrame, scene: Scene, driven: Driven, width: int, height: int) -> HeadView:
    """How an avatar is seen: as `rendering.projection.head_view` sees a head.

    The head's rotation is in its bones, so the viewpoint's mode only says what moves it away from the middle: nothing
    (LOCKED), the driven translation (FRAMED), or where the head is (STAY).
    """
    point = scene.viewpoint
    focal = min(height, width * 1.25) / 2.0 / tan(point.fov / 2.0)
    camera = Camera(width, height, focal)
    distance = frame.height / 2.0 / tan(point.fov / 2.0) / point.zoom
    turned = np.eye(3)
    if point.yaw or point.pitch:
        turned = from_euler(0.0, point.pitch, 0.0) @ from_euler(-point.yaw, 0.0, 0.0)
    moved = np.zeros(3) if point.mode is CameraMode.LOCKED else driven.translation * frame.metre
    if point.mode is CameraMode.STAY:
        moved = np.array(point.moved) * frame.metre
    view = np.eye(4)
    view[:3, :3] = turned
    view[:3, 3] = turned @ (moved - frame.centre) - (0.0, 0.0, distance)
    reach = frame.reach * 1.3 + float(np.abs(moved).max())
    near, far = max(distance - reach, distance * 0.08), distance + reach
    x, y = 2.0 * camera.focal / width, 2.0 * camera.focal / height
    depth, shift = -(far + near) / (far - near), -2.0 * far * near / (far - near)
    clip = np.array([[x, 0, 0, 0], [0, y, 0, 0], [0, 0, depth, shift], [0, 0, -1, 0]], np.float64)
    if scene.mirror:
        clip = np.diag([-1.0, 1.0, 1.0, 1.0]) @ clip
    return HeadView(view, clip, (0, 0, width, height), perspective=True)
