"""A third-party avatar in memory: what a glTF or VRM file holds, checked, in the program's axes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.avatars.textures import AvatarTexture

__all__ = [
    "ROLES",
    "Avatar",
    "AvatarMaterial",
    "AvatarMesh",
    "Bind",
    "Expression",
    "EyeRange",
    "Licence",
    "Morphs",
    "Skeleton",
    "Toon",
]

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

ROLES = (
    *("hips", "chest", "neck", "head", "jaw", "left_eye", "right_eye"),
    *("left_upper_arm", "right_upper_arm", "left_lower_arm", "right_lower_arm"),
)
"""Bones that are posed, or looked at to pose others. Left and right are the avatar's own."""


@dataclass(frozen=True, slots=True)
class Licence:
    """What the file says about its author and its use; every text may be empty.

    Attributes:
        title, author, licence, url: as in the file.
    """

    title: str = ""
    author: str = ""
    licence: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Toon:
    """MToon's two tones.

    Attributes:
        shade: (3,) linear colour of the parts in shadow, times the base texture.
        shift: moves the shadow's edge, -1..1; greater lights more.
        toony: 0 shades softly, 1 cuts sharply.
    """

    shade: tuple[float, float, float]
    shift: float
    toony: float


@dataclass(frozen=True, slots=True)
class AvatarMaterial:
    """How a mesh's surface looks.

    Attributes:
        base_colour: linear RGB and alpha.
        base_texture, normal_texture, emissive_texture: index into `Avatar.textures`, None for none.
        normal_scale: strength of the normal map.
        emissive: linear RGB.
        roughness: 0..1.
        metallic: 0..1.
        alpha: as in glTF.
        cutoff: alpha below which MASK leaves a pixel out.
        double_sided: shows back faces.
        depth_write: of BLEND: later parts behind it stay hidden.
        unlit: light does not change it.
        toon: two tones instead of physical shading.
        order: among BLEND materials, smaller is drawn earlier.
    """

    name: str = ""
    base_colour: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    base_texture: int | None = None
    normal_texture: int | None = None
    normal_scale: float = 1.0
    emissive: tuple[float, float, float] = (0.0, 0.0, 0.0)
    emissive_texture: int | None = None
    roughness: float = 0.8
    metallic: float = 0.0
    alpha: Literal["OPAQUE", "MASK", "BLEND"] = "OPAQUE"
    cutoff: float = 0.5
    double_sided: bool = False
    depth_write: bool = False
    unlit: bool = False
    toon: Toon | None = None
    order: int = 0


@dataclass(frozen=True, slots=True)
class Morphs:
    """The morph targets of one mesh, only the vertices that they move.

    Attributes:
        names: as in the file; empty text where it has none.
        starts: (T + 1,) int32: target t owns the rows starts[t]:starts[t + 1] of the others.
        index: (K,) int32 vertices.
        offsets: (K, 6) float32: what is added to position and normal at weight 1.
        weights: (T,) float32 that the file itself sets.
    """

    names: tuple[str, ...]
    starts: Ints
    index: Ints
    offsets: Floats
    weights: Floats


@dataclass(frozen=True, slots=True)
class AvatarMesh:
    """One primitive: triangles of one material.

    Attributes:
        positions, normals: (V, 3) float32, before skinning.
        uv: (V, 2) float32 of the base texture, with its transform applied; v = 0 is the top row.
        uv_more: (V, 4) float32 of normal map and emissive map, None where both are as `uv`.
        triangles: (F, 3) int32, counter-clockwise seen from outside.
        joints: (V, 4) int32 rows of `Avatar.palette_nodes`.
        weights: (V, 4) float32, each row sums to 1.
        morphs: None without morph targets.
        material: index into `Avatar.materials`.
        source: indices of mesh and node in the file, which expressions refer to.
    """

    name: str
    positions: Floats
    normals: Floats
    uv: Floats
    uv_more: Floats | None
    triangles: Ints
    joints: Ints
    weights: Floats
    morphs: Morphs | None
    material: int
    source: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The file's nodes, parents before children.

    Attributes:
        names: of the nodes.
        parents: (N,) int32, -1 for a root.
        rest: (N, 4, 4) float64 local transforms; the roots' hold the turn into the program's axes (a VRM 0.x avatar
            faces the other way).
        roles: node of each role of ROLES that was found.
    """

    names: tuple[str, ...]
    parents: Ints
    rest: NDArray[np.float64]
    roles: dict[str, int]

    def world(self, local: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """(N, 4, 4) transforms to the avatar's space, of (N, 4, 4) local ones; None takes the rest pose."""
        local = self.rest if local is None else local
        out = np.empty_like(local)
        for i, parent in enumerate(self.parents.tolist()):
            out[i] = local[i] if parent < 0 else out[parent] @ local[i]
        return out


@dataclass(frozen=True, slots=True)
class Bind:
    """`weight` of an expression goes to target `target` of `Avatar.meshes[mesh]`."""

    mesh: int
    target: int
    weight: float


@dataclass(frozen=True, slots=True)
class Expression:
    """Something the avatar's face can do.

    Attributes:
        name: canonical (see `models.avatars.names`), or the file's own where it is not known.
        source: the file's own name.
        binds: what moves.
        binary: is either off or fully on.
    """

    name: str
    source: str
    binds: tuple[Bind, ...]
    binary: bool = False


@dataclass(frozen=True, slots=True)
class EyeRange:
    """How far the eye bones turn, in radians, at the limit of a human gaze; None: as far as the person's own."""

    inward: float | None = None
    outward: float | None = None
    up: float | None = None
    down: float | None = None


@dataclass(frozen=True, slots=True)
class Avatar:
    """A drawable, drivable avatar.

    Units are the file's (metres, if it keeps to the standard); axes are the head frame's: +x to the avatar's left,
    +y up, +z out of its face.

    Attributes:
        name: for people.
        kind: `glTF`, `VRM 0.x` or `VRM 1.0`.
        licence: what the file says about its use.
        meshes, materials, textures: what is drawn.
        skeleton: the nodes.
        palette_nodes: (P,) int32 node of each joint that meshes refer to.
        palette_inverse: (P, 4, 4) float64 from mesh space to that joint's, in the bind pose.
        expressions: by name, canonical where it is known.
        eye_range: of the eye bones.
        eyes_by_bones: False where the file wants its gaze drawn by expressions.
        notes: sentences on what was left out.
    """

    name: str
    kind: Literal["glTF", "VRM 0.x", "VRM 1.0"]
    licence: Licence
    meshes: tuple[AvatarMesh, ...]
    materials: tuple[AvatarMaterial, ...]
    textures: tuple[AvatarTexture, ...]
    skeleton: Skeleton
    palette_nodes: Ints
    palette_inverse: NDArray[np.float64]
    expressions: dict[str, Expression] = field(default_factory=dict)
    eye_range: EyeRange = field(default_factory=EyeRange)
    eyes_by_bones: bool = True
    notes: tuple[str, ...] = ()

    @property
    def triangle_count(self) -> int:
        """Of all meshes."""
        return sum(len(mesh.triangles) for mesh in self.meshes)

    @property
    def vertex_count(self) -> int:
        """Of all meshes."""
        return sum(len(mesh.positions) for mesh in self.meshes)
