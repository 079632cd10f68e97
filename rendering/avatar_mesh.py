"""All triangles of a third-party avatar as one list of vertices, morphed and skinned on the processor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.avatars import Avatar
from tracking.retarget import ExpressionMap

__all__ = ["POINT_TYPE", "AvatarMeshes"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

POINT_TYPE = np.dtype([("a_position", np.float32, 3), ("a_normal", np.float32, 3)])


@njit(cache=True, nogil=True, fastmath=True)
def _morph(
    base: Floats, active: Ints, weights: Floats, starts: Ints, index: Ints, offsets: Floats, out: Floats
) -> None:
    out[:] = base
    for a in range(active.size):
        target, weight = active[a], weights[a]
        for row in range(starts[target], starts[target + 1]):
            vertex = index[row]
            for k in range(6):
                out[vertex, k] += weight * offsets[row, k]


@njit(cache=True, nogil=True, fastmath=True)
def _skin(points: Floats, joints: Ints, weights: Floats, palette: Floats, out: Floats) -> None:
    m = np.empty((3, 4), np.float32)
    for v in range(points.shape[0]):
        if weights[v, 0] > 0.9995:
            m[:] = palette[joints[v, 0]]
        else:
            m[:] = 0
            for j in range(4):
                w = weights[v, j]
                if w > 0:
                    p = palette[joints[v, j]]
                    for r in range(3):
                        for c in range(4):
                            m[r, c] += w * p[r, c]
        x, y, z = points[v, 0], points[v, 1], points[v, 2]
        nx, ny, nz = points[v, 3], points[v, 4], points[v, 5]
        for r in range(3):
            out[v, r] = m[r, 0] * x + m[r, 1] * y + m[r, 2] * z + m[r, 3]
            out[v, r + 3] = m[r, 0] * nx + m[r, 1] * ny + m[r, 2] * nz


@njit(cache=True, nogil=True, fastmath=True)
def _project(points: Floats, matrix: Floats, clip: Floats, codes: NDArray[np.uint8]) -> None:
    """Clip coordinates x, y, w of each vertex, and the sides of the clip volume beyond which it lies."""
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        a = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3]
        b = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3]
        c = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3]
        w = matrix[3, 0] * x + matrix[3, 1] * y + matrix[3, 2] * z + matrix[3, 3]
        clip[i, 0], clip[i, 1], clip[i, 2] = a, b, w
        code = (a < -w) | ((a > w) << 1) | ((b < -w) << 2) | ((b > w) << 3) | ((c < -w) << 4) | ((c > w) << 5)
        codes[i] = code


@njit(cache=True, nogil=True, fastmath=True)
def _seen(triangles: Ints, clip: Floats, codes: NDArray[np.uint8], front: float, out: NDArray[np.uint32]) -> int:
    """Collects the triangles that may be in the picture; `front` is the sign of front faces, 0 keeps back faces too."""
    count = 0
    for f in range(triangles.shape[0]):
        i, j, k = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        if codes[i] & codes[j] & codes[k]:
            continue
        if front != 0.0:
            # Twice the area on the screen times the three depths: right behind the viewer, too.
            area = (
                clip[i, 0] * (clip[j, 1] * clip[k, 2] - clip[k, 1] * clip[j, 2])
                - clip[i, 1] * (clip[j, 0] * clip[k, 2] - clip[k, 0] * clip[j, 2])
                + clip[i, 2] * (clip[j, 0] * clip[k, 1] - clip[k, 0] * clip[j, 1])
            )
            if area * front < 0.0:
                continue
        out[count], out[count + 1], out[count + 2] = i, j, k
        count += 3
    return count


class AvatarMeshes:
    """The vertices of an avatar.

    Args:
        avatar: any.
        eyes_turn: eye bones carry the gaze, so the eyeLook* targets leave the eyeballs alone.
        gains: of expressions, by name.

    Attributes:
        uv, uv_more: (V, 2) and (V, 4) float32; `uv_more` is `uv` twice where a mesh needs nothing else.
        parts: material and (F, 3) int32 triangles of each mesh, in the file's order.
        heaviest: (V,) int32 palette row on which each vertex hangs most.
        expressions: which expressions are driven.
    """

    def __init__(self, avatar: Avatar, *, eyes_turn: bool, gains: Mapping[str, float] | None = None) -> None:
        meshes = avatar.meshes
        self._first = np.cumsum([0, *(len(mesh.positions) for mesh in meshes)])
        self._base = np.concatenate([np.concatenate([m.positions, m.normals], axis=1) for m in meshes])
        self._joints = np.concatenate([m.joints for m in meshes]).astype(np.int32)
        self._weights = np.concatenate([m.weights for m in meshes])
        self.heaviest = self._joints[np.arange(len(self._joints)), self._weights.argmax(axis=1)]
        self._sort_weights()
        self.uv = np.concatenate([m.uv for m in meshes])
        self.uv_more = np.concatenate([np.tile(m.uv, 2) if m.uv_more is None else m.uv_more for m in meshes])
        self.parts = [
            (m.material, (m.triangles + f).astype(np.int32)) for f, m in zip(self._first, meshes, strict=False)
        ]
        self._clip = np.zeros((len(self._base), 3), np.float32)
        self._codes = np.zeros(len(self._base), np.uint8)
        self._seen = np.zeros(3 * max(len(triangles) for _, triangles in self.parts), np.uint32)
        self._take_targets(avatar, eyes_turn)
        self._avatar, self._eyes_turn = avatar, eyes_turn
        self.set_gains(gains or {})
        self._morphed = np.empty_like(self._base)
        self.points = np.zeros(len(self._base), POINT_TYPE)
        self._out = self.points.view(np.float32).reshape(-1, 6)

    def _sort_weights(self) -> None:
        """Heaviest first, so that vertices of a single joint are recognised by the first weight."""
        order = np.argsort(-self._weights, axis=1, kind="stable")
        self._weights = np.ascontiguousarray(np.take_along_axis(self._weights, order, axis=1), np.float32)
        self._joints = np.ascontiguousarray(np.take_along_axis(self._joints, order, axis=1), np.int32)

    def _take_targets(self, avatar: Avatar, eyes_turn: bool) -> None:
        roles = avatar.skeleton.roles
        eyes = [roles[name] for name in ("left_eye", "right_eye") if name in roles]
        on_eye = np.isin(avatar.palette_nodes[self.heaviest], eyes) if eyes_turn else np.zeros(len(self._base), bool)
        looks = {
            (bind.mesh, bind.target)
            for name, expression in avatar.expressions.items()
            if name.startswith("eyeLook")
            for bind in expression.binds
        }
        index: list[Ints] = []
        offsets: list[Floats] = []
        counts: list[int] = []
        rest: list[float] = []
        self._target_of: dict[tuple[int, int], int] = {}
        for i, mesh in enumerate(avatar.meshes):
            if mesh.morphs is None:
                continue
            for target in range(len(mesh.morphs.names)):
                rows = slice(mesh.morphs.starts[target], mesh.morphs.starts[target + 1])
                vertices, moves = mesh.morphs.index[rows] + self._first[i], mesh.morphs.offsets[rows]
                if (i, target) in looks and on_eye[vertices].any():
                    keep = ~on_eye[vertices]
                    vertices, moves = vertices[keep], moves[keep]
                self._target_of[i, target] = len(counts)
                index.append(vertices)
                offsets.append(moves)
                counts.append(len(vertices))
                rest.append(float(mesh.morphs.weights[target]))
        self._starts = np.cumsum([0, *counts]).astype(np.int32)
        self._index = np.concatenate(index).astype(np.int32) if index else np.zeros(0, np.int32)
        self._offsets = np.concatenate(offsets).astype(np.float32) if offsets else np.zeros((0, 6), np.float32)
        self._rest_weights = np.array(rest, np.float32)

    def set_gains(self, gains: Mapping[str, float]) -> None:
        """Takes gains of single expressions by name; 1 where nothing is said."""
        avatar = self._avatar
        looks = ("lookUp", "lookDown", "lookLeft", "lookRight") if self._eyes_turn else ()
        self.expressions = ExpressionMap([name for name in avatar.expressions if name not in looks], gains)
        self._driven_row = {name: row for row, name in enumerate(self.expressions.names)}
        chosen = [avatar.expressions[name] for name in self.expressions.names]
        self._binary = np.array([e.binary for e in chosen], bool)
        binds = [(e, self._target_of[b.mesh, b.target], b.weight) for e, ex in enumerate(chosen) for b in ex.binds]
        self._bind_expression = np.array([b[0] for b in binds], np.int64)
        self._bind_target = np.array([b[1] for b in binds], np.int64)
        self._bind_weight = np.array([b[2] for b in binds], np.float32)

    def target_weights(self, values: Floats, own: Iterable[tuple[str, float]] = ()) -> Floats:
        """(T,) weights of all morph targets, of (52,) channels, and of what is added of single expressions."""
        weights = self._rest_weights.copy()
        driven = self.expressions.weights(values)
        more = []
        for name, amount in own:
            row = self._driven_row.get(name)
            if row is not None:
                driven[row] = min(float(driven[row]) + amount, 1.0)
            elif name in self._avatar.expressions:
                more.append((self._avatar.expressions[name], amount))
        if len(self._bind_target):
            driven = np.where(self._binary, (driven > 0.5).astype(np.float32), driven)
            np.add.at(weights, self._bind_target, driven[self._bind_expression] * self._bind_weight)
        for expression, amount in more:
            amount = float(amount > 0.5) if expression.binary else amount
            for bind in expression.binds:
                target = self._target_of[bind.mesh, bind.target]
                # Where two expressions share a target they do not overshoot it together.
                before, least, most = float(weights[target]), min(bind.weight, 0.0), max(bind.weight, 0.0)
                moved = before + amount * bind.weight
                weights[target] = min(max(moved, min(before, least)), max(before, most))
        return weights

    def pose(self, values: Floats, palette: Floats, own: Iterable[tuple[str, float]] = ()) -> NDArray[np.void]:
        """Morphs and skins; gives `points`, (V,) POINT_TYPE in the avatar's space, with normals of any length.

        Args:
            values: (52,) channels.
            palette: (P, 3, 4) of `AvatarPose.palette`.
            own: expressions by name, and how much of each is added; see `Driven.own`.
        """
        weights = self.target_weights(values, own)
        active = np.flatnonzero(np.abs(weights) > 1e-3).astype(np.int32)
        _morph(self._base, active, weights[active], self._starts, self._index, self._offsets, self._morphed)
        _skin(self._morphed, self._joints, self._weights, palette, self._out)
        return self.points

    def project(self, clip_from_avatar: NDArray[np.float64]) -> None:
        """Notes where the vertices, as last posed, are in the picture; for `seen`."""
        _project(self._out, np.asarray(clip_from_avatar, np.float32), self._clip, self._codes)

    def seen(self, part: int, front: float) -> NDArray[np.uint32]:
        """Corners of a part's triangles that may be in the picture. Software drivers work on every vertex they are
        given, and the back of a head or legs below a portrait are half of an avatar.

        Args:
            front: 1 leaves out back faces, -1 those of a mirrored picture, 0 keeps both sides.

        Returns:
            (3 F,) uint32, overwritten by the next call.
        """
        return self._seen[: _seen(self.parts[part][1], self._clip, self._codes, front, self._seen)]
