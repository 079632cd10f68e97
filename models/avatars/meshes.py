"""The triangles of an avatar file: positions, skin weights and morph targets, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.avatars.accessors import Accessors
from models.avatars.avatar import AvatarMesh, Morphs
from models.avatars.container import Document, as_int, as_list, as_number, as_object, as_objects
from models.avatars.materials import Slots
from models.avatars.skeleton import NodeTree
from models.geometry.normals import VertexNormals

__all__ = ["MeshReader"]

Floats = NDArray[np.float32]
Longs = NDArray[np.int64]

MOST_VERTICES = 2_000_000
MOST_TRIANGLES = 2_000_000
MOST_TARGETS = 1024
MOST_MORPH_ROWS = 12_000_000
"""Vertices that all morph targets together move."""
LARGEST_PLACE = 1e6
STILL = 1e-4
"""Share of a morph target's largest move below which a vertex counts as still."""
TRIANGLES, STRIP, FAN = 4, 5, 6


@dataclass(slots=True)
class _Primitive:
    """One primitive on its way: `used` are the vertices of the file that its triangles need."""

    entry: dict[str, Any]
    used: Longs
    triangles: NDArray[np.int32]
    moved: list[NDArray[np.int32]] = field(default_factory=list)
    offsets: list[Floats] = field(default_factory=list)


