"""From a GLB, glTF or VRM file to an avatar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.avatars.accessors import Accessors
from models.avatars.avatar import Avatar, AvatarMaterial, AvatarMesh, Bind, Expression
from models.avatars.container import read_document
from models.avatars.materials import IDENTITY, Slot, read_materials
from models.avatars.meshes import MeshReader
from models.avatars.names import canonical_name
from models.avatars.skeleton import named_roles, read_nodes, skeleton_of
from models.avatars.textures import load_textures
from models.avatars.vrm import bone_roles, eye_range, eyes_by_bones, kind_of, licence_of, vrm_expressions

__all__ = ["load_avatar"]


def load_avatar(path: Path) -> Avatar:
    """Reads an avatar. Takes seconds for large files and may be called on any thread; nothing in the file is executed,
    and no other file or address is opened.

    Args:
        path: a .glb, .vrm or .gltf file.

    Raises:
        AvatarFileError: the file cannot be used; the message is one sentence.
    """
    document = read_document(path)
    accessors = Accessors(document)
    kind = kind_of(document)
    tree = read_nodes(document)
    materials = read_materials(document)
    plain = Slot(0, IDENTITY)
    # What primitives without a material get.
    materials.append((AvatarMaterial(name="default", base_colour=(0.8, 0.8, 0.8, 1.0)), (plain, plain, plain)))
    reader = MeshReader(document, accessors, tree, [slots for _, slots in materials])
    meshes = reader.read()
    roles = bone_roles(document, tree.place) or named_roles(tree, reader.joints())
    used = {mesh.material for mesh in meshes}
    wanted = [
        index
        for number in used
        for m in (materials[number][0],)
        for index in (m.base_texture, m.normal_texture, m.emissive_texture)
        if index is not None
    ]
    textures = load_textures(document, accessors, wanted)
    numbers = sorted(textures)
    looks = [
        _renumbered(m, {t: i for i, t in enumerate(numbers)}) if i in used else AvatarMaterial(m.name)
        for i, (m, _) in enumerate(materials)
    ]
    expressions = _expressions(vrm_expressions(document, meshes), meshes)
    licence = licence_of(document)
    return Avatar(
        name=licence.title or path.stem,
        kind=kind,
        licence=licence,
        meshes=tuple(meshes),
        materials=tuple(looks),
        textures=tuple(textures[t] for t in numbers),
        skeleton=skeleton_of(tree, roles, turned=kind == "VRM 0.x"),
        palette_nodes=np.array(reader.palette_nodes, np.int32),
        palette_inverse=np.array(reader.palette_inverse, np.float64).reshape(-1, 4, 4),
        expressions=expressions,
        eye_range=eye_range(document),
        eyes_by_bones=eyes_by_bones(document),
        notes=_notes(document.json.get("extensionsUsed"), expressions, roles),
    )


def _renumbered(material: AvatarMaterial, places: dict[int, int]) -> AvatarMaterial:
    def place(index: int | None) -> int | None:
        return None if index is None else places[index]

    return replace(
        material,
        base_texture=place(material.base_texture),
        normal_texture=place(material.normal_texture),
        emissive_texture=place(material.emissive_texture),
    )


def _expressions(own: Sequence[Expression], meshes: Sequence[AvatarMesh]) -> dict[str, Expression]:
    """The file's own expressions, then every morph target under its canonical name that none of them has taken.

    Within one mesh the first target of a name counts, an exact name before an alias; across meshes they move together.
    """
    found: dict[str, Expression] = {}
    for expression in own:
        found.setdefault(expression.name, expression)
    taken = set(found)
    for exact in (True, False):
        for i, mesh in enumerate(meshes):
            for target, name in enumerate(mesh.morphs.names if mesh.morphs is not None else ()):
                canonical = canonical_name(name) or name
                if not name or canonical in taken or (canonical == name) != exact:
                    continue
                before = found.get(canonical)
                if before is None:
                    found[canonical] = Expression(canonical, name, (Bind(i, target, 1.0),))
                elif all(bind.mesh != i for bind in before.binds):
                    found[canonical] = replace(before, binds=(*before.binds, Bind(i, target, 1.0)))
    return found


def _notes(used: object, expressions: dict[str, Expression], roles: dict[str, int]) -> tuple[str, ...]:
    notes = []
    if not any(canonical_name(name) for name in expressions):
        notes.append("No morph target has a name that is known: the face will not move.")
    if "head" not in roles:
        notes.append("No head bone was found: the whole avatar turns with the head.")
    if isinstance(used, list) and any(str(e).startswith("VRMC_springBone") for e in used):
        notes.append("Springs for hair and clothes are left out.")
    return tuple(notes)
