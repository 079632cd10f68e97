"""What VRM adds to glTF: which node is which bone, the expressions, how the eyes move, and the licence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import radians
from typing import Any, Literal

from models.avatars.avatar import AvatarMesh, Bind, Expression, EyeRange, Licence
from models.avatars.container import Document, as_int, as_list, as_number, as_object
from models.avatars.names import canonical_name

__all__ = ["Kind", "bone_roles", "eye_range", "eyes_by_bones", "kind_of", "licence_of", "vrm_expressions"]

Kind = Literal["glTF", "VRM 0.x", "VRM 1.0"]

_BONES = {
    "hips": "hips",
    "chest": "chest",
    "upperChest": "chest",
    "neck": "neck",
    "head": "head",
    "jaw": "jaw",
    "leftEye": "left_eye",
    "rightEye": "right_eye",
    "leftUpperArm": "left_upper_arm",
    "rightUpperArm": "right_upper_arm",
    "leftLowerArm": "left_lower_arm",
    "rightLowerArm": "right_lower_arm",
}


def kind_of(document: Document) -> Kind:
    """Which of the three it is."""
    extensions = as_object(document.json.get("extensions"))
    if "VRMC_vrm" in extensions:
        return "VRM 1.0"
    return "VRM 0.x" if "VRM" in extensions else "glTF"


def _extension(document: Document) -> dict[str, Any]:
    extensions = as_object(document.json.get("extensions"))
    return as_object(extensions.get("VRMC_vrm") or extensions.get("VRM"))


def bone_roles(document: Document, place: Mapping[int, int]) -> dict[str, int]:
    """Role -> place of the node, as the file's humanoid says; empty for plain glTF."""
    bones = as_object(_extension(document).get("humanoid")).get("humanBones")
    pairs: list[tuple[str, Any]] = []
    if isinstance(bones, list):
        pairs = [(str(as_object(b).get("bone")), as_object(b).get("node")) for b in bones]
    elif isinstance(bones, dict):
        pairs = [(name, as_object(b).get("node")) for name, b in bones.items()]
    return {_BONES[name]: place[as_int(node)] for name, node in pairs if name in _BONES and as_int(node) in place}


def vrm_expressions(document: Document, meshes: Sequence[AvatarMesh]) -> list[Expression]:
    """The file's own expressions that move something; those without a morph target (colours alone) are left out."""
    extension = _extension(document)
    if kind_of(document) == "VRM 0.x":
        groups = as_list(as_object(extension.get("blendShapeMaster")).get("blendShapeGroups"))
        named = [(_name0(as_object(g)), as_object(g)) for g in groups]
        key, scale, by = "binds", 0.01, 0
    else:
        both = as_object(extension.get("expressions"))
        named = [(str(n), as_object(e)) for k in ("preset", "custom") for n, e in as_object(both.get(k)).items()]
        key, scale, by = "morphTargetBinds", 1.0, 1
    found = []
    for name, entry in named:
        binds: list[Bind] = []
        for item in as_list(entry.get(key)):
            bind = as_object(item)
            number = as_int(bind.get("mesh" if by == 0 else "node"))
            target, weight = as_int(bind.get("index")), as_number(bind.get("weight"), 0.0) * scale
            for i, mesh in enumerate(meshes):
                inside = mesh.morphs is not None and 0 <= target < len(mesh.morphs.names)
                if mesh.source[by] == number and inside and weight:
                    binds.append(Bind(i, target, max(min(weight, 1.0), -1.0)))
        if binds:
            found.append(Expression(canonical_name(name) or name, name, tuple(binds), entry.get("isBinary") is True))
    return found


def _name0(group: dict[str, Any]) -> str:
    preset = str(group.get("presetName", "unknown"))
    return str(group.get("name", ""))[:200] if preset.lower() in ("unknown", "", "none") else preset


def eyes_by_bones(document: Document) -> bool:
    """Whether the gaze turns bones rather than being drawn by expressions."""
    extension = _extension(document)
    first_person, look_at = as_object(extension.get("firstPerson")), as_object(extension.get("lookAt"))
    return not (first_person.get("lookAtTypeName") == "BlendShape" or look_at.get("type") == "expression")


def eye_range(document: Document) -> EyeRange:
    """How far the eye bones turn at most, as a VRM file says."""
    extension = _extension(document)
    if kind_of(document) == "VRM 0.x":
        place, key = as_object(extension.get("firstPerson")), "yRange"
        names = ("lookAtHorizontalInner", "lookAtHorizontalOuter", "lookAtVerticalUp", "lookAtVerticalDown")
    else:
        place, key = as_object(extension.get("lookAt")), "outputScale"
        names = ("rangeMapHorizontalInner", "rangeMapHorizontalOuter", "rangeMapVerticalUp", "rangeMapVerticalDown")
    inward, outward, up, down = (
        radians(min(max(degrees, 0.0), 60.0)) if degrees >= 0 else None
        for degrees in (as_number(as_object(place.get(name)).get(key), -1.0) for name in names)
    )
    return EyeRange(inward, outward, up, down)


def licence_of(document: Document) -> Licence:
    """Title, author and terms."""
    asset = as_object(document.json.get("asset"))
    extras = as_object(asset.get("extras"))
    words: tuple[Any, ...]
    if kind_of(document) == "glTF":
        words = (extras.get("title"), extras.get("author"), extras.get("license") or asset.get("copyright"), "")
    else:
        meta = as_object(_extension(document).get("meta"))
        authors = ", ".join(str(a) for a in as_list(meta.get("authors"))[:8])
        words = (
            meta.get("title") or meta.get("name"),
            meta.get("author") or authors,
            meta.get("licenseName") or meta.get("copyrightInformation"),
            meta.get("licenseUrl") or meta.get("otherLicenseUrl"),
        )
    title, author, licence, url = ("" if w in (None, "undefined") else str(w)[:300] for w in words)
    return Licence(title, author, licence, url)