class MeshReader:
    """Reads the meshes that nodes show, and collects the joints that they hang on.

    Attributes:
        palette_nodes, palette_inverse: as in Avatar.
        joints: places of all nodes that skins use.
    """

    def __init__(self, document: Document, accessors: Accessors, tree: NodeTree, slots: Sequence[Slots]) -> None:
        self._document, self._accessors, self._tree, self._slots = document, accessors, tree, slots
        self._entries, self._skins = document.items("meshes"), document.items("skins")
        self._skin_rows: dict[int, tuple[int, int]] = {}
        self._vertices = self._triangles = self._morph_rows = 0
        self.palette_nodes: list[int] = []
        self.palette_inverse: list[NDArray[np.float64]] = []

    def joints(self) -> frozenset[int]:
        """Places of all nodes that any skin of the file uses."""
        numbers = (as_int(j) for skin in self._skins for j in as_list(skin.get("joints")))
        return frozenset(self._tree.place[n] for n in numbers if n in self._tree.place)

    def read(self) -> list[AvatarMesh]:
        """All that the scene shows.

        Raises:
            AvatarFileError: damaged or too large.
        """
        meshes: list[AvatarMesh] = []
        back = {place: number for number, place in self._tree.place.items()}
        for place in sorted(self._tree.shown):
            node = self._tree.entries[place]
            if "mesh" not in node:
                continue
            index = as_int(node["mesh"])
            if not 0 <= index < len(self._entries):
                raise self._document.error(f"is damaged: a node shows mesh {node['mesh']} of {len(self._entries)}.")
            meshes += self._mesh(index, place, back[place], as_int(node.get("skin")))
        if not meshes:
            raise self._document.error("shows no triangles: there is nothing to draw.")
        return meshes

    def _mesh(self, index: int, place: int, number: int, skin: int) -> list[AvatarMesh]:
        entry = self._entries[index]
        name = str(entry.get("name") or self._tree.names[place])[:200]
        primitives = []
        for item in as_objects(entry.get("primitives"), self._document, f"mesh {index}"):
            if as_int(item.get("mode"), TRIANGLES) in (TRIANGLES, STRIP, FAN):
                primitives.append(self._topology(item, name))
        names = self._target_names(entry, primitives)
        self._take_targets(primitives, len(names), name)
        found = []
        for primitive in primitives:
            if len(primitive.triangles):
                found.append(self._finished(primitive, entry, name, names, (index, number), place, skin))
        return found

    def _topology(self, entry: dict[str, Any], name: str) -> _Primitive:
        """The triangles over the vertices that they use: exporters share one large list among all parts of a mesh."""
        attributes = as_object(entry.get("attributes"))
        if "POSITION" not in attributes:
            raise self._document.error(f"is damaged: mesh {name} has no positions.")
        count = self._accessors.count(attributes["POSITION"])
        if "indices" in entry:
            indices = self._accessors.whole(entry["indices"], 1)[:, 0]
        else:
            indices = np.arange(count, dtype=np.int64)
        if len(indices) and (int(indices.max()) >= count or int(indices.min()) < 0):
            raise self._document.error(f"is damaged: a triangle of mesh {name} uses a vertex that does not exist.")
        corners = _triangles(indices, as_int(entry.get("mode"), TRIANGLES))
        used, places = np.unique(corners, return_inverse=True)
        self._vertices += len(used)
        self._triangles += len(corners)
        if self._vertices > MOST_VERTICES or self._triangles > MOST_TRIANGLES:
            raise self._document.error(f"is too large: more than {MOST_VERTICES:,} vertices or triangles.")
        return _Primitive(entry, used, places.reshape(-1, 3).astype(np.int32))

    def _target_names(self, entry: dict[str, Any], primitives: list[_Primitive]) -> tuple[str, ...]:
        count = max((len(as_list(p.entry.get("targets"))) for p in primitives), default=0)
        if count > MOST_TARGETS:
            raise self._document.error(f"has {count} morph targets in one mesh; {MOST_TARGETS} are read.")
        names = as_list(as_object(entry.get("extras")).get("targetNames"))
        for primitive in primitives:
            # VRM 0.x keeps them with the primitive.
            names = names or as_list(as_object(primitive.entry.get("extras")).get("targetNames"))
        return tuple(str(names[i])[:200] if i < len(names) else "" for i in range(count))

    def _take_targets(self, primitives: list[_Primitive], count: int, name: str) -> None:
        for t in range(count):
            read: dict[tuple[int, int], tuple[Floats, Floats | None]] = {}
            for primitive in primitives:
                targets = as_list(primitive.entry.get("targets"))
                target = as_object(targets[t]) if t < len(targets) else {}
                key = (as_int(target.get("POSITION")), as_int(target.get("NORMAL")))
                if key not in read:
                    read[key] = self._target(key, name)
                places, normals = read[key]
                self._keep_moved(primitive, places, normals, name)

    def _target(self, key: tuple[int, int], name: str) -> tuple[Floats, Floats | None]:
        position, normal = key
        places = self._accessors.floats(position, 3) if position >= 0 else np.zeros((0, 3), np.float32)
        normals = self._accessors.floats(normal, 3) if normal >= 0 else None
        if not np.isfinite(places).all() or np.abs(places).max(initial=0.0) > LARGEST_PLACE:
            raise self._document.error(f"is damaged: a morph target of mesh {name} moves vertices to nowhere.")
        if normals is not None and not np.isfinite(normals).all():
            normals = None
        return places, normals

    def _keep_moved(self, primitive: _Primitive, places: Floats, normals: Floats | None, name: str) -> None:
        if not len(places):
            primitive.moved.append(np.zeros(0, np.int32))
            primitive.offsets.append(np.zeros((0, 6), np.float32))
            return
        if int(primitive.used.max(initial=-1)) >= len(places):
            raise self._document.error(f"is damaged: a morph target of mesh {name} has too few vertices.")
        moves = places[primitive.used]
        size = float(np.abs(moves).max(initial=0.0))
        kept = np.flatnonzero(np.abs(moves).max(axis=1) > max(size * STILL, 1e-9)).astype(np.int32)
        self._morph_rows += len(kept)
        if self._morph_rows > MOST_MORPH_ROWS:
            raise self._document.error(f"is too large: its morph targets move more than {MOST_MORPH_ROWS:,} vertices.")
        offsets = np.zeros((len(kept), 6), np.float32)
        offsets[:, :3] = moves[kept]
        if normals is not None and len(normals) >= len(places):
            offsets[:, 3:] = normals[primitive.used[kept]]
        primitive.moved.append(kept)
        primitive.offsets.append(offsets)

    def _finished(
        self,
        primitive: _Primitive,
        mesh: dict[str, Any],
        name: str,
        names: tuple[str, ...],
        source: tuple[int, int],
        place: int,
        skin: int,
    ) -> AvatarMesh:
        attributes, used = as_object(primitive.entry.get("attributes")), primitive.used
        total = self._accessors.count(attributes["POSITION"])

        def values(key: str, width: int) -> Floats | None:
            if key not in attributes:
                return None
            array = self._accessors.floats(attributes[key], width)
            if len(array) != total:
                raise self._document.error(f"is damaged: {key} of mesh {name} has another length than its positions.")
            return array[used]

        positions = values("POSITION", 3)
        if positions is None or not np.isfinite(positions).all() or np.abs(positions).max() > LARGEST_PLACE:
            raise self._document.error(f"is damaged: mesh {name} has vertices that are not numbers.")
        joints, weights, skinned = self._skin(attributes, total, used, place, skin, name)
        triangles = primitive.triangles
        if not skinned and np.linalg.det(self._world(place)[:3, :3]) < 0:
            triangles = np.ascontiguousarray(triangles[:, ::-1])
        normals = values("NORMAL", 3)
        if normals is None or not np.isfinite(normals).all():
            normals = VertexNormals(triangles, len(positions))(positions)
        material = as_int(primitive.entry.get("material"))
        if material >= len(self._slots) - 1 or material < 0:
            material = len(self._slots) - 1
        uv, uv_more = self._coordinates(values, self._slots[material], len(positions))
        given = as_list(self._tree.entries[place].get("weights")) or as_list(mesh.get("weights"))
        return AvatarMesh(
            name=name,
            positions=positions,
            normals=normals,
            uv=uv,
            uv_more=uv_more,
            triangles=triangles,
            joints=joints,
            weights=weights,
            morphs=_morphs(primitive, names, given) if names else None,
            material=material,
            source=source,
        )

    def _world(self, place: int) -> NDArray[np.float64]:
        matrix = np.eye(4)
        while place >= 0:
            matrix = self._tree.rest[place] @ matrix
            place = int(self._tree.parents[place])
        return matrix

    def _skin(
        self, attributes: dict[str, Any], total: int, used: Longs, place: int, skin: int, name: str
    ) -> tuple[NDArray[np.int32], Floats, bool]:
        """Rows of the palette and weights; a mesh without a skin hangs on its node alone."""
        if skin < 0 or "JOINTS_0" not in attributes or "WEIGHTS_0" not in attributes:
            joints = np.zeros((len(used), 4), np.int32)
            joints[:] = len(self.palette_nodes)
            self.palette_nodes.append(place)
            self.palette_inverse.append(np.eye(4))
            weights = np.zeros((len(used), 4), np.float32)
            weights[:, 0] = 1.0
            return joints, weights, False
        first, count = self._skin_palette(skin)
        numbers = self._accessors.whole(attributes["JOINTS_0"], 4)
        weights = self._accessors.floats(attributes["WEIGHTS_0"], 4)
        if len(numbers) != total or len(weights) != total:
            raise self._document.error(f"is damaged: the skin of mesh {name} has another length than its positions.")
        numbers, weights = numbers[used], np.maximum(np.nan_to_num(weights[used], posinf=0.0), 0.0)
        numbers = np.where(weights > 0, numbers, 0)
        if numbers.min(initial=0) < 0 or numbers.max(initial=0) >= count:
            raise self._document.error(f"is damaged: mesh {name} hangs on a joint that does not exist.")
        total_weight = weights.sum(axis=1, keepdims=True)
        weights = np.where(total_weight > 1e-6, weights / np.maximum(total_weight, 1e-6), [[1.0, 0.0, 0.0, 0.0]])
        return (numbers + first).astype(np.int32), weights.astype(np.float32), True

    def _skin_palette(self, skin: int) -> tuple[int, int]:
        """First row and number of rows of a skin in the palette."""
        if skin in self._skin_rows:
            return self._skin_rows[skin]
        if skin >= len(self._skins):
            raise self._document.error(f"is damaged: a node uses skin {skin} of {len(self._skins)}.")
        entry = self._skins[skin]
        joints = [as_int(j) for j in as_list(entry.get("joints"))]
        if not joints or any(j not in self._tree.place for j in joints):
            raise self._document.error(f"is damaged: skin {skin} has joints that do not exist.")
        if "inverseBindMatrices" in entry:
            inverse = self._accessors.floats(entry["inverseBindMatrices"], 16)
            if len(inverse) < len(joints) or not np.isfinite(inverse).all():
                raise self._document.error(f"is damaged: skin {skin} lacks matrices for its joints.")
            matrices = inverse[: len(joints)].reshape(-1, 4, 4).transpose(0, 2, 1).astype(np.float64)
        else:
            matrices = np.tile(np.eye(4), (len(joints), 1, 1))
        self._skin_rows[skin] = len(self.palette_nodes), len(joints)
        self.palette_nodes += [self._tree.place[j] for j in joints]
        self.palette_inverse += list(matrices)
        return self._skin_rows[skin]

    def _coordinates(self, values: Any, slots: Slots, count: int) -> tuple[Floats, Floats | None]:
        sets: dict[int, Floats] = {}

        def of(number: int) -> Floats:
            if number not in sets:
                given = values(f"TEXCOORD_{number}", 2)
                sets[number] = np.zeros((count, 2), np.float32) if given is None else np.nan_to_num(given)
            return sets[number]

        base, normal, glow = (
            np.asarray(of(slot.coordinates) @ slot.matrix[:, :2].T + slot.matrix[:, 2], np.float32) for slot in slots
        )
        if np.array_equal(base, normal) and np.array_equal(base, glow):
            return base, None
        return base, np.concatenate([normal, glow], axis=1)


def _morphs(primitive: _Primitive, names: tuple[str, ...], given: list[Any]) -> Morphs:
    starts = np.concatenate([[0], np.cumsum([len(kept) for kept in primitive.moved])]).astype(np.int32)
    weights = [as_number(given[i] if i < len(given) else None, 0.0) for i in range(len(names))]
    return Morphs(
        names=names,
        starts=starts,
        index=np.concatenate(primitive.moved).astype(np.int32),
        offsets=np.concatenate(primitive.offsets).astype(np.float32),
        weights=np.clip(np.array(weights, np.float32), -1.0, 1.0),
    )


def _triangles(indices: Longs, mode: int) -> Longs:
    """(F, 3) corners."""
    if mode == TRIANGLES:
        return indices[: len(indices) // 3 * 3].reshape(-1, 3)
    if len(indices) < 3:
        return np.zeros((0, 3), np.int64)
    first, second, third = indices[:-2], indices[1:-1], indices[2:]
    if mode == FAN:
        return np.stack([np.full_like(second, indices[0]), second, third], axis=1)
    odd = np.arange(len(first)) % 2 == 1
    return np.stack([first, np.where(odd, third, second), np.where(odd, second, third)], axis=1)
